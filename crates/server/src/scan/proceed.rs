//! `POST /s/{scan code}/continue`: a phone whose browser is signed in here goes on as that person. That is the scan; the
//! confirm page asks as ever (promise 2).

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use mashang_login::ids::ScanCode;
use mashang_login::secret::SessionSecret;
use serde::Deserialize;

use super::here::{self, Here};
use crate::state::App;
use crate::web::form_token;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{flow, urls};

/// The form of the page that our link opens.
#[derive(Deserialize)]
pub struct Asked {
    token: String,
}

/// On to the confirm page. Without a session that suffices, back to the page that says what else there is.
pub async fn proceed(
    State(app): State<App>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = form.map_err(|_| Problem::BadRequest("the form is incomplete"))?;
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let code = ScanCode::parse(&ticket).map_err(|_| Problem::UnknownLogin)?;
    let back = || Ok(see_other(&format!("{}?via=browser", urls::of_scan(urls::SCAN, &code)), &[]));
    let session = flow::session_of(&app, &visitor).await?;
    let (Some(secret), Some(session)) = (&visitor.brought.session, session) else { return back() };
    if !is_token(secret, &code, &form.token) {
        return Err(Problem::CrossSite);
    }
    let asked = match here::waiting(&app, &visitor, &code).await? {
        Here::Waits(asked) => asked,
        Here::Elsewhere(address) => return Ok(see_other(&address, &[])),
    };
    let Some(proof) = asked.by_session(&app, &session).await? else { return back() };
    let (phone, cookies) = visitor.phone_or_new(&app);
    let next = here::bind(&app, &visitor, &code, phone, proof).await?;
    Ok(see_other(&next, &cookies))
}

/// The token of the form, bound to the session and the ticket.
pub(super) fn token(secret: &SessionSecret, code: &ScanCode) -> String {
    form_token::mint(secret.expose(), &format!("continue:{code}"))
}

fn is_token(secret: &SessionSecret, code: &ScanCode, presented: &str) -> bool {
    form_token::is_valid(secret.expose(), &format!("continue:{code}"), presented)
}
