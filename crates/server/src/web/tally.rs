//! How often something may happen to one key within a period: guesses at a name, codes to a number.
//!
//! Unlike [`super::limits`] it goes by the clock that is handed in, because hours matter here, and what turns out to be
//! harmless is given back. Keys are kept as hashes: names and addresses are nobody's business.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::secret::SecretHash;

use super::limits::TooMany;

/// Keys remembered at once. When that many are busy, nobody is let through (SEC-79): better closed than uncounted.
const MOST_KEYS: usize = 200_000;

/// Counts per key, of one node.
#[derive(Debug)]
pub struct Tally {
    most: usize,
    period: Duration,
    seen: Mutex<HashMap<SecretHash, VecDeque<Timestamp>>>,
}

impl Tally {
    /// At most `most` within any `period`.
    #[must_use]
    pub fn new(most: usize, period: Duration) -> Self {
        Self { most, period, seen: Mutex::default() }
    }

    /// Counts one, or says when to come back.
    ///
    /// # Errors
    /// [`TooMany`] when the key has had its share.
    pub fn take(&self, key: &str, now: Timestamp) -> Result<(), TooMany> {
        let mut seen = self.lock();
        if seen.len() >= MOST_KEYS {
            seen.retain(|_, times| times.back().is_some_and(|last| *last + self.period > now));
        }
        if seen.len() >= MOST_KEYS && !seen.contains_key(&SecretHash::of(key)) {
            return Err(TooMany { retry_after: self.period.min(Duration::from_secs(60)) });
        }
        let times = seen.entry(SecretHash::of(key)).or_default();
        while times.front().is_some_and(|first| *first + self.period <= now) {
            times.pop_front();
        }
        if let (true, Some(first)) = (times.len() >= self.most, times.front()) {
            let left = (*first + self.period).as_millisecond() - now.as_millisecond();
            let seconds = u64::try_from(left).unwrap_or(0).div_ceil(1000).max(1);
            return Err(TooMany { retry_after: Duration::from_secs(seconds) });
        }
        times.push_back(now);
        Ok(())
    }

    /// Takes the last count back: it was none of those that are meant.
    pub fn give_back(&self, key: &str) {
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
    pub fn knows(&self, key: &str, now: Timestamp) -> bool {
        let seen = self.lock();
        let last = seen.get(&SecretHash::of(key)).and_then(VecDeque::back);
        last.is_some_and(|last| *last + self.period > now)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SecretHash, VecDeque<Timestamp>>> {
        self.seen.lock().expect("nothing panics while holding it")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_79_one_key_has_its_share_of_each_period_and_no_more() {
        let tally = Tally::new(2, Duration::from_secs(60));
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(tally.take("ada", at(0)).is_ok() && tally.take("ada", at(40)).is_ok());
        assert_eq!(tally.take("ada", at(50)).unwrap_err().retry_after, Duration::from_secs(10));
        assert!(tally.take("bob", at(50)).is_ok(), "another key");
        assert!(tally.take("ada", at(60)).is_ok(), "the first is forgotten");
        assert_eq!(tally.take("ada", at(61)).unwrap_err().retry_after, Duration::from_secs(39));
    }

    #[test]
    fn what_is_given_back_does_not_count() {
        let tally = Tally::new(1, Duration::from_secs(60));
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        assert!(tally.take("ada", now).is_ok() && tally.knows("ada", now));
        tally.give_back("ada");
        assert!(!tally.knows("ada", now) && tally.take("ada", now).is_ok());
    }
}
