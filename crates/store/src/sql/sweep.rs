//! Housekeeping: deletes what nobody will ask about again. Nothing depends on it having run (promise 4).

use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::grant::GrantStage;
use mashang_login::records::StoreError;
use sea_orm::sea_query::{Query, SelectStatement};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter};

use super::entity::{access_tokens, codes, families, grants, refresh_tokens, sessions};
use super::errors::store_error;
use super::grants::stage_word;

/// How long an expired row stays: clocks differ, and people ask what happened yesterday. Grants that nobody answered are
/// the exception, see [`unanswered`].
const MARGIN: Duration = Duration::from_secs(24 * 60 * 60);

/// Before this moment, in milliseconds, whatever has expired may go.
pub(super) fn horizon(now: Timestamp) -> i64 {
    now.checked_sub(MARGIN).map_or(i64::MIN, |at| at.as_millisecond())
}

/// How long a request that nobody answered stays after its end: so long a forgotten tab is still led back to its website.
const UNANSWERED_MARGIN: Duration = Duration::from_secs(2 * 60 * 60);

/// Grants that ended without a login. Anyone can have them written by calling `/authorize`, up to some KB each, so they
/// do not stay for a day: else one address could fill the disk (SEC-79).
pub(super) async fn unanswered(db: &impl ConnectionTrait, now: Timestamp) -> Result<u64, StoreError> {
    let horizon = now.checked_sub(UNANSWERED_MARGIN).map_or(i64::MIN, |at| at.as_millisecond());
    let gone = grants::Entity::delete_many()
        .filter(grants::Column::ExpiresAt.lte(horizon))
        .filter(grants::Column::Stage.ne(stage_word(GrantStage::Fulfilled)))
        .exec(db)
        .await
        .map_err(store_error)?;
    Ok(gone.rows_affected)
}

/// Answered grants, sessions and access tokens: of no use once expired.
pub(super) async fn singles(db: &impl ConnectionTrait, horizon: i64) -> Result<u64, StoreError> {
    let mut gone = 0;
    let old = grants::Column::ExpiresAt.lt(horizon);
    gone += grants::Entity::delete_many().filter(old).exec(db).await.map_err(store_error)?.rows_affected;
    let old = sessions::Column::ExpiresAt.lt(horizon);
    gone += sessions::Entity::delete_many().filter(old).exec(db).await.map_err(store_error)?.rows_affected;
    let old = access_tokens::Column::ExpiresAt.lt(horizon);
    gone +=
        access_tokens::Entity::delete_many().filter(old).exec(db).await.map_err(store_error)?.rows_affected;
    Ok(gone)
}

/// Families whose absolute end has passed, with all that points at them. Until then spent codes and refresh tokens
/// stay, so that a replay is recognised (SEC-49, SEC-50).
pub(super) async fn families(db: &impl ConnectionTrait, horizon: i64) -> Result<u64, StoreError> {
    let mut gone = 0;
    let over = codes::Column::FamilyId.in_subquery(ended(horizon));
    gone += codes::Entity::delete_many().filter(over).exec(db).await.map_err(store_error)?.rows_affected;
    let over = access_tokens::Column::FamilyId.in_subquery(ended(horizon));
    gone +=
        access_tokens::Entity::delete_many().filter(over).exec(db).await.map_err(store_error)?.rows_affected;
    let over = refresh_tokens::Column::FamilyId.in_subquery(ended(horizon));
    gone +=
        refresh_tokens::Entity::delete_many().filter(over).exec(db).await.map_err(store_error)?.rows_affected;
    let over = families::Column::ExpiresAt.lt(horizon);
    gone += families::Entity::delete_many().filter(over).exec(db).await.map_err(store_error)?.rows_affected;
    Ok(gone)
}

fn ended(horizon: i64) -> SelectStatement {
    Query::select()
        .column(families::Column::Id)
        .from(families::Entity)
        .and_where(families::Column::ExpiresAt.lt(horizon))
        .to_owned()
}
