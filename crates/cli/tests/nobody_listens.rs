//! The program, where whoever read what it says has left: `mashang keys list | head -1`.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::path::Path;
use std::process::{ExitStatus, Stdio};

use support::{heard, installation, mashang};

/// A pipe that nobody reads from any more.
fn left() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn said_to_nobody(folder: &Path, line: &[&str]) -> ExitStatus {
    mashang(folder, line).stdout(left()).stderr(left()).status().unwrap()
}

#[test]
fn all_leaked_keys_are_replaced_and_recorded_although_nobody_reads_the_answer() {
    let folder = tempfile::tempdir().unwrap();
    installation(folder.path());
    heard(folder.path(), &["migrate"]);
    assert!(said_to_nobody(folder.path(), &["keys", "rotate", "--leaked"]).success());
    let keys = heard(folder.path(), &["keys", "list"]);
    for word in ["leaked: counts for nothing", "signs since"] {
        assert_eq!(keys.matches(word).count(), 3, "{keys}");
    }
    let trail = heard(folder.path(), &["audit", "list"]);
    assert_eq!(trail.matches("keys_rotated").count(), 3, "{trail}");
}

#[test]
fn the_exit_status_means_the_same_to_whoever_left() {
    let folder = tempfile::tempdir().unwrap();
    installation(folder.path());
    for line in [
        ["config", "show"].as_slice(),
        &["config", "check"],
        &["migrate"],
        &["keys", "list"],
        &["audit", "list"],
    ] {
        assert_eq!(said_to_nobody(folder.path(), line).code(), Some(0), "{line:?}");
    }
    assert_eq!(said_to_nobody(folder.path(), &["user", "show", "nobody"]).code(), Some(1));
    assert_eq!(said_to_nobody(folder.path(), &["keys", "rotate", "--algorithm", "HS256"]).code(), Some(2));
}
