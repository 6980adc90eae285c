//! What is counted, for Prometheus. docs/operating.md explains every name; a test holds the two together.
//!
//! There is no global recorder: one [`Metrics`] is made with the server and handed to whoever counts. Labels come from
//! short lists (registered clients, configured channels, routes, documented errcodes), never from what a stranger sent:
//! no person, address, code or secret, and no series that a request could add.
//!
//! - [`requests`]: by route, on the hot path, so with handles that are found without making a string;
//! - [`engines`]: how long stores take, around the traits;
//! - [`process`]: memory and time of this process, read when asked.

pub mod engines;
mod process;
pub mod requests;

use std::borrow::Cow;
use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::key::SigningAlgorithm;
use mashang_login::ticket::{Lifetimes, Stage, Ticket};
use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Metric, Registry};

use self::requests::Requests;
use crate::message::SendFailure;

/// The media type of [`Metrics::render`].
pub const CONTENT_TYPE: &str = prometheus_text::CONTENT_TYPE;

/// What a series is told apart by.
pub type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];
/// Counters by labels.
pub type Counters<const N: usize> = Family<Labels<N>, Counter>;
/// Gauges of whole numbers by labels.
pub type Gauges<const N: usize> = Family<Labels<N>, Gauge>;
/// Durations by labels.
pub type Durations<const N: usize> = Family<Labels<N>, Histogram, fn() -> Histogram>;

/// A code's outcome that is no failure.
const SENT: &str = "sent";

/// Calls: from a lock in memory to a platform that takes its time, in seconds.
const CALL: [f64; 15] =
    [0.000_1, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// People: from a practised thumb to a QR's longest life, in seconds.
const PERSON: [f64; 10] = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0];

fn of_calls() -> Histogram {
    Histogram::new(CALL)
}

fn of_people() -> Histogram {
    Histogram::new(PERSON)
}

fn durations<const N: usize>(buckets: fn() -> Histogram) -> Durations<N> {
    Family::new_with_constructor(buckets)
}

/// How a waiting browser hears its news.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Server-sent events.
    EventStream,
    /// A WebSocket.
    WebSocket,
    /// A held request.
    LongPoll,
}

impl Transport {
    fn as_str(self) -> &'static str {
        match self {
            Self::EventStream => "sse",
            Self::WebSocket => "websocket",
            Self::LongPoll => "poll",
        }
    }
}

/// Counts of one node.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests by route.
    pub requests: Requests,
    /// Logins begun, by client: first QRs, not those that took their place.
    pub begun: Counters<1>,
    /// Logins that reached a stage, by stage and channel.
    pub reached: Counters<2>,
    /// Logins whose time ran out before a browser's eyes.
    pub expired: Counter,
    /// How long a stage took.
    pub stage_seconds: Durations<1>,
    /// Browsers that wait, by transport.
    pub waiting: Gauges<1>,
    /// Calls to platforms and to what hands out their tokens, by channel, whom, outcome and errcode.
    pub platform_calls: Counters<4>,
    /// How long those take that are made, by channel and whom.
    pub platform_seconds: Durations<2>,
    /// Whether a breaker is open.
    pub breaker_open: Gauges<2>,
    /// How long an engine takes, by engine and operation.
    pub engine_seconds: Durations<2>,
    /// What an engine failed at.
    pub engine_errors: Counters<3>,
    /// Requests over a limit.
    pub refused_by_limit: Counters<1>,
    /// Audit events that could not be written.
    pub audit_failures: Counter,
    /// Codes handed to a mail server or an SMS provider.
    pub messages: Counters<2>,
    /// Tokens handed to websites, by what for.
    pub tokens: Counters<1>,
    /// Spent codes and refresh tokens that came back.
    pub replays: Counter,
    /// Since when the present keys sign.
    pub key_since: Gauges<1>,
    /// How far an engine's clock is from ours.
    pub clock_skew: Family<Labels<1>, Gauge<f64, std::sync::atomic::AtomicU64>>,
    /// Whether this node takes new browsers.
    pub ready: Gauge,
    /// Whether somebody asked it to stop, which is why it takes none.
    pub stopping: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        process::begin();
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Process));
        let ours = registry.sub_registry_with_prefix("mashang");
        let build = Gauges::<1>::default();
        build.get_or_create(&[("version", env!("CARGO_PKG_VERSION").into())]).set(1);
        add(ours, "build_info", "The version that runs", build);
        let requests = Requests::default();
        add(ours, "http_requests", "Requests by route, method and status", requests.counters());
        add(ours, "http_request_seconds", "Time until an answer begins, by route", requests.durations());
        Self {
            requests,
            begun: add(
                ours,
                "logins_begun",
                "Logins begun, by client; a QR that is drawn anew is not another one",
                Family::default(),
            ),
            reached: add(ours, "logins", "Logins that reached a stage, by channel", Family::default()),
            expired: add(
                ours,
                "logins_expired",
                "QRs that expired, were drawn anew or cancelled while a browser looked on",
                Counter::default(),
            ),
            stage_seconds: add(
                ours,
                "login_stage_seconds",
                "From the stage before to this one",
                durations(of_people),
            ),
            waiting: add(ours, "waiting_browsers", "Browsers that wait for news", Family::default()),
            platform_calls: add(
                ours,
                "platform_calls",
                "Calls to platforms by how they ended",
                Family::default(),
            ),
            platform_seconds: add(
                ours,
                "platform_call_seconds",
                "Time of calls to platforms",
                durations(of_calls),
            ),
            breaker_open: add(ours, "breaker_open", "1 while calls are not even tried", Family::default()),
            engine_seconds: add(ours, "engine_seconds", "Time of calls to stores", durations(of_calls)),
            engine_errors: add(ours, "engine_errors", "Calls to stores that failed", Family::default()),
            refused_by_limit: add(ours, "refused_by_limit", "Requests over a limit", Family::default()),
            audit_failures: add(
                ours,
                "audit_failures",
                "Audit events that were not written",
                Counter::default(),
            ),
            messages: add(ours, "messages", "Codes handed to a sender, by outcome", Family::default()),
            tokens: add(ours, "tokens_issued", "Token answers, by grant type", Family::default()),
            replays: add(
                ours,
                "replays",
                "Spent codes and refresh tokens that came back",
                Counter::default(),
            ),
            key_since: add(
                ours,
                "signing_key_since_timestamp_seconds",
                "Since when a key signs",
                Family::default(),
            ),
            clock_skew: add(ours, "clock_skew_seconds", "An engine's clock minus ours", Family::default()),
            ready: add(ours, "ready", "1 while this node takes new browsers", Gauge::default()),
            stopping: add(ours, "stopping", "1 once this node was asked to stop", Gauge::default()),
            registry,
        }
    }
}

fn add<M: Metric + Clone>(registry: &mut Registry, name: &str, help: &str, metric: M) -> M {
    registry.register(name, help, metric.clone());
    metric
}

impl Metrics {
    /// Everything, in the text format that Prometheus reads.
    #[must_use]
    pub fn render(&self) -> String {
        let mut text = String::with_capacity(16 * 1024);
        prometheus_text::encode(&mut text, &self.registry).expect("a String takes all that is written");
        text
    }

    /// A browser waits until the answer is dropped.
    #[must_use]
    pub fn wait(&self, transport: Transport) -> Waits {
        let gauge = self.waiting.get_or_create_owned(&[("transport", transport.as_str().into())]);
        gauge.inc();
        Waits(gauge)
    }

    /// A ticket was moved from `seen` to `moved` at `now`. The stage it reached and the channel, if any, that brought it there.
    pub fn ticket_moved(
        &self,
        seen: &Ticket,
        moved: &Ticket,
        now: Timestamp,
        lifetimes: &Lifetimes,
    ) -> Option<(&'static str, String)> {
        let began = |until: &Timestamp, lifetime: Duration| *until - lifetime;
        let (stage, by, since) = match (&seen.stage, &moved.stage) {
            (Stage::Waiting { .. }, Stage::Scanned { by, .. }) => ("scanned", Some(by), Some(seen.origin.at)),
            // Who proves on the platform's page, or on the login page's form, scans and approves in one.
            (Stage::Waiting { .. }, Stage::Approved { by, .. }) => {
                ("approved", Some(by), Some(seen.origin.at))
            }
            (Stage::Scanned { until, .. }, Stage::Approved { by, .. }) => {
                ("approved", Some(by), Some(began(until, lifetimes.confirm)))
            }
            (Stage::Approved { by, until }, Stage::Redeemed) => {
                ("redeemed", Some(by), Some(began(until, lifetimes.redeem_for(&seen.origin))))
            }
            (Stage::Scanned { by, .. }, Stage::Denied { .. }) => ("denied", Some(by), None),
            (_, Stage::Denied { .. }) => ("denied", None, None),
            _ => return None,
        };
        let channel = by.map_or_else(String::new, |by| by.channel.as_str().to_owned());
        self.reached.get_or_create(&[("stage", stage.into()), ("channel", channel.clone().into())]).inc();
        if let Some(since) = since {
            let took = now.duration_since(since).as_secs_f64().max(0.0);
            self.stage_seconds.get_or_create(&[("stage", stage.into())]).observe(took);
        }
        Some((stage, channel))
    }

    /// A channel sends codes. Its counts begin at none: the first failure is seen as one more, and not as a beginning.
    pub fn messages_by(&self, channel: &str) {
        for outcome in SendFailure::ALL.map(SendFailure::as_str).into_iter().chain([SENT]) {
            drop(self.messages.get_or_create(&Self::message(channel, outcome)));
        }
    }

    /// A code was handed to the sender of a channel, or not.
    pub fn message_sent(&self, channel: &str, outcome: Result<(), SendFailure>) {
        let outcome = outcome.map_or_else(SendFailure::as_str, |()| SENT);
        self.messages.get_or_create(&Self::message(channel, outcome)).inc();
    }

    fn message(channel: &str, outcome: &'static str) -> Labels<2> {
        [("channel", channel.to_owned().into()), ("outcome", outcome.into())]
    }

    /// The key of an algorithm signs since then.
    pub fn key_signs_since(&self, algorithm: SigningAlgorithm, since: Timestamp) {
        self.key_since.get_or_create(&[("algorithm", algorithm.as_str().into())]).set(since.as_second());
    }
}

/// One browser that waits.
#[derive(Debug)]
pub struct Waits(Gauge);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.dec();
    }
}
