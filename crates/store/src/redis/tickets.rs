//! [`Tickets`] on Redis: one string per ticket, one script per transition.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::ids::ScanCode;
use mashang_login::records::StoreError;
use mashang_login::ticket::{Glance, Seen, Ticket};
use mashang_login::tickets::{Advance, Tickets, Watch};
use redis::cmd;
use serde::de::DeserializeOwned;

use super::entry::{millis, read, time_to_live, write};
use super::scripts::{ADVANCE, CREATE, RESERVE};
use super::{POLL, RedisTickets, corrupt, number, store_error};
use crate::signal::RemoteWatch;

impl RedisTickets {
    /// A ticket, or as much of it as `T` takes.
    async fn read_ticket<T: DeserializeOwned>(
        &self,
        code: &ScanCode,
        now: Timestamp,
    ) -> Result<Option<T>, StoreError> {
        let answer = self.reads.get(self.keys.ticket(code)).await;
        let answer = answer.map_err(|fault| StoreError::Unavailable(Box::new(fault)))?;
        let Some(stored) = answer else { return Ok(None) };
        let ticket = read(&stored, now).map_err(|what| corrupt("tickets", code.short(), what))?;
        Ok(ticket.map(|(_, ticket)| ticket))
    }
}

#[async_trait]
impl Tickets for RedisTickets {
    async fn create(&self, ticket: &Ticket, now: Timestamp) -> Result<(), StoreError> {
        let key = self.keys.ticket(&ticket.scan_code);
        let count = self.keys.live_tickets();
        let value = write(ticket.keep_until, ticket.version, &self.mark(), ticket);
        let facts = self.facts(ticket.keep_until, now, self.limits.live_tickets);
        let [now, ends, ttl, ceiling] = facts.each_ref().map(String::as_bytes);
        let is_cluster = self.link.is_cluster();
        let keys = [key.as_str(), count.as_str()];
        let keys = if is_cluster { &keys[..1] } else { &keys[..] };
        let answer = CREATE.run(&self.link, keys, &[now, ends, ttl, ceiling, &value, b"0"]).await;
        match number(answer)? {
            0 if is_cluster => {
                let room = RESERVE.run(&self.link, &[&count], &[now, ends, ttl, ceiling]).await;
                if number(room)? == 0 {
                    return Ok(());
                }
                // Nobody has been told its code yet.
                self.link.ask(cmd("DEL").arg(&key)).await.map_err(store_error)?;
                Err(StoreError::Overloaded)
            }
            0 => Ok(()),
            1 => Err(StoreError::Conflict),
            _ => Err(StoreError::Overloaded),
        }
    }

    async fn get(&self, code: &ScanCode, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        self.read_ticket(code, now).await
    }

    async fn glance(&self, code: &ScanCode, now: Timestamp) -> Result<Option<Glance>, StoreError> {
        let seen = self.read_ticket::<Seen>(code, now).await?;
        Ok(seen.map(|seen| seen.glance(now)))
    }

    async fn advance(&self, seen: &Ticket, next: &Ticket, now: Timestamp) -> Result<Advance, StoreError> {
        let code = &seen.scan_code;
        let (key, channel) = (self.keys.ticket(code), self.keys.channel_of(code));
        let mark = self.mark();
        let value = write(next.keep_until, next.version, &mark, next);
        let answer = ADVANCE
            .run(
                &self.link,
                &[&key, &channel],
                &[
                    millis(now).to_string().as_bytes(),
                    format!("{:010}", seen.version).as_bytes(),
                    &value,
                    time_to_live(next.keep_until, now).to_string().as_bytes(),
                    mark.as_bytes(),
                    if self.link.is_cluster() { b"SPUBLISH" } else { b"PUBLISH" },
                    code.as_str().as_bytes(),
                ],
            )
            .await;
        Ok(if number(answer)? == 1 { Advance::Won } else { Advance::Lost })
    }

    async fn watch(&self, code: &ScanCode) -> Result<Box<dyn Watch>, StoreError> {
        Ok(Box::new(RemoteWatch::new(self.watchers.subscribe(code), POLL)))
    }

    /// In a cluster it is one node's.
    async fn engine_time(&self) -> Result<Option<Timestamp>, StoreError> {
        let answer = self.link.ask(&cmd("TIME")).await.map_err(store_error)?;
        let told: Option<(i64, i64)> = redis::from_redis_value(answer).ok();
        Ok(told.and_then(|(seconds, micros)| {
            Timestamp::new(seconds, i32::try_from(micros.checked_mul(1_000)?).ok()?).ok()
        }))
    }
}
