//! `mashang export` and `mashang import`, as commands: what they leave behind, and for whom.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::path::Path;

use rusqlite::Connection;
use sha2::{Digest, Sha256};
use support::{heard, installation, mashang, refused};

/// An installation with signing keys.
fn started(folder: &Path) {
    installation(folder);
    heard(folder, &["migrate"]);
    heard(folder, &["keys", "rotate"]);
}

#[test]
fn an_export_is_for_its_owner_alone_and_its_checksum_is_that_of_the_file() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    started(old.path());
    let file = new.path().join("all.jsonl");
    let exported = mashang(old.path(), &["export", file.to_str().unwrap()]).output().unwrap();
    assert!(exported.status.success(), "{exported:?}");
    let sum = Sha256::digest(std::fs::read(&file).unwrap());
    let sum = sum.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let told = String::from_utf8(exported.stderr).unwrap();
    assert!(told.contains(&format!("SHA-256 of the file {sum}")), "{told}");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }

    installation(new.path());
    let imported = mashang(new.path(), &["import", "all.jsonl"]).output().unwrap();
    assert!(imported.status.success(), "{imported:?}");
    assert!(String::from_utf8(imported.stderr).unwrap().contains(&sum));
    assert_eq!(heard(new.path(), &["keys", "list"]), heard(old.path(), &["keys", "list"]));
    assert!(refused(new.path(), &["import", "all.jsonl"]).contains("is not empty"));
}

#[test]
fn an_export_that_fails_half_way_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    started(folder.path());
    let damage = "update audit_events set kind = x'ff'";
    Connection::open(folder.path().join("mashang.db")).unwrap().execute_batch(damage).unwrap();
    let said = refused(folder.path(), &["export", "all.jsonl"]);
    assert!(said.contains("audit_events"), "{said}");
    assert!(!folder.path().join("all.jsonl").exists());
}

#[test]
fn a_master_key_that_is_not_there_is_told_before_a_database_is_made() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    started(old.path());
    let file = new.path().join("all.jsonl");
    heard(old.path(), &["export", file.to_str().unwrap()]);
    installation(new.path());
    std::fs::remove_file(new.path().join("master.key")).unwrap();
    let said = refused(new.path(), &["import", "all.jsonl"]);
    assert!(said.contains("master.key: is missing"), "{said}");
    assert!(!new.path().join("mashang.db").exists());
}
