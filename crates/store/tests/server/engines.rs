//! The engines that are servers.

use std::any::Any;

use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection};

use super::{Server, older};

/// PostgreSQL.
pub struct Postgres;

impl Server for Postgres {
    const VARIABLE: &'static str = "MASHANG_TEST_POSTGRES";

    async fn administer(url: &str, sql: String) {
        let mut admin = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    async fn kill_connections(url: &str, name: &str) {
        let sql = "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1";
        let mut admin = PgConnection::connect(url).await.unwrap();
        let killed = sqlx::query(sql).bind(name).execute(&mut admin).await.unwrap();
        assert!(killed.rows_affected() > 0, "there were connections");
    }

    async fn make_older(url: &str) -> (i64, i64) {
        older::make("postgres", &mut PgConnection::connect(url).await.unwrap()).await
    }

    async fn hold(url: &str) -> Box<dyn Any + Send> {
        let mut holder = PgConnection::connect(url).await.unwrap();
        let sql = "begin; lock table schema_compatibility in access exclusive mode";
        sqlx::raw_sql(sql).execute(&mut holder).await.unwrap();
        Box::new(holder)
    }

    async fn waiting(url: &str) -> i64 {
        let sql = "select count(*) from pg_locks where not granted \
                   and database = (select oid from pg_database where datname = current_database())";
        sqlx::query_scalar(sql).fetch_one(&mut PgConnection::connect(url).await.unwrap()).await.unwrap()
    }

    fn create(name: &str) -> String {
        format!(r#"create database "{name}" template template0"#)
    }

    fn drop(name: &str) -> String {
        format!(r#"drop database "{name}" with (force)"#)
    }
}

/// MariaDB.
pub struct MariaDb;

impl Server for MariaDb {
    const VARIABLE: &'static str = "MASHANG_TEST_MARIADB";

    async fn administer(url: &str, sql: String) {
        let mut admin = MySqlConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    async fn kill_connections(url: &str, name: &str) {
        let mut admin = MySqlConnection::connect(url).await.unwrap();
        let sql = "select cast(id as signed) from information_schema.processlist where db = ?";
        let ids: Vec<i64> = sqlx::query_scalar(sql).bind(name).fetch_all(&mut admin).await.unwrap();
        assert!(!ids.is_empty(), "there were connections");
        for id in ids {
            // One may end by itself meanwhile.
            drop(sqlx::raw_sql(AssertSqlSafe(format!("kill connection {id}"))).execute(&mut admin).await);
        }
    }

    async fn make_older(url: &str) -> (i64, i64) {
        older::make("mysql", &mut MySqlConnection::connect(url).await.unwrap()).await
    }

    async fn hold(url: &str) -> Box<dyn Any + Send> {
        let mut holder = MySqlConnection::connect(url).await.unwrap();
        sqlx::raw_sql("lock tables schema_compatibility write").execute(&mut holder).await.unwrap();
        Box::new(holder)
    }

    async fn waiting(url: &str) -> i64 {
        let sql = "select count(*) from information_schema.processlist \
                   where db = database() and state like 'Waiting for table%'";
        sqlx::query_scalar(sql).fetch_one(&mut MySqlConnection::connect(url).await.unwrap()).await.unwrap()
    }

    fn create(name: &str) -> String {
        format!("create database `{name}` character set latin1 collate latin1_swedish_ci")
    }

    fn drop(name: &str) -> String {
        format!("drop database `{name}`")
    }
}
