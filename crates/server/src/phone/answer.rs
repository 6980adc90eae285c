//! `POST /api/phone/{channel}/{scan_code}/approve` and `…/deny`: the person's answer.

use axum::extract::{Path, Request, State};
use axum::response::Response;
use mashang_login::audit::AuditKind;
use mashang_login::ticket::{Answer, Denial, Stage};
use serde_json::{Value, json};

use super::call::Call;
use super::refused::Refused;
use super::told;
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::visitor::Visitor;

/// Yes, with the number as typed. One wrong answer ends the login (SEC-09).
pub async fn approve(
    State(app): State<App>,
    visitor: Visitor,
    Path(at): Path<(String, String)>,
    request: Request,
) -> Response {
    let outcome = async {
        let documented = &["phone_token", "number"];
        let call = Call::read(&app, &visitor, &at, request, documented, Counted::Poll).await?;
        let number = call.fields.text("number")?;
        answer(&call, Answer::Approve { number }).await
    };
    told(&app, &visitor, outcome.await)
}

/// No: instant and final (SEC-12).
pub async fn deny(
    State(app): State<App>,
    visitor: Visitor,
    Path(at): Path<(String, String)>,
    request: Request,
) -> Response {
    let outcome = async {
        let call = Call::read(&app, &visitor, &at, request, &["phone_token"], Counted::Poll).await?;
        answer(&call, Answer::Deny).await
    };
    told(&app, &visitor, outcome.await)
}

async fn answer(call: &Call<'_>, answer: Answer<'_>) -> Result<Value, Refused> {
    let phone = call.phone()?;
    let ticket = call
        .advance(&phone, |ticket, now| ticket.answer(&phone, answer, now, &call.app.site.lifetimes))
        .await?;
    let (kind, status) = match ticket.stage {
        Stage::Approved { .. } => (AuditKind::TicketApproved, "approved"),
        Stage::Denied { why: Denial::WrongNumber } => (AuditKind::WrongNumber, "wrong_number"),
        _ => (AuditKind::TicketDenied, "denied"),
    };
    call.record(kind, &ticket).await;
    Ok(json!({ "status": status }))
}
