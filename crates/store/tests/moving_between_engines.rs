//! The same records on every engine, one after the other, are the same text.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod everything;
mod server;

use everything::{erases_everybody, exported, fill, goes_on_behind_what_was_trimmed, import, trim_all};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::records::Records;
use mashang_store::conformance::fixtures::World;
use mashang_store::sql::moving::MoveError;
use mashang_store::sql::{SqlOptions, SqlRecords};
use server::engines::{MariaDb, Postgres};
use server::{Database, Server as _};
use sqlx::{Connection, PgConnection};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_sqlite_to_postgres_to_mariadb_and_back_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}?mode=rwc", folder.path().join(name).display());
    fill(&SqlRecords::connect(&file("first.db"), SqlOptions::default()).await.unwrap()).await;
    let (text, moved) = exported(&file("first.db")).await;

    let postgres = Database::<Postgres>::create().await;
    let mariadb = Database::<MariaDb>::create().await;
    for next in [postgres.url.clone(), mariadb.url.clone(), file("last.db")] {
        assert_eq!(import(&next, &text).await.unwrap(), moved, "{next}");
        assert!(exported(&next).await.0 == text, "{next} exports the same");
    }

    // Each goes on counting where the other one was.
    for records in [postgres.open().await, mariadb.open().await] {
        let event = AuditEvent::new(World::default().now, AuditKind::SignedOut);
        records.record(&event).await.unwrap();
        assert_eq!(records.audit_trail(1).await.unwrap(), [event]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_90_of_whoever_is_erased_on_a_server_no_row_is_left_but_those_of_the_trail() {
    let (postgres, mariadb) = (Database::<Postgres>::create().await, Database::<MariaDb>::create().await);
    for (records, url) in [(postgres.open().await, &postgres.url), (mariadb.open().await, &mariadb.url)] {
        fill(&records).await;
        erases_everybody(&records, url).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promise_8_what_was_trimmed_before_a_move_takes_no_later_record_along() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| format!("sqlite:{}?mode=rwc", folder.path().join(name).display());
    let first = SqlRecords::connect(&file("first.db"), SqlOptions::default()).await.unwrap();
    fill(&first).await;
    trim_all(&first).await;
    let (text, _) = exported(&file("first.db")).await;
    let (postgres, mariadb) = (Database::<Postgres>::create().await, Database::<MariaDb>::create().await);
    for next in [&postgres.url, &mariadb.url] {
        import(next, &text).await.unwrap();
    }
    for records in [postgres.open().await, mariadb.open().await] {
        goes_on_behind_what_was_trimmed(&records).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_fails_leaves_nothing_on_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let first = format!("sqlite:{}?mode=rwc", folder.path().join("first.db").display());
    fill(&SqlRecords::connect(&first, SqlOptions::default()).await.unwrap()).await;
    let text = String::from_utf8(exported(&first).await.0).unwrap();
    let (postgres, mariadb) = (Database::<Postgres>::create().await, Database::<MariaDb>::create().await);
    for next in [&postgres.url, &mariadb.url] {
        for broken in [text.replacen("小明", "小红", 1), text[..text.len() - 10].to_owned()] {
            let error = import(next, broken.as_bytes()).await.unwrap_err();
            assert!(matches!(error, MoveError::Checksum | MoveError::Malformed { .. }), "{error:?}");
            assert_eq!(exported(next).await.1.rows.values().sum::<u64>(), 0, "{next}");
        }
        import(next, text.as_bytes()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_import_that_only_failed_to_set_the_counter_says_that_the_rows_are_in() {
    let folder = tempfile::tempdir().unwrap();
    let first = format!("sqlite:{}?mode=rwc", folder.path().join("first.db").display());
    fill(&SqlRecords::connect(&first, SqlOptions::default()).await.unwrap()).await;
    let (text, moved) = exported(&first).await;
    let database = Database::<MariaDb>::create().await;
    database.open().await;
    // Who may not change tables: everything but the last step of an import.
    let name = &database.name;
    let user = name.replace("mashang", "m");
    for sql in [
        format!("create user '{user}'@'%' identified by 'word'"),
        format!("grant select, insert on `{name}`.* to '{user}'@'%'"),
    ] {
        MariaDb::administer(&database.admin, sql).await;
    }
    let limited = format!("mysql://{user}:word@{}/{name}", database.host());
    let error = import(&limited, &text).await.unwrap_err();
    let MoveError::Counter { next, .. } = error else { panic!("{error:?}") };
    assert!(
        error.to_string().ends_with(&format!("alter table audit_events auto_increment = {next}")),
        "{error}"
    );
    assert_eq!(exported(&database.url).await.1, moved);
    MariaDb::administer(&database.admin, format!("drop user '{user}'@'%'")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_limit_of_the_server_does_not_cut_an_export() {
    let database = Database::<Postgres>::create().await;
    fill(&database.open().await).await;
    let limit = format!("alter database \"{}\" set statement_timeout = '3s'", database.name);
    Postgres::administer(&database.admin, limit).await;
    let mut holder = PgConnection::connect(&database.url).await.unwrap();
    sqlx::raw_sql("begin; lock table users in access exclusive mode").execute(&mut holder).await.unwrap();
    let url = database.url.clone();
    let exporting = tokio::spawn(async move { exported(&url).await });
    let waits_longer = "select count(*) > 0 from pg_stat_activity where datname = current_database() \
                        and wait_event_type = 'Lock' and clock_timestamp() - query_start > interval '3.5 s'";
    // Another one: within a transaction the server tells the same again and again.
    let mut watcher = PgConnection::connect(&database.url).await.unwrap();
    let mut seen = false;
    while !seen && !exporting.is_finished() {
        seen = sqlx::query_scalar(waits_longer).fetch_one(&mut watcher).await.unwrap();
    }
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    assert!(seen, "the export was cut: {:?}", exporting.await.map(drop));
    assert!(exporting.await.unwrap().1.rows["users"] > 0);
}
