//! `/channel/{channel}/events`: what a platform tells us, signed and encrypted.
//!
//! Whether a request is from the platform, for us and fresh is `wechat::callback`'s business (SEC-28 to SEC-32). Here: an
//! event acts once, however often it is delivered (SEC-30), every delivery gets the same answer, and something goes back
//! within the platform's five seconds. What is not ours goes to the operator's own handler, if there is one
//! ([`relay`](super::relay)).
//!
//! What was answered is remembered by this node only. An event that was done by another node, or before a crash, may be
//! handled again: each handler leaves things as they are if they are so already. An event that failed, or took too long,
//! is answered by a status that makes the platform deliver it again; nothing marks it as done before it is.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use mashang_wechat::callback::{Accepted, CallbackQuery, Inbox, Refusal, XmlError};
use moka::future::Cache;

use super::relay::Relay;
use super::{Channel, Means, directory_event, official_event};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The platform cuts the connection after five seconds and tries again (WeChat fact sheet §4.7).
const ANSWER_WITHIN: Duration = Duration::from_millis(4500);
/// How long an answer is kept: longer than any request for it stays fresh.
const REMEMBERED: Duration = Duration::from_secs(900);
/// What the answers of one channel may weigh. A mass message to a million followers brings an event for each.
const MOST_BYTES: u64 = 16 * 1024 * 1024;
/// What an entry weighs beside its answer.
const ENTRY: usize = 256;

/// The event endpoint of one channel.
#[derive(Debug)]
pub struct Events {
    inbox: Inbox,
    relay: Option<Relay>,
    /// By the event.
    answers: Cache<String, EventAnswer>,
    /// Which event came with a signature, in plain mode, where it does not cover the body.
    seen: Cache<String, String>,
}

/// What is sent back.
#[derive(Debug, Clone)]
pub struct EventAnswer {
    body: Bytes,
    content_type: &'static str,
}

impl EventAnswer {
    /// The word with which the platform is content and the person hears nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self { body: Bytes::from_static(b"success"), content_type: "text/plain; charset=utf-8" }
    }

    /// A handler's own words.
    #[must_use]
    pub fn plain(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), content_type: "text/plain; charset=utf-8" }
    }

    /// A message to the person, in the platform's XML.
    #[must_use]
    pub fn xml(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), content_type: "text/xml; charset=utf-8" }
    }
}

impl IntoResponse for EventAnswer {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, self.content_type)], self.body).into_response()
    }
}

impl Events {
    /// An endpoint with these secrets.
    #[must_use]
    pub fn new(inbox: Inbox, relay: Option<Relay>) -> Self {
        Self {
            inbox,
            relay,
            answers: remembered(|answer: &EventAnswer| answer.body.len()),
            seen: remembered(String::len),
        }
    }

    /// A text for the person who caused an event; nothing if the event does not say who that is.
    #[must_use]
    pub fn reply(&self, app: &App, accepted: &Accepted, text: &str) -> EventAnswer {
        let mut random = [0; 16];
        app.entropy.fill(&mut random);
        let nonce = mashang_login::secret::random_text(&*app.entropy, 12);
        let reply = self.inbox.reply(&accepted.event, text, app.now().as_second(), random, &nonce);
        reply.map_or_else(EventAnswer::nothing, EventAnswer::xml)
    }
}

fn remembered<V: Clone + Send + Sync + 'static>(weight: fn(&V) -> usize) -> Cache<String, V> {
    let weigh = move |_: &String, value: &V| u32::try_from(ENTRY + weight(value)).unwrap_or(u32::MAX);
    Cache::builder().max_capacity(MOST_BYTES).weigher(weigh).time_to_live(REMEMBERED).build()
}

/// The console asks whether this address is ours (WeChat fact sheet §4.5, WeCom fact sheet §12).
pub async fn verify(
    State(app): State<App>,
    visitor: Visitor,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (channel, events) = endpoint(&app, &channel)?;
    let query = query.unwrap_or_default();
    let echo = CallbackQuery::parse(&query).map_err(|error| error.to_string()).and_then(|query| {
        events.inbox.verify_url(&query, app.now().as_second()).map_err(|error| error.to_string())
    });
    match echo {
        Ok(echo) => {
            tracing::info!(channel.id = %channel.id, "the platform's console checked the event address of {}", channel.id);
            Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], echo).into_response())
        }
        Err(why) => Ok(refused(&app, &visitor, channel, StatusCode::FORBIDDEN, &why).await),
    }
}

/// The platform tells what happened.
pub async fn deliver(
    State(app): State<App>,
    visitor: Visitor,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Result<Response, Problem> {
    let (found, events) = endpoint(&app, &channel)?;
    let text = query.unwrap_or_default();
    let query = match CallbackQuery::parse(&text) {
        Ok(query) => query,
        Err(error) => {
            return Ok(refused(&app, &visitor, found, StatusCode::BAD_REQUEST, &error.to_string()).await);
        }
    };
    let accepted = match events.inbox.accept(&query, &body, app.now().as_second()) {
        Ok(accepted) => accepted,
        Err(refusal) => {
            return Ok(refused(&app, &visitor, found, status_of(refusal), &refusal.to_string()).await);
        }
    };
    if let Some(signature) = &accepted.delivery_key {
        let first = async { accepted.dedupe_key.clone() };
        if events.seen.get_with(signature.clone(), first).await != accepted.dedupe_key {
            let why = "the signature of one event came with another: a forged body in plain mode";
            return Ok(refused(&app, &visitor, found, StatusCode::FORBIDDEN, why).await);
        }
    }
    // In a task of its own: deliveries that come meanwhile wait for the same answer, and none interrupts it.
    let id = found.id.clone();
    let begun = app.begun.clone();
    let work = async move { answer(&app, id.as_str(), &visitor, accepted, text, body).await };
    match tokio::time::timeout(ANSWER_WITHIN, begun.spawn(work)).await {
        Ok(Ok(Ok(answer))) => Ok(answer.into_response()),
        Ok(Ok(Err(failed))) => Err(Arc::unwrap_or_clone(failed).into()),
        Ok(Err(panic)) => Err(Problem::Broken(panic.to_string())),
        // The work goes on; the platform asks again, and then the answer is there.
        Err(_) => Ok(StatusCode::SERVICE_UNAVAILABLE.into_response()),
    }
}

/// Why an event was not handled: the platform shall deliver it again.
#[derive(Debug, Clone)]
struct NotHandled(String);

impl From<NotHandled> for Problem {
    fn from(NotHandled(why): NotHandled) -> Self {
        Self::Store(mashang_login::records::StoreError::Unavailable(why.into()))
    }
}

/// The answer to an event, made once; a failure is not remembered.
async fn answer(
    app: &App,
    channel: &str,
    visitor: &Visitor,
    accepted: Accepted,
    query: String,
    body: Bytes,
) -> Result<EventAnswer, Arc<NotHandled>> {
    let gone = || NotHandled("the channel is gone".into());
    let found = app.channels.get(channel).ok_or_else(gone)?;
    let events = found.events.as_ref().ok_or_else(gone)?;
    let make = async {
        let ours = match &found.means {
            Means::WechatOfficial(_) => official_event::handle(app, visitor, found, events, &accepted).await,
            Means::Wecom(wecom) => directory_event::handle(app, found, wecom, &accepted).await,
            _ => Ok(None),
        };
        match (ours, &events.relay) {
            (Ok(Some(answer)), _) => Ok(answer),
            (Ok(None), Some(relay)) => {
                let answer = relay.forward(&found.id, &query, body).await;
                answer.ok_or_else(|| NotHandled("the relay was not reached".into()))
            }
            (Ok(None), None) => Ok(EventAnswer::nothing()),
            (Err(problem), _) => Err(NotHandled(format!("{problem:?}"))),
        }
    };
    events.answers.try_get_with(accepted.dedupe_key.clone(), make).await
}

/// The channel and its endpoint. Behind an undeclared proxy all callers have one address, so nobody is turned away before
/// the signature was looked at: that costs microseconds, and only refusals count.
fn endpoint<'a>(app: &'a App, channel: &str) -> Result<(&'a Channel, &'a Events), Problem> {
    let channel = app.channels.get(channel).ok_or(Problem::NotFound)?;
    let events = channel.events.as_ref().ok_or(Problem::NotFound)?;
    Ok((channel, events))
}

/// A bare status for the sender, one line for the operator.
async fn refused(app: &App, visitor: &Visitor, channel: &Channel, status: StatusCode, why: &str) -> Response {
    if let Err(limit) = app.count(Counted::BadEvent, visitor.address).await {
        return Problem::TooMany(limit).into_response();
    }
    tracing::warn!(channel.id = %channel.id, peer = %visitor.address, "an event for {} was refused: {why}", channel.id);
    (status, [(header::CONTENT_TYPE, "application/octet-stream")], "").into_response()
}

fn status_of(refusal: Refusal) -> StatusCode {
    match refusal {
        Refusal::BadXml(XmlError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
        Refusal::BadXml(_) | Refusal::Undecryptable(_) => StatusCode::BAD_REQUEST,
        _ => StatusCode::FORBIDDEN,
    }
}
