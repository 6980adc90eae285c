//! Opening a database: the address, the connections, the migrations. One file per engine.

mod migrations;
mod servers;
mod sqlite;

use std::path::PathBuf;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use sqlx::migrate::MigrateError;

use super::reader::Reader;
use super::writer::Writer;
pub(super) use migrations::newest as newest_schema;
use migrations::{Dialect, Newer};
pub use migrations::{Migrated, Schema};

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

/// What opening does where the tables are not those of this version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Tables {
    /// They are made, or brought up to date: for who serves, and where that is what was asked for. The default.
    #[default]
    BroughtUpToDate,
    /// They are made where there is nothing at all, neither older ones nor somebody else's: for what may come before the first start.
    MadeIfNone,
    /// The database is refused and not touched; a file that is not there is not made.
    AsTheyAre,
}

/// How to open a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlOptions {
    /// Connections for reading, beside those that write; of SQLite no more than there are processors. Default 4.
    pub readers: u32,
    /// Connections for writing on engines that write concurrently; SQLite has one. Default 16.
    pub writers: u32,
    /// How long to wait for SQLite's file: for a lock that another process holds, and for whoever writes before. Then the
    /// answer is [`Unavailable`](mashang_login::records::StoreError::Unavailable). Default 10 s.
    pub busy_timeout: Duration,
    /// How long a server may take over one read or one intention, with waiting for a connection and all attempts, before
    /// the answer is [`Unavailable`](mashang_login::records::StoreError::Unavailable). Default 5 s.
    pub patience: Duration,
    /// When a commit counts.
    pub durability: Durability,
    /// What to do where the tables are not those of this version.
    pub tables: Tables,
}

impl Default for SqlOptions {
    fn default() -> Self {
        Self {
            readers: 4,
            writers: 16,
            busy_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(5),
            durability: Durability::Full,
            tables: Tables::BroughtUpToDate,
        }
    }
}

/// Why a database could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Not an address of an engine in this build.
    #[error(
        "{0}: write sqlite:<path>?mode=rwc, postgres://<user>:<password>@<host>/<database> or \
         mysql://<user>:<password>@<host>/<database>, with special characters of the password percent-encoded"
    )]
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
    /// There is no file, and none is to be made.
    #[error(
        "there is no {}, so no server has started here; a relative path begins in the folder where the command runs, and \
         without --config the settings are the defaults", .0.display()
    )]
    NoFile(PathBuf),
    /// A database without tables of Mashang, and none are to be made.
    #[error("the database has no tables of Mashang, so no server has started on it")]
    NoTables,
    /// The same, with tables of somebody else.
    #[error(
        "the database has tables, and none of Mashang's: is it the right one? If so, let `mashang migrate` make them in it"
    )]
    OthersTables,
    /// Tables of an earlier version, which are not to be changed.
    #[error(
        "the database has the tables of schema {found}, this version of Mashang wants those of {known}; make a backup, then \
         run `mashang migrate` of this version or start its server, or use the version that serves now"
    )]
    OlderSchema {
        /// The newest migration in the database.
        found: i64,
        /// The newest that this binary has.
        known: i64,
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
    /// A migration stopped half-way: MySQL and MariaDB commit each change of a table by itself.
    #[error(
        "migration {number} was interrupted on this database; restore the backup made before it ran \
         (or, if it was empty: drop and create it again), then start once more"
    )]
    Interrupted {
        /// Which one.
        number: i64,
    },
    /// A migration could not be applied; the database is as it was before.
    #[error("cannot bring the database's tables up to date")]
    Migration(#[source] MigrateError),
    /// The engine refused or did not answer.
    #[error("cannot open the database")]
    Engine(#[source] sqlx::Error),
    /// A server refused.
    #[error(
        "the database server refuses; are the database and its user there? \
         docs/operating.md has the statements that create them"
    )]
    Server(#[source] sqlx::Error),
    /// A server is there, and TLS with it is not what the address asks for.
    #[error(
        "no TLS with the database server: does it speak TLS, does sslrootcert (MySQL: ssl-ca) in store.url name the \
         certificate of the authority that signed its own, and is the host in store.url one of its names?"
    )]
    Tls(#[source] sqlx::Error),
    /// The address names a file, and there is none.
    #[error(
        "a file that store.url names is not there or cannot be read: sslrootcert (MySQL: ssl-ca), or the socket of the server"
    )]
    NamedFile(#[source] sqlx::Error),
    /// Another node has the tables for itself, for longer than a start waits.
    #[error(
        "another node is still bringing the tables up to date after {} s; start this one again once that is done", .0.as_secs()
    )]
    StillMigrating(Duration),
    /// A server did not answer in time.
    #[error("the database server did not answer within {} s; is it running, and is the address right?", .0.as_secs_f32())]
    NoAnswer(Duration),
}

impl OpenError {
    /// Whether a server of this version has yet to start on the database, which is well otherwise.
    #[must_use]
    pub fn is_before_the_start(&self) -> bool {
        matches!(self, Self::NoFile(_) | Self::NoTables | Self::OlderSchema { .. })
    }

    /// What a server said, or what its certificate did not.
    fn of_server(error: sqlx::Error) -> Self {
        match error {
            error @ sqlx::Error::Tls(_) => Self::Tls(error),
            // So the TLS library reports a certificate that it does not accept, and a server that speaks something else.
            sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Self::Tls(sqlx::Error::Io(error))
            }
            sqlx::Error::Io(error)
                if matches!(
                    error.kind(),
                    std::io::ErrorKind::NotFound | std::io::ErrorKind::PermissionDenied
                ) =>
            {
                Self::NamedFile(sqlx::Error::Io(error))
            }
            error => Self::Server(error),
        }
    }
}

/// The connections of one database.
pub(super) struct Connections {
    pub(super) reader: Reader,
    pub(super) writer: Writer,
}

/// Opens what `url` names; what is made or brought up to date, `options` say.
pub(super) async fn open(url: &str, options: &SqlOptions) -> Result<Connections, OpenError> {
    match engine(url)? {
        Dialect::Sqlite => sqlite::open(url, options).await,
        Dialect::Postgres => servers::open_postgres(url, options).await,
        Dialect::Mysql => servers::open_mysql(url, options).await,
    }
}

/// Opens what `url` names as [`open`] does, but one connection without a limit of time, for chores.
pub(super) async fn single(url: &str, options: &SqlOptions) -> Result<DatabaseConnection, OpenError> {
    match engine(url)? {
        Dialect::Sqlite => sqlite::single(url, options).await,
        Dialect::Postgres => servers::single_postgres(url, options).await,
        Dialect::Mysql => servers::single_mysql(url, options).await,
    }
}

/// Brings the tables up to date and lets go.
pub(super) async fn bring_up_to_date(url: &str, options: &SqlOptions) -> Result<Migrated, OpenError> {
    match engine(url)? {
        Dialect::Sqlite => sqlite::bring_up_to_date(url, options).await,
        Dialect::Postgres => servers::migrate_postgres(url, options, Newer::IsServed).await,
        Dialect::Mysql => servers::migrate_mysql(url, options, Newer::IsServed).await,
    }
}

/// What the tables lack; nothing is changed.
pub(super) async fn look(url: &str, options: &SqlOptions) -> Result<Schema, OpenError> {
    match engine(url)? {
        Dialect::Sqlite => sqlite::look(url, options).await,
        Dialect::Postgres => servers::look_postgres(url, options).await,
        Dialect::Mysql => servers::look_mysql(url, options).await,
    }
}

/// Whether an address can be read; nothing is opened.
///
/// # Errors
/// [`OpenError::Address`], with nothing of the address but its scheme.
pub fn check_address(url: &str) -> Result<(), OpenError> {
    match engine(url)? {
        Dialect::Sqlite => sqlite::check(url),
        Dialect::Postgres => servers::read_postgres(url).map(drop),
        Dialect::Mysql => servers::read_mysql(url).map(drop),
    }
}

/// The engine that an address names.
fn engine(url: &str) -> Result<Dialect, OpenError> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Ok(Dialect::Sqlite),
        Some("postgres" | "postgresql") => Ok(Dialect::Postgres),
        Some("mysql" | "mariadb") => Ok(Dialect::Mysql),
        // The rest of an address may hold a password, and what has no colon may be one.
        other => Err(unreadable(other.unwrap_or_default())),
    }
}

/// An address that cannot be read, without what may be secret in it.
fn unreadable(scheme: &str) -> OpenError {
    OpenError::Address(format!("{scheme}:…"))
}
