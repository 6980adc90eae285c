//! How often something happened to one key lately, counted by all nodes together: guesses at a name, codes to a number,
//! logins begun from an address.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::records::StoreError;
use crate::secret::SecretHash;

/// How often within how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// At most so many times.
    pub most: u32,
    /// Within any stretch of this length.
    pub period: Duration,
}

/// How often without end, for what is too frequent to remember each time of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// So many at once, and then one more in each `most`th part of the period.
    pub most: u32,
    /// How long until all of them may come at once again.
    pub period: Duration,
}

impl Rate {
    /// How long one takes up, in microseconds: an engine keeps one moment per key, which each one counted pushes on by this
    /// much, and which may lie a period ahead (the generic cell rate algorithm of ITU-T I.371).
    #[must_use]
    pub fn interval_micros(&self) -> u64 {
        self.ahead_micros() / u64::from(self.most.max(1))
    }

    /// How far that moment may lie ahead, in microseconds: a whole period, so that nodes whose clocks differ a little do not
    /// refuse what takes up nothing.
    #[must_use]
    pub fn ahead_micros(&self) -> u64 {
        u64::try_from(self.period.as_micros()).unwrap_or(u64::MAX / 4)
    }
}

/// Counts that nodes keep together. Losing them forgets what was counted, no more: a limit begins anew.
#[async_trait]
pub trait Counters: Send + Sync + fmt::Debug {
    /// Counts one and returns `None`; or, when the key has had its share, counts nothing and returns how long until it
    /// may have another. Of any number of calls at the same moment no more are counted than the share allows.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it may be counted.
    async fn take(
        &self,
        key: &SecretHash,
        share: Share,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError>;

    /// Counts one against a rate and returns `None`; or counts nothing and returns how long until one may come. A key is
    /// counted by [`Counters::take`] or by this, not by both. Costs the same however high the rate.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it may be counted.
    async fn pass(
        &self,
        key: &SecretHash,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError>;

    /// Takes the last count back, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: it may be taken back.
    async fn give_back(&self, key: &SecretHash) -> Result<(), StoreError>;

    /// When the key was last counted, if it is remembered.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the engine does not answer.
    async fn last(&self, key: &SecretHash) -> Result<Option<Timestamp>, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_a_moment_pushed_on() {
        let rate = |most| Rate { most, period: Duration::from_secs(60) };
        assert_eq!((rate(600).interval_micros(), rate(600).ahead_micros()), (100_000, 60_000_000));
        assert_eq!((rate(0).interval_micros(), rate(0).ahead_micros()), (60_000_000, 60_000_000));
        assert_eq!(rate(u32::MAX).interval_micros(), 0, "as good as none");
    }
}
