//! How often something may happen to one key within a period: guesses at a name, codes to a number.
//!
//! Unlike [`super::limits`] it goes by the clock that is handed in, because hours matter here, and what turns out to be
//! harmless is given back. Nodes count together where they can ([`CountsOf`]), and each for itself where they cannot. Keys
//! are kept as hashes: names and addresses are nobody's business.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::counters::Share;
use mashang_login::secret::SecretHash;

use super::counts::CountsOf;
use super::limits::TooMany;

/// Keys remembered at once. When that many are busy, nobody is let through (SEC-79): better closed than uncounted.
const MOST_KEYS: usize = 200_000;

/// Counts per key.
#[derive(Debug)]
pub struct Tally {
    what: &'static str,
    most: usize,
    period: Duration,
    seen: Mutex<HashMap<SecretHash, VecDeque<Timestamp>>>,
}

impl Tally {
    /// At most `most` within any `period`. Of one channel, `what` is counted here and nowhere else.
    #[must_use]
    pub fn new(what: &'static str, most: usize, period: Duration) -> Self {
        Self { what, most, period, seen: Mutex::default() }
    }

    /// Counts one, or says when to come back.
    ///
    /// # Errors
    /// [`TooMany`] when the key has had its share.
    pub async fn take(&self, counts: CountsOf<'_>, key: &str, now: Timestamp) -> Result<(), TooMany> {
        self.count(counts, key, now).await.inspect_err(|_| counts.note(self.what))
    }

    async fn count(&self, counts: CountsOf<'_>, key: &str, now: Timestamp) -> Result<(), TooMany> {
        let share = Share { most: u32::try_from(self.most).unwrap_or(u32::MAX), period: self.period };
        match counts.take(self.what, key, share, now).await {
            Some(None) => Ok(()),
            Some(Some(wait)) => {
                let seconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).div_ceil(1000).max(1);
                Err(TooMany { retry_after: Duration::from_secs(seconds) })
            }
            None => self.take_here(key, now),
        }
    }

    fn take_here(&self, key: &str, now: Timestamp) -> Result<(), TooMany> {
        let mut seen = self.lock();
        if seen.len() >= MOST_KEYS {
            seen.retain(|_, times| times.back().is_some_and(|last| self.is_within(*last, now)));
        }
        if seen.len() >= MOST_KEYS && !seen.contains_key(&SecretHash::of(key)) {
            return Err(TooMany { retry_after: self.period.min(Duration::from_secs(60)) });
        }
        let times = seen.entry(SecretHash::of(key)).or_default();
        times.retain(|at| self.is_within(*at, now));
        if let (true, Some(first)) = (times.len() >= self.most, times.front()) {
            let left = (*first + self.period).as_millisecond() - now.as_millisecond();
            let seconds = u64::try_from(left).unwrap_or(0).div_ceil(1000).max(1);
            return Err(TooMany { retry_after: Duration::from_secs(seconds) });
        }
        times.push_back(now);
        Ok(())
    }

    /// Takes the last count back: it was none of those that are meant.
    pub async fn give_back(&self, counts: CountsOf<'_>, key: &str) {
        counts.give_back(self.what, key).await;
        let mut seen = self.lock();
        if let Some(times) = seen.get_mut(&SecretHash::of(key)) {
            times.pop_back();
            if times.is_empty() {
                seen.remove(&SecretHash::of(key));
            }
        }
    }

    /// Whether the key was counted and not forgotten yet.
    #[must_use]
    pub async fn knows(&self, counts: CountsOf<'_>, key: &str, now: Timestamp) -> bool {
        let last = match counts.last(self.what, key).await {
            Some(last) => last,
            None => self.lock().get(&SecretHash::of(key)).and_then(VecDeque::back).copied(),
        };
        last.is_some_and(|last| self.is_within(last, now))
    }

    /// Whether what was counted then still counts. What lies more than a period ahead was counted before the clock was set back.
    fn is_within(&self, at: Timestamp, now: Timestamp) -> bool {
        now < at + self.period && at <= now + self.period
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretHash, VecDeque<Timestamp>>> {
        self.seen.lock().expect("nothing panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::metrics::Metrics;
    use crate::web::counts::Counts;

    use super::*;

    #[tokio::test]
    async fn sec_79_one_key_has_its_share_of_each_period_and_no_more() {
        let tally = Tally::new("things", 2, Duration::from_secs(60));
        let metrics = Arc::new(Metrics::default());
        let (counts, channel) = (Counts::default().counted(metrics.clone()), "password".parse().unwrap());
        let here = counts.of(&channel);
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(
            tally.take(here, "ada", at(0)).await.is_ok() && tally.take(here, "ada", at(40)).await.is_ok()
        );
        assert_eq!(tally.take(here, "ada", at(50)).await.unwrap_err().retry_after, Duration::from_secs(10));
        assert!(tally.take(here, "bob", at(50)).await.is_ok(), "another key");
        assert!(tally.take(here, "ada", at(60)).await.is_ok(), "the first is forgotten");
        assert_eq!(tally.take(here, "ada", at(61)).await.unwrap_err().retry_after, Duration::from_secs(39));
        assert_eq!(
            metrics.refused_by_limit.get_or_create(&[("limit", "things".into())]).get(),
            2,
            "operators see it"
        );
    }

    #[tokio::test]
    async fn what_is_given_back_does_not_count() {
        let tally = Tally::new("things", 1, Duration::from_secs(60));
        let (counts, channel) = (Counts::default(), "password".parse().unwrap());
        let here = counts.of(&channel);
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        assert!(tally.take(here, "ada", now).await.is_ok() && tally.knows(here, "ada", now).await);
        tally.give_back(here, "ada").await;
        assert!(!tally.knows(here, "ada", now).await && tally.take(here, "ada", now).await.is_ok());
    }
}
