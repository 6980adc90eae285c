//! What `docs/privacy.md` tells operators of is what is stored: a table that is added has to be told of in both languages.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::collections::BTreeSet;
use std::path::Path;

const MANUALS: [&str; 2] = ["privacy.md", "privacy.zh-CN.md"];

/// The names after `create table` of all migrations in a folder.
fn tables(dialect: &str) -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(dialect);
    let mut names = BTreeSet::new();
    for file in std::fs::read_dir(folder).unwrap() {
        let sql = std::fs::read_to_string(file.unwrap().path()).unwrap();
        for line in sql.lines() {
            let made =
                line.strip_prefix("create table ").or_else(|| line.strip_prefix("create unlogged table "));
            names.extend(made.and_then(|rest| rest.split_whitespace().next()).map(str::to_owned));
        }
    }
    names
}

/// The names in the first cell of the rows of a page's tables.
fn rows(manual: &str) -> BTreeSet<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let text = std::fs::read_to_string(docs.join(manual)).unwrap();
    let cells = text.lines().filter_map(|line| line.strip_prefix("| ")?.split('|').next());
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    names.map(str::to_owned).collect()
}

#[test]
fn sec_90_every_table_is_told_of_in_both_languages() {
    let lasting = tables("sqlite");
    assert!(lasting.contains("users") && lasting.contains("sandbox_use"), "{lasting:?}");
    let open = tables("postgres_tickets");
    assert!(open.contains("challenges"), "{open:?}");
    for manual in MANUALS {
        let told = rows(manual);
        let missing: Vec<_> = lasting.union(&open).filter(|name| !told.contains(*name)).collect();
        assert!(missing.is_empty(), "docs/{manual} has no row for {missing:?}");
    }
}
