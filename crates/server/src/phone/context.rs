//! `POST /api/phone/{channel}/{scan_code}/context`: the same facts again, for a page that comes back to the front.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::call::Call;
use super::refused::Refused;
use super::{login, seconds_left, told};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::visitor::Visitor;

/// The endpoint.
pub async fn context(
    State(app): State<App>,
    visitor: Visitor,
    Path(at): Path<(String, String)>,
    request: Request,
) -> Response {
    let outcome = facts(&app, &visitor, &at, request).await;
    told(&app, &visitor, outcome)
}

async fn facts(
    app: &App,
    visitor: &Visitor,
    at: &(String, String),
    request: Request,
) -> Result<Value, Refused> {
    let call = Call::read(app, visitor, at, request, &["phone_token"], Counted::Poll).await?;
    let phone = call.phone()?;
    call.owns(&call.ticket, &phone, app.now()).map_err(|refusal| call.refused(refusal, &phone))?;
    Ok(json!({
        "status": "scanned",
        "login": login(&call, &call.ticket).await?,
        "expires_in": seconds_left(&call.ticket, app.now()),
    }))
}
