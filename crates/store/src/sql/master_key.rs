//! Whose master key this database belongs to: the first to say so.

use mashang_login::records::StoreError;

use super::db::Db;
use super::entity::master_key_check::{Entity, Model};

/// The number of the only row.
const ONLY: i64 = 1;

pub(super) async fn check(db: Db<'_>) -> Result<Option<Vec<u8>>, StoreError> {
    Ok(db.by_key::<Entity>(ONLY).await?.map(|row| row.sealed))
}

/// Writes `ours` if nothing is there; returns what is there then. Of two at once, one meets the other's row: its attempt
/// is begun again by the writer, and reads it.
pub(super) async fn claim(db: Db<'_>, ours: &[u8]) -> Result<Vec<u8>, StoreError> {
    if let Some(theirs) = check(db).await? {
        return Ok(theirs);
    }
    let row = Model { id: ONLY, sealed: ours.to_vec() };
    db.insert(row).await?;
    Ok(ours.to_vec())
}
