//! The suites on PostgreSQL, and what belongs to a server: nodes that start at once, connections that are lost, a server
//! that does not answer.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod server;

use std::sync::Arc;

use mashang_login::platform_token::PlatformTokens;
use mashang_login::records::Records;
use mashang_store::conformance::Nodes;
use mashang_store::conformance::records::People;
use server::{Database, Server};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// PostgreSQL.
struct Postgres;

impl Server for Postgres {
    const VARIABLE: &'static str = "MASHANG_TEST_POSTGRES";

    async fn administer(url: &str, sql: String) {
        let mut admin = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
        admin.close().await.unwrap();
    }

    fn create(name: &str) -> String {
        format!(r#"create database "{name}" template template0"#)
    }

    fn drop(name: &str) -> String {
        format!(r#"drop database "{name}" with (force)"#)
    }
}

suites_on!(Postgres);
