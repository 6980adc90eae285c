//! SQLite: the file and its mode, one connection of sqlx's that brings the tables up to date, then one that writes and a few
//! that read, [in place](super::super::in_place).

use std::num::NonZero;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use sea_orm::{DatabaseConnection, SqlxSqliteConnector};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection as _, SqliteConnection, SqlitePool};
use tokio::sync::Mutex;

use super::super::in_place::{InPlace, sqlx_error};
use super::super::queue::Queue;
use super::super::reader::Reader;
use super::super::writer::Writer;
use super::migrations::{self, Dialect, Migrated, Newer, Schema};
use super::{Connections, Durability, OpenError, SqlOptions, Tables};

pub(super) async fn open(url: &str, options: &SqlOptions) -> Result<Connections, OpenError> {
    let Opened { pool, connect, in_memory, .. } = open_ready(url, options, Newer::IsServed).await?;
    let path = connect.get_filename();
    let connections = if in_memory {
        // A database in memory has one connection, whose users take turns.
        let db = Arc::new(InPlace::new(vec![in_place(path, in_memory, options, options.busy_timeout)?]));
        let turn = Arc::new(Mutex::default());
        let writer = Queue::start(db.clone(), Some(turn.clone()), options.busy_timeout).map_err(no_thread)?;
        Connections { reader: Reader::Memory(db, turn), writer: Writer::Queue(writer) }
    } else {
        // The writer's thread may sleep until another process lets go of the file; whoever reads must not.
        let writer = InPlace::new(vec![in_place(path, in_memory, options, options.busy_timeout)?]);
        let reading = || in_place(path, in_memory, options, Duration::ZERO);
        // Who reads does so in a thread of the runtime, so more connections than processors would only take room.
        let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
        let readers = processors.min(options.readers.max(1) as usize);
        let readers = (0..readers).map(|_| reading()).collect::<Result<_, _>>()?;
        Connections {
            reader: Reader::File(Arc::new(InPlace::new(readers)), options.busy_timeout),
            writer: Writer::Queue(
                Queue::start(Arc::new(writer), None, options.busy_timeout).map_err(no_thread)?,
            ),
        }
    };
    // Only now: a database in memory ends with its last connection.
    pool.close().await;
    Ok(connections)
}

fn no_thread(source: std::io::Error) -> OpenError {
    OpenError::Engine(sqlx::Error::Io(source))
}

/// A connection whose statements run in the calling thread. The file is there, with its tables.
fn in_place(
    path: &Path,
    in_memory: bool,
    options: &SqlOptions,
    busy_timeout: Duration,
) -> Result<Connection, OpenError> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if in_memory {
        flags |= OpenFlags::SQLITE_OPEN_MEMORY | OpenFlags::SQLITE_OPEN_SHARED_CACHE;
    }
    let open = || {
        let connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(busy_timeout)?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What an intention may have to undo: from sixteen pages on it would go to a file, which a login's end reaches.
        connection.pragma_update(None, "temp_store", "memory")?;
        connection.pragma_update(
            None,
            "synchronous",
            match options.durability {
                Durability::Full => "full",
                Durability::Normal => "normal",
            },
        )?;
        Ok(connection)
    };
    open().map_err(|error| OpenError::Engine(sqlx_error(error)))
}

pub(super) fn check(url: &str) -> Result<(), OpenError> {
    SqliteConnectOptions::from_str(url).map(drop).map_err(|_| OpenError::Address(url.to_owned()))
}

pub(super) async fn single(url: &str, options: &SqlOptions) -> Result<DatabaseConnection, OpenError> {
    let opened = open_ready(url, options, Newer::IsRefused).await?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(opened.pool))
}

pub(super) async fn bring_up_to_date(url: &str, options: &SqlOptions) -> Result<Migrated, OpenError> {
    let opened = open_ready(url, options, Newer::IsServed).await?;
    Ok(opened.migrated.expect("tables that are to be brought up to date are"))
}

/// What the tables of a file lack, without any change to it.
pub(super) async fn look(url: &str, options: &SqlOptions) -> Result<Schema, OpenError> {
    let connect = read(url, options)?;
    let mut connection = as_it_is(&connect).await?;
    let schema = migrations::look(&migrations::of(Dialect::Sqlite), Newer::IsServed, &mut connection).await?;
    drop(connection.close().await);
    Ok(schema)
}

/// A connection to a file that is there, which stays as it is, its journal too.
async fn as_it_is(connect: &SqliteConnectOptions) -> Result<SqliteConnection, OpenError> {
    let path = connect.get_filename();
    if !path.exists() {
        return Err(OpenError::NoFile(path.to_owned()));
    }
    connect.clone().create_if_missing(false).connect().await.map_err(OpenError::Engine)
}

/// A database that is up to date.
struct Opened {
    /// One connection of sqlx's, which is made for chores.
    pool: SqlitePool,
    connect: SqliteConnectOptions,
    in_memory: bool,
    migrated: Option<Migrated>,
}

async fn open_ready(url: &str, options: &SqlOptions, newer: Newer) -> Result<Opened, OpenError> {
    let in_memory = is_in_memory(url);
    let mut connect = read(url, options)?;
    let mut is_to_be_made = true;
    if !in_memory {
        is_to_be_made = are_to_be_made(&connect, options.tables, newer).await?;
        let asked_not_to = url.contains("mode=ro") || (url.contains("mode=rw") && !url.contains("mode=rwc"));
        if is_to_be_made && !asked_not_to {
            create_file(connect.get_filename())?;
        }
        connect = connect.journal_mode(SqliteJournalMode::Wal);
    }
    // No ping before each use: it is a trip to another thread, and a file cannot hang up.
    let pool = SqlitePoolOptions::new()
        .idle_timeout(None)
        .max_lifetime(None)
        .min_connections(1)
        .max_connections(1)
        .test_before_acquire(false);
    let pool = patiently(pool, connect.clone(), options.busy_timeout).await.map_err(OpenError::Engine)?;
    let migrated = if is_to_be_made { Some(migrate(&pool, newer).await?) } else { None };
    Ok(Opened { pool, connect, in_memory, migrated })
}

/// Whether the file and its tables are to be made or changed; refuses what `tables` does not allow.
async fn are_to_be_made(
    connect: &SqliteConnectOptions,
    tables: Tables,
    newer: Newer,
) -> Result<bool, OpenError> {
    if tables == Tables::BroughtUpToDate || (tables == Tables::MadeIfNone && !connect.get_filename().exists())
    {
        return Ok(true);
    }
    let mut connection = as_it_is(connect).await?;
    let migrator = migrations::of(Dialect::Sqlite);
    let to_be_made = migrations::are_to_be_made(&migrator, newer, tables, &mut connection).await;
    drop(connection.close().await);
    to_be_made
}

fn is_in_memory(url: &str) -> bool {
    url.contains(":memory:") || url.contains("mode=memory")
}

fn read(url: &str, options: &SqlOptions) -> Result<SqliteConnectOptions, OpenError> {
    let connect = SqliteConnectOptions::from_str(url).map_err(|_| OpenError::Address(url.to_owned()))?;
    Ok(connect.foreign_keys(true).busy_timeout(options.busy_timeout).synchronous(match options.durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::Normal => SqliteSynchronous::Normal,
    }))
}

/// Makes the folder and an empty file which only its owner may read; SQLite gives its side files the same mode.
fn create_file(path: &Path) -> Result<(), OpenError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::File { path, source }
    };
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed(folder))?;
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(failed(path)(error)),
    }
}

/// Two processes that open the same fresh file both switch it to WAL; SQLite answers "busy" to one of them at once, as
/// its busy timeout does not cover that step.
async fn patiently(
    pool: SqlitePoolOptions,
    connect: SqliteConnectOptions,
    patience: Duration,
) -> Result<SqlitePool, sqlx::Error> {
    let give_up = tokio::time::Instant::now() + patience;
    loop {
        match pool.clone().connect_with(connect.clone()).await {
            Err(sqlx::Error::Database(error))
                if error.message().contains("locked") && tokio::time::Instant::now() < give_up =>
            {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => return other,
        }
    }
}

/// Applies what is missing, all of it or nothing. sqlx takes no lock for SQLite, so an immediate transaction around
/// the whole run keeps a second process out until this one is done.
async fn migrate(pool: &SqlitePool, newer: Newer) -> Result<Migrated, OpenError> {
    let mut transaction = pool.begin_with("begin immediate").await.map_err(OpenError::Engine)?;
    let migrated = migrations::run(migrations::of(Dialect::Sqlite), newer, &mut *transaction).await?;
    transaction.commit().await.map_err(OpenError::Engine)?;
    Ok(migrated)
}
