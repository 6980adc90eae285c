//! The suites on MariaDB, and what belongs to a server: nodes that start at once, connections that are lost, a server
//! that does not answer.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod server;

use std::sync::Arc;

use mashang_login::platform_token::PlatformTokens;
use mashang_login::records::Records;
use mashang_store::conformance::Nodes;
use mashang_store::conformance::records::People;
use server::{Database, Server};
use sqlx::{AssertSqlSafe, Connection, MySqlConnection};

/// MariaDB.
struct MariaDb;

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

suites_on!(MariaDb);

mod faults {
    use super::*;

    faults_on!(
        MariaDb,
        [
            four_nodes_migrate_an_empty_database_at_once,
            a_newer_schema_is_refused_and_left_alone,
            promise_9_killed_connections_come_back_without_a_restart,
            promise_9_a_frozen_server_is_unavailable_in_time_and_comes_back,
            promise_9_connections_that_lead_nowhere_are_replaced,
            promise_9_an_unanswered_commit_is_told_as_unknown_and_not_done_twice,
            a_server_that_is_not_there_is_told_in_time,
            no_password_is_in_an_error,
            what_is_too_long_is_refused_and_not_cut,
        ]
    );
}
