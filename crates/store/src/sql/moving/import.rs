//! Reading an export into an empty database, in one transaction: it is all there, or nothing of it.

use std::collections::BTreeMap;
use std::io::{BufRead, Read};

use mashang_login::key::SigningKey;
use mashang_login::seal::Sealer;
use sea_orm::sea_query::{Alias, Expr, Query};
use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbBackend, DbErr, EntityTrait, IntoActiveModel, QueryTrait, SqlErr,
    Statement, TransactionTrait,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::super::connect::{self, SqlOptions, Tables};
use super::super::db::Db;
use super::super::errors::of_engine;
use super::super::{entity, keys, master_key};
use super::export::hex;
use super::{End, FORMAT, Header, MoveError, Moved, Progress, each_table};

/// Most rows, and about as many bytes, that one statement inserts.
const BATCH_ROWS: usize = 300;
const BATCH_BYTES: usize = 1 << 20;
/// Longest line that is read: far beyond any row.
const LINE_BYTES: u64 = 16 << 20;

/// Reads an export into the empty database at `url`, whose tables are made if there are none at all. A file or a table is
/// made only once the first line is known to be of this version.
///
/// Everything is inserted in one transaction, which is committed when the counts and the checksum at the end are right
/// and `opens` said of every signing key, and of what says whose they are, that the master key opens it at its place (that is asked
/// as soon as they are read); otherwise, or when this process dies, the tables stay as empty as they were. No node may use the database meanwhile.
///
/// # Errors
/// [`MoveError`].
pub async fn import(
    url: &str,
    from: &mut (dyn BufRead + Send),
    opens: &(dyn Fn(&[u8], &str) -> bool + Sync),
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Moved, MoveError> {
    let mut lines = Lines { from, hash: Sha256::new(), number: 0, bytes: 0 };
    lines.header()?;
    let options = SqlOptions { tables: Tables::MadeIfNone, ..SqlOptions::default() };
    let db = connect::single(url, &options).await?;
    let begun = db.begin().await;
    let transaction = begun.map_err(|source| MoveError::Database { table: "the transaction", source })?;
    expect_empty(&transaction).await?;
    let moved = insert_all(&transaction, &mut lines, opens, progress).await?;
    let backend = db.get_database_backend();
    let highest = highest_number(&transaction).await?;
    // MySQL commits by itself at any change to a table.
    let is_told_after = backend == DbBackend::MySql;
    let count_on = count_on_from(highest, backend);
    if !is_told_after {
        let counted = transaction.execute_unprepared(&count_on).await;
        counted.map_err(|source| MoveError::Database { table: "audit_events", source })?;
    }
    let done = transaction.commit().await;
    done.map_err(|source| MoveError::Database { table: "the commit", source })?;
    if is_told_after {
        let counted = db.execute_unprepared(&count_on).await;
        counted.map_err(|source| MoveError::Counter { next: highest + 1, source })?;
    }
    Ok(moved)
}

/// What was sealed with a master key is opened by the one that is here.
async fn expect_ours(
    db: &DatabaseTransaction,
    opens: &(dyn Fn(&[u8], &str) -> bool + Sync),
) -> Result<(), MoveError> {
    if let Some(check) = master_key::check(Db::Transaction(db)).await?
        && !opens(&check, Sealer::CHECK_PLACE)
    {
        return Err(MoveError::MasterKey("this export".to_owned()));
    }
    for key in keys::all(Db::Transaction(db)).await? {
        if !opens(&key.sealed_private, &SigningKey::place(&key.id)) {
            return Err(MoveError::MasterKey(format!("the signing key {}", key.id)));
        }
    }
    Ok(())
}

async fn expect_empty(db: &DatabaseTransaction) -> Result<(), MoveError> {
    macro_rules! names {
        ($($table:ident),+) => { [$(stringify!($table)),+] };
    }
    for table in each_table!(names) {
        let mut one = Query::select();
        one.expr(Expr::value(1)).from(Alias::new(table)).limit(1);
        let one = db.query_one_raw(db.get_database_backend().build(&one)).await;
        if one.map_err(|source| MoveError::Database { table, source })?.is_some() {
            return Err(MoveError::NotEmpty(table));
        }
    }
    Ok(())
}

/// Inserts every row, and compares the end with what was seen.
async fn insert_all(
    db: &DatabaseTransaction,
    lines: &mut Lines<'_>,
    opens: &(dyn Fn(&[u8], &str) -> bool + Sync),
    progress: &mut (dyn FnMut(Progress) + Send),
) -> Result<Moved, MoveError> {
    let mut rows: BTreeMap<String, u64> = BTreeMap::new();
    macro_rules! expect_each {
        ($($table:ident),+) => { $(rows.insert(stringify!($table).to_owned(), 0);)+ };
    }
    each_table!(expect_each);
    let mut all = 0;
    let mut batch = Batch::default();
    loop {
        let before = lines.hash.clone();
        let Some((name, content)) = lines.next()? else {
            return Err(lines.malformed("the end is missing: the export was cut off"));
        };
        let is_end = name == "end";
        if is_end || name != batch.table || batch.is_full() {
            batch.insert(db, lines).await?;
            // Before the many rows that come after these.
            if matches!(batch.table.as_str(), "master_key_check" | "signing_keys") {
                expect_ours(db, opens).await?;
            }
            batch = Batch { table: name.clone(), ..Batch::default() };
            let table = known(&name).unwrap_or("end");
            progress(Progress { table, rows: all, of: None, bytes: lines.bytes });
        }
        if is_end {
            let end: End = lines.parse(&content)?;
            let so_far = hex(&before.finalize());
            if end.sha256 != so_far || end.rows != rows {
                return Err(MoveError::Checksum);
            }
            let whole = lines.hash.clone();
            if lines.next()?.is_some() {
                return Err(lines.malformed("there is something after the end"));
            }
            return Ok(Moved { rows, sha256: so_far, file_sha256: hex(&whole.finalize()) });
        }
        let Some(count) = rows.get_mut(&name) else {
            return Err(lines.malformed("a table that this version does not know"));
        };
        *count += 1;
        all += 1;
        batch.add(content, lines.number);
    }
}

/// A table's name, as it lives for ever.
fn known(name: &str) -> Option<&'static str> {
    macro_rules! find {
        ($($table:ident),+) => { [$(stringify!($table)),+].into_iter().find(|table| *table == name) };
    }
    each_table!(find)
}

/// Rows of one table, to be inserted together.
#[derive(Default)]
struct Batch {
    table: String,
    rows: Vec<Box<RawValue>>,
    bytes: usize,
    /// The line of the latest row; those of the others come right before it.
    last: u64,
}

impl Batch {
    fn add(&mut self, row: Box<RawValue>, line: u64) {
        self.last = line;
        self.bytes += row.get().len();
        self.rows.push(row);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= BATCH_ROWS || self.bytes >= BATCH_BYTES
    }

    async fn insert(&self, db: &DatabaseTransaction, lines: &Lines<'_>) -> Result<(), MoveError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let backend = db.get_database_backend();
        macro_rules! insert_into {
            ($($table:ident),+) => {
                match self.table.as_str() {
                    $(stringify!($table) => {
                        let rows = self.read::<entity::$table::Model>(lines)?;
                        let rows = rows.into_iter().map(IntoActiveModel::into_active_model);
                        (stringify!($table), entity::$table::Entity::insert_many(rows).build(backend))
                    })+
                    _ => unreachable!("a batch is of a known table"),
                }
            };
        }
        let (table, insert) = each_table!(insert_into);
        db.execute_raw(insert).await.map_err(|error| MoveError::Rows {
            table,
            first: self.last + 1 - self.rows.len() as u64,
            last: self.last,
            why: kind_of(error),
        })?;
        Ok(())
    }

    fn read<M: DeserializeOwned>(&self, lines: &Lines<'_>) -> Result<Vec<M>, MoveError> {
        self.rows.iter().map(|row| lines.parse(row)).collect()
    }
}

/// What an engine refused a row for, in words that hold nothing of the row: engines quote the key of one that is there twice.
fn kind_of(error: DbErr) -> String {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => "a key that must be unique is there twice".to_owned(),
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => "they refer to a row that is not there".to_owned(),
        _ => match of_engine(&error) {
            Some(sqlx::Error::Database(told)) => format!("error {}", told.code().unwrap_or_default()),
            _ => error.to_string(),
        },
    }
}

/// The highest number that a record of the trail ever had.
async fn highest_number(db: &DatabaseTransaction) -> Result<i64, MoveError> {
    let failed = |source| MoveError::Database { table: "audit_events", source };
    let highest = "select max(highest) as highest from (select coalesce(max(seq), 0) as highest from audit_events \
                   union all select coalesce(max(last_seq), 0) from audit_checkpoints \
                   union all select coalesce(max(last_seq), 0) from audit_trimmed) as given";
    let backend = db.get_database_backend();
    let row = db.query_one_raw(Statement::from_string(backend, highest)).await.map_err(failed)?;
    row.map_or(Ok(0), |row| row.try_get("", "highest").map_err(failed))
}

/// The statement by which the numbers of the trail go on behind every one that was ever given: engines count on from the highest that
/// was inserted (PostgreSQL has to be told even that), and what was shortened away would be given again.
fn count_on_from(highest: i64, backend: DbBackend) -> String {
    match backend {
        DbBackend::Postgres => {
            format!("select setval(pg_get_serial_sequence('audit_events', 'seq'), {}, false)", highest + 1)
        }
        DbBackend::MySql => format!("alter table audit_events auto_increment = {}", highest + 1),
        // The row is there since the first insert, if there was one.
        _ => format!(
            "insert into sqlite_sequence (name, seq) select 'audit_events', 0 \
             where not exists (select 1 from sqlite_sequence where name = 'audit_events'); \
             update sqlite_sequence set seq = {highest} where name = 'audit_events'"
        ),
    }
}

/// The text, line by line.
struct Lines<'a> {
    from: &'a mut (dyn BufRead + Send),
    hash: Sha256,
    number: u64,
    bytes: u64,
}

impl Lines<'_> {
    /// Reads and checks the first line.
    fn header(&mut self) -> Result<(), MoveError> {
        let first = self.next()?;
        let Some((_, content)) = first.filter(|(name, _)| name == "mashang") else {
            return Err(self.malformed("this is not an export of Mashang"));
        };
        let header: Header = self.parse(&content)?;
        if header.format != FORMAT {
            return Err(self.malformed("a format that this version does not know"));
        }
        let known = connect::newest_schema();
        if header.schema != known {
            return Err(MoveError::OtherSchema { found: header.schema, known });
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<(String, Box<RawValue>)>, MoveError> {
        #[derive(Deserialize)]
        struct Line(String, Box<RawValue>);

        let mut line = Vec::new();
        self.number += 1;
        let length = (&mut *self.from).take(LINE_BYTES).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(None);
        }
        self.hash.update(&line);
        self.bytes += length as u64;
        match serde_json::from_slice(&line) {
            Ok(Line(name, content)) => Ok(Some((name, content))),
            Err(_) => Err(self.malformed("not a line of an export")),
        }
    }

    fn parse<T: DeserializeOwned>(&self, content: &RawValue) -> Result<T, MoveError> {
        // serde's own message may quote the value.
        serde_json::from_str(content.get())
            .map_err(|error| self.malformed(&format!("columns that do not fit ({:?})", error.classify())))
    }

    fn malformed(&self, what: &str) -> MoveError {
        MoveError::Malformed { line: self.number, what: what.to_owned() }
    }
}
