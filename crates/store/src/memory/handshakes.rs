//! [`Handshakes`] in memory: one-use values, consumed under the lock.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::handshake::{Claim, Claimant, Handshake, TripEnd};
use mashang_login::ids::ChannelId;
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use mashang_login::tickets::Handshakes;

use super::shelf::Put;
use super::{MemoryTickets, Trip};

#[async_trait]
impl Handshakes for MemoryTickets {
    async fn begin(&self, handshake: &Handshake, now: Timestamp) -> Result<(), StoreError> {
        let trip = Trip { handshake: handshake.clone(), claimed: false, end: None };
        let ceiling = self.limits.live_handshakes;
        match self.held().handshakes.put(handshake.state, trip, handshake.expires_at, now, ceiling) {
            Put::Stored => Ok(()),
            Put::Exists => Err(StoreError::Conflict),
            Put::Full => Err(StoreError::Overloaded),
        }
    }

    async fn claim(&self, claimant: &Claimant<'_>, now: Timestamp) -> Result<Claim, StoreError> {
        let mut held = self.held();
        let Some(trip) = held.handshakes.get_mut(&claimant.state, now) else { return Ok(Claim::Unknown) };
        if !trip.handshake.belongs_to(claimant) {
            return Ok(Claim::Foreign);
        }
        let again = std::mem::replace(&mut trip.claimed, true);
        let end = trip.end.clone();
        let trip = trip.handshake.clone();
        Ok(if again { Claim::Again { trip, end } } else { Claim::First(trip) })
    }

    async fn end_trip(&self, state: &SecretHash, end: &TripEnd, now: Timestamp) -> Result<(), StoreError> {
        if let Some(trip) = self.held().handshakes.get_mut(state, now) {
            trip.end = Some(end.clone());
        }
        Ok(())
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
