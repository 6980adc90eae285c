//! `POST /api/phone/{channel}/{scan_code}/phone-number`: the person tapped to hand over the WeChat phone number. The
//! button's code is exchanged here; a number in the request would be refused (mini-program fact sheet §8, SEC-22).

use axum::extract::{Path, Request, State};
use axum::response::Response;
use serde_json::{Value, json};

use super::call::Call;
use super::prover::Prover;
use super::refused::Refused;
use super::scan::{failed, spend};
use super::{mini, told};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::visitor::Visitor;

/// The endpoint.
pub async fn phone_number(
    State(app): State<App>,
    visitor: Visitor,
    Path(at): Path<(String, String)>,
    request: Request,
) -> Response {
    let outcome = shared(&app, &visitor, &at, request).await;
    told(&app, &visitor, outcome)
}

async fn shared(
    app: &App,
    visitor: &Visitor,
    at: &(String, String),
    request: Request,
) -> Result<Value, Refused> {
    let call = Call::read(app, visitor, at, request, &["phone_token", "code"], Counted::Poll).await?;
    let Prover::Mini(program) = call.prover else { return Err(Refused::BadRequest) };
    let phone = call.phone()?;
    let code = call.fields.text("code")?;
    let by = call.owns(&call.ticket, &phone, app.now()).map_err(|refusal| call.refused(refusal, &phone))?;
    spend(&call, code).await?;
    let number = match mini::phone_number(app, &program.account, code, &by.key.subject).await {
        Ok(number) => number,
        Err(failure) => return Err(failed(&call, &failure).await),
    };
    call.advance(&phone, |ticket, now| {
        ticket.amend(&phone, |by| by.attributes.phone_number = Some(number.clone()), now)
    })
    .await?;
    Ok(json!({ "status": "scanned" }))
}
