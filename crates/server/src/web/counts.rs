//! What nodes count together ([`Counters`]), as far as there is an engine that they share and it answers.
//!
//! A node that cannot reach the engine counts for itself until it can: the limit is then looser by the number of nodes,
//! never gone, and nobody is turned away for it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::counters::{Counters, Rate, Share};
use mashang_login::ids::ChannelId;
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use tokio::time::{Instant, timeout};

use super::limits::Whose;
use crate::metrics::Metrics;

/// How long an answer is waited for: a limit is not worth more of a person's time.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long an engine that did not answer is left alone.
const REST: Duration = Duration::from_secs(1);

/// The counts of this installation.
#[derive(Debug, Default)]
pub struct Counts {
    shared: Option<Arc<dyn Counters>>,
    /// Since when the engine is away, or was when it was last asked.
    away: Mutex<Option<Instant>>,
    metrics: Arc<Metrics>,
}

/// The counts of one channel.
#[derive(Debug, Clone, Copy)]
pub struct CountsOf<'a> {
    counts: &'a Counts,
    channel: &'a str,
}

impl Counts {
    /// Counts in an engine that nodes share; `None` for the only node.
    #[must_use]
    pub fn new(shared: Option<Arc<dyn Counters>>) -> Self {
        Self { shared, ..Self::default() }
    }

    /// The same, whose refusals are counted there.
    #[must_use]
    pub fn counted(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Those of one channel.
    #[must_use]
    pub fn of<'a>(&'a self, channel: &'a ChannelId) -> CountsOf<'a> {
        CountsOf { counts: self, channel: channel.as_str() }
    }

    /// As [`Counters::pass`], of something that no channel has for itself; `None` when this node counts for itself.
    pub async fn pass(
        &self,
        what: &str,
        whose: &Whose,
        rate: Rate,
        now: Timestamp,
    ) -> Option<Option<Duration>> {
        let shared = self.present()?;
        // No channel has such a name, so this is none of its keys.
        let key = SecretHash::of(&format!("/ {what} {whose}"));
        self.heard(shared.pass(&key, rate, now)).await
    }

    /// The engine, unless there is none or it did not answer just now.
    fn present(&self) -> Option<&dyn Counters> {
        let rests = self.away().is_some_and(|asked| asked.elapsed() < REST);
        self.shared.as_deref().filter(|_| !rests)
    }

    /// What the engine answers, if it does. Says once that it is away, and once that it is back.
    async fn heard<T>(&self, asked: impl Future<Output = Result<T, StoreError>>) -> Option<T> {
        let answer = timeout(PATIENCE, asked).await;
        let answer = answer.unwrap_or_else(|late| Err(StoreError::Unavailable(late.into())));
        let since = answer.is_err().then(Instant::now);
        let was_away = std::mem::replace(&mut *self.away(), since).is_some();
        match &answer {
            Err(error) if !was_away => tracing::warn!(
                error = error as &dyn std::error::Error,
                "shared limits cannot be counted; this node counts for itself until tickets.url answers"
            ),
            Ok(_) if was_away => tracing::info!("limits are counted together again"),
            _ => {}
        }
        answer.ok()
    }

    fn away(&self) -> MutexGuard<'_, Option<Instant>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CountsOf<'_> {
    /// Notes that somebody was refused by what is counted under this name.
    pub fn note(&self, what: &'static str) {
        self.counts.metrics.refused_by_limit.get_or_create(&[("limit", what.into())]).inc();
    }

    /// As [`Counters::take`]; `None` when this node counts for itself.
    pub async fn take(
        &self,
        what: &str,
        key: &str,
        share: Share,
        now: Timestamp,
    ) -> Option<Option<Duration>> {
        let shared = self.counts.present()?;
        let key = self.key(what, key);
        self.counts.heard(shared.take(&key, share, now)).await
    }

    /// As [`Counters::give_back`].
    pub async fn give_back(&self, what: &str, key: &str) {
        let Some(shared) = self.counts.present() else { return };
        let key = self.key(what, key);
        self.counts.heard(shared.give_back(&key)).await;
    }

    /// As [`Counters::last`]; the outer `None` when this node counts for itself.
    pub async fn last(&self, what: &str, key: &str) -> Option<Option<Timestamp>> {
        let shared = self.counts.present()?;
        let key = self.key(what, key);
        self.counts.heard(shared.last(&key)).await
    }

    /// Names and addresses are nobody's business: the engine sees hashes.
    fn key(&self, what: &str, key: &str) -> SecretHash {
        SecretHash::of(&format!("{} {what} {key}", self.channel))
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    /// An engine that is away.
    #[derive(Debug)]
    struct Away;

    #[async_trait::async_trait]
    impl Counters for Away {
        async fn take(&self, _: &SecretHash, _: Share, _: Timestamp) -> Result<Option<Duration>, StoreError> {
            Err(StoreError::Unavailable("away".into()))
        }

        async fn pass(&self, _: &SecretHash, _: Rate, _: Timestamp) -> Result<Option<Duration>, StoreError> {
            Err(StoreError::Unavailable("away".into()))
        }

        async fn give_back(&self, _: &SecretHash) -> Result<(), StoreError> {
            Err(StoreError::Unavailable("away".into()))
        }

        async fn last(&self, _: &SecretHash) -> Result<Option<Timestamp>, StoreError> {
            Err(StoreError::Unavailable("away".into()))
        }
    }

    #[tokio::test]
    async fn sec_79_while_the_engine_is_away_a_node_counts_for_itself() {
        let counts = Counts::new(Some(Arc::new(Away)));
        let channel = "password".parse().unwrap();
        let tally = crate::web::tally::Tally::new("guesses", 2, Duration::from_secs(60));
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        for _ in 0..2 {
            assert!(
                tally.take(counts.of(&channel), "ada", now).await.is_ok(),
                "nobody is turned away for it"
            );
        }
        assert!(tally.take(counts.of(&channel), "ada", now).await.is_err(), "and nobody guesses without end");
    }
    /// An engine that never answers, and how often it was asked.
    #[derive(Debug, Default)]
    struct Silent(std::sync::atomic::AtomicU32);

    #[async_trait::async_trait]
    impl Counters for Silent {
        async fn take(&self, _: &SecretHash, _: Share, _: Timestamp) -> Result<Option<Duration>, StoreError> {
            std::future::pending().await
        }

        async fn pass(&self, _: &SecretHash, _: Rate, _: Timestamp) -> Result<Option<Duration>, StoreError> {
            self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            std::future::pending().await
        }

        async fn give_back(&self, _: &SecretHash) -> Result<(), StoreError> {
            std::future::pending().await
        }

        async fn last(&self, _: &SecretHash) -> Result<Option<Timestamp>, StoreError> {
            std::future::pending().await
        }
    }

    #[tokio::test(start_paused = true)]
    async fn promise_9_an_engine_that_is_silent_holds_up_one_request_a_second_for_half_a_second() {
        let silent = Arc::new(Silent::default());
        let counts = Counts::new(Some(silent.clone()));
        let (rate, now) = (Rate { most: 1, period: Duration::from_secs(60) }, Timestamp::UNIX_EPOCH);
        let whose = Whose::from(IpAddr::from(Ipv4Addr::LOCALHOST));
        let pass = || counts.pass("starts", &whose, rate, now);
        let began = Instant::now();
        for _ in 0..10 {
            assert_eq!(pass().await, None, "this node counts for itself");
        }
        assert_eq!((began.elapsed(), asked(&silent)), (PATIENCE, 1));
        tokio::time::advance(REST).await;
        assert_eq!((pass().await, asked(&silent)), (None, 2));
    }

    fn asked(silent: &Silent) -> u32 {
        silent.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}
