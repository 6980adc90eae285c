//! What time it is by a server's own clock. A file has none but ours.

use mashang_login::Timestamp;
use mashang_login::records::StoreError;
use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::db::Db;
use super::errors::{read, store_error, time};

/// Milliseconds, as every time in the tables; the moment of the question, not of the transaction's begin.
pub(super) async fn now(db: Db<'_>) -> Result<Option<Timestamp>, StoreError> {
    let backend = db.backend();
    let question = match backend {
        DbBackend::Postgres => "select (extract(epoch from clock_timestamp()) * 1000)::bigint as millis",
        DbBackend::MySql => "select cast(unix_timestamp(sysdate(3)) * 1000 as signed) as millis",
        _ => return Ok(None),
    };
    let question = Statement::from_string(backend, question);
    let row = match db {
        Db::Pool(pool) => pool.query_one_raw(question).await,
        Db::Transaction(transaction) => transaction.query_one_raw(question).await,
        Db::File(_) => return Ok(None),
    };
    let Some(row) = row.map_err(store_error)? else { return Ok(None) };
    let millis: i64 = row.try_get("", "millis").map_err(store_error)?;
    read("clock", "now", || time("millis", millis)).map(Some)
}
