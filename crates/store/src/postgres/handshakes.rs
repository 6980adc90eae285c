//! [`Handshakes`] on PostgreSQL: one-use values, guarded by the condition of an update.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::handshake::{Claim, Claimant, Handshake, TripEnd};
use mashang_login::ids::ChannelId;
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use mashang_login::tickets::Handshakes;

use super::{PostgresTickets, from_json, millis, to_json};

const COUNT: &str = "select count(*) from handshakes where keep_until > $1";
const COUNT_CODES: &str = "select count(*) from provider_codes where keep_until > $1";

const BEGIN: &str = "
    insert into handshakes (state, keep_until, data) values ($1, $2, $3)
    on conflict (state) do update
        set claimed = false, keep_until = excluded.keep_until, data = excluded.data, ending = null
        where handshakes.keep_until <= $4";

const GET: &str = "select data from handshakes where state = $1 and keep_until > $2";

const CLAIM: &str =
    "update handshakes set claimed = true where state = $1 and keep_until > $2 and not claimed";

const ENDING: &str = "select ending from handshakes where state = $1 and keep_until > $2";

const END_TRIP: &str = "update handshakes set ending = $3 where state = $1 and keep_until > $2";

const SPEND: &str = "
    insert into provider_codes (channel, code, keep_until) values ($1, $2, $3)
    on conflict (channel, code) do update set keep_until = excluded.keep_until
        where provider_codes.keep_until <= $4";

#[async_trait]
impl Handshakes for PostgresTickets {
    async fn begin(&self, handshake: &Handshake, now: Timestamp) -> Result<(), StoreError> {
        self.sweep(now);
        let room = &self.rooms.handshakes;
        self.count_if_stale(room, COUNT, now).await?;
        if !room.take() {
            return Err(StoreError::Overloaded);
        }
        let begin = sqlx::query(BEGIN)
            .bind(handshake.state.to_text())
            .bind(millis(handshake.expires_at))
            .bind(to_json(handshake))
            .bind(millis(now));
        if self.ask(begin).await? == 1 { Ok(()) } else { Err(StoreError::Conflict) }
    }

    async fn claim(&self, claimant: &Claimant<'_>, now: Timestamp) -> Result<Claim, StoreError> {
        let (state, at) = (claimant.state.to_text(), millis(now));
        let get = sqlx::query_as::<_, (String,)>(GET).bind(&state).bind(at);
        let Some((data,)) = self.row(get).await? else { return Ok(Claim::Unknown) };
        let trip: Handshake = from_json("handshakes", &claimant.state.short(), &data)?;
        // A handshake never changes but for being claimed, so whose it is can be asked before.
        if !trip.belongs_to(claimant) {
            return Ok(Claim::Foreign);
        }
        if self.ask(sqlx::query(CLAIM).bind(&state).bind(at)).await? == 1 {
            return Ok(Claim::First(trip));
        }
        let ending = sqlx::query_as::<_, (Option<String>,)>(ENDING).bind(&state).bind(at);
        let Some((ending,)) = self.row(ending).await? else { return Ok(Claim::Unknown) };
        let end = ending.map(|text| from_json("handshakes", &claimant.state.short(), &text)).transpose()?;
        Ok(Claim::Again { trip, end })
    }

    async fn end_trip(&self, state: &SecretHash, end: &TripEnd, now: Timestamp) -> Result<(), StoreError> {
        let end_trip = sqlx::query(END_TRIP).bind(state.to_text()).bind(millis(now)).bind(to_json(end));
        self.ask(end_trip).await.map(|_| ())
    }

    async fn spend_provider_code(
        &self,
        channel: &ChannelId,
        code: &SecretHash,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let room = &self.rooms.provider_codes;
        self.count_if_stale(room, COUNT_CODES, now).await?;
        if !room.take() {
            return Err(StoreError::Overloaded);
        }
        let spend = sqlx::query(SPEND)
            .bind(channel.as_str())
            .bind(code.to_text())
            .bind(millis(until))
            .bind(millis(now));
        Ok(self.ask(spend).await? == 1)
    }
}
