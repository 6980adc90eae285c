//! Commands where the database is not the one that was meant: no server has started on it, or it is another version's.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::path::Path;

use support::{heard, installation, mashang, refused};

fn names_in(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn what_looks_at_records_makes_no_database() {
    let folder = tempfile::tempdir().unwrap();
    installation(folder.path());
    for line in [
        ["export", "all.jsonl"].as_slice(),
        &["export", "-"],
        &["audit", "list"],
        &["audit", "verify"],
        &["user", "list"],
        &["user", "disable", "somebody"],
        &["client", "list"],
        &["client", "disable", "shop"],
        &["keys", "list"],
        &["keys", "rotate"],
        &["migrate", "--check"],
    ] {
        let said = refused(folder.path(), line);
        assert!(said.contains("store.url: there is no ") && said.contains("no server has started"), "{said}");
        assert_eq!(names_in(folder.path()), ["mashang.toml", "master.key"], "{line:?}");
    }
}

#[test]
fn a_mistyped_database_is_no_backup() {
    let folder = tempfile::tempdir().unwrap();
    installation(folder.path());
    heard(
        folder.path(),
        &["client", "add", "shop", "--name", "Shop", "--redirect-uri", "https://shop.example/"],
    );
    let said = refused(folder.path(), &["export", "all.jsonl"]);
    assert!(said.contains("neither signing keys nor people"), "{said}");
    assert!(!folder.path().join("all.jsonl").exists(), "half an export is worse than none");
}

#[test]
fn a_website_can_be_registered_before_the_first_start_and_one_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    installation(folder.path());
    let line = ["client", "add", "shop", "--name", "Shop", "--redirect-uri", "https://shop.example/"];
    let said = mashang(folder.path(), &line).output().unwrap();
    assert!(said.status.success(), "{said:?}");
    let told = String::from_utf8(said.stderr).unwrap();
    assert!(told.contains("no server has started on this database yet (sqlite:"), "{told}");
    assert!(heard(folder.path(), &["client", "list"]).starts_with("shop  Shop"));
    heard(folder.path(), &["keys", "rotate", "--leaked"]);
    let again = mashang(
        folder.path(),
        &["client", "add", "two", "--name", "Two", "--redirect-uri", "https://two.example/"],
    );
    let said = { again }.output().unwrap();
    assert!(said.status.success() && said.stderr.is_empty(), "{said:?}");
}

#[test]
fn pending_migrations_are_told_and_left() {
    let folder = tempfile::tempdir().unwrap();
    installation(folder.path());
    std::fs::write(folder.path().join("mashang.db"), "").unwrap();
    let check = mashang(folder.path(), &["migrate", "--check"]).output().unwrap();
    assert_eq!(check.status.code(), Some(1));
    assert!(String::from_utf8(check.stdout).unwrap().starts_with("pending 0001 init\n"));
    assert_eq!(std::fs::read(folder.path().join("mashang.db")).unwrap(), b"");
    assert!(heard(folder.path(), &["migrate"]).starts_with("applied 0001 init\n"));
    let checked = heard(folder.path(), &["migrate", "--check"]);
    assert!(checked.starts_with("The tables are up to date: schema "), "{checked}");
}
