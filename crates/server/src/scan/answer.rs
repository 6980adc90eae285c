//! `POST /s/{scan code}/approve` and `…/deny`: the person's answer.

use std::time::Duration;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use mashang_login::audit::AuditKind;
use mashang_login::ids::ScanCode;
use mashang_login::ticket::{Answer, Ticket};
use serde::Deserialize;

use super::confirm::is_same_device;
use super::{Outcome, is_confirm_token, result_page};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow};

/// The confirm page's form.
#[derive(Deserialize)]
pub struct Answered {
    confirm_token: String,
    #[serde(default)]
    number: String,
}

/// Yes.
pub async fn approve(
    State(app): State<App>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    form: Result<Form<Answered>, FormRejection>,
) -> Result<Response, Problem> {
    answer(&app, &visitor, &ticket, form, true).await
}

/// No: instant and final (SEC-12).
pub async fn deny(
    State(app): State<App>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    form: Result<Form<Answered>, FormRejection>,
) -> Result<Response, Problem> {
    answer(&app, &visitor, &ticket, form, false).await
}

async fn answer(
    app: &App,
    visitor: &Visitor,
    ticket: &str,
    form: Result<Form<Answered>, FormRejection>,
    yes: bool,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let Form(form) = form.map_err(|_| Problem::BadRequest("the confirm page's form is incomplete"))?;
    let code = ScanCode::parse(ticket).map_err(|_| Problem::UnknownLogin)?;
    let Some(secret) = &visitor.brought.phone else { return Ok(result_page(&code, Outcome::Unknown)) };
    if !is_confirm_token(secret, &code, &form.confirm_token) {
        return Err(Problem::CrossSite);
    }
    let phone = secret.hash();
    let moved = flow::advance(app, &code, |ticket, now| {
        let known = ticket.number.digits();
        let number = if is_same_device(visitor, ticket) { &known } else { &form.number };
        let answer = if yes { Answer::Approve { number } } else { Answer::Deny };
        ticket.answer(&phone, answer, now, &app.site.lifetimes)
    })
    .await?;
    match moved {
        Ok(ticket) => {
            let outcome = Outcome::answered_by(&ticket, &phone).unwrap_or(Outcome::Declined);
            audit::of_ticket(app, visitor, record_of(outcome), &ticket, None).await;
            told(app, visitor, &ticket, outcome).await
        }
        Err(refusal) => {
            let ticket = app.tickets.get(&code, app.now()).await?;
            let before = ticket.and_then(|ticket| Some((Outcome::answered_by(&ticket, &phone)?, ticket)));
            match before {
                // A second tap, while the first one's answer was on its way.
                Some((outcome, ticket)) if is_on_record(app, outcome, &ticket).await => {
                    told(app, visitor, &ticket, outcome).await
                }
                _ => Ok(result_page(&code, Outcome::of(refusal))),
            }
        }
    }
}

/// What the trail says of an answer.
fn record_of(outcome: Outcome) -> AuditKind {
    match outcome {
        Outcome::Approved => AuditKind::TicketApproved,
        Outcome::WrongNumber => AuditKind::WrongNumber,
        _ => AuditKind::TicketDenied,
    }
}

/// Whether the first tap has been recorded, or soon is. A node that died in between never does that; then the person shall
/// begin anew, so that nobody is led in by an approval that the trail does not have (SEC-78).
async fn is_on_record(app: &App, outcome: Outcome, ticket: &Ticket) -> bool {
    for _ in 0..5 {
        if audit::is_recorded(app, record_of(outcome), ticket).await != Some(false) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    false
}

async fn told(app: &App, visitor: &Visitor, ticket: &Ticket, outcome: Outcome) -> Result<Response, Problem> {
    if outcome == Outcome::Approved && is_same_device(visitor, ticket) {
        // The waiting browser is this one: it goes straight on.
        let waiting =
            flow::of_browser(app, visitor, ticket.grant.as_str(), ticket.scan_code.as_str()).await?;
        return flow::go_on(app, visitor, waiting).await;
    }
    Ok(result_page(&ticket.scan_code, outcome))
}
