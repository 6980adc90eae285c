//! `GET /authorize/answer`: hands an answer to the window that opened us (`response_mode=web_message`).
//!
//! A browser may reach its answer from many places: a form, a script, a platform's way back. All of them send it on to an
//! address, so the answer travels inside that address, sealed, and opens only in the browser that began the request
//! (SEC-56), and only as long as the code in it lives.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mashang_login::Timestamp;
use mashang_login::grant::ResponseMode;
use mashang_login::secret::SecretHash;
use mashang_oidc::authorize::AuthorizationResponse;
use minijinja::context;
use serde::{Deserialize, Serialize};

use crate::state::App;
use crate::urls;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// What it is sealed for, so that nothing else of ours opens here (SEC-61).
const PLACE: &str = "authorize/answer";

#[derive(Serialize, Deserialize)]
struct OnItsWay {
    browser: SecretHash,
    until: Timestamp,
    response: AuthorizationResponse,
}

/// The address to send the browser to with its answer: the website's own, or ours for a message.
#[must_use]
pub fn address(app: &App, browser: &SecretHash, response: &AuthorizationResponse) -> String {
    match response.mode {
        ResponseMode::Query => response.address(),
        ResponseMode::WebMessage => {
            let until = app.now() + app.provider.policy.code;
            let plain = OnItsWay { browser: *browser, until, response: response.clone() };
            let plain = serde_json::to_vec(&plain).expect("texts and a time are JSON");
            let sealed = URL_SAFE_NO_PAD.encode(app.sealer.seal(&plain, PLACE, &*app.entropy));
            format!("{}?sealed={sealed}", urls::AUTHORIZE_ANSWER)
        }
    }
}

/// The page whose script tells its opener, and nobody but a page of the proven origin.
pub async fn answer(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let response = opened(&app, &visitor).ok_or(Problem::UnknownLogin)?;
    let target = response.origin().ok_or(Problem::UnknownLogin)?;
    let told: serde_json::Map<_, _> =
        response.params().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let values = context! {
        target,
        response => serde_json::Value::from(told).to_string(),
        fallback => response.address(),
        done => response.get("code").is_some(),
    };
    Ok(app.pages.render(&visitor, "web_message.html", "web_message.title", values)?.into_response())
}

/// The answer in the address, if it is this browser's and not too old.
fn opened(app: &App, visitor: &Visitor) -> Option<AuthorizationResponse> {
    let sealed = URL_SAFE_NO_PAD.decode(visitor.query("sealed")?).ok()?;
    let plain = app.sealer.open(&sealed, PLACE).ok()?;
    let OnItsWay { browser, until, response } = serde_json::from_slice(&plain).ok()?;
    (visitor.browser() == Some(browser) && app.now() < until).then_some(response)
}
