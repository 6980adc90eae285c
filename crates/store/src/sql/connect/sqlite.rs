//! SQLite: the file and its mode, one connection that writes, a pool that reads.

use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxSqliteConnector};
use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

use super::super::reader::Reader;
use super::super::writer::Writer;
use super::migrations::{self, Dialect, Migrated, Newer};
use super::{Connections, Durability, OpenError, SqlOptions};

pub(super) async fn open(url: &str, options: &SqlOptions) -> Result<Connections, OpenError> {
    let Opened { pool, connect, writer, in_memory, .. } = open_writer(url, options, Newer::IsServed).await?;
    let reader = if in_memory {
        // A database in memory belongs to its connection; there is no second one.
        writer.clone()
    } else {
        let readers = options.readers.max(1);
        pool.max_connections(readers).connect_with(connect).await.map_err(OpenError::Engine)?
    };
    Ok(Connections {
        reader: Reader::of_a_file(SqlxSqliteConnector::from_sqlx_sqlite_pool(reader)),
        writer: Writer::queue(SqlxSqliteConnector::from_sqlx_sqlite_pool(writer)),
    })
}

pub(super) fn check(url: &str) -> Result<(), OpenError> {
    SqliteConnectOptions::from_str(url).map(drop).map_err(|_| OpenError::Address(url.to_owned()))
}

pub(super) async fn single(url: &str, options: &SqlOptions) -> Result<DatabaseConnection, OpenError> {
    let opened = open_writer(url, options, Newer::IsRefused).await?;
    Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(opened.writer))
}

pub(super) async fn bring_up_to_date(url: &str, options: &SqlOptions) -> Result<Migrated, OpenError> {
    Ok(open_writer(url, options, Newer::IsServed).await?.migrated)
}

/// A database that is up to date.
struct Opened {
    pool: SqlitePoolOptions,
    connect: SqliteConnectOptions,
    writer: SqlitePool,
    in_memory: bool,
    migrated: Migrated,
}

async fn open_writer(url: &str, options: &SqlOptions, newer: Newer) -> Result<Opened, OpenError> {
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    let mut connect = SqliteConnectOptions::from_str(url)
        .map_err(|_| OpenError::Address(url.to_owned()))?
        .foreign_keys(true)
        .busy_timeout(options.busy_timeout)
        .synchronous(match options.durability {
            Durability::Full => SqliteSynchronous::Full,
            Durability::Normal => SqliteSynchronous::Normal,
        });
    if !in_memory {
        let asked_not_to = url.contains("mode=ro") || (url.contains("mode=rw") && !url.contains("mode=rwc"));
        if !asked_not_to {
            create_file(connect.get_filename())?;
        }
        connect = connect.journal_mode(SqliteJournalMode::Wal);
    }
    // No ping before each use: it is a trip to another thread, and a file cannot hang up.
    let pool = SqlitePoolOptions::new()
        .idle_timeout(None)
        .max_lifetime(None)
        .min_connections(1)
        .test_before_acquire(false);
    let writer = patiently(pool.clone().max_connections(1), connect.clone(), options.busy_timeout)
        .await
        .map_err(OpenError::Engine)?;
    let migrated = migrate(&writer, newer).await?;
    Ok(Opened { pool, connect, writer, in_memory, migrated })
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
