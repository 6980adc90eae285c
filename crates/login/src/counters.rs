//! How often something happened to one key lately, counted by all nodes together: guesses at a name, codes to a number.

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
