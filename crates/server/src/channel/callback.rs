//! `GET /channel/{channel}/callback?code&state`: where platforms send people back.
//!
//! In this order: the `state` is claimed, once and only by the device that set out, the code is marked as used by us,
//! only then it is exchanged with the platform. The answer is always a `303` to a clean address, so that neither code
//! nor state stays in the address bar or a referrer (SEC-25, SEC-26, SEC-41). A second visit with the same state by the
//! same device (WeChat is known to call twice, fact sheet §8.1) waits for the first to finish and follows it. Only after a
//! snapshot (快照页), whose person is invented, another code of the same trip counts as the first one's.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::audit::AuditKind;
use mashang_login::handshake::{Claim, Claimant, Handshake, Traveller, TripEnd};
use mashang_login::identity::Proof;
use mashang_login::secret::SecretHash;
use mashang_login::ticket::Refusal;
use minijinja::context;

use super::returned::returned_page;
use super::{Channel, ChannelFailure, FailureWords, Platform};
use crate::outgoing::causes;
use crate::scan::Outcome;
use crate::state::App;
use crate::web::device::Surroundings;
use crate::web::headers::Csp;
use crate::web::limits::{Counted, Whose};
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow, scan, urls};

/// How long a provider code is remembered as used: the longest life any platform gives one (fact sheet §1.8).
const CODE_LIFE: Duration = Duration::from_secs(600);
/// How long an exchange may take with all its calls (SEC-85 limits each of them).
const EXCHANGE: Duration = Duration::from_secs(10);
/// How long a repeated visit waits for the first one: its exchange, and a little.
const FIRST_VISIT: Duration = Duration::from_secs(12);
/// How long one waits that may only be a snapshot looked at again.
const SECOND_EXCHANGE: Duration = Duration::from_secs(3);
const ASK_AGAIN: Duration = Duration::from_millis(100);
/// How a trip ends of whom an administrator switched off: not the platform's doing.
const SWITCHED_OFF: &str = "person_disabled";

/// The platform sent someone back.
pub async fn callback(
    State(app): State<App>,
    visitor: Visitor,
    Path(channel): Path<String>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let channel = app.channels.get(&channel).ok_or(Problem::NotFound)?;
    if visitor.query_repeats("state") || visitor.query_repeats("code") {
        return Err(Problem::BadRequest("code and state come once each"));
    }
    // Whoever makes codes up uses the platform's patience, and a place each that lasts as long as a real code.
    let whose = Whose::to_one(visitor.address, channel.id.as_str());
    app.limits.is_exhausted(Counted::TokenError, whose)?;
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
            let has_cookie = !devices.is_empty();
            if app.count(Counted::Refusal, visitor.address).await.is_ok() {
                tracing::warn!(channel.id = %channel.id, "a state came back from another device or channel than it was made for; refused");
                let mut event = audit::by(&app, &visitor, AuditKind::ForeignStateRefused);
                event.channel = Some(channel.id.clone());
                audit::write(&app, event).await;
            }
            // A snapshot has none of the real page's cookies (微信网页授权能力调整公告): most likely this is one.
            if !has_cookie && visitor.surroundings() == Surroundings::Inside(Platform::WeChat) {
                return Err(snapshot(&app, channel));
            }
            Err(Problem::UnknownLogin)
        }
        Claim::First(trip) => {
            let visit = first_visit(&app, &visitor, channel, &trip).await;
            let (end, log) = noted(&app, &state, visit).await?;
            land(&app, &visitor, &trip, end, log).await
        }
        Claim::Again { trip, end } => {
            let mut end = match end {
                Some(end) => end,
                None => {
                    let first = end_of_other_visit(&app, &claimant, FIRST_VISIT, |_| true).await?;
                    first.unwrap_or(TripEnd::Refused(Refusal::Expired))
                }
            };
            let mut log = None;
            // “使用完整服务” leads from the snapshot back here: the same state, with a code of the real person.
            if is_of_snapshot(&end) {
                match fresh_code(&app, &visitor, channel).await? {
                    Some(code) => {
                        let visit = exchanged(&app, &visitor, channel, &trip, &code).await;
                        (end, log) = noted(&app, &state, visit).await?;
                    }
                    // Another visit brought this code: the snapshot's own, or the full page's, which is asking just now.
                    None => {
                        let is_new = |end: &TripEnd| !is_of_snapshot(end);
                        let other = end_of_other_visit(&app, &claimant, SECOND_EXCHANGE, is_new).await?;
                        end = other.unwrap_or(end);
                    }
                }
            }
            land(&app, &visitor, &trip, end, log).await
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

/// How a visit ended. With a failure comes the line for the operator's log.
type Visit = (TripEnd, Option<String>);

/// The only visit that acts.
async fn first_visit(
    app: &App,
    visitor: &Visitor,
    channel: &Channel,
    trip: &Handshake,
) -> Result<Visit, Problem> {
    let Some(code) = visitor.query("code").filter(|code| !code.is_empty()) else {
        // The older documents promise a return without a code when the person declines (fact sheet §1.5).
        return Ok((TripEnd::Declined, None));
    };
    if !spend(app, channel, &code).await? {
        tracing::warn!(channel.id = %channel.id, "a platform code was presented twice; refused without asking the platform");
        return Ok((TripEnd::Refused(Refusal::Finished), None));
    }
    exchanged(app, visitor, channel, trip, &code).await
}

/// Marks a code as used by us: `false` if it was, or is none.
async fn spend(app: &App, channel: &Channel, code: &str) -> Result<bool, Problem> {
    let (now, used) = (app.now(), SecretHash::of(code));
    Ok(code.len() <= 512
        && app.handshakes.spend_provider_code(&channel.id, &used, now + CODE_LIFE, now).await?)
}

/// The code that a visit brings, if nobody brought it before; it counts as used from then on.
async fn fresh_code(app: &App, visitor: &Visitor, channel: &Channel) -> Result<Option<String>, Problem> {
    let Some(code) = visitor.query("code").filter(|code| !code.is_empty()) else { return Ok(None) };
    Ok(spend(app, channel, &code).await?.then_some(code))
}

/// Notes how a visit ended, for every later one. Where a store of ours did not answer, a later visit is told to scan again, at once.
async fn noted(app: &App, state: &SecretHash, visit: Result<Visit, Problem>) -> Result<Visit, Problem> {
    let busy = || TripEnd::Failed { words: FailureWords::Busy.as_str().into(), errcode: None };
    let end = visit.as_ref().map_or_else(|_| busy(), |(end, _)| end.clone());
    if let Err(error) = app.handshakes.end_trip(state, &end, app.now()).await {
        let error = causes(&error);
        tracing::warn!(error, "the end of a trip was not noted; a second visit will wait: {error}");
    }
    visit
}

fn is_of_snapshot(end: &TripEnd) -> bool {
    matches!(end, TripEnd::Failed { words, .. } if FailureWords::parse(words) == FailureWords::Snapshot)
}

/// What a snapshot says that cannot know which login it belongs to: its page cannot be pressed, and WeChat's own button leads
/// on.
fn snapshot(app: &App, channel: &Channel) -> Problem {
    Problem::Channel {
        words: FailureWords::Snapshot,
        platform: Platform::WeChat,
        errcode: None,
        channel: channel.id.clone(),
        log: None,
        retry: app.site.absolute(urls::INDEX),
    }
}

/// The platform is asked who brought the code.
async fn exchanged(
    app: &App,
    visitor: &Visitor,
    channel: &Channel,
    trip: &Handshake,
    code: &str,
) -> Result<Visit, Problem> {
    let exchange = tokio::time::timeout(EXCHANGE, channel.exchange(app, code, visitor.language)).await;
    match exchange.unwrap_or_else(|_| Err(ChannelFailure::too_slow())) {
        Ok(proof) if flow::turned_away(app, visitor, &trip.ticket, &proof).await? => {
            Ok((TripEnd::Failed { words: SWITCHED_OFF.into(), errcode: None }, None))
        }
        Ok(proof) => Ok((proven(app, visitor, trip, proof).await?, None)),
        Err(failure) => {
            if failure.words == FailureWords::Code {
                let whose = Whose::to_one(visitor.address, channel.id.as_str());
                let _ = app.count(Counted::TokenError, whose).await;
            }
            audit::failed(app, visitor, &trip.ticket, &channel.id).await;
            Ok((
                TripEnd::Failed { words: failure.words.as_str().into(), errcode: failure.errcode },
                Some(failure.log),
            ))
        }
    }
}

/// The platform proved who it is: the ticket moves, or refuses.
async fn proven(app: &App, visitor: &Visitor, trip: &Handshake, proof: Proof) -> Result<TripEnd, Problem> {
    let moved = flow::advance(app, &trip.ticket, |ticket, now| match trip.traveller {
        Traveller::Phone => ticket.scan(proof.clone(), trip.device, now, &app.site.lifetimes),
        Traveller::Browser | Traveller::BrowserFrame => {
            ticket.approve_on_platform(&trip.device, proof.clone(), now, &app.site.lifetimes)
        }
    })
    .await?;
    match moved {
        Ok(ticket) => {
            let kind = match trip.traveller {
                Traveller::Phone => AuditKind::TicketScanned,
                Traveller::Browser | Traveller::BrowserFrame => AuditKind::TicketApproved,
            };
            audit::of_ticket(app, visitor, kind, &ticket, Some(&trip.channel)).await;
            Ok(TripEnd::Moved)
        }
        Err(refusal) => {
            if refusal == Refusal::Taken {
                let ticket = trip.ticket.short();
                tracing::warn!(ticket.id = ticket, "a second person scanned ticket {ticket}; refused");
                audit::of_trip(app, visitor, AuditKind::SecondScanRefused, &trip.ticket, &trip.channel).await;
            }
            Ok(TripEnd::Refused(refusal))
        }
    }
}

/// Where the device goes after its trip, whichever visit this is.
async fn land(
    app: &App,
    visitor: &Visitor,
    trip: &Handshake,
    end: TripEnd,
    log: Option<String>,
) -> Result<Response, Problem> {
    let login_page = || urls::of_ticket(urls::LOGIN_TICKET, &trip.grant, &trip.ticket);
    let outcome = match end {
        TripEnd::Moved => Outcome::Approved,
        TripEnd::Declined => Outcome::Declined,
        TripEnd::Refused(refusal) => Outcome::of(refusal),
        TripEnd::Failed { words, .. } if words == SWITCHED_OFF => return Err(Problem::PersonDisabled),
        TripEnd::Failed { words, errcode } => {
            let retry = match trip.traveller {
                Traveller::Phone => {
                    format!("{}?{}=1", urls::of_scan(urls::SCAN, &trip.ticket), urls::TAPPED)
                }
                Traveller::Browser | Traveller::BrowserFrame => login_page(),
            };
            let words = FailureWords::parse(&words);
            let platform =
                app.channels.get(trip.channel.as_str()).map_or(Platform::WeChat, Channel::platform);
            return Err(Problem::Channel {
                words,
                platform,
                errcode,
                channel: trip.channel.clone(),
                log,
                retry,
            });
        }
    };
    match (trip.traveller, outcome) {
        (Traveller::Phone, Outcome::Approved) => {
            Ok(see_other(&urls::of_scan(urls::CONFIRM, &trip.ticket), &[]))
        }
        (Traveller::Phone, outcome) => Ok(scan::result_page(&trip.ticket, outcome)),
        (Traveller::BrowserFrame, outcome) => Ok(returned_page(&trip.channel, outcome)),
        // The browser is back in its own window: it redeems at once.
        (Traveller::Browser, Outcome::Approved) => {
            let waiting = flow::of_browser(app, visitor, trip.grant.as_str(), trip.ticket.as_str()).await?;
            flow::go_on(app, visitor, waiting).await
        }
        (Traveller::Browser, _) => Ok(see_other(&login_page(), &[])),
    }
}

/// Waits for another visit, which may be talking to a slow platform, to end as `is_wanted`; `None` if it does not. This is
/// rare, so it simply asks again.
async fn end_of_other_visit(
    app: &App,
    claimant: &Claimant<'_>,
    patience: Duration,
    is_wanted: impl Fn(&TripEnd) -> bool,
) -> Result<Option<TripEnd>, Problem> {
    let until = tokio::time::Instant::now() + patience;
    while tokio::time::Instant::now() < until {
        tokio::time::sleep(ASK_AGAIN).await;
        if let Claim::Again { end: Some(end), .. } = app.handshakes.claim(claimant, app.now()).await?
            && is_wanted(&end)
        {
            return Ok(Some(end));
        }
    }
    Ok(None)
}
