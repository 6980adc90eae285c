//! The tables: one list of migrations, with the same numbers and names in every dialect's folder.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::OpenError;

/// The SQL that an engine speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
}

/// `(number, name, (sqlite, postgres, mysql))`, oldest first.
macro_rules! migrations {
    ($($number:literal $name:literal $file:literal),+ $(,)?) => {
        [$((
            $number,
            $name,
            [
                include_str!(concat!("../../../migrations/sqlite/", $file)),
                include_str!(concat!("../../../migrations/postgres/", $file)),
                include_str!(concat!("../../../migrations/mysql/", $file)),
            ],
        )),+]
    };
}

const ALL: [(i64, &str, [&str; 3]); 6] = migrations![
    1 "init" "0001_init.sql",
    2 "accounts" "0002_accounts.sql",
    3 "platform_tokens" "0003_platform_tokens.sql",
    4 "unlinked" "0004_unlinked.sql",
    5 "client_settings" "0005_client_settings.sql",
    6 "credentials" "0006_credentials.sql",
];

/// The number of the newest one.
pub(in super::super) fn newest() -> i64 {
    ALL.into_iter().map(|(number, ..)| number).max().unwrap_or_default()
}

/// Every migration of a dialect, oldest first.
pub(super) fn of(dialect: Dialect) -> Migrator {
    let migrations = ALL.into_iter().map(|(number, name, [sqlite, postgres, mysql])| {
        let sql = match dialect {
            Dialect::Sqlite => sqlite,
            Dialect::Postgres => postgres,
            Dialect::Mysql => mysql,
        };
        Migration::new(number, name.into(), MigrationType::Simple, AssertSqlSafe(sql).into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.collect())
}

/// Applies what is missing. The connection is to be closed afterwards: where sqlx takes a lock for the run, an error
/// leaves it held by the connection.
pub(super) async fn run<C: Migrate>(migrator: &Migrator, connection: &mut C) -> Result<(), OpenError> {
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    migrator.run_direct(None, connection, false).await.map_err(|error| match error {
        MigrateError::VersionMissing(found) if found > known => OpenError::NewerSchema { found, known },
        MigrateError::Dirty(number) => OpenError::Interrupted { number },
        other => OpenError::Migration(other),
    })
}
