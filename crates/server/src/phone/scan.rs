//! `POST /api/phone/{channel}/{scan_code}/scan`: the phone says who holds it, and gets its token. It approves nothing
//! (promise 2).

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::response::Response;
use mashang_login::audit::AuditKind;
use mashang_login::identity::Proof;
use mashang_login::secret::{PhoneSecret, SecretHash};
use mashang_login::ticket::{Refusal, Status, Ticket};
use serde_json::{Value, json};

use super::call::{Call, allowed};
use super::prover::Prover;
use super::refused::Refused;
use super::{login, mini, seconds_left, told};
use crate::channel::{ChannelFailure, FailureWords};
use crate::state::App;
use crate::web::limits::{Counted, Whose};
use crate::web::visitor::Visitor;
use crate::{audit, flow};

/// The longest that any code of a mini-program lives (mini-program fact sheet §1, §8), and a little.
const CODE_LIFE: Duration = Duration::from_secs(600);

/// The endpoint.
pub async fn scan(
    State(app): State<App>,
    visitor: Visitor,
    Path(at): Path<(String, String)>,
    request: Request,
) -> Response {
    let outcome = scanned(&app, &visitor, &at, request).await;
    told(&app, &visitor, outcome)
}

async fn scanned(
    app: &App,
    visitor: &Visitor,
    at: &(String, String),
    request: Request,
) -> Result<Value, Refused> {
    // An app's token is in the header; a field for a code would have no meaning there.
    let is_mini =
        app.channels.get(&at.0).and_then(Prover::of).is_some_and(|by| matches!(by, Prover::Mini(_)));
    let documented: &[&str] = if is_mini { &["code"] } else { &[] };
    let call = Call::read(app, visitor, at, request, documented, Counted::Start).await?;
    let is_taken = match call.ticket.status(app.now()) {
        Status::Waiting => false,
        Status::Scanned | Status::Approved => true,
        // Used is told like unknown (SEC-14).
        Status::Redeemed | Status::Denied | Status::Expired => return Err(Refused::UnknownLogin),
    };
    // Before anything is said of another scanner: whoever saw the QR could else raise the alarm by any made-up code.
    let proof = prove(&call).await?;
    if is_taken {
        return taken(&call).await;
    }
    allowed(app, visitor, &call.ticket, &proof.key).await?;
    let phone = PhoneSecret::random(&*app.entropy);
    let moved = flow::advance(app, &call.ticket.scan_code, |ticket, now| {
        ticket.scan(proof.clone(), phone.hash(), now, &app.site.lifetimes)
    })
    .await?;
    match moved {
        Ok(ticket) => {
            call.record(AuditKind::TicketScanned, &ticket).await;
            welcome(&call, &ticket, &phone).await
        }
        Err(Refusal::Taken) => taken(&call).await,
        Err(_) => Err(Refused::UnknownLogin),
    }
}

async fn welcome(call: &Call<'_>, ticket: &Ticket, phone: &PhoneSecret) -> Result<Value, Refused> {
    Ok(json!({
        "phone_token": phone.expose(),
        "login": login(call, ticket).await?,
        "expires_in": seconds_left(ticket, call.app.now()),
    }))
}

/// A second scanner is an alarm (SEC-06).
async fn taken(call: &Call<'_>) -> Result<Value, Refused> {
    let short = call.ticket.scan_code.short();
    tracing::warn!(ticket.id = short, "a second person scanned ticket {short}; refused");
    call.record(AuditKind::SecondScanRefused, &call.ticket).await;
    Err(Refused::Taken)
}

/// Who holds the phone.
async fn prove(call: &Call<'_>) -> Result<Proof, Refused> {
    match (call.prover, &call.caller) {
        (Prover::Mini(program), _) => {
            let code = call.fields.text("code")?;
            // Whoever makes codes up uses WeChat's patience, and a place each that lasts as long as a real code.
            let whose = Whose::to_one(call.visitor.address, call.channel.id.as_str());
            call.app.limits.is_exhausted(Counted::TokenError, whose.clone())?;
            spend(call, code).await?;
            match mini::prove(call.app, &call.channel.id, &program.account, code).await {
                Ok(proof) => Ok(proof),
                Err(failure) => {
                    if failure.words == FailureWords::Code {
                        let _ = call.app.count(Counted::TokenError, whose).await;
                    }
                    Err(failed(call, &failure).await)
                }
            }
        }
        (Prover::App(_), Some(caller)) => Ok(caller.clone()),
        (Prover::App(_), None) => Err(Refused::Unauthorized),
    }
}

/// Marks a platform's code as used, before the platform is asked (SEC-26).
///
/// # Errors
/// [`Refused::CodeRefused`] for a code that was presented before.
pub(super) async fn spend(call: &Call<'_>, code: &str) -> Result<(), Refused> {
    let now = call.app.now();
    let (channel, used) = (&call.channel.id, SecretHash::of(code));
    if call.app.handshakes.spend_provider_code(channel, &used, now + CODE_LIFE, now).await? {
        return Ok(());
    }
    tracing::warn!(channel.id = %channel, "a platform code was presented twice; refused without asking the platform");
    Err(Refused::CodeRefused)
}

/// The platform refused or failed: recorded, logged once with what to do (promise 9), and told.
pub(super) async fn failed(call: &Call<'_>, failure: &ChannelFailure) -> Refused {
    let (channel, ticket) = (&call.channel.id, call.ticket.scan_code.short());
    tracing::warn!(channel.id = %channel, ticket.id = ticket, upstream.errcode = failure.errcode, "channel {channel} failed under ticket {ticket}: {}", failure.log);
    audit::failed(call.app, call.visitor, &call.ticket.scan_code, channel).await;
    failure.into()
}
