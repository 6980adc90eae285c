//! Exports and imports, as one engine alone shows them.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

mod everything;

use everything::{erases_everybody, exported, fill, goes_on_behind_what_was_trimmed, import, trim_all};
use std::collections::BTreeSet;

use mashang_login::audit::AuditEvent;
use mashang_login::records::Records;
use mashang_login::seal::Sealer;
use mashang_store::conformance::fixtures::World;
use mashang_store::sql::moving::{self, MoveError};
use mashang_store::sql::{SqlOptions, SqlRecords};
use sha2::{Digest, Sha256};
use sqlx::Connection;

struct File {
    folder: tempfile::TempDir,
    url: String,
}

fn fresh() -> File {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}?mode=rwc", folder.path().join("mashang.db").display());
    File { folder, url }
}

async fn open(file: &File) -> SqlRecords {
    SqlRecords::connect(&file.url, SqlOptions::default()).await.unwrap()
}

#[tokio::test]
async fn an_export_has_rows_of_every_table_and_reads_back_the_same() {
    let (from, to) = (fresh(), fresh());
    fill(&open(&from).await).await;
    let (text, moved) = exported(&from.url).await;
    for (table, rows) in &moved.rows {
        assert!(*rows > 0, "{table} is empty");
    }
    assert_eq!(import(&to.url, &text).await.unwrap(), moved);
    let (again, _) = exported(&to.url).await;
    assert!(again == text, "an export of the import is the same text");
    let shown = String::from_utf8(text).unwrap();
    assert!(!shown.contains("a node"), "leases stay behind");
}

#[tokio::test]
async fn sec_90_of_whoever_is_erased_no_row_is_left_but_those_of_the_trail() {
    let file = fresh();
    let records = open(&file).await;
    fill(&records).await;
    erases_everybody(&records, &file.url).await;
}

#[tokio::test]
async fn whoever_imported_goes_on_where_the_other_one_was() {
    let (from, to) = (fresh(), fresh());
    fill(&open(&from).await).await;
    let (text, _) = exported(&from.url).await;
    import(&to.url, &text).await.unwrap();
    let records = open(&to).await;
    let event = AuditEvent::new(World::default().now, mashang_login::audit::AuditKind::SignedOut);
    records.record(&event).await.unwrap();
    assert_eq!(records.audit_trail(1).await.unwrap(), [event], "the newest one");
    assert_eq!(records.audit_trail(u32::MAX).await.unwrap().len(), {
        let before = open(&from).await.audit_trail(u32::MAX).await.unwrap();
        before.len() + 1
    });
}

#[tokio::test]
async fn promise_8_records_after_an_import_do_not_take_the_numbers_of_what_was_trimmed() {
    let (from, to) = (fresh(), fresh());
    let records = open(&from).await;
    fill(&records).await;
    trim_all(&records).await;
    let (text, _) = exported(&from.url).await;
    import(&to.url, &text).await.unwrap();
    goes_on_behind_what_was_trimmed(&open(&to).await).await;
}

#[tokio::test]
async fn what_was_changed_or_cut_off_is_refused_and_leaves_nothing() {
    let from = fresh();
    fill(&open(&from).await).await;
    let (text, moved) = exported(&from.url).await;
    let shown = String::from_utf8(text).unwrap();
    let lines: Vec<&str> = shown.split_inclusive('\n').collect();
    let without = |skipped: usize| -> String {
        lines.iter().enumerate().filter(|(n, _)| *n != skipped).map(|(_, line)| *line).collect()
    };
    let last = lines.len() - 1;
    let broken = [
        ("a changed name", shown.replacen("小明", "小红", 1)),
        ("a line less", without(last - 1)),
        ("no end", without(last)),
        ("half a line", shown[..shown.len() - 10].to_owned()),
        ("no beginning", without(0)),
        ("more than the end", format!("{shown}[\"users\",{{}}]\n")),
        ("another count", shown.replacen(r#""users":6"#, r#""users":7"#, 1)),
        ("another checksum", shown.replacen(&moved.sha256, &"0".repeat(64), 1)),
        ("an unknown table", shown.replacen(r#"["users""#, r#"["persons""#, 1)),
        ("something else", "{\"hello\": 1}\n".to_owned()),
        ("nothing", String::new()),
    ];
    let to = fresh();
    open(&to).await;
    for (what, text) in broken {
        assert_ne!(text, shown, "{what}");
        let error = import(&to.url, text.as_bytes()).await.expect_err(what);
        assert!(matches!(error, MoveError::Checksum | MoveError::Malformed { .. }), "{what}: {error:?}");
        assert!(!error.to_string().contains("小"), "no value of a row: {error}");
        let (_, left) = exported(&to.url).await;
        assert_eq!(left.rows.values().sum::<u64>(), 0, "{what}");
    }
    import(&to.url, shown.as_bytes()).await.unwrap();
    let error = import(&to.url, shown.as_bytes()).await.unwrap_err();
    assert!(matches!(error, MoveError::NotEmpty("users")), "{error:?}");
}

#[tokio::test]
async fn tables_of_another_version_are_refused_before_a_database_is_made() {
    let from = fresh();
    open(&from).await;
    let (text, _) = exported(&from.url).await;
    let text = String::from_utf8(text).unwrap();
    for (schema, advice) in [("900", "update this program first"), ("7", "with the version that wrote it")] {
        let (_, rest) = text.split_once('}').unwrap();
        let other = format!(r#"["mashang",{{"format":1,"schema":{schema}}}{rest}"#);
        let to = fresh();
        let error = import(&to.url, other.as_bytes()).await.unwrap_err();
        assert!(matches!(error, MoveError::OtherSchema { .. }), "{error:?}");
        assert!(error.to_string().contains(advice), "{error}");
        assert!(std::fs::read_dir(to.folder.path()).unwrap().next().is_none(), "nothing was made");
    }
}

#[tokio::test]
async fn another_master_key_is_told_before_the_rows_that_come_after_it_are_read() {
    let (from, to) = (fresh(), fresh());
    fill(&open(&from).await).await;
    let (text, _) = exported(&from.url).await;
    let text = String::from_utf8(text).unwrap();
    let (before, _) = text.split_once("[\"sessions\"").unwrap();
    for sealed_otherwise in [Sealer::CHECK_PLACE, "signing_keys/one/private"] {
        let opens = |_: &[u8], place: &str| place != sealed_otherwise;
        let cut = format!("{before}[\"sessions\",7]\nno line");
        let refused = moving::import(&to.url, &mut cut.as_bytes(), &opens, &mut |_| {}).await;
        assert!(matches!(refused, Err(MoveError::MasterKey(_))), "{sealed_otherwise}: {refused:?}");
    }
}

#[tokio::test]
async fn the_checksum_that_is_told_is_that_of_the_file() {
    let (from, to) = (fresh(), fresh());
    fill(&open(&from).await).await;
    let (text, moved) = exported(&from.url).await;
    let whole = Sha256::digest(&text).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    assert_eq!(moved.file_sha256, whole);
    assert_eq!(import(&to.url, &text).await.unwrap().file_sha256, whole);
}

#[tokio::test]
async fn a_row_that_is_there_twice_is_named_by_its_lines_and_not_by_its_key() {
    let (from, to) = (fresh(), fresh());
    fill(&open(&from).await).await;
    let text = String::from_utf8(exported(&from.url).await.0).unwrap();
    let line = text.lines().find(|line| line.starts_with("[\"identities\"")).unwrap();
    let number = text.lines().position(|other| other == line).unwrap() + 1;
    let twice = text.replacen(line, &format!("{line}\n{line}"), 1);
    let error = import(&to.url, twice.as_bytes()).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.starts_with(&format!("lines {number} to ")), "{told}");
    assert!(told.contains("identities: a key that must be unique is there twice"), "{told}");
    assert!(!told.contains("openid") && !told.contains("wx0"), "{told}");
}

#[tokio::test]
async fn what_lasts_is_every_table_but_those_that_stay_behind() {
    let file = fresh();
    open(&file).await;
    let (_, moved) = exported(&file.url).await;
    let mut connection = sqlx::SqliteConnection::connect(&file.url).await.unwrap();
    let all = "select name from sqlite_master where type = 'table'";
    let all: Vec<String> = sqlx::query_scalar(all).fetch_all(&mut connection).await.unwrap();
    const STAY: [&str; 5] =
        ["grants", "heartbeat", "schema_compatibility", "_sqlx_migrations", "sqlite_sequence"];
    let lasts = all.iter().map(String::as_str).filter(|name| !STAY.contains(name));
    let moves = moved.rows.keys().map(String::as_str);
    assert_eq!(lasts.collect::<BTreeSet<_>>(), moves.collect::<BTreeSet<_>>());
}

#[tokio::test]
async fn what_another_master_key_sealed_is_refused_and_nothing_is_left() {
    let (from, to) = (fresh(), fresh());
    fill(&open(&from).await).await;
    let (text, _) = exported(&from.url).await;
    for sealed_otherwise in [Sealer::CHECK_PLACE, "signing_keys/one/private"] {
        let opens = |_: &[u8], place: &str| place != sealed_otherwise;
        let refused = moving::import(&to.url, &mut &*text, &opens, &mut |_| {}).await;
        assert!(matches!(refused, Err(MoveError::MasterKey(_))), "{sealed_otherwise}: {refused:?}");
        assert_eq!(exported(&to.url).await.1.rows.values().sum::<u64>(), 0);
    }
}

#[tokio::test]
async fn an_export_of_records_that_nobody_claimed_is_claimed_by_who_starts_on_it() {
    let (from, to) = (fresh(), fresh());
    let world = World::default();
    open(&from).await.add_signing_key(&world.key("one", world.now), &[], world.now).await.unwrap();
    let (text, _) = exported(&from.url).await;
    import(&to.url, &text).await.unwrap();
    let records = open(&to).await;
    assert_eq!(records.master_key_check().await.unwrap(), None);
    assert_eq!(records.claim_for_master_key(b"ours").await.unwrap(), b"ours");
}
