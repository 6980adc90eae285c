//! [`Challenges`] on Redis: attempts counted down and challenges taken by a script.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::challenge::{Challenge, Challenges};
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use redis::{Value, cmd};

use super::entry::{millis, read, write};
use super::scripts::{ATTEMPT, CREATE, TAKE};
use super::{RedisTickets, corrupt, number, store_error};

#[async_trait]
impl Challenges for RedisTickets {
    async fn put(&self, challenge: &Challenge, now: Timestamp) -> Result<(), StoreError> {
        let key = self.keys.challenge(&challenge.id);
        let value = write(challenge.expires_at, challenge.attempts_left.into(), &self.mark(), challenge);
        let facts = self.facts(challenge.expires_at, now, self.limits.live_challenges);
        let [now, ends, ttl, ceiling] = facts.each_ref().map(String::as_bytes);
        let count = self.keys.live_challenges();
        let answer = CREATE.run(&self.link, &[&key, &count], &[now, ends, ttl, ceiling, &value, b"1"]).await;
        match number(answer)? {
            0 | 1 => Ok(()),
            _ => Err(StoreError::Overloaded),
        }
    }

    async fn get(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        let answer = self.link.ask(cmd("GET").arg(self.keys.challenge(id))).await.map_err(store_error)?;
        as_it_stands(id, &answer, now)
    }

    async fn attempt(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        let (key, at) = (self.keys.challenge(id), millis(now).to_string());
        let answer = ATTEMPT.run(&self.link, &[&key], &[at.as_bytes()]).await.map_err(store_error)?;
        as_it_stands(id, &answer, now)
    }

    async fn take(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        let (key, at) = (self.keys.challenge(id), millis(now).to_string());
        let count = self.keys.live_challenges();
        let answer = TAKE.run(&self.link, &[&key, &count], &[at.as_bytes()]).await.map_err(store_error)?;
        as_it_stands(id, &answer, now)
    }
}

/// The number in the head is how many attempts are left; the JSON holds how many there were.
fn as_it_stands(id: &SecretHash, answer: &Value, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
    let broken = |what| corrupt("challenges", &id.short(), what);
    let Value::BulkString(stored) = answer else { return Ok(None) };
    let Some((left, challenge)) = read::<Challenge>(stored, now).map_err(broken)? else { return Ok(None) };
    let attempts_left = u8::try_from(left).map_err(|_| broken("more attempts than there can be".into()))?;
    Ok(Some(Challenge { attempts_left, ..challenge }))
}
