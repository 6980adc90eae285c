//! What the manual says where the master key is gone for good: people, websites and sessions do not depend on it.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

mod support;

use std::path::Path;

use rusqlite::Connection;
use support::{heard, installation, mashang, refused};

/// The statements of "The master key leaked", as a manual has them.
fn statements(manual: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let manual = std::fs::read_to_string(docs.join(manual)).unwrap();
    let (_, after) = manual.split_once("```sql\ndelete from signing_keys").unwrap();
    format!("delete from signing_keys{}", after.split("```").next().unwrap())
}

#[test]
fn a_lost_master_key_takes_no_person_along() {
    let statements = statements("operating.md");
    assert_eq!(statements, self::statements("operating.zh-CN.md"));
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    installation(here);
    let settings = here.join("mashang.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(&settings, text + "\n[channel.password]\nkind = \"password\"\n").unwrap();
    heard(here, &["user", "add", "--username", "lily", "--name", "Lily", "--generate"]);
    heard(here, &["keys", "rotate", "--leaked"]);
    let (people, keys) = (heard(here, &["user", "list"]), heard(here, &["keys", "list"]));
    assert!(people.contains("Lily"), "{people}");

    std::fs::remove_file(here.join("master.key")).unwrap();
    let told = refused(here, &["doctor"]);
    assert!(told.contains("master.key: is missing") && told.contains("\"Restoring\""), "{told}");
    std::fs::write(here.join("master.key"), [9; 32]).unwrap();
    let told = mashang(here, &["keys", "rotate"]).output().unwrap();
    assert!(!told.status.success(), "another key opens nothing: {told:?}");

    Connection::open(here.join("mashang.db")).unwrap().execute_batch(&statements).unwrap();
    heard(here, &["keys", "rotate", "--leaked"]);
    assert_ne!(heard(here, &["keys", "list"]), keys);
    assert_eq!(heard(here, &["user", "list"]), people);
    assert!(heard(here, &["client", "list"]).is_empty());
    heard(here, &["audit", "verify"]);
}
