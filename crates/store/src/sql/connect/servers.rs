//! PostgreSQL and MySQL/MariaDB: two pools each, one that reads and one that writes serializably, and what every
//! connection is told when it is made.
//!
//! How TLS is done stands in the address: `sslmode` and `sslrootcert` for PostgreSQL, `ssl-mode` and `ssl-ca` for MySQL.
//! Limits of time are told to the server too, so that what we gave up does not go on there with its locks held.

use std::str::FromStr;
use std::time::Duration;

use sea_orm::{DatabaseConnection, SqlxMySqlConnector, SqlxPostgresConnector};
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlDatabaseError, MySqlPoolOptions};
use sqlx::pool::PoolOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Database};

use super::super::each::Each;
use super::super::patience::Patience;
use super::super::reader::Reader;
use super::super::writer::Writer;
use super::migrations::{self, Compatibility as _, Dialect, Migrated, Newer, Schema, Waiting};
use super::{Connections, OpenError, SqlOptions, Tables, unreadable};

/// How long a node waits for another one that is bringing the tables up to date.
const MIGRATION_LOCK: Duration = Duration::from_secs(600);

/// Chores take as long as they take, whatever limits the server has for this user. What a version does not know is left out.
const UNLIMITED_POSTGRES: &str = "select set_config(name, '0', false) from pg_settings where name in \
    ('statement_timeout', 'lock_timeout', 'transaction_timeout', 'idle_in_transaction_session_timeout', 'idle_session_timeout')";
/// As [`UNLIMITED_POSTGRES`]; the comments as for the pools below. A day, where there is no word for "without a limit".
const UNLIMITED_MYSQL: &str = "set session wait_timeout = 86400, net_read_timeout = 86400, net_write_timeout = 86400 \
    /*M!100600 , max_statement_time = 0, idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0, \
    idle_write_transaction_timeout = 0 */ /*!80000 , max_execution_time = 0 */";

/// After so long MySQL ends a connection that says nothing, and with it the transaction of a machine that is gone: it has no
/// limit for those alone. Our own side gives an idle one up before.
const SILENCE: Duration = Duration::from_secs(60);

pub(super) fn read_postgres(url: &str) -> Result<PgConnectOptions, OpenError> {
    let connect = PgConnectOptions::from_str(url).map_err(|_| unreadable("postgres"))?;
    Ok(connect.application_name("mashang"))
}

pub(super) fn read_mysql(url: &str) -> Result<MySqlConnectOptions, OpenError> {
    let url = url.replacen("mariadb:", "mysql:", 1);
    MySqlConnectOptions::from_str(&url).map_err(|_| unreadable("mysql"))
}

pub(super) async fn open_postgres(url: &str, options: &SqlOptions) -> Result<Connections, OpenError> {
    let connect = ready_postgres(url, options, Newer::IsServed).await?;
    let millis = options.patience.as_millis();
    let limits = format!(
        "set statement_timeout = {millis}; set idle_in_transaction_session_timeout = {}; ",
        2 * millis
    );
    // A sequential scan of a small table would count as having read all of it, and two strangers' logins as a conflict.
    // What intentions look for has an index, but for what merges remember of a member who is renamed.
    let serially =
        format!("{limits} set default_transaction_isolation = 'serializable'; set enable_seqscan = off");
    let patience = Patience::new(options.patience);
    let reader = pool(PgPoolOptions::new().max_connections(options.readers.max(1)), limits, &patience);
    let reader = reader.connect_with(connect.clone()).await.map_err(OpenError::of_server)?;
    let writer = pool(PgPoolOptions::new().max_connections(options.writers.max(1)), serially, &patience);
    let writer = writer.connect_with(connect).await.map_err(OpenError::of_server)?;
    Ok(Connections {
        reader: Reader::Server(SqlxPostgresConnector::from_sqlx_postgres_pool(reader), patience.clone()),
        writer: Writer::Each(Each::new(SqlxPostgresConnector::from_sqlx_postgres_pool(writer), patience)),
    })
}

pub(super) async fn single_postgres(
    url: &str,
    options: &SqlOptions,
) -> Result<DatabaseConnection, OpenError> {
    let connect = ready_postgres(url, options, Newer::IsRefused).await?;
    let one = PgPoolOptions::new().max_connections(1).acquire_timeout(options.patience);
    let one = one.after_connect(|connection, _| {
        Box::pin(async move { sqlx::raw_sql(UNLIMITED_POSTGRES).execute(connection).await.map(drop) })
    });
    Ok(SqlxPostgresConnector::from_sqlx_postgres_pool(
        one.connect_with(connect).await.map_err(OpenError::of_server)?,
    ))
}

/// Reads the address and sees to the tables, as `options` say.
async fn ready_postgres(
    url: &str,
    options: &SqlOptions,
    newer: Newer,
) -> Result<PgConnectOptions, OpenError> {
    let connect = read_postgres(url)?;
    if options.tables != Tables::BroughtUpToDate {
        let mut first = in_time(options.patience, connect.connect()).await?;
        let migrator = migrations::of(Dialect::Postgres);
        let to_be_made = migrations::are_to_be_made(&migrator, newer, options.tables, &mut first).await?;
        drop(first.close().await);
        if !to_be_made {
            return Ok(connect);
        }
    }
    migrate_postgres(url, options, newer).await?;
    Ok(connect)
}

/// What the tables lack.
pub(super) async fn look_postgres(url: &str, options: &SqlOptions) -> Result<Schema, OpenError> {
    let mut first = in_time(options.patience, read_postgres(url)?.connect()).await?;
    let schema = migrations::look(&migrations::of(Dialect::Postgres), Newer::IsServed, &mut first).await?;
    drop(first.close().await);
    Ok(schema)
}

/// Brings the tables up to date.
pub(super) async fn migrate_postgres(
    url: &str,
    options: &SqlOptions,
    newer: Newer,
) -> Result<Migrated, OpenError> {
    let connect = read_postgres(url)?;
    let mut first = in_time(options.patience, connect.connect()).await?;
    sqlx::raw_sql(UNLIMITED_POSTGRES).execute(&mut first).await.map_err(OpenError::of_server)?;
    let migrated = migrations::run(migrations::of(Dialect::Postgres), newer, &mut first).await?;
    // Whether it says goodbye does not matter: it has done its work.
    drop(first.close().await);
    Ok(migrated)
}

pub(super) async fn open_mysql(url: &str, options: &SqlOptions) -> Result<Connections, OpenError> {
    let connect = ready_mysql(url, options, Newer::IsServed).await?;
    let seconds = options.patience.as_secs().max(1);
    // Strict: what is too long for its column is refused, never cut. The comments are read by MariaDB alone, and by MySQL
    // alone: MariaDB skips versions from 50700 to 99999.
    let limits = format!(
        "set session sql_mode = concat(@@sql_mode, ',STRICT_TRANS_TABLES'), innodb_lock_wait_timeout = {seconds} \
         /*M!100600 , max_statement_time = {seconds}, idle_transaction_timeout = {} */ \
         /*!80000 , max_execution_time = {}, wait_timeout = {} */",
        2 * seconds,
        1000 * seconds,
        SILENCE.as_secs(),
    );
    let serially = format!("{limits}; set session transaction isolation level serializable");
    let patience = Patience::new(options.patience);
    let idle = || MySqlPoolOptions::new().idle_timeout(SILENCE / 2);
    let reader = pool(idle().max_connections(options.readers.max(1)), limits, &patience);
    let reader = reader.connect_with(connect.clone()).await.map_err(OpenError::of_server)?;
    let writer = pool(idle().max_connections(options.writers.max(1)), serially, &patience);
    let writer = writer.connect_with(connect).await.map_err(OpenError::of_server)?;
    Ok(Connections {
        reader: Reader::Server(SqlxMySqlConnector::from_sqlx_mysql_pool(reader), patience.clone()),
        writer: Writer::Each(Each::new(SqlxMySqlConnector::from_sqlx_mysql_pool(writer), patience)),
    })
}

pub(super) async fn single_mysql(url: &str, options: &SqlOptions) -> Result<DatabaseConnection, OpenError> {
    let connect = ready_mysql(url, options, Newer::IsRefused).await?;
    let strictly =
        format!("set session sql_mode = concat(@@sql_mode, ',STRICT_TRANS_TABLES'); {UNLIMITED_MYSQL}");
    let one = MySqlPoolOptions::new().max_connections(1).acquire_timeout(options.patience);
    let one = one.after_connect(move |connection, _| {
        let strictly = strictly.clone();
        Box::pin(async move { sqlx::raw_sql(AssertSqlSafe(strictly)).execute(connection).await.map(drop) })
    });
    Ok(SqlxMySqlConnector::from_sqlx_mysql_pool(
        one.connect_with(connect).await.map_err(OpenError::of_server)?,
    ))
}

/// As [`ready_postgres`].
async fn ready_mysql(
    url: &str,
    options: &SqlOptions,
    newer: Newer,
) -> Result<MySqlConnectOptions, OpenError> {
    let connect = read_mysql(url)?;
    if options.tables != Tables::BroughtUpToDate {
        let mut first = in_time(options.patience, connect.connect()).await?;
        let migrator = migrations::of(Dialect::Mysql);
        let to_be_made = migrations::are_to_be_made(&migrator, newer, options.tables, &mut first).await?;
        drop(first.close().await);
        if !to_be_made {
            return Ok(connect);
        }
    }
    migrate_mysql(url, options, newer).await?;
    Ok(connect)
}

/// What the tables lack.
pub(super) async fn look_mysql(url: &str, options: &SqlOptions) -> Result<Schema, OpenError> {
    let mut first = in_time(options.patience, read_mysql(url)?.connect()).await?;
    let schema = migrations::look(&migrations::of(Dialect::Mysql), Newer::IsServed, &mut first).await?;
    drop(first.close().await);
    Ok(schema)
}

/// Brings the tables up to date.
pub(super) async fn migrate_mysql(
    url: &str,
    options: &SqlOptions,
    newer: Newer,
) -> Result<Migrated, OpenError> {
    let connect = read_mysql(url)?;
    let mut first = in_time(options.patience, connect.connect()).await?;
    sqlx::raw_sql(UNLIMITED_MYSQL).execute(&mut first).await.map_err(OpenError::of_server)?;
    // Ours, not sqlx's: MariaDB answers its `get_lock(…, -1)` with null, which locks nobody out.
    let lock = "select get_lock(concat('mashang:', sha1(database())), ?)";
    let locking = sqlx::query_scalar(lock).bind(MIGRATION_LOCK.as_secs()).fetch_one(&mut first);
    let locked: Option<i64> = migrations::told(locking).await.map_err(OpenError::of_server)?;
    if locked != Some(1) {
        return Err(OpenError::StillMigrating(MIGRATION_LOCK));
    }
    let mut migrator = migrations::of(Dialect::Mysql);
    let there = migrations::look(&migrator, newer, &mut first).await?;
    if there.schema > 0 && !there.pending.is_empty() {
        wait_until_free(&mut first).await?;
    }
    migrator.set_locking(false);
    let migrated = migrations::run(migrator, newer, &mut first).await?;
    // Gives the lock back, too.
    drop(first.close().await);
    Ok(migrated)
}

/// MySQL takes no change of a table back: what gave up in the middle of a migration would stay half done. So it is begun once
/// nobody holds a table, and then waits for as long as it must.
async fn wait_until_free(connection: &mut MySqlConnection) -> Result<(), OpenError> {
    const NOT_ALLOWED: [u16; 2] = [1044, 1142];
    const TOOK_TOO_LONG: u16 = 1205;
    let tables = connection.tables().await.map_err(OpenError::of_server)?;
    let tables: Vec<String> =
        tables.iter().map(|name| format!("`{}` write", name.replace('`', "``"))).collect();
    let lock = format!("set session lock_wait_timeout = 3; lock tables {}", tables.join(", "));
    let mut waiting = Waiting::default();
    loop {
        let Err(error) = sqlx::raw_sql(AssertSqlSafe(lock.clone())).execute(&mut *connection).await else {
            break;
        };
        let told = error.as_database_error().and_then(|error| error.try_downcast_ref::<MySqlDatabaseError>());
        match told.map(MySqlDatabaseError::number) {
            Some(TOOK_TOO_LONG) => waiting.pause().await,
            // A user without the right to look cannot be kept from upgrading.
            Some(number) if NOT_ALLOWED.contains(&number) => break,
            _ => return Err(OpenError::of_server(error)),
        }
    }
    let go_on = "unlock tables; set session lock_wait_timeout = default";
    sqlx::raw_sql(go_on).execute(connection).await.map(drop).map_err(OpenError::of_server)
}

/// A pool whose connections are told `greeting` when they are made, and must answer quickly while there is reason to
/// doubt them.
fn pool<DB: Database>(pool: PoolOptions<DB>, greeting: String, patience: &Patience) -> PoolOptions<DB>
where
    for<'c> &'c mut DB::Connection: sqlx::Executor<'c, Database = DB>,
{
    let (before, after) = (patience.clone(), patience.clone());
    // No ping before each use: it is a trip to the server, and whoever meets a connection that was lost asks again.
    pool.acquire_timeout(patience.limit())
        .test_before_acquire(false)
        .after_connect(move |connection, _| {
            let greeting = greeting.clone();
            Box::pin(async move {
                sqlx::raw_sql(AssertSqlSafe(greeting)).execute(connection).await?;
                Ok(())
            })
        })
        .before_acquire(move |connection, _| {
            let patience = before.clone();
            Box::pin(async move { patience.test(connection).await })
        })
        .after_release(move |connection, _| {
            let patience = after.clone();
            Box::pin(async move { patience.test(connection).await })
        })
}

async fn in_time<C>(
    limit: Duration,
    connecting: impl Future<Output = Result<C, sqlx::Error>>,
) -> Result<C, OpenError> {
    match tokio::time::timeout(limit, connecting).await {
        Ok(connected) => connected.map_err(OpenError::of_server),
        Err(_) => Err(OpenError::NoAnswer(limit)),
    }
}
