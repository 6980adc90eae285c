//! Whether this database has served with a sandbox, where anyone can be anyone.

use mashang_login::Timestamp;
use mashang_login::records::StoreError;

use super::db::Db;
use super::entity::sandbox_use::{Entity, Model};
use super::errors::{read, time};

/// The number of the only row.
const ONLY: i64 = 1;

pub(super) async fn since(db: Db<'_>) -> Result<Option<Timestamp>, StoreError> {
    let row = db.by_key::<Entity>(ONLY).await?;
    row.map(|row| read("sandbox_use", "1", || time("since", row.since))).transpose()
}

/// Of two at once, one meets the other's row: its attempt is begun again by the writer, and finds it.
pub(super) async fn note(db: Db<'_>, now: Timestamp) -> Result<(), StoreError> {
    if since(db).await?.is_some() {
        return Ok(());
    }
    db.insert(Model { id: ONLY, since: now.as_millisecond() }).await
}
