//! Bringing a message to the account's server: five seconds, three tries, and what came of it (WeChat fact sheet §4.7).

use std::collections::VecDeque;
use std::time::Duration;

use serde::Serialize;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::message::{Happening, Message};
use super::parcel::{Packing, Parcel, Style};
use super::reply::{Reply, understand};
use super::target::EventTarget;
use crate::ids;
use crate::official::OUT_OF_ORDER;
use crate::options::App;
use crate::people::Person;
use crate::state::Sandbox;

/// §4.7: without an answer for so long, the connection is cut.
pub(super) const TIMEOUT: Duration = Duration::from_secs(5);
/// Whether three retries means three or four deliveries is open (§11); three here.
const TRIES: usize = 3;
/// Deliveries kept for the script API.
const MOST_KEPT: usize = 500;

/// One POST.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Attempt {
    /// HTTP status, when there was an answer.
    pub(crate) status: Option<u16>,
    pub(crate) outcome: &'static str,
    /// Milliseconds until the answer or the end of patience.
    pub(crate) ms: u64,
}

/// One message and how it fared.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Delivery {
    pub(crate) appid: String,
    pub(crate) person: String,
    pub(crate) event: Happening,
    pub(crate) attempts: Vec<Attempt>,
    /// What the person sees in the chat.
    pub(crate) reply: Option<String>,
}

/// The last deliveries, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Deliveries(VecDeque<Delivery>);

impl Deliveries {
    pub(crate) fn all(&self) -> impl Iterator<Item = &Delivery> {
        self.0.iter()
    }

    pub(super) fn add(&mut self, delivery: Delivery) {
        if self.0.len() == MOST_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(delivery);
    }
}

/// A message about something that happened just now.
pub(super) fn message(sandbox: &Sandbox, app: &App, person: &Person, happening: Happening) -> Message {
    Message {
        to: app.original_id(),
        from: ids::openid(&sandbox.options().platform_seed, &app.appid, &person.id),
        appid: app.appid.clone(),
        create_time_s: sandbox.now_ms() / 1000,
        msg_id: ids::digits(sandbox.entropy(), 17).parse().unwrap_or(1),
        happening,
    }
}

/// Tells the account's server, in the background; the handle ends when all is over and the chat has the reply.
/// Nothing when the account has no server.
pub(crate) fn push(
    sandbox: &Sandbox,
    app: &App,
    person: &Person,
    happening: Happening,
) -> Option<JoinHandle<Delivery>> {
    let target = sandbox.event_target(app)?;
    let (sandbox, app, person) = (sandbox.clone(), app.clone(), person.clone());
    let message = message(&sandbox, &app, &person, happening);
    Some(tokio::spawn(async move {
        let packing = Packing {
            target: &target,
            receiver: &app.appid,
            elements: message.elements(),
            style: Style::Account { openid: &message.from },
            now_ms: sandbox.now_ms(),
            flaw: None,
        };
        let parcel = packing.pack(sandbox.entropy());
        let (attempts, reply) = match parcel {
            Some(parcel) => deliver(&sandbox, &target, &app, &message, &parcel, TRIES).await,
            None => (Vec::new(), Some(OUT_OF_ORDER.to_owned())),
        };
        let Message { happening, .. } = message;
        let delivery = Delivery { appid: app.appid, person: person.id, event: happening, attempts, reply };
        let mut world = sandbox.world();
        if let Some(reply) = &delivery.reply {
            world.chats.hear(&delivery.appid, &delivery.person, reply);
        }
        world.deliveries.add(delivery.clone());
        delivery
    }))
}

/// Posts until there is an answer, at most so often, always the same bytes.
pub(super) async fn deliver(
    sandbox: &Sandbox,
    target: &EventTarget,
    app: &App,
    message: &Message,
    parcel: &Parcel,
    tries: usize,
) -> (Vec<Attempt>, Option<String>) {
    let mut attempts = Vec::new();
    while attempts.len() < tries {
        let (attempt, answer) = post(sandbox, target, parcel).await;
        let outcome = attempt.outcome;
        attempts.push(attempt);
        let Some(body) = answer else { continue };
        tracing::debug!(app.appid = %app.appid, outcome, "an event was answered");
        let (outcome, reply) = match understand(&body, target, &app.appid, message) {
            Reply::Nothing => ("nothing", None),
            Reply::Text(text) => ("reply", Some(text)),
            Reply::WrongData => ("wrong_data", Some(OUT_OF_ORDER.to_owned())),
        };
        if let Some(last) = attempts.last_mut() {
            last.outcome = outcome;
        }
        return (attempts, reply);
    }
    (attempts, Some(OUT_OF_ORDER.to_owned()))
}

/// One POST; the body of a 200.
async fn post(sandbox: &Sandbox, target: &EventTarget, parcel: &Parcel) -> (Attempt, Option<String>) {
    let began = Instant::now();
    let over = |status, outcome| {
        let ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        Attempt { status, outcome, ms }
    };
    let Some(client) = sandbox.http() else { return (over(None, "no_client"), None) };
    let mut url = target.url.clone();
    url.query_pairs_mut().extend_pairs(&parcel.query);
    let request = client.post(url).header("content-type", "text/xml").body(parcel.body.clone());
    let exchange = async {
        let response = request.send().await?;
        let status = response.status();
        Ok::<_, reqwest::Error>((status, response.text().await?))
    };
    match tokio::time::timeout(TIMEOUT, exchange).await {
        Err(_) => (over(None, "timeout"), None),
        Ok(Err(_)) => (over(None, "unreachable"), None),
        Ok(Ok((status, body))) if status == reqwest::StatusCode::OK => {
            (over(Some(status.as_u16()), "answered"), Some(body))
        }
        Ok(Ok((status, _))) => (over(Some(status.as_u16()), "http_error"), None),
    }
}

/// A script's delivery: once, as it was packed; the chat stays as it is.
pub(super) async fn deliver_once(
    sandbox: &Sandbox,
    target: &EventTarget,
    app: &App,
    person: &Person,
    message: &Message,
    parcel: &Parcel,
) -> Delivery {
    let (attempts, reply) = deliver(sandbox, target, app, message, parcel, 1).await;
    let delivery = Delivery {
        appid: app.appid.clone(),
        person: person.id.clone(),
        event: message.happening.clone(),
        attempts,
        reply,
    };
    sandbox.world().deliveries.add(delivery.clone());
    delivery
}
