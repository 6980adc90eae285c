//! How much one address may ask for (SEC-15, SEC-16, SEC-79), and how many sockets and event streams may be open.
//!
//! Polls and calls are counted by each node for itself: one costs less than asking an engine would. Everything else is counted by
//! all nodes together where they have an engine to count in ([`Counts`]). A node's own count comes first, so that a flood
//! which it refuses by itself never reaches the engine.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};
use ipnet::IpNet;
use mashang_login::Timestamp;
use mashang_login::counters::Rate;
use tokio::sync::Notify;

use super::address::limit_key;
use super::counts::Counts;
use crate::config::LimitsSection;
use crate::metrics::Metrics;

/// Refusals of one address that are recorded in a minute: enough to see a pattern, too few to fill a disk.
const REFUSALS_PER_MINUTE: u32 = 30;
/// Wrong passwords and codes, as many as are looked at ([`crate::channel::guesses`]): what else is refused shall hide none of them.
const WRONG_GUESSES_PER_MINUTE: u32 = 60;
/// Refreshes of one login's tokens: each writes, and what is refreshed lives minutes.
const REFRESHES_PER_MINUTE: u32 = 30;
/// Passkeys asked for by one address: an office's morning, and a hundredth of the places that there are.
const QUESTIONS_PER_MINUTE: u32 = 90;
/// Codes that platforms draw for pages at one address: less in a day than WeChat draws for an account (100,000), and enough for the
/// pages of an office, which draw one each every two minutes while somebody looks.
const DRAWINGS_PER_MINUTE: u32 = 60;

/// What is being counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// A login begun or a QR drawn anew.
    Start,
    /// A question for a ticket's status.
    Poll,
    /// What a website's server or page asks of the protocol: tokens, facts about a person, revocations.
    Call,
    /// A refresh of what one login issued.
    Refresh,
    /// A code that a platform draws for a ticket.
    Drawing,
    /// A question for a passkey: each takes a place that lasts minutes.
    Question,
    /// A wrong client secret, hub key or bearer token: at one client or channel.
    TokenError,
    /// A refused event.
    BadEvent,
    /// A refusal that is written into the audit trail.
    Refusal,
    /// A wrong password or code that is.
    WrongGuess,
}

impl Counted {
    fn as_str(self) -> &'static str {
        match self {
            Self::Start => "starts",
            Self::Poll => "polls",
            Self::Call => "calls",
            Self::Refresh => "refreshes",
            Self::Question => "questions",
            Self::Drawing => "drawings",
            Self::TokenError => "token_errors",
            Self::BadEvent => "bad_events",
            Self::Refusal => "refusals",
            Self::WrongGuess => "wrong_guesses",
        }
    }
}

/// Whose share is counted: an address's, or what an address does to one of ours, as to a client whose secret it gets wrong. Then
/// the others behind the address, and their clients, do not wait for it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Whose {
    address: IpAddr,
    to: Option<Box<str>>,
}

impl Whose {
    /// What an address does to a client or channel that there is: names that a stranger makes up would be as many shares.
    #[must_use]
    pub fn to_one(address: IpAddr, name: &str) -> Self {
        Self { to: Some(name.into()), ..Self::from(address) }
    }

    /// What is done with one thing of ours, from wherever.
    #[must_use]
    pub fn from_anywhere(name: &str) -> Self {
        Self::to_one(IpAddr::from([0, 0, 0, 0]), name)
    }
}

impl From<IpAddr> for Whose {
    fn from(address: IpAddr) -> Self {
        Self { address: limit_key(address), to: None }
    }
}

impl fmt::Display for Whose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.to {
            Some(name) => write!(f, "{} {name}", self.address),
            None => write!(f, "{}", self.address),
        }
    }
}

/// Too much: try again after this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany {
    /// Whole seconds, at least one.
    pub retry_after: Duration,
}

/// One limit: so many a minute from each address.
#[derive(Debug)]
struct Limit {
    per_minute: u32,
    here: DefaultKeyedRateLimiter<Whose>,
}

impl Limit {
    fn new(per_minute: u32) -> Self {
        let quota = Quota::per_minute(NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN));
        Self { per_minute, here: DefaultKeyedRateLimiter::keyed(quota) }
    }

    fn rate(&self) -> Rate {
        Rate { most: self.per_minute, period: Duration::from_secs(60) }
    }
}

/// Counters of one node.
#[derive(Debug)]
pub struct Limits {
    starts: Limit,
    polls: Limit,
    calls: Limit,
    refreshes: Limit,
    questions: Limit,
    drawings: Limit,
    token_errors: Limit,
    bad_events: Limit,
    refusals: Limit,
    wrong_guesses: Limit,
    clock: DefaultClock,
    streams: Arc<Streams>,
    untrusted_proxy: std::sync::Once,
    refused: Mutex<HashMap<(Counted, Whose), tokio::time::Instant>>,
    metrics: Arc<Metrics>,
}

impl Limits {
    /// Counters with the operator's ceilings.
    #[must_use]
    pub fn new(section: &LimitsSection) -> Self {
        Self {
            starts: Limit::new(section.starts_per_minute),
            polls: Limit::new(section.polls_per_minute),
            calls: Limit::new(section.calls_per_minute),
            refreshes: Limit::new(REFRESHES_PER_MINUTE),
            questions: Limit::new(QUESTIONS_PER_MINUTE),
            drawings: Limit::new(DRAWINGS_PER_MINUTE),
            token_errors: Limit::new(section.token_errors_per_minute),
            // The same people stumble here: operators who set a secret, and strangers who try.
            bad_events: Limit::new(section.token_errors_per_minute),
            refusals: Limit::new(REFUSALS_PER_MINUTE),
            wrong_guesses: Limit::new(WRONG_GUESSES_PER_MINUTE),
            untrusted_proxy: std::sync::Once::new(),
            refused: Mutex::default(),
            metrics: Arc::default(),
            clock: DefaultClock::default(),
            streams: Arc::new(Streams {
                most: section.streams,
                most_per_address: section.streams_per_address,
                open: Mutex::default(),
                emptied: Notify::new(),
            }),
        }
    }

    /// The same, whose refusals are counted there.
    #[must_use]
    pub fn counted(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    fn note(&self, limit: &'static str) {
        self.metrics.refused_by_limit.get_or_create(&[("limit", limit.into())]).inc();
    }

    /// Notes that an engine was full (SEC-16), whichever it is: tickets in memory tell nobody else.
    pub fn note_full(&self) {
        self.note("full");
    }

    fn limit(&self, what: Counted) -> &Limit {
        match what {
            Counted::Start => &self.starts,
            Counted::Poll => &self.polls,
            Counted::Call => &self.calls,
            Counted::Refresh => &self.refreshes,
            Counted::Question => &self.questions,
            Counted::Drawing => &self.drawings,
            Counted::TokenError => &self.token_errors,
            Counted::BadEvent => &self.bad_events,
            Counted::Refusal => &self.refusals,
            Counted::WrongGuess => &self.wrong_guesses,
        }
    }

    /// Counts one at this node alone, or says when to come back.
    ///
    /// # Errors
    /// [`TooMany`] when the address is over its limit here.
    pub fn count_here(&self, what: Counted, whose: impl Into<Whose>) -> Result<(), TooMany> {
        let whose = whose.into();
        let checked = self.limit(what).here.check_key(&whose);
        checked.map_err(|until| self.refuse(what, whose, until.wait_time_from(self.clock.now())))
    }

    /// Counts one together with the other nodes (a poll here), or says when to come back.
    ///
    /// # Errors
    /// [`TooMany`] when the address is over its limit, here or at all nodes together.
    pub async fn count(
        &self,
        counts: &Counts,
        what: Counted,
        whose: Whose,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        self.count_here(what, whose.clone())?;
        if what == Counted::Poll {
            return Ok(());
        }
        let rate = self.limit(what).rate();
        match counts.pass(what.as_str(), &whose, rate, now).await.flatten() {
            None => Ok(()),
            Some(wait) => Err(self.refuse(what, whose, wait)),
        }
    }

    fn refuse(&self, what: Counted, whose: Whose, wait: Duration) -> TooMany {
        self.note(what.as_str());
        let mut refused = self.refused.lock().expect("nothing panics while holding it");
        refused.insert((what, whose), tokio::time::Instant::now() + wait);
        TooMany { retry_after: Duration::from_secs(wait.as_secs() + 1) }
    }

    /// Whether a share is used up, without using it up further: marks are kept by what refuses at this node, so another
    /// node hears of it by the next one that it counts.
    ///
    /// # Errors
    /// [`TooMany`] while the last count was refused.
    pub fn is_exhausted(&self, what: Counted, whose: impl Into<Whose>) -> Result<(), TooMany> {
        let refused = self.refused.lock().expect("nothing panics while holding it");
        let until = refused.get(&(what, whose.into())).copied();
        drop(refused);
        let Some(until) = until else { return Ok(()) };
        let left = until.saturating_duration_since(tokio::time::Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        self.note(what.as_str());
        Err(TooMany { retry_after: left + Duration::from_secs(1) })
    }

    /// Takes a place for an event stream, given back when dropped.
    ///
    /// # Errors
    /// [`TooMany`] when all places, or all of this address, are taken.
    pub fn open_stream(&self, address: IpAddr) -> Result<StreamPlace, TooMany> {
        self.streams.clone().take(limit_key(address)).inspect_err(|_| self.note("streams"))
    }

    /// Waits until no stream is open.
    pub async fn streams_ended(&self) {
        loop {
            // Subscribed before the count is read: a place given back in between is not missed.
            let emptied = self.streams.emptied.notified();
            if self.streams.open.lock().expect("nothing panics while holding it").0 == 0 {
                return;
            }
            emptied.await;
        }
    }

    /// Says once that a neighbour forwards for others without being trusted: then all of them count as one address.
    pub fn notice_untrusted_proxy(&self, peer: IpAddr, trusted: &[IpNet]) {
        let is_neighbour = match peer.to_canonical() {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_private(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
        };
        if is_neighbour && !trusted.iter().any(|net| net.contains(&peer.to_canonical())) {
            self.untrusted_proxy.call_once(|| {
                tracing::warn!(
                    "{peer} sends X-Forwarded-For but is not in server.trusted_proxies: everyone behind it counts, and is shown, as {peer}"
                );
            });
        }
    }

    /// Forgets addresses that have been quiet; called now and then.
    pub fn tidy(&self) {
        let asked =
            [&self.starts, &self.polls, &self.calls, &self.refreshes, &self.questions, &self.drawings];
        let refused = [&self.token_errors, &self.bad_events, &self.refusals, &self.wrong_guesses];
        for limit in asked.into_iter().chain(refused) {
            limit.here.retain_recent();
        }
        let now = tokio::time::Instant::now();
        self.refused.lock().expect("nothing panics while holding it").retain(|_, until| *until > now);
    }
}

#[derive(Debug)]
struct Streams {
    most: usize,
    most_per_address: usize,
    open: Mutex<(usize, HashMap<IpAddr, usize>)>,
    /// Rings when the last place was given back.
    emptied: Notify,
}

impl Streams {
    fn take(self: Arc<Self>, address: IpAddr) -> Result<StreamPlace, TooMany> {
        {
            let mut open = self.open.lock().expect("nothing panics while holding it");
            let mine = open.1.get(&address).copied().unwrap_or(0);
            if open.0 >= self.most || mine >= self.most_per_address {
                return Err(TooMany { retry_after: Duration::from_secs(5) });
            }
            open.0 += 1;
            open.1.insert(address, mine + 1);
        }
        Ok(StreamPlace { streams: self, address })
    }
}

/// A place for one open event stream.
#[derive(Debug)]
pub struct StreamPlace {
    streams: Arc<Streams>,
    address: IpAddr,
}

impl Drop for StreamPlace {
    fn drop(&mut self) {
        let mut open = self.streams.open.lock().expect("nothing panics while holding it");
        open.0 = open.0.saturating_sub(1);
        match open.1.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.1.remove(&self.address);
            }
        }
        if open.0 == 0 {
            self.streams.emptied.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section() -> LimitsSection {
        LimitsSection {
            starts_per_minute: 2,
            polls_per_minute: 2,
            calls_per_minute: 2,
            token_errors_per_minute: 2,
            live_tickets: 1,
            streams: 3,
            streams_per_address: 2,
        }
    }

    #[test]
    fn sec_15_one_busy_address_does_not_starve_another() {
        let limits = Limits::new(&section());
        let (busy, other): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        assert!(limits.count_here(Counted::Poll, busy).is_ok());
        assert!(limits.count_here(Counted::Poll, busy).is_ok());
        assert!(limits.count_here(Counted::Poll, busy).unwrap_err().retry_after >= Duration::from_secs(1));
        assert!(limits.count_here(Counted::Poll, other).is_ok());
        assert!(limits.count_here(Counted::Start, busy).is_ok());
    }

    #[test]
    fn sec_79_each_refusal_is_counted_until_the_address_may_come_again() {
        let metrics = Arc::new(Metrics::default());
        let limits = Limits::new(&section()).counted(metrics.clone());
        let refused = || metrics.refused_by_limit.get_or_create(&[("limit", "token_errors".into())]).get();
        let address: IpAddr = "192.0.2.1".parse().unwrap();
        assert!(limits.is_exhausted(Counted::TokenError, address).is_ok());
        for _ in 0..3 {
            let _ = limits.count_here(Counted::TokenError, address);
        }
        assert_eq!(refused(), 1);
        for _ in 0..4 {
            assert!(limits.is_exhausted(Counted::TokenError, address).is_err());
        }
        assert_eq!(refused(), 5);
    }

    #[test]
    fn stream_places_come_back() {
        let limits = Limits::new(&section());
        let (a, b): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = limits.open_stream(a).unwrap();
        let _second = limits.open_stream(a).unwrap();
        assert!(limits.open_stream(a).is_err(), "per address");
        let _third = limits.open_stream(b).unwrap();
        assert!(limits.open_stream(b).is_err(), "in all");
        drop(first);
        assert!(limits.open_stream(a).is_ok());
    }

    #[test]
    fn sec_79_an_ipv6_network_counts_as_one() {
        assert_eq!(limit_key("2001:db8::1".parse().unwrap()), limit_key("2001:db8::ffff".parse().unwrap()));
    }
}
