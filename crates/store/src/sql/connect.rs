//! Opening a database: the address, the file and its mode, the connections, the migrations.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxSqliteConnector};
use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlSafeStr, SqlitePool};

/// When SQLite calls a commit done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Durability {
    /// When the disk has it (`synchronous=FULL`): a power cut loses nothing acknowledged (promise 8). The default.
    #[default]
    Full,
    /// Weaker: when the operating system has it (`synchronous=NORMAL`). A crash of Mashang loses nothing; a power cut
    /// may lose the last commits, spent codes among them.
    Normal,
}

/// How to open a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlOptions {
    /// Connections for reading, beside the one that writes. Default 4.
    pub readers: u32,
    /// How long to wait for a lock that another process holds. Default 10 s.
    pub busy_timeout: Duration,
    /// When a commit counts.
    pub durability: Durability,
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self { readers: 4, busy_timeout: Duration::from_secs(10), durability: Durability::Full }
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not an address of an engine in this build.
    #[error("{0}: this build knows sqlite:<path>?mode=rwc and sqlite::memory:")]
    Address(String),
    /// The file or its folder cannot be made.
    #[error("cannot create {path}")]
    File {
        /// Which one.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: std::io::Error,
    },
    /// A later version of Mashang was here.
    #[error(
        "the database has schema {found}, this version of Mashang knows up to {known}; \
         run the newer version again, or restore the backup made before it ran"
    )]
    NewerSchema {
        /// Number of an applied migration that this binary does not have.
        found: i64,
        /// The newest it has.
        known: i64,
    },
    /// A migration could not be applied; the database is as it was before.
    #[error("cannot bring the database's tables up to date")]
    Migration(#[source] MigrateError),
    /// The engine refused or did not answer.
    #[error("cannot open the database")]
    Engine(#[source] sqlx::Error),
}

/// The connections of one database.
pub(super) struct Connections {
    pub(super) reader: DatabaseConnection,
    pub(super) writer: DatabaseConnection,
}

/// Opens what `url` names, creating and migrating it as needed.
pub(super) async fn open(url: &str, options: &SqlOptions) -> Result<Connections, OpenError> {
    let scheme = url.split(':').next().unwrap_or_default();
    match scheme {
        "sqlite" => open_sqlite(url, options).await,
        // The rest of an address may hold a password.
        _ => Err(OpenError::Address(format!("{scheme}:…"))),
    }
}

async fn open_sqlite(url: &str, options: &SqlOptions) -> Result<Connections, OpenError> {
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
    migrate(&writer).await?;
    let reader = if in_memory {
        // A database in memory belongs to its connection; there is no second one.
        writer.clone()
    } else {
        let readers = options.readers.max(1);
        pool.max_connections(readers).connect_with(connect).await.map_err(OpenError::Engine)?
    };
    Ok(Connections {
        reader: SqlxSqliteConnector::from_sqlx_sqlite_pool(reader),
        writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
    })
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
async fn migrate(pool: &SqlitePool) -> Result<(), OpenError> {
    let migrator = Migrator::with_migrations(migrations());
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    let mut transaction = pool.begin_with("begin immediate").await.map_err(OpenError::Engine)?;
    migrator.run_direct(None, &mut *transaction, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) if found > known => OpenError::NewerSchema { found, known },
        other => OpenError::Migration(other),
    })?;
    transaction.commit().await.map_err(OpenError::Engine)
}

/// Every migration, oldest first.
fn migrations() -> Vec<Migration> {
    [
        (1, "init", include_str!("../../migrations/sqlite/0001_init.sql")),
        (2, "accounts", include_str!("../../migrations/sqlite/0002_accounts.sql")),
        (3, "platform_tokens", include_str!("../../migrations/sqlite/0003_platform_tokens.sql")),
        (4, "unlinked", include_str!("../../migrations/sqlite/0004_unlinked.sql")),
        (5, "client_settings", include_str!("../../migrations/sqlite/0005_client_settings.sql")),
        (6, "credentials", include_str!("../../migrations/sqlite/0006_credentials.sql")),
    ]
    .into_iter()
    .map(|(number, name, sql)| {
        Migration::new(number, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    })
    .collect()
}
