//! SQLite in the thread that asks.
//!
//! sqlx gives each SQLite connection a thread and sends it every statement; the way there and back costs several times what
//! the statement does, and a login is about a hundred statements. Here a statement runs where it is asked, so nothing waits:
//! an intention is a plain call ([`queue`](super::queue) has a thread for those), and so is a question, which takes
//! microseconds from a file that the operating system holds.
//!
//! A connection refuses instead of sleeping when another process has locked the file: [`reader`](super::reader) and
//! the writer's thread decide who waits for that, and where.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, Params, ToSql, ffi, params_from_iter};
use sea_orm::{ActiveModelTrait, DbErr, EntityTrait, Related, RuntimeErr, Statement, Value};
use serde::de::DeserializeOwned;
use sqlx::error::{DatabaseError, ErrorKind};

use super::row::{Columns, Joined};
use super::texts::{Key, Texts};

/// Statements that a connection keeps prepared: more than there are in this crate.
const PREPARED: usize = 256;

/// Connections to one file. A statement takes any that is free.
pub(super) struct InPlace {
    connections: Box<[Mutex<Connection>]>,
    next: AtomicUsize,
    texts: Texts,
}

impl fmt::Debug for InPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InPlace").field("connections", &self.connections.len()).finish_non_exhaustive()
    }
}

impl InPlace {
    /// Of these connections; there must be one at least.
    pub(super) fn new(connections: Vec<Connection>) -> Self {
        assert!(!connections.is_empty(), "a file is read and written through a connection");
        for connection in &connections {
            connection.set_prepared_statement_cache_capacity(PREPARED);
        }
        let connections = connections.into_iter().map(Mutex::new).collect();
        Self { connections, next: AtomicUsize::new(0), texts: Texts::default() }
    }

    fn free(&self) -> MutexGuard<'_, Connection> {
        let first = self.next.fetch_add(1, Ordering::Relaxed) % self.connections.len();
        let (before, from) = self.connections.split_at(first);
        for connection in from.iter().chain(before) {
            match connection.try_lock() {
                Ok(free) => return free,
                // A panic leaves nothing half-way: a statement is reset when it is dropped.
                Err(TryLockError::Poisoned(poisoned)) => return poisoned.into_inner(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
        self.connections[first].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long statements wait from now on for a lock that another process holds on the file. Of the one connection that
    /// writes.
    pub(super) fn wait_for_locks(&self, limit: Duration) -> Result<(), DbErr> {
        self.free().busy_timeout(limit).map_err(exec_error)
    }

    /// A statement without values or rows.
    pub(super) fn execute(&self, sql: &str) -> Result<(), DbErr> {
        let run = |connection: &Connection| connection.prepare_cached(sql)?.raw_execute().map(drop);
        run(&self.free()).map_err(exec_error)
    }

    /// Runs a statement that writes, and says how many rows it changed.
    pub(super) fn run(&self, statement: &Statement) -> Result<u64, DbErr> {
        self.run_of(&statement.sql, values_of(statement))
    }

    fn run_of(&self, sql: &str, values: &[Value]) -> Result<u64, DbErr> {
        let run = |connection: &Connection| connection.prepare_cached(sql)?.execute(bound(values));
        run(&self.free()).map(|rows| rows as u64).map_err(exec_error)
    }

    /// The rows of a query, each as `read` reads it.
    pub(super) fn rows<T>(
        &self,
        statement: &Statement,
        read: impl FnMut(&mut Columns<'_>) -> Result<T, DbErr>,
    ) -> Result<Vec<T>, DbErr> {
        self.rows_of(&statement.sql, values_of(statement), read)
    }

    /// The row of `E` that has this primary key.
    pub(super) fn by_key<E>(&self, key: Key<E>) -> Result<Option<E::Model>, DbErr>
    where
        E: EntityTrait<Model: DeserializeOwned>,
    {
        let (sql, values) = self.texts.by_key::<E>(key);
        Ok(self.rows_of(&sql, &values, |columns| columns.model::<E>())?.pop())
    }

    /// The same, and the row of `F` that it belongs to.
    pub(super) fn by_key_with<E, F>(&self, key: Key<E>) -> Result<Option<Joined<E, F>>, DbErr>
    where
        E: EntityTrait<Model: DeserializeOwned> + Related<F>,
        F: EntityTrait<Model: DeserializeOwned>,
    {
        let (sql, values) = self.texts.by_key_with::<E, F>(key);
        Ok(self.rows_of(&sql, &values, |columns| columns.joined::<E, F>())?.pop())
    }

    /// A new row.
    pub(super) fn insert<A: ActiveModelTrait>(&self, row: A) -> Result<(), DbErr> {
        let (sql, values) = self.texts.insert(row);
        self.run_of(&sql, &values).map(drop)
    }

    fn rows_of<T>(
        &self,
        sql: &str,
        values: &[Value],
        mut read: impl FnMut(&mut Columns<'_>) -> Result<T, DbErr>,
    ) -> Result<Vec<T>, DbErr> {
        let connection = self.free();
        let mut prepared = connection.prepare_cached(sql).map_err(query_error)?;
        let mut rows = prepared.query(bound(values)).map_err(query_error)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(query_error)? {
            found.push(read(&mut Columns::of(row))?);
        }
        Ok(found)
    }

    /// Whether no transaction is open: SQLite ends one by itself when the disk is full.
    pub(super) fn is_outside_of_transactions(&self) -> bool {
        self.free().is_autocommit()
    }
}

/// A bound value.
struct Bound<'a>(&'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = |number: Option<i64>| number.map_or(ValueRef::Null, ValueRef::Integer);
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Bool(value) => number(value.map(i64::from)),
            Value::TinyInt(value) => number(value.map(i64::from)),
            Value::SmallInt(value) => number(value.map(i64::from)),
            Value::Int(value) => number(value.map(i64::from)),
            Value::BigInt(value) => number(*value),
            Value::TinyUnsigned(value) => number(value.map(i64::from)),
            Value::SmallUnsigned(value) => number(value.map(i64::from)),
            Value::Unsigned(value) => number(value.map(i64::from)),
            Value::BigUnsigned(value) => {
                let signed = value.map(i64::try_from).transpose();
                number(signed.map_err(|error| rusqlite::Error::ToSqlConversionFailure(Box::new(error)))?)
            }
            Value::String(value) => {
                value.as_deref().map_or(ValueRef::Null, |text| ValueRef::Text(text.as_bytes()))
            }
            Value::Bytes(value) => value.as_deref().map_or(ValueRef::Null, ValueRef::Blob),
            // Nothing in the tables is of another type, and what is new must be decided about, not guessed.
            _ => return Err(rusqlite::Error::ToSqlConversionFailure("a type that no column has".into())),
        }))
    }
}

fn values_of(statement: &Statement) -> &[Value] {
    statement.values.as_ref().map_or(&[], |values| &values.0)
}

fn bound(values: &[Value]) -> impl Params {
    params_from_iter(values.iter().map(Bound))
}

/// SQLite's refusal as the other engines' drivers say theirs, so that one place reads all of them ([`errors`](super::errors)).
#[derive(Debug)]
pub(super) struct Refused {
    error: rusqlite::Error,
    message: String,
}

impl Refused {
    fn extended_code(&self) -> i32 {
        self.error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code)
    }

    /// Whether somebody else's lock is in the way, for now.
    pub(super) fn is_busy(&self) -> bool {
        matches!(self.error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "(code: {}) {}", self.extended_code(), self.message)
    }
}

impl StdError for Refused {}

impl DatabaseError for Refused {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.extended_code().to_string().into())
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    fn kind(&self) -> ErrorKind {
        match self.extended_code() {
            ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => ErrorKind::UniqueViolation,
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => ErrorKind::ForeignKeyViolation,
            ffi::SQLITE_CONSTRAINT_NOTNULL => ErrorKind::NotNullViolation,
            ffi::SQLITE_CONSTRAINT_CHECK => ErrorKind::CheckViolation,
            _ => ErrorKind::Other,
        }
    }
}

/// As sqlx says it.
pub(super) fn sqlx_error(error: rusqlite::Error) -> sqlx::Error {
    let message = match &error {
        // Without the statement, which is not what went wrong.
        rusqlite::Error::SqliteFailure(code, text) => text.clone().unwrap_or_else(|| code.to_string()),
        other => other.to_string(),
    };
    sqlx::Error::Database(Box::new(Refused { error, message }))
}

fn exec_error(error: rusqlite::Error) -> DbErr {
    DbErr::Exec(RuntimeErr::SqlxError(Arc::new(sqlx_error(error))))
}

fn query_error(error: rusqlite::Error) -> DbErr {
    DbErr::Query(RuntimeErr::SqlxError(Arc::new(sqlx_error(error))))
}

#[cfg(test)]
mod tests {
    use sea_orm::DbBackend;

    use super::*;

    fn in_memory() -> InPlace {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("create table t (id text primary key, n bigint)").unwrap();
        InPlace::new(vec![connection])
    }

    fn insert(values: Vec<Value>) -> Statement {
        Statement::from_sql_and_values(DbBackend::Sqlite, "insert into t (id, n) values (?, ?)", values)
    }

    fn unique_race(error: DbErr) -> bool {
        let DbErr::Exec(RuntimeErr::SqlxError(error)) = error else { return false };
        matches!(&*error, sqlx::Error::Database(error) if error.is_unique_violation())
    }

    #[test]
    fn sqlite_is_built_without_what_nobody_uses_here() {
        let sqlite = Connection::open_in_memory().unwrap();
        let mut built = sqlite.prepare("pragma compile_options").unwrap();
        let built = built.query_map([], |row| row.get::<_, String>(0)).unwrap();
        let built: Vec<String> = built.collect::<Result<_, _>>().unwrap();
        for left_out in ["FTS3", "FTS5", "RTREE", "LOAD_EXTENSION", "MEMORY_MANAGEMENT"] {
            assert!(!built.iter().any(|option| option.contains(left_out)), "{left_out} of {built:?}");
        }
        assert!(built.contains(&"DQS=0".to_owned()), "the flags of .cargo/config.toml: {built:?}");
        let refused = sqlite.query_row("select load_extension('x')", [], |_| Ok(())).unwrap_err();
        assert!(refused.to_string().contains("not authorized"), "{refused}");
        assert!(sqlite.query_row("select \"no such column\"", [], |_| Ok(())).is_err());
        assert!(sqlite.query_row("select json('{}')", [], |_| Ok(())).is_err());
    }

    #[test]
    fn a_key_that_is_there_is_a_lost_race_and_a_number_too_large_is_refused() {
        let db = in_memory();
        assert_eq!(db.run(&insert(vec!["a".into(), i64::MIN.into()])).unwrap(), 1);
        assert!(unique_race(db.run(&insert(vec!["a".into(), Value::BigInt(None)])).unwrap_err()));
        assert!(!unique_race(
            db.run(&insert(vec!["b".into(), Value::BigUnsigned(Some(u64::MAX))])).unwrap_err()
        ));
        let all = Statement::from_string(DbBackend::Sqlite, "select id from t");
        assert_eq!(db.rows(&all, |columns| columns.value::<String>()).unwrap(), ["a"]);
    }
}
