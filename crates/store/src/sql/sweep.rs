//! Housekeeping: deletes what nobody will ask about again. Nothing depends on it having run (promise 4).

use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::grant::GrantStage;
use mashang_login::records::StoreError;
use sea_orm::sea_query::IntoCondition;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QuerySelect};

use super::db::{Db, Run, texts};
use super::entity::{access_tokens, codes, families, grants, refresh_tokens, sessions, stale_proofs};
use super::grants::stage_word;

/// How long an expired row stays: clocks differ, and people ask what happened yesterday. Grants that nobody answered are
/// the exception, see [`Leftover::UnansweredGrants`].
const MARGIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Before this moment, in milliseconds, whatever has expired may go.
fn horizon(now: Timestamp) -> i64 {
    now.checked_sub(MARGIN).map_or(i64::MIN, |at| at.as_millisecond())
}

/// How long a request that nobody answered stays after its end: so long a forgotten tab is still led back to its website.
const UNANSWERED_MARGIN: Duration = Duration::from_secs(2 * 60 * 60);

/// How far before that end is looked: what is older was looked at before, and else goes as every other grant after a day. Answered
/// grants, which lie among them, are many.
const UNANSWERED_WINDOW: Duration = Duration::from_secs(2 * 60 * 60);

/// Most rows of one kind that one intention deletes: a backlog of a million is not one statement, which a server would
/// end for its length, and logins pass in between.
const ROUND: u64 = 1000;
/// As [`ROUND`], for families. A website that refreshes all the time leaves some ten thousand spent refresh tokens in each, which
/// go by themselves, [`ROUND`] at a time, before their family does.
const FAMILIES_A_ROUND: u64 = 50;

/// What is deleted, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leftover {
    /// Grants that ended without a login. Anyone can have them written by calling `/authorize`, up to some KB each, so
    /// they do not stay for a day: else one address could fill the disk (SEC-79).
    UnansweredGrants,
    /// Answered grants, of no use once expired.
    Grants,
    /// Sessions, of no use once expired.
    Sessions,
    /// Access tokens, of no use once expired.
    AccessTokens,
    /// Families whose absolute end has passed, with all that points at them. Until then spent codes and refresh tokens
    /// stay, so that a replay is recognised (SEC-49, SEC-50).
    Families,
    /// What directories said of members: nobody's scan is under way for a day.
    StaleProofs,
}

impl Leftover {
    pub(super) const ALL: [Self; 6] = [
        Self::UnansweredGrants,
        Self::Grants,
        Self::Sessions,
        Self::AccessTokens,
        Self::Families,
        Self::StaleProofs,
    ];
}

/// What one intention did.
pub(super) struct Round {
    /// Rows deleted.
    pub(super) gone: u64,
    /// Whether there may be more.
    pub(super) is_full: bool,
}

/// Deletes some of what is over.
pub(super) async fn round(db: Db<'_>, what: Leftover, now: Timestamp) -> Result<Round, StoreError> {
    let horizon = horizon(now);
    match what {
        Leftover::UnansweredGrants => {
            let end = now.checked_sub(UNANSWERED_MARGIN).map_or(i64::MIN, |at| at.as_millisecond());
            let from = now.checked_sub(UNANSWERED_MARGIN + UNANSWERED_WINDOW);
            let from = from.map_or(i64::MIN, |at| at.as_millisecond());
            let unanswered = grants::Column::Stage.ne(stage_word(GrantStage::Fulfilled));
            let over = Condition::all().add(grants::Column::ExpiresAt.gt(from));
            let over = over.add(grants::Column::ExpiresAt.lte(end)).add(unanswered);
            singles::<grants::Entity>(db, grants::Column::Id, over).await
        }
        Leftover::Grants => {
            let over = Condition::all().add(grants::Column::ExpiresAt.lt(horizon));
            singles::<grants::Entity>(db, grants::Column::Id, over).await
        }
        Leftover::Sessions => {
            let over = Condition::all().add(sessions::Column::ExpiresAt.lt(horizon));
            singles::<sessions::Entity>(db, sessions::Column::Secret, over).await
        }
        Leftover::AccessTokens => {
            let over = Condition::all().add(access_tokens::Column::ExpiresAt.lt(horizon));
            singles::<access_tokens::Entity>(db, access_tokens::Column::Token, over).await
        }
        Leftover::Families => families(db, horizon).await,
        Leftover::StaleProofs => {
            // A few at a time do not matter here: as many as members leave in a day.
            let over = stale_proofs::Entity::delete_many();
            let gone = over.filter(stale_proofs::Column::StaleBefore.lt(horizon)).run(db).await?;
            Ok(Round { gone, is_full: false })
        }
    }
}

/// Rows that nothing points at.
async fn singles<E: EntityTrait>(db: Db<'_>, key: E::Column, over: Condition) -> Result<Round, StoreError> {
    let keys = keys_of::<E>(db, key, over, ROUND).await?;
    let is_full = keys.len() as u64 == ROUND;
    Ok(Round { gone: delete::<E>(db, key, &keys).await?, is_full })
}

async fn families(db: Db<'_>, horizon: i64) -> Result<Round, StoreError> {
    let over = Condition::all().add(families::Column::ExpiresAt.lt(horizon));
    let ended = keys_of::<families::Entity>(db, families::Column::Id, over, FAMILIES_A_ROUND).await?;
    let theirs = refresh_tokens::Column::FamilyId.is_in(ended.iter().map(String::as_str));
    let tokens =
        singles::<refresh_tokens::Entity>(db, refresh_tokens::Column::Token, theirs.into_condition());
    let tokens = tokens.await?;
    if tokens.is_full {
        return Ok(tokens);
    }
    let mut gone = tokens.gone;
    gone += delete::<codes::Entity>(db, codes::Column::FamilyId, &ended).await?;
    gone += delete::<access_tokens::Entity>(db, access_tokens::Column::FamilyId, &ended).await?;
    gone += delete::<families::Entity>(db, families::Column::Id, &ended).await?;
    Ok(Round { gone, is_full: ended.len() as u64 == FAMILIES_A_ROUND })
}

/// The keys first: not every engine deletes so many at most.
async fn keys_of<E: EntityTrait>(
    db: Db<'_>,
    key: E::Column,
    over: Condition,
    most: u64,
) -> Result<Vec<String>, StoreError> {
    texts(E::find().select_only().column(key).filter(over).limit(most), db).await
}

async fn delete<E: EntityTrait>(db: Db<'_>, column: E::Column, keys: &[String]) -> Result<u64, StoreError> {
    if keys.is_empty() {
        return Ok(0);
    }
    let these = E::delete_many().filter(column.is_in(keys.iter().map(String::as_str)));
    these.run(db).await
}
