//! [`Handshakes`] in memory: one-use values, consumed under the lock.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::handshake::{Claim, Handshake};
use mashang_login::ids::ChannelId;
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use mashang_login::tickets::Handshakes;

use super::shelf::Put;
use super::{MemoryTickets, Trip};

#[async_trait]
impl Handshakes for MemoryTickets {
    async fn begin(&self, handshake: &Handshake, now: Timestamp) -> Result<(), StoreError> {
        let trip = Trip { handshake: handshake.clone(), claimed: false };
        let ceiling = self.limits.live_handshakes;
        match self.held().handshakes.put(handshake.state, trip, handshake.expires_at, now, ceiling) {
            Put::Stored => Ok(()),
            Put::Exists => Err(StoreError::Conflict),
            Put::Full => Err(StoreError::Overloaded),
        }
    }

    async fn claim(&self, state: &SecretHash, now: Timestamp) -> Result<Claim, StoreError> {
        let mut held = self.held();
        let Some(trip) = held.handshakes.get_mut(state, now) else { return Ok(Claim::Unknown) };
        let again = std::mem::replace(&mut trip.claimed, true);
        let handshake = trip.handshake.clone();
        Ok(if again { Claim::Again(handshake) } else { Claim::First(handshake) })
    }

    async fn spend_provider_code(
        &self,
        channel: &ChannelId,
        code: &SecretHash,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = (channel.clone(), *code);
        match self.held().provider_codes.put(key, (), until, now, self.limits.provider_codes) {
            Put::Stored => Ok(true),
            Put::Exists => Ok(false),
            Put::Full => Err(StoreError::Overloaded),
        }
    }
}
