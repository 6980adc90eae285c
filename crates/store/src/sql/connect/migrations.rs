//! The tables: one list of migrations, with the same numbers and names in every dialect's folder.

use std::pin::pin;
use std::time::Duration;

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::{AssertSqlSafe, SqlSafeStr};

use super::{OpenError, Tables};

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

const ALL: [(i64, &str, [&str; 3]); 13] = migrations![
    1 "init" "0001_init.sql",
    2 "accounts" "0002_accounts.sql",
    3 "platform_tokens" "0003_platform_tokens.sql",
    4 "unlinked" "0004_unlinked.sql",
    5 "client_settings" "0005_client_settings.sql",
    6 "credentials" "0006_credentials.sql",
    7 "compatibility" "0007_compatibility.sql",
    8 "master_key" "0008_master_key.sql",
    9 "audit_checkpoints" "0009_audit_checkpoints.sql",
    10 "stale_proofs" "0010_stale_proofs.sql",
    11 "confirmed_sessions" "0011_confirmed_sessions.sql",
    12 "sandbox_use" "0012_sandbox_use.sql",
    13 "unlinked_wechat" "0013_unlinked_wechat.sql",
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

/// What may be done with a database that a later version has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Newer {
    /// Serve on it, if its migrations say that this version works with them.
    IsServed,
    /// Nothing: every column must be known.
    IsRefused,
}

/// What bringing the tables up to date did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// Number and name of each migration that was applied, oldest first.
    pub applied: Vec<(i64, String)>,
    /// The number of the newest one in the database: one of a later version, maybe.
    pub schema: i64,
}

/// What a database has, and what it lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    /// The number of the newest migration in it: one of a later version, maybe; 0 where it has no tables of Mashang.
    pub schema: i64,
    /// Number and name of each migration that is still to be applied, oldest first.
    pub pending: Vec<(i64, String)>,
}

/// Looks at the tables and changes nothing, nor does it wait for a node that is changing them.
pub(super) async fn look<C>(
    migrator: &Migrator,
    newer: Newer,
    connection: &mut C,
) -> Result<Schema, OpenError>
where
    C: Migrate + Compatibility,
{
    let table = &*migrator.table_name;
    let tables = connection.tables().await.map_err(OpenError::Engine)?;
    let there = if tables.iter().any(|name| name == table) {
        if let Some(number) = connection.dirty_version(table).await.map_err(OpenError::Migration)? {
            return Err(OpenError::Interrupted { number });
        }
        connection.list_applied_migrations(table).await.map_err(OpenError::Migration)?
    } else {
        Vec::new()
    };
    let numbers: Vec<i64> = there.iter().map(|migration| migration.version).collect();
    expect_known(migrator, newer, connection, &numbers).await?;
    let mut pending = Vec::new();
    for ours in migrator.iter() {
        match there.iter().find(|migration| migration.version == ours.version) {
            None => pending.push((ours.version, ours.description.clone().into_owned())),
            // Of another program that keeps the same books, or changed by hand.
            Some(theirs) if theirs.checksum != ours.checksum => {
                return Err(OpenError::Migration(MigrateError::VersionMismatch(ours.version)));
            }
            Some(_) => {}
        }
    }
    Ok(Schema { schema: numbers.into_iter().max().unwrap_or_default(), pending })
}

/// Whether `run` is to make the tables; refuses those that `tables` does not allow. Not asked for those that are brought up to date.
pub(super) async fn are_to_be_made<C>(
    migrator: &Migrator,
    newer: Newer,
    tables: Tables,
    connection: &mut C,
) -> Result<bool, OpenError>
where
    C: Migrate + Compatibility,
{
    let Schema { schema: found, pending } = look(migrator, newer, connection).await?;
    match (tables, found) {
        (Tables::MadeIfNone, 0) => {
            let all = connection.tables().await.map_err(OpenError::Engine)?;
            match all.into_iter().find(|name| *name != *migrator.table_name) {
                Some(_) => Err(OpenError::OthersTables),
                None => Ok(true),
            }
        }
        (_, 0) => Err(OpenError::NoTables),
        _ if !pending.is_empty() => {
            let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
            Err(OpenError::OlderSchema { found, known })
        }
        _ => Ok(false),
    }
}

/// Refuses a database that a later version has changed, unless this one works with it.
async fn expect_known(
    migrator: &Migrator,
    newer: Newer,
    connection: &mut impl Compatibility,
    applied: &[i64],
) -> Result<(), OpenError> {
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    let Some(found) = applied.iter().copied().max().filter(|found| *found > known) else { return Ok(()) };
    if newer != Newer::IsServed || !works_with(connection, applied, known).await {
        return Err(OpenError::NewerSchema { found, known });
    }
    tracing::warn!(
        "the database has schema {found}, this version of Mashang knows up to {known} and works with it; \
         update this node soon"
    );
    Ok(())
}

/// Applies what is missing. The connection is to be closed afterwards: it holds the lock of the run, where the engine has
/// one.
///
/// A database may have migrations that this version does not know, as it is a version behind in a rolling update. It
/// serves if each of them states in `schema_compatibility` that it works with what this version knows.
pub(super) async fn run<C>(
    mut migrator: Migrator,
    newer: Newer,
    connection: &mut C,
) -> Result<Migrated, OpenError>
where
    C: Migrate + Compatibility,
{
    let table = migrator.table_name.clone().into_owned();
    if migrator.locking {
        told(connection.lock()).await.map_err(OpenError::Migration)?;
        migrator.set_locking(false);
    }
    connection.ensure_migrations_table(&table).await.map_err(OpenError::Migration)?;
    let before = applied(connection, &table).await?;
    expect_known(&migrator, newer, connection, &before).await?;
    // Those of a later version are not in our list, and that is well.
    let known = migrator.iter().map(|migration| migration.version).max().unwrap_or_default();
    migrator.set_ignore_missing(before.iter().any(|number| *number > known));
    connection.hurry().await.map_err(OpenError::Engine)?;
    let mut waiting = Waiting::default();
    loop {
        match migrator.run_direct(None, connection, false).await {
            Ok(()) => break,
            // What was tried is undone: nothing but PostgreSQL says so here.
            Err(error) if is_held(&error) => waiting.pause().await,
            Err(MigrateError::Dirty(number)) => return Err(OpenError::Interrupted { number }),
            Err(other) => return Err(OpenError::Migration(other)),
        }
    }
    let fresh = migrator.iter().filter(|migration| !before.contains(&migration.version));
    let done = fresh.map(|migration| (migration.version, migration.description.clone().into_owned()));
    let schema = before.iter().copied().chain([known]).max().unwrap_or(known);
    Ok(Migrated { applied: done.collect(), schema })
}

/// Waits for another node that has the tables for itself, and says so if that takes more than a moment.
pub(super) async fn told<T>(turn: impl Future<Output = T>) -> T {
    let mut turn = pin!(turn);
    if let Ok(done) = tokio::time::timeout(Duration::from_secs(1), turn.as_mut()).await {
        return done;
    }
    tracing::warn!("another node is bringing the database's tables up to date: waiting until it is done");
    turn.await
}

/// Whoever changes a table waits for those who read it, such as a backup, and whoever comes later waits behind. So it is tried for
/// a few seconds at a time ([`Compatibility::hurry`]), with pauses in which the others pass.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    tries: u32,
}

impl Waiting {
    /// Longer than those who wait behind a try take to be answered.
    const PAUSE: Duration = Duration::from_secs(3);

    /// Lets the others pass. Says what is waited for, the first time and then about each minute.
    pub(super) async fn pause(&mut self) {
        if self.tries.is_multiple_of(10) {
            tracing::warn!(
                "a table is to be changed and somebody is reading it, such as a backup: trying again until they are done; \
                 logins go on meanwhile"
            );
        }
        self.tries += 1;
        tokio::time::sleep(Self::PAUSE).await;
    }
}

/// Whether PostgreSQL gave up waiting for a table.
fn is_held(error: &MigrateError) -> bool {
    let (MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) = error else {
        return false;
    };
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "55P03")
}

async fn applied<C: Migrate>(connection: &mut C, table: &str) -> Result<Vec<i64>, OpenError> {
    let applied = connection.list_applied_migrations(table).await.map_err(OpenError::Migration)?;
    Ok(applied.into_iter().map(|migration| migration.version).collect())
}

/// Whether every migration after `known` says that it works with a version that knows no more. What says nothing does not.
async fn works_with(connection: &mut impl Compatibility, applied: &[i64], known: i64) -> bool {
    let Ok(stated) = connection.stated().await else { return false };
    let mut unknown = applied.iter().filter(|number| **number > known);
    unknown.all(|number| {
        stated.iter().any(|(migration, works_from)| migration == number && *works_from <= known)
    })
}

/// A connection that can tell which tables there are, and read `schema_compatibility`.
pub(super) trait Compatibility {
    /// The names of all tables, of others' too.
    async fn tables(&mut self) -> Result<Vec<String>, sqlx::Error>;
    /// From here on whoever waits for a table gives up soon, where the engine undoes what was begun.
    async fn hurry(&mut self) -> Result<(), sqlx::Error>;
    /// Migrations, and from which on a version must know to work with them.
    async fn stated(&mut self) -> Result<Vec<(i64, i64)>, sqlx::Error>;
}

macro_rules! compatibility_of {
    ($($connection:ty: $tables:literal, $hurry:literal);+ $(;)?) => { $(
        impl Compatibility for $connection {
            async fn tables(&mut self) -> Result<Vec<String>, sqlx::Error> {
                sqlx::query_scalar($tables).fetch_all(self).await
            }

            async fn hurry(&mut self) -> Result<(), sqlx::Error> {
                sqlx::raw_sql($hurry).execute(self).await.map(drop)
            }

            async fn stated(&mut self) -> Result<Vec<(i64, i64)>, sqlx::Error> {
                sqlx::query_as("select migration, works_from from schema_compatibility").fetch_all(self).await
            }
        }
    )+ };
}
compatibility_of!(
    sqlx::SqliteConnection: "select name from sqlite_master where type = 'table' and name not like 'sqlite%'", "select 1";
    sqlx::PgConnection: "select tablename::text from pg_tables where schemaname = current_schema()",
        "set lock_timeout = '3s'";
    sqlx::MySqlConnection: "select cast(table_name as char) from information_schema.tables \
        where table_schema = database() and table_type = 'BASE TABLE'", "select 1";
);

#[cfg(test)]
mod tests {
    use sqlx::{Connection, SqliteConnection};

    use super::*;

    /// What this version knows, and what later ones add.
    fn with_later(later: &[(i64, &'static str)]) -> Migrator {
        let mut all: Vec<Migration> = of(Dialect::Sqlite).iter().cloned().collect();
        all.extend(later.iter().map(|(number, sql)| {
            Migration::new(*number, "later".into(), MigrationType::Simple, (*sql).into_sql_str(), false)
        }));
        Migrator::with_migrations(all)
    }

    async fn database_of(migrator: Migrator) -> SqliteConnection {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        run(migrator, Newer::IsServed, &mut connection).await.unwrap();
        connection
    }

    /// Adds a column that the version before neither reads nor writes.
    const COMPATIBLE: &str = "alter table users add column later text; \
        insert into schema_compatibility (migration, works_from) values (9001, 7)";
    /// Needs what 9001 brought.
    const DEMANDING: &str = "insert into schema_compatibility (migration, works_from) values (9002, 9001)";
    const SILENT: &str = "alter table users add column silent text";

    #[tokio::test]
    async fn a_version_behind_serves_what_says_that_it_works_with_it() {
        let mut database = database_of(with_later(&[(9001, COMPATIBLE)])).await;
        let served = run(of(Dialect::Sqlite), Newer::IsServed, &mut database).await.unwrap();
        assert_eq!(served, Migrated { applied: Vec::new(), schema: 9001 });
        let moved = run(of(Dialect::Sqlite), Newer::IsRefused, &mut database).await.unwrap_err();
        assert!(matches!(moved, OpenError::NewerSchema { found: 9001, known: 7.. }), "{moved:?}");
    }

    #[tokio::test]
    async fn two_versions_behind_is_too_far_when_the_second_one_says_so() {
        let mut database = database_of(with_later(&[(9001, COMPATIBLE), (9002, DEMANDING)])).await;
        let refused = run(of(Dialect::Sqlite), Newer::IsServed, &mut database).await.unwrap_err();
        assert!(matches!(refused, OpenError::NewerSchema { found: 9002, .. }), "{refused:?}");
        let one_behind = with_later(&[(9001, COMPATIBLE)]);
        run(one_behind, Newer::IsServed, &mut database).await.unwrap();
    }

    #[tokio::test]
    async fn a_later_migration_that_says_nothing_is_refused() {
        let mut database = database_of(with_later(&[(9001, COMPATIBLE), (9002, SILENT)])).await;
        let refused = run(of(Dialect::Sqlite), Newer::IsServed, &mut database).await.unwrap_err();
        assert!(matches!(refused, OpenError::NewerSchema { found: 9002, .. }), "{refused:?}");
    }

    #[tokio::test]
    async fn every_migration_since_the_table_is_there_states_with_whom_it_works() {
        let mut database = database_of(of(Dialect::Sqlite)).await;
        let stated = database.stated().await.unwrap();
        for (number, ..) in ALL.into_iter().filter(|(number, ..)| *number >= 7) {
            assert!(
                stated.iter().any(|(migration, from)| *migration == number && *from < number),
                "{number}"
            );
        }
    }

    #[test]
    fn dialects_state_the_same() {
        for (number, name, [sqlite, postgres, mysql]) in ALL {
            let stated = |sql: &str| -> Vec<String> {
                let statements = sql.lines().filter(|line| line.contains("into schema_compatibility"));
                statements.map(str::to_owned).collect()
            };
            assert_eq!(stated(sqlite), stated(postgres), "{number} {name}");
            assert_eq!(stated(sqlite), stated(mysql), "{number} {name}");
            for table in mysql.split("create table").skip(1) {
                let ends = table.contains("engine=innodb default charset=utf8mb4 collate=utf8mb4_bin;");
                assert!(ends, "{number} {name}: a table without engine and collation");
            }
        }
    }
}
