//! The engines that are servers.

use sqlx::{AssertSqlSafe, Connection, MySqlConnection, PgConnection};

use super::Server;

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

    fn create(name: &str) -> String {
        format!("create database `{name}` character set latin1 collate latin1_swedish_ci")
    }

    fn drop(name: &str) -> String {
        format!("drop database `{name}`")
    }
}
