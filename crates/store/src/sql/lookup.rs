//! Looking up the one row of a key, and writing what somebody looks for as a pattern.

use mashang_login::records::StoreError;
use sea_orm::{EntityTrait, Select};
use serde::de::DeserializeOwned;

use super::db::{Db, Fetch};

/// The row that `select` names by a primary or unique key, if it is there.
///
/// Not SeaORM's `one()`: that adds `limit ?` with the number as a bound value, and since 3.47 SQLite plans such a
/// statement anew each time its limit is bound, which made parsing SQL half of the work of a look-up. A key has one row
/// at most, so there is nothing to limit.
pub(super) async fn row<E>(select: Select<E>, db: Db<'_>) -> Result<Option<E::Model>, StoreError>
where
    E: EntityTrait<Model: DeserializeOwned>,
{
    Ok(select.fetch(db).await?.pop())
}

/// `text` inside the pattern of a `like` whose escape character is `!`: a percent sign that somebody looks for is one.
pub(super) fn literally(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}
