//! [`Handshakes`] on Redis: one-use values, consumed by a script.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::handshake::{Claim, Claimant, Handshake, TripEnd};
use mashang_login::ids::ChannelId;
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use mashang_login::tickets::Handshakes;
use redis::{Value, cmd};

use super::entry::{millis, read, write};
use super::scripts::{CLAIM, CREATE, END_TRIP};
use super::{RedisTickets, corrupt, number, store_error};

#[async_trait]
impl Handshakes for RedisTickets {
    async fn begin(&self, handshake: &Handshake, now: Timestamp) -> Result<(), StoreError> {
        let key = self.keys.handshake(&handshake.state);
        let value = write(handshake.expires_at, 0, &self.mark(), handshake);
        let facts = self.facts(handshake.expires_at, now, self.limits.live_handshakes);
        let [now, ends, ttl, ceiling] = facts.each_ref().map(String::as_bytes);
        let count = self.keys.live_handshakes();
        let answer = CREATE.run(&self.link, &[&key, &count], &[now, ends, ttl, ceiling, &value, b"0"]).await;
        match number(answer)? {
            0 => Ok(()),
            1 => Err(StoreError::Conflict),
            _ => Err(StoreError::Overloaded),
        }
    }

    async fn claim(&self, claimant: &Claimant<'_>, now: Timestamp) -> Result<Claim, StoreError> {
        let broken = |what| corrupt("handshakes", &claimant.state.short(), what);
        let key = self.keys.handshake(&claimant.state);
        let answer = self.link.ask(cmd("GET").arg(&key)).await.map_err(store_error)?;
        let Value::BulkString(stored) = answer else { return Ok(Claim::Unknown) };
        let Some((_, trip)) = read::<Handshake>(&stored, now).map_err(broken)? else {
            return Ok(Claim::Unknown);
        };
        // A handshake never changes but for being claimed, so whose it is can be asked before.
        if !trip.belongs_to(claimant) {
            return Ok(Claim::Foreign);
        }
        let end = self.keys.trip_end(&claimant.state);
        let now = millis(now).to_string();
        match CLAIM.run(&self.link, &[&key, &end], &[now.as_bytes()]).await.map_err(store_error)? {
            Value::Array(parts) => match parts.as_slice() {
                [Value::Int(1)] => Ok(Claim::First(trip)),
                [Value::Int(2), Value::BulkString(end)] => {
                    let end =
                        serde_json::from_slice(end).map_err(|_| broken("its end is not JSON".into()))?;
                    Ok(Claim::Again { trip, end: Some(end) })
                }
                [Value::Int(2), ..] => Ok(Claim::Again { trip, end: None }),
                _ => Ok(Claim::Unknown),
            },
            _ => Err(broken("the script answered otherwise".into())),
        }
    }

    async fn end_trip(&self, state: &SecretHash, end: &TripEnd, now: Timestamp) -> Result<(), StoreError> {
        let (key, end_key) = (self.keys.handshake(state), self.keys.trip_end(state));
        let end = serde_json::to_vec(end).expect("our own plain data always serializes");
        let now = millis(now).to_string();
        END_TRIP.run(&self.link, &[&key, &end_key], &[now.as_bytes(), &end]).await.map_err(store_error)?;
        Ok(())
    }

    async fn spend_provider_code(
        &self,
        channel: &ChannelId,
        code: &SecretHash,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (key, count) = (self.keys.provider_code(channel, code), self.keys.live_provider_codes());
        let value = write(until, 0, &self.mark(), &());
        let facts = self.facts(until, now, self.limits.provider_codes);
        let [now, ends, ttl, ceiling] = facts.each_ref().map(String::as_bytes);
        let answer = CREATE.run(&self.link, &[&key, &count], &[now, ends, ttl, ceiling, &value, b"0"]).await;
        match number(answer)? {
            0 => Ok(true),
            1 => Ok(false),
            _ => Err(StoreError::Overloaded),
        }
    }
}
