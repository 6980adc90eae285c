//! The same records on every engine, one after the other, are the same text.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod everything;
mod server;

use everything::{erases_everybody, exported, fill, goes_on_behind_what_was_trimmed, import, trim_all};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::records::Records;
use mashang_store::conformance::fixtures::World;
use mashang_store::sql::{SqlOptions, SqlRecords};
use server::Database;
use server::engines::{MariaDb, Postgres};

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
