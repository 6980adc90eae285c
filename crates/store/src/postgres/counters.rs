//! [`Counters`] on PostgreSQL: one row per key, with an array of moments, of which there is one where a rate is counted.

use std::time::Duration;

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::counters::{Counters, Rate, Share};
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;

use super::{PostgresTickets, millis};

/// The row's lock lets one caller at a time look at the moments that still count, and add its own.
const TAKE: &str = "
    insert into counters as c (key, moments, keep_until) values ($1, array[$2::bigint], $2 + $4)
    on conflict (key) do update set
        moments = array(select m from unnest(c.moments) m where m + $4 > $2 order by m) || $2,
        keep_until = $2 + $4
    where cardinality(array(select m from unnest(c.moments) m where m + $4 > $2)) < $3";

const FIRST: &str = "select min(m) from counters, unnest(moments) m where key = $1 and m + $3 > $2";

/// Microseconds in the array. `$3` is how long one takes up, `$4` how far the moment may lie ahead.
const PASS: &str = "
    insert into counters as c (key, moments, keep_until) values ($1, array[$2::bigint + $3], ($2 + $3) / 1000 + 1)
    on conflict (key) do update set
        moments = array[greatest(c.moments[1], $2) + $3],
        keep_until = (greatest(c.moments[1], $2) + $3) / 1000 + 1
    where greatest(c.moments[1], $2) + $3 - $2 <= $4";

const MOMENT: &str = "select moments[1] from counters where key = $1";

const GIVE_BACK: &str =
    "update counters set moments = moments[1:cardinality(moments) - 1] where key = $1 and moments <> '{}'";

const LAST: &str = "select moments[cardinality(moments)] from counters where key = $1";

#[async_trait]
impl Counters for PostgresTickets {
    async fn take(
        &self,
        key: &SecretHash,
        share: Share,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        self.sweep(now);
        let (name, at) = (key.to_text(), millis(now));
        let period = i64::try_from(share.period.as_millis()).unwrap_or(i64::MAX / 4);
        let take = sqlx::query(TAKE).bind(&name).bind(at).bind(i64::from(share.most)).bind(period);
        if self.ask(take).await? == 1 {
            return Ok(None);
        }
        let first = sqlx::query_as::<_, (Option<i64>,)>(FIRST).bind(&name).bind(at).bind(period);
        let first = self.row(first).await?.and_then(|(first,)| first).unwrap_or(at);
        let wait = u64::try_from(first + period - at).unwrap_or(0).max(1);
        Ok(Some(Duration::from_millis(wait)))
    }

    async fn pass(
        &self,
        key: &SecretHash,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Option<Duration>, StoreError> {
        self.sweep(now);
        let micros = |number: u64| i64::try_from(number).unwrap_or(i64::MAX / 4);
        let (name, at) = (key.to_text(), now.as_microsecond());
        let (interval, ahead) = (micros(rate.interval_micros()), micros(rate.ahead_micros()));
        let pass = sqlx::query(PASS).bind(&name).bind(at).bind(interval).bind(ahead);
        if self.ask(pass).await? == 1 {
            return Ok(None);
        }
        let moment = self.row(sqlx::query_as::<_, (Option<i64>,)>(MOMENT).bind(&name)).await?;
        let moment = moment.and_then(|(moment,)| moment).unwrap_or(at);
        let wait = u64::try_from(moment + interval - at - ahead).unwrap_or(0).max(1);
        Ok(Some(Duration::from_micros(wait)))
    }

    async fn give_back(&self, key: &SecretHash) -> Result<(), StoreError> {
        self.ask(sqlx::query(GIVE_BACK).bind(key.to_text())).await.map(|_| ())
    }

    async fn last(&self, key: &SecretHash) -> Result<Option<Timestamp>, StoreError> {
        let last = sqlx::query_as::<_, (Option<i64>,)>(LAST).bind(key.to_text());
        let Some((Some(moment),)) = self.row(last).await? else { return Ok(None) };
        let broken =
            |_| StoreError::Corrupt { table: "counters", key: key.short(), what: "not a moment".into() };
        Timestamp::from_millisecond(moment).map(Some).map_err(broken)
    }
}
