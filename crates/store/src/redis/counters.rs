//! [`Counters`] on Redis: a list of moments per key, or one moment where a rate is counted.

use std::time::Duration;

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::counters::{Counters, Rate, Share};
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use redis::{Value, cmd};

use super::entry::millis;
use super::scripts::{COUNT, PASS};
use super::{RedisTickets, corrupt, number, store_error};

#[async_trait]
impl Counters for RedisTickets {
    async fn take(
        &self,
        key: &SecretHash,
        share: Share,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        let facts = [millis(now).to_string(), share.most.to_string(), share.period.as_millis().to_string()];
        let facts = facts.each_ref().map(String::as_bytes);
        let wait = number(COUNT.run(&self.link, &[&self.keys.counter(key)], &facts).await)?;
        Ok(u64::try_from(wait).ok().filter(|wait| *wait > 0).map(Duration::from_millis))
    }

    async fn pass(
        &self,
        key: &SecretHash,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        let facts = [
            now.as_microsecond().to_string(),
            rate.interval_micros().to_string(),
            rate.ahead_micros().to_string(),
        ];
        let facts = facts.each_ref().map(String::as_bytes);
        let wait = number(PASS.run(&self.link, &[&self.keys.counter(key)], &facts).await)?;
        Ok(u64::try_from(wait).ok().filter(|wait| *wait > 0).map(Duration::from_micros))
    }

    async fn give_back(&self, key: &SecretHash) -> Result<(), StoreError> {
        self.link.ask(cmd("RPOP").arg(self.keys.counter(key))).await.map_err(store_error)?;
        Ok(())
    }

    async fn last(&self, key: &SecretHash) -> Result<Option<Timestamp>, StoreError> {
        let answer = self.link.ask(cmd("LINDEX").arg(self.keys.counter(key)).arg(-1)).await;
        let Value::BulkString(moment) = answer.map_err(store_error)? else { return Ok(None) };
        let moment = std::str::from_utf8(&moment).ok().and_then(|text| text.parse().ok());
        let moment = moment.and_then(|millis| Timestamp::from_millisecond(millis).ok());
        moment.map(Some).ok_or_else(|| corrupt("counters", &key.short(), "not a moment".into()))
    }
}
