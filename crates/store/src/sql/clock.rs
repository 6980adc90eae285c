//! What time it is by a server's own clock. A file has none but ours.

use mashang_login::Timestamp;
use mashang_login::records::StoreError;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::errors::{read, store_error, time};

/// Milliseconds, as every time in the tables; the moment of the question, not of the transaction's begin.
pub(super) async fn now(db: &impl ConnectionTrait) -> Result<Option<Timestamp>, StoreError> {
    let backend = db.get_database_backend();
    let question = match backend {
        DbBackend::Postgres => "select (extract(epoch from clock_timestamp()) * 1000)::bigint as millis",
        DbBackend::MySql => "select cast(unix_timestamp(sysdate(3)) * 1000 as signed) as millis",
        _ => return Ok(None),
    };
    let row = db.query_one_raw(Statement::from_string(backend, question)).await.map_err(store_error)?;
    let Some(row) = row else { return Ok(None) };
    let millis: i64 = row.try_get("", "millis").map_err(store_error)?;
    read("clock", "now", || time("millis", millis)).map(Some)
}
