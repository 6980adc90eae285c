//! Opening a database whose tables are not those of this version, or are not there. On servers: `server/faults.rs`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod older;

use std::path::Path;

use mashang_login::records::Records;
use mashang_store::sql::moving::{self, MoveError};
use mashang_store::sql::{OpenError, SqlOptions, SqlRecords, Tables};
use sqlx::{Connection, SqliteConnection};

fn url(path: &Path) -> String {
    format!("sqlite:{}?mode=rwc", path.display())
}

async fn open(path: &Path, tables: Tables) -> Result<SqlRecords, OpenError> {
    SqlRecords::connect(&url(path), SqlOptions { tables, ..SqlOptions::default() }).await
}

async fn connection(path: &Path) -> SqliteConnection {
    SqliteConnection::connect(&url(path)).await.unwrap()
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

#[tokio::test]
async fn whoever_takes_the_tables_as_they_are_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/mashang.db");
    let refused = open(&path, Tables::AsTheyAre).await.unwrap_err();
    assert!(matches!(refused, OpenError::NoFile(_)), "{refused:?}");
    let refused = SqlRecords::look(&url(&path)).await.unwrap_err();
    assert!(matches!(refused, OpenError::NoFile(_)), "{refused:?}");
    let refused = moving::export(&url(&path), &mut Vec::new(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, MoveError::Open(OpenError::NoFile(_))), "{refused:?}");
    assert!(is_empty(folder.path()));
    open(&path, Tables::MadeIfNone).await.unwrap();
    open(&path, Tables::AsTheyAre).await.unwrap().check().await.unwrap();
}

#[tokio::test]
async fn a_file_of_another_program_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let mut other = connection(&path).await;
    sqlx::raw_sql("create table songs (name text)").execute(&mut other).await.unwrap();
    other.close().await.unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = open(&path, Tables::AsTheyAre).await.unwrap_err();
    assert!(matches!(refused, OpenError::NoTables), "{refused:?}");
    let refused = open(&path, Tables::MadeIfNone).await.unwrap_err();
    assert!(matches!(refused, OpenError::OthersTables), "{refused:?}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn older_tables_are_told_and_left_until_somebody_asks_for_the_change() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    let (found, newest) = older::make("sqlite", &mut connection(&path).await).await;
    for tables in [Tables::AsTheyAre, Tables::MadeIfNone] {
        let refused = open(&path, tables).await.unwrap_err();
        assert!(
            matches!(refused, OpenError::OlderSchema { found: there, known } if there == found && known == newest),
            "{refused:?}"
        );
        assert!(refused.is_before_the_start() && refused.to_string().contains("mashang migrate"));
    }
    let refused = moving::export(&url(&path), &mut Vec::new(), &mut |_| {}).await.unwrap_err();
    assert!(matches!(refused, MoveError::Open(OpenError::OlderSchema { .. })), "{refused:?}");
    let looked = SqlRecords::look(&url(&path)).await.unwrap();
    assert_eq!(looked.schema, found);
    assert_eq!(looked.pending.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [newest]);

    open(&path, Tables::BroughtUpToDate).await.unwrap();
    open(&path, Tables::AsTheyAre).await.unwrap();
    assert!(SqlRecords::look(&url(&path)).await.unwrap().pending.is_empty());
}

#[tokio::test]
async fn a_migration_that_was_cut_off_is_named_and_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mashang.db");
    open(&path, Tables::BroughtUpToDate).await.unwrap();
    let cut = "update _sqlx_migrations set success = false where version = 3";
    sqlx::raw_sql(cut).execute(&mut connection(&path).await).await.unwrap();
    for tables in [Tables::BroughtUpToDate, Tables::AsTheyAre] {
        let refused = open(&path, tables).await.unwrap_err();
        assert!(matches!(refused, OpenError::Interrupted { number: 3 }), "{refused:?}");
        assert!(refused.to_string().contains("backup"), "{refused}");
    }
}

#[tokio::test]
async fn books_of_another_program_are_not_taken_for_ours() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let mut other = connection(&path).await;
    older::make("sqlite", &mut other).await;
    let theirs = "update _sqlx_migrations set checksum = x'00' where version = 1";
    sqlx::raw_sql(theirs).execute(&mut other).await.unwrap();
    let refused = open(&path, Tables::AsTheyAre).await.unwrap_err();
    assert!(matches!(refused, OpenError::Migration(_)), "{refused:?}");
}
