//! The Browser API: a website's own page shows the QR and gets the code itself; nobody is navigated. JSON in, JSON out.
//! `docs/browser-api.md` is its manual, `sdk/js` its user.
//!
//! ```text
//!   start ──► status | events ──► redeem ──► code, for the website's back end
//!               ▲        │
//!               └ refresh┴ cancel
//! ```
//!
//! - Cookies are neither read nor set ([`without_cookies`]). The page holds the secret of its login in its memory and
//!   sends it with every call, compared as the cookie of the login page is (SEC-02, SEC-56).
//! - Only a page of an origin that the client registered begins a login and goes on with it (SEC-59); what it can do is
//!   get a code for that very client, bound by PKCE to whoever made the challenge (SEC-48).
//! - The ticket, the grant and the phone are the same as everywhere; so are the limits and the records.
//!
//! Every later call goes through [`call`].

pub mod call;
pub mod face;
pub mod finish;
pub mod refresh;
pub mod refused;
pub mod start;
pub mod watch;

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::refused::Refused;
use crate::state::App;
use crate::web::visitor::Visitor;

/// The layer that takes the cookies away before anything looks at them, the choice of a language included.
pub async fn without_cookies(State(app): State<App>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(header::COOKIE);
    let visitor = Visitor::read(&app, &parts);
    parts.extensions.insert(visitor);
    next.run(Request::from_parts(parts, body)).await
}

/// The page's origin as its browser tells it; an unreadable or repeated one is nobody's.
fn origin_of(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(header::ORIGIN).iter();
    let first = values.next()?;
    Some(if values.next().is_some() { "" } else { first.to_str().unwrap_or("") })
}

/// Reads a body of one documented object.
async fn body_of<T: DeserializeOwned>(request: Request) -> Result<T, Refused> {
    let (parts, body) = request.into_parts();
    let is_json =
        parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|kind| {
            kind.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
        });
    let bytes = axum::body::to_bytes(body, crate::body::LIMIT)
        .await
        .map_err(|_| Refused::invalid("the request cannot be read"))?;
    // What is asked for without a body is asked for without wishes.
    let text: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    if !is_json && !bytes.is_empty() {
        return Err(Refused::invalid("the body must be application/json"));
    }
    serde_json::from_slice(text).map_err(|_| {
        Refused::invalid("the body must be one JSON object with the documented fields, each at most once")
    })
}

/// The answer, or the refusal in the page's language.
fn told(app: &App, visitor: &Visitor, outcome: Result<(StatusCode, Value), Refused>) -> Response {
    match outcome {
        Ok((status, body)) => (status, Json(body)).into_response(),
        Err(refused) => refused.tell(app, visitor),
    }
}
