//! What nodes count together ([`Counters`]), as far as there is an engine that they share and it answers.
//!
//! A node that cannot reach the engine counts for itself until it can: the limit is then looser by the number of nodes,
//! never gone, and nobody is turned away for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mashang_login::Timestamp;
use mashang_login::counters::{Counters, Share};
use mashang_login::ids::ChannelId;
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;

/// The counts of this installation.
#[derive(Debug, Default)]
pub struct Counts {
    shared: Option<Arc<dyn Counters>>,
    is_away: AtomicBool,
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
        Self { shared, is_away: AtomicBool::new(false) }
    }

    /// Those of one channel.
    #[must_use]
    pub fn of<'a>(&'a self, channel: &'a ChannelId) -> CountsOf<'a> {
        CountsOf { counts: self, channel: channel.as_str() }
    }

    /// Says once that the engine is away, and once that it is back.
    fn heard<T>(&self, answer: Result<T, StoreError>) -> Option<T> {
        let is_away = answer.is_err();
        if self.is_away.swap(is_away, Ordering::Relaxed) != is_away {
            match &answer {
                Err(error) => tracing::warn!(
                    error = error as &dyn std::error::Error,
                    "shared limits cannot be counted; this node counts for itself until tickets.url answers"
                ),
                Ok(_) => tracing::info!("limits are counted together again"),
            }
        }
        answer.ok()
    }
}

impl CountsOf<'_> {
    /// As [`Counters::take`]; `None` when this node counts for itself.
    pub async fn take(
        &self,
        what: &str,
        key: &str,
        share: Share,
        now: Timestamp,
    ) -> Option<Option<std::time::Duration>> {
        let shared = self.counts.shared.as_ref()?;
        self.counts.heard(shared.take(&self.key(what, key), share, now).await)
    }

    /// As [`Counters::give_back`].
    pub async fn give_back(&self, what: &str, key: &str) {
        if let Some(shared) = &self.counts.shared {
            let _ = self.counts.heard(shared.give_back(&self.key(what, key)).await);
        }
    }

    /// As [`Counters::last`]; the outer `None` when this node counts for itself.
    pub async fn last(&self, what: &str, key: &str) -> Option<Option<Timestamp>> {
        let shared = self.counts.shared.as_ref()?;
        self.counts.heard(shared.last(&self.key(what, key)).await)
    }

    /// Names and addresses are nobody's business: the engine sees hashes.
    fn key(&self, what: &str, key: &str) -> SecretHash {
        SecretHash::of(&format!("{} {what} {key}", self.channel))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// An engine that is away.
    #[derive(Debug)]
    struct Away;

    #[async_trait::async_trait]
    impl Counters for Away {
        async fn take(&self, _: &SecretHash, _: Share, _: Timestamp) -> Result<Option<Duration>, StoreError> {
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
}
