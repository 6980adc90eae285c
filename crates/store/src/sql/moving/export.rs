//! Writing all that lasts as text, out of one snapshot, a row at a time.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use futures_util::TryStreamExt;
use sea_orm::sea_query::{Alias, Asterisk, Expr, ExprTrait, Query};
use sea_orm::{
    AccessMode, ConnectionTrait, DatabaseTransaction, DbBackend, EntityTrait, FromQueryResult,
    IsolationLevel, Iterable, PrimaryKeyToColumn, QueryOrder, QueryResult, QueryTrait, Statement,
    StreamTrait, TransactionTrait,
};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::super::connect::{self, SqlOptions, Tables};
use super::super::entity;
use super::{End, FORMAT, Header, MoveError, Moved, Progress, each_table};

/// Rows between two words about progress.
const STEP: u64 = 1000;

/// Writes the records of the database at `url` to `to`, as they are at one moment: whatever happens meanwhile is not in
/// it. Nodes may go on serving. Rows pass one at a time, so memory does not grow with their number.
///
/// # Errors
/// [`MoveError`]; what was written then is no whole export, and `import` says so.
pub async fn export(
    url: &str,
    to: &mut (dyn Write + Send),
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Moved, MoveError> {
    let options = SqlOptions { tables: Tables::AsTheyAre, ..SqlOptions::default() };
    let db = connect::single(url, &options).await?;
    let backend = db.get_database_backend();
    let (isolation, access) = match backend {
        // A read transaction of SQLite is a snapshot, and has no other kind.
        DbBackend::Sqlite => (None, None),
        _ => (Some(IsolationLevel::RepeatableRead), Some(AccessMode::ReadOnly)),
    };
    let begun = db.begin_with_config(isolation, access).await;
    let snapshot = begun.map_err(|source| MoveError::Database { table: "the snapshot", source })?;

    let mut total = 0;
    macro_rules! count {
        ($($table:ident),+) => { $(
            total += count_of(&snapshot, stringify!($table)).await?;
        )+ };
    }
    each_table!(count);

    let mut text = Text { to, hash: Sha256::new(), progress, rows: 0, total, bytes: 0 };
    text.line("mashang", &Header { format: FORMAT, schema: connect::newest_schema() })?;
    let mut rows = BTreeMap::new();
    macro_rules! write_all {
        ($($table:ident),+) => { $(
            let (name, all) = (stringify!($table), in_order::<entity::$table::Entity>(backend));
            let written = table(&snapshot, name, all, write_row::<entity::$table::Entity>, &mut text).await?;
            rows.insert(name.to_owned(), written);
        )+ };
    }
    each_table!(write_all);
    text.end(rows)
}

/// Rows that leave something behind when they move.
trait Leaves {
    fn leave(&mut self) {}
}

macro_rules! leave_nothing {
    ($($table:ident),+) => { $(impl Leaves for entity::$table::Model {})+ };
}
leave_nothing!(
    users,
    identities,
    passwords,
    passkeys,
    merges,
    merged_identities,
    unlinked_identities,
    stale_proofs,
    clients,
    consents,
    master_key_check,
    sandbox_use,
    signing_keys,
    sessions,
    families,
    codes,
    access_tokens,
    refresh_tokens,
    audit_events,
    audit_checkpoints,
    audit_trimmed
);

impl Leaves for entity::platform_tokens::Model {
    /// The node that holds the lease does not move.
    fn leave(&mut self) {
        self.lease_holder = None;
        self.lease_until = None;
    }
}

async fn count_of(snapshot: &impl ConnectionTrait, table: &'static str) -> Result<u64, MoveError> {
    let failed = |source| MoveError::Database { table, source };
    let mut count = Query::select();
    count.expr_as(Expr::col(Asterisk).count(), "rows").from(Alias::new(table));
    let count = snapshot.get_database_backend().build(&count);
    let Some(row) = snapshot.query_one_raw(count).await.map_err(failed)? else { return Ok(0) };
    let count: i64 = row.try_get("", "rows").map_err(failed)?;
    Ok(count.unsigned_abs())
}

/// All rows of a table, by its key.
fn in_order<E: EntityTrait>(backend: DbBackend) -> Statement {
    let keys = E::PrimaryKey::iter().map(PrimaryKeyToColumn::into_column);
    let all = keys.fold(E::find(), |rows, key| rows.order_by_asc(key));
    all.build(backend)
}

/// Writes one row, as its line.
fn write_row<E>(row: &QueryResult, name: &'static str, text: &mut Text<'_>) -> Result<(), MoveError>
where
    E: EntityTrait<Model: Serialize + Leaves>,
{
    let row = E::Model::from_query_result(row, "");
    let mut row = row.map_err(|source| MoveError::Database { table: name, source })?;
    row.leave();
    text.line(name, &row)
}

/// Not generic, but for the one function that knows the rows: there are two dozen tables.
async fn table(
    snapshot: &DatabaseTransaction,
    name: &'static str,
    rows: Statement,
    write: fn(&QueryResult, &'static str, &mut Text<'_>) -> Result<(), MoveError>,
    text: &mut Text<'_>,
) -> Result<u64, MoveError> {
    let failed = |source| MoveError::Database { table: name, source };
    let mut rows = snapshot.stream_raw(rows).await.map_err(failed)?;
    let mut written = 0;
    text.tell(name);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        write(&row, name, text)?;
        written += 1;
        text.rows += 1;
        if text.rows.is_multiple_of(STEP) {
            text.tell(name);
        }
    }
    Ok(written)
}

/// The text as it grows.
struct Text<'a> {
    to: &'a mut (dyn Write + Send),
    hash: Sha256,
    progress: &'a mut (dyn FnMut(Progress) + Send),
    rows: u64,
    total: u64,
    bytes: u64,
}

impl Text<'_> {
    fn line(&mut self, name: &str, content: &impl Serialize) -> Result<(), MoveError> {
        let mut line = serde_json::to_vec(&(name, content)).expect("rows are plain data");
        line.push(b'\n');
        self.hash.update(&line);
        self.bytes += line.len() as u64;
        Ok(self.to.write_all(&line)?)
    }

    fn tell(&mut self, table: &'static str) {
        (self.progress)(Progress { table, rows: self.rows, of: Some(self.total), bytes: self.bytes });
    }

    fn end(mut self, rows: BTreeMap<String, u64>) -> Result<Moved, MoveError> {
        let sha256 = hex(&self.hash.clone().finalize());
        self.line("end", &End { rows: rows.clone(), sha256: sha256.clone() })?;
        self.to.flush()?;
        Ok(Moved { rows, sha256, file_sha256: hex(&self.hash.finalize()) })
    }
}

/// Bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
