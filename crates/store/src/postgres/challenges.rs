//! [`Challenges`] on PostgreSQL: attempts counted down by an update, challenges taken by a delete.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::challenge::{Challenge, Challenges};
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;

use super::{PostgresTickets, from_json, millis, to_json};

const COUNT: &str = "select count(*) from challenges where keep_until > $1";

const REPLACE: &str = "
    update challenges set attempts_left = $2, keep_until = $3, data = $4
    where id = $1 and keep_until > $5";

const PUT: &str = "
    insert into challenges (id, attempts_left, keep_until, data) values ($1, $2, $3, $4)
    on conflict (id) do update
        set attempts_left = excluded.attempts_left, keep_until = excluded.keep_until, data = excluded.data";

const GET: &str = "select attempts_left, data from challenges where id = $1 and keep_until > $2";

const ATTEMPT: &str = "
    update challenges set attempts_left = attempts_left - 1
    where id = $1 and keep_until > $2 and attempts_left > 0
    returning attempts_left, data";

const TAKE: &str = "delete from challenges where id = $1 returning attempts_left, data, keep_until";

#[async_trait]
impl Challenges for PostgresTickets {
    async fn put(&self, challenge: &Challenge, now: Timestamp) -> Result<(), StoreError> {
        self.sweep(now);
        let facts = |statement| {
            sqlx::query(statement)
                .bind(challenge.id.to_text())
                .bind(i16::from(challenge.attempts_left))
                .bind(millis(challenge.expires_at))
                .bind(to_json(challenge))
        };
        // One in the place of another needs no room.
        if self.ask(facts(REPLACE).bind(millis(now))).await? == 1 {
            return Ok(());
        }
        let room = &self.rooms.challenges;
        self.count_if_stale(room, COUNT, now).await?;
        if !room.take() {
            return Err(StoreError::Overloaded);
        }
        self.ask(facts(PUT)).await.map(|_| ())
    }

    async fn get(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        let get = sqlx::query_as::<_, (i16, String)>(GET).bind(id.to_text()).bind(millis(now));
        let row = self.row(get).await?;
        row.map(|(left, data)| as_it_stands(id, left, &data)).transpose()
    }

    async fn attempt(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        let attempt = sqlx::query_as::<_, (i16, String)>(ATTEMPT).bind(id.to_text()).bind(millis(now));
        let row = self.row(attempt).await?;
        row.map(|(left, data)| as_it_stands(id, left, &data)).transpose()
    }

    async fn take(&self, id: &SecretHash, now: Timestamp) -> Result<Option<Challenge>, StoreError> {
        let take = sqlx::query_as::<_, (i16, String, i64)>(TAKE).bind(id.to_text());
        let Some((left, data, keep_until)) = self.row(take).await? else { return Ok(None) };
        self.rooms.challenges.give_back();
        if keep_until <= millis(now) {
            return Ok(None);
        }
        as_it_stands(id, left, &data).map(Some)
    }
}

/// The column holds how many attempts are left; the JSON how many there were.
fn as_it_stands(id: &SecretHash, left: i16, data: &str) -> Result<Challenge, StoreError> {
    let challenge: Challenge = from_json("challenges", &id.short(), data)?;
    let attempts_left = u8::try_from(left).unwrap_or(0);
    Ok(Challenge { attempts_left, ..challenge })
}
