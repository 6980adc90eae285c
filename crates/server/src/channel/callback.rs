//! `GET /channel/{channel}/callback?code&state`: where platforms send people back.
//!
//! In this order: the `state` is claimed, once and only by the device that set out, the code is marked as used by us,
//! only then it is exchanged with the platform. The answer is always a `303` to a clean address, so that neither code
//! nor state stays in the address bar or a referrer (SEC-25, SEC-26, SEC-41). A second visit with the same state by the
//! same device (WeChat is known to call twice, fact sheet §8.1) waits for the first to finish and follows it.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::audit::AuditKind;
use mashang_login::handshake::{Claim, Claimant, Handshake, Traveller};
use mashang_login::identity::Proof;
use mashang_login::secret::SecretHash;
use mashang_login::ticket::{Refusal, Stage, Status};
use minijinja::context;

use super::returned::returned_page;
use super::{Channel, ChannelFailure};
use crate::scan::Outcome;
use crate::state::App;
use crate::web::headers::Csp;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow, scan, urls};

/// How long a provider code is remembered as used: the longest life any platform gives one (fact sheet §1.8).
const CODE_LIFE: Duration = Duration::from_secs(600);
/// How long a repeated visit waits for the first one, which may be talking to a slow platform.
const FIRST_VISIT: Duration = Duration::from_secs(8);

/// The platform sent someone back.
pub async fn callback(
    State(app): State<App>,
    visitor: Visitor,
    Path(channel): Path<String>,
) -> Result<Response, Problem> {
    let channel = app.channels.get(&channel).ok_or(Problem::NotFound)?;
    let state = visitor.query("state").filter(|state| state.len() <= 128).ok_or(Problem::UnknownLogin)?;
    let state = SecretHash::of(&state);
    if let Some(again) = frame_without_cookie(&app, &visitor)? {
        return Ok(again);
    }
    let devices: Vec<SecretHash> = visitor.browser().into_iter().chain(visitor.phone()).collect();
    let claimant = Claimant { state, channel: &channel.id, devices: &devices };
    match app.handshakes.claim(&claimant, app.now()).await? {
        Claim::Unknown => Err(Problem::UnknownLogin),
        Claim::Foreign => {
            tracing::warn!(channel.id = %channel.id, "a state came back from another device or channel than it was made for; refused");
            let mut event = audit::by(&app, &visitor, AuditKind::ForeignStateRefused);
            event.channel = Some(channel.id.clone());
            audit::write(&app, event).await;
            Err(Problem::UnknownLogin)
        }
        Claim::First(trip) => {
            let answer = match visitor.query("code").filter(|code| !code.is_empty()) {
                Some(code) => first_visit(&app, &visitor, channel, &trip, &code).await,
                // The older documents promise a return without a code when the person declines (fact sheet §1.5).
                None => Ok(declined(&trip)),
            };
            app.handshakes.settle(&state, app.now()).await?;
            answer
        }
        Claim::Again { trip, is_settled } => {
            if !is_settled {
                wait_for_first_visit(&app, &trip).await?;
            }
            destination(&app, &visitor, &trip).await
        }
    }
}

/// A frame whose navigation another site began may come without our SameSite cookies. Our own page asks again, and then
/// they are sent. Nothing is claimed before that.
fn frame_without_cookie(app: &App, visitor: &Visitor) -> Result<Option<Response>, Problem> {
    let may_be_framed = visitor.is_framed || !visitor.has_fetch_metadata;
    let has_cookie = visitor.brought.browser.is_some() || visitor.brought.phone.is_some();
    if !may_be_framed || has_cookie || visitor.query("again").is_some() {
        return Ok(None);
    }
    let again_href = visitor.here_with("again", "1");
    let page =
        app.pages.render(visitor, "frame_again.html", "frame.returned.heading", context! { again_href })?;
    Ok(Some(page.with_csp(Csp { framed_by_self: true, ..Csp::default() }).into_response()))
}

async fn first_visit(
    app: &App,
    visitor: &Visitor,
    channel: &Channel,
    trip: &Handshake,
    code: &str,
) -> Result<Response, Problem> {
    let now = app.now();
    let used = SecretHash::of(code);
    if code.len() > 512
        || !app.handshakes.spend_provider_code(&channel.id, &used, now + CODE_LIFE, now).await?
    {
        tracing::warn!(channel.id = %channel.id, "a platform code was presented twice; refused without asking the platform");
        return Err(Problem::UnknownLogin);
    }
    match channel.exchange(app, code, visitor.language).await {
        Ok(proof) => proven(app, visitor, trip, proof).await,
        Err(failure) => {
            audit::of_trip(app, visitor, AuditKind::ChannelFailed, &trip.ticket, &channel.id).await;
            Ok(failed(channel, trip, failure))
        }
    }
}

/// The platform proved who it is: the ticket moves, and the device goes on to where it can see what came of it.
async fn proven(app: &App, visitor: &Visitor, trip: &Handshake, proof: Proof) -> Result<Response, Problem> {
    let moved = flow::advance(app, &trip.ticket, |ticket, now| match trip.traveller {
        Traveller::Phone => ticket.scan(proof.clone(), trip.device, now, &app.site.lifetimes),
        Traveller::Browser | Traveller::BrowserFrame => {
            ticket.approve_on_platform(&trip.device, proof.clone(), now, &app.site.lifetimes)
        }
    })
    .await?;
    match moved {
        Ok(ticket) => {
            let kind = if trip.traveller == Traveller::Phone {
                AuditKind::TicketScanned
            } else {
                AuditKind::TicketApproved
            };
            audit::of_ticket(app, visitor, kind, &ticket, Some(&trip.channel)).await;
            destination(app, visitor, trip).await
        }
        Err(refusal) => Ok(refused(app, visitor, trip, refusal).await),
    }
}

async fn refused(app: &App, visitor: &Visitor, trip: &Handshake, refusal: Refusal) -> Response {
    if refusal == Refusal::Taken {
        tracing::warn!(
            ticket.id = trip.ticket.short(),
            "a second person scanned ticket {}",
            trip.ticket.short()
        );
        audit::of_trip(app, visitor, AuditKind::SecondScanRefused, &trip.ticket, &trip.channel).await;
    }
    match trip.traveller {
        Traveller::Phone => scan::result_page(&trip.ticket, Outcome::of(refusal)),
        Traveller::Browser => see_other(&urls::of_ticket(urls::LOGIN_TICKET, &trip.grant, &trip.ticket), &[]),
        Traveller::BrowserFrame => returned_page(&trip.channel, Outcome::of(refusal)),
    }
}

fn failed(channel: &Channel, trip: &Handshake, failure: ChannelFailure) -> Response {
    let retry = match trip.traveller {
        Traveller::Phone => urls::of_scan(urls::SCAN, &trip.ticket),
        Traveller::Browser | Traveller::BrowserFrame => {
            urls::of_ticket(urls::LOGIN_TICKET, &trip.grant, &trip.ticket)
        }
    };
    failure.into_problem(channel.id.clone(), retry).into_response()
}

fn declined(trip: &Handshake) -> Response {
    match trip.traveller {
        Traveller::Phone => scan::result_page(&trip.ticket, Outcome::Declined),
        Traveller::Browser => see_other(&urls::of_ticket(urls::LOGIN_TICKET, &trip.grant, &trip.ticket), &[]),
        Traveller::BrowserFrame => returned_page(&trip.channel, Outcome::Declined),
    }
}

/// Where a device goes after a trip, whichever visit this is.
async fn destination(app: &App, visitor: &Visitor, trip: &Handshake) -> Result<Response, Problem> {
    match trip.traveller {
        Traveller::Phone => Ok(see_other(&urls::of_scan(urls::CONFIRM, &trip.ticket), &[])),
        Traveller::BrowserFrame => {
            let ticket = app.tickets.get(&trip.ticket, app.now()).await?;
            let is_confirmed =
                ticket.is_some_and(|ticket| matches!(ticket.stage, Stage::Approved { .. } | Stage::Redeemed));
            let outcome = if is_confirmed { Outcome::Approved } else { Outcome::Unknown };
            Ok(returned_page(&trip.channel, outcome))
        }
        // The browser is back in its own window: it redeems at once.
        Traveller::Browser => {
            let waiting = flow::of_browser(app, visitor, trip.grant.as_str(), trip.ticket.as_str()).await?;
            flow::go_on(app, visitor, waiting).await
        }
    }
}

async fn wait_for_first_visit(app: &App, trip: &Handshake) -> Result<(), Problem> {
    let mut watch = app.tickets.watch(&trip.ticket).await?;
    let is_waiting = |ticket: &mashang_login::ticket::Ticket| {
        ticket.status(app.now()) == Status::Waiting && matches!(ticket.stage, Stage::Waiting { .. })
    };
    let settled = async {
        while app.tickets.get(&trip.ticket, app.now()).await?.as_ref().is_some_and(is_waiting) {
            watch.changed().await;
        }
        Ok::<(), Problem>(())
    };
    // If the first visit failed, the ticket stays as it was; then this one simply shows the page as it is.
    tokio::time::timeout(FIRST_VISIT, settled).await.unwrap_or(Ok(()))
}
