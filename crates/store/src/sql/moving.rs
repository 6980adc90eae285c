//! Moving records from one engine to another: [`export`] writes everything that lasts into one text, [`import`] reads it
//! into an empty database.
//!
//! The text is a line of JSON for each row, `["<table>",{<columns>}]`, tables after those they refer to, rows by primary
//! key, so that two exports of the same records are the same bytes, whatever the engine. Before them a line
//! `["mashang",{"format":1,"schema":<number of the newest migration>}]`; after them
//! `["end",{"rows":{<table>:<count>…},"sha256":"<of every byte before this line>"}]`.
//!
//! | goes along | stays behind |
//! |---|---|
//! | people, their identities, passwords, passkeys, merges, unlinked identities, consents | requests that are being answered (half an hour) |
//! | websites, signing keys and whose master key sealed them, apps' tokens | who is fetching an app's token just now |
//! | sessions, token families, codes and tokens, spent ones too: nobody is signed out, and a replay is still recognised | the count of the readiness check |
//! | the audit trail in its order, with its checkpoints | |
//!
//! What is sealed stays sealed: the other side needs the same master key. Hashes stay hashes.

mod export;
mod import;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::connect::OpenError;
pub use export::export;
pub use import::import;

/// What this module writes and reads.
const FORMAT: u32 = 1;

/// `each_table!(visit!)`: every table of the text, in its order: none refers to a later one.
macro_rules! each_table {
    ($visit:ident) => {
        $visit!(
            users,
            identities,
            passwords,
            passkeys,
            merges,
            merged_identities,
            unlinked_identities,
            stale_proofs,
            clients,
            consents,
            master_key_check,
            sandbox_use,
            signing_keys,
            platform_tokens,
            sessions,
            families,
            codes,
            access_tokens,
            refresh_tokens,
            audit_events,
            audit_checkpoints,
            audit_trimmed
        )
    };
}
use each_table;

/// The second element of the first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    /// The migration that the rows have the columns of.
    schema: i64,
}

/// The second element of the last line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    rows: BTreeMap<String, u64>,
    sha256: String,
}

/// How far an export or import is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// The table at hand.
    pub table: &'static str,
    /// Rows done, of all tables.
    pub rows: u64,
    /// Rows in all, where that is known.
    pub of: Option<u64>,
    /// Bytes written or read.
    pub bytes: u64,
}

/// What was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    /// Rows of each table, by its name.
    pub rows: BTreeMap<String, u64>,
    /// SHA-256 of all lines but the last, hexadecimal: what the last one says.
    pub sha256: String,
    /// SHA-256 of all lines, hexadecimal: what `sha256sum` says of the file.
    pub file_sha256: String,
}

/// Why records could not be moved.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// The database.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database, underway.
    #[error("the database refused {table}")]
    Database {
        /// Of which table.
        table: &'static str,
        /// What it said.
        #[source]
        source: sea_orm::DbErr,
    },
    /// The file.
    #[error("cannot read or write the export")]
    File(#[from] std::io::Error),
    /// Rows of the export that the database does not take. Nothing of them is told: they hold openids.
    #[error(
        "lines {first} to {last}: the database refused these rows of {table}: {why}; nothing was imported"
    )]
    Rows {
        /// Of which table.
        table: &'static str,
        /// Of the first of them, counted from 1.
        first: u64,
        /// Of the last of them.
        last: u64,
        /// What kind of refusal.
        why: String,
    },
    /// MySQL and MariaDB: everything is in, and the records of the trail may count on from too low a number.
    #[error(
        "all rows are in and count; only this is left to be done, once, before a node starts: \
         alter table audit_events auto_increment = {next}"
    )]
    Counter {
        /// The number of the next record.
        next: i64,
        /// What the database said.
        #[source]
        source: sea_orm::DbErr,
    },
    /// Not an export, or not a whole one.
    #[error("line {line}: {what}; nothing was imported")]
    Malformed {
        /// Counted from 1.
        line: u64,
        /// What is wrong. No value of a row is in it.
        what: String,
    },
    /// It was written by a version with other tables.
    #[error(
        "the export has the tables of schema {found}, this version of Mashang those of {known}; {}; nothing was made or changed",
        if found < known {
            "import it into a fresh database with the version that wrote it, and start this one on that afterwards"
        } else {
            "update this program first"
        }
    )]
    OtherSchema {
        /// Of the export.
        found: i64,
        /// Of this binary.
        known: i64,
    },
    /// A line was changed, or is missing.
    #[error("the checksum does not match: the export was changed or cut off; nothing was imported")]
    Checksum,
    /// There is something already.
    #[error("the database is not empty ({0} has rows); import into a fresh one")]
    NotEmpty(&'static str),
    /// What is in it was sealed with another master key.
    #[error(
        "the master key does not open {0}; put the master key file of the exported installation \
         where store.master_key_file points; nothing was imported"
    )]
    MasterKey(String),
    /// A signing key that cannot be read back.
    #[error(transparent)]
    Store(#[from] mashang_login::records::StoreError),
}
