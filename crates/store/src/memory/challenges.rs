//! [`Challenges`] in memory: attempts counted and challenges taken under the lock.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::challenge::{Challenge, Challenges};
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;

use super::MemoryTickets;
use super::shelf::Put;

#[async_trait]
impl Challenges for MemoryTickets {
    async fn put(&self, challenge: &Challenge, now: Timestamp) -> Result<(), StoreError> {
        let (id, until, ceiling) = (challenge.id, challenge.expires_at, self.limits.live_challenges);
        let value = challenge.clone();
        let mut held = self.held();
        held.challenges.take(&id, now);
        match held.challenges.put(id, value, until, now, ceiling) {
            Put::Full => Err(StoreError::Overloaded),
            Put::Stored | Put::Exists => Ok(()),
        }
    }

    async fn get(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        Ok(self.held().challenges.get(id, now).cloned())
    }

    async fn attempt(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        let mut held = self.held();
        let Some(challenge) = held.challenges.get_mut(id, now) else { return Ok(None) };
        let Some(left) = challenge.attempts_left.checked_sub(1) else { return Ok(None) };
        challenge.attempts_left = left;
        Ok(Some(challenge.clone()))
    }

    async fn take(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        Ok(self.held().challenges.take(id, now))
    }
}
