//! The suite on SQLite, twice: two connections to one file, as two processes would have, and a database in memory.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::path::Path;
use std::sync::Arc;

use mashang_login::platform_token::PlatformTokens;
use mashang_login::records::Records;
use mashang_store::conformance::Nodes;
use mashang_store::conformance::records::People;
use mashang_store::sql::{SqlOptions, SqlRecords};

fn url(path: &Path) -> String {
    format!("sqlite:{}?mode=rwc", path.display())
}

async fn open(path: &Path) -> SqlRecords {
    SqlRecords::connect(&url(path), SqlOptions::default()).await.unwrap()
}

mod file {
    use super::*;

    async fn nodes() -> Nodes<dyn Records> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mashang.db");
        Nodes::new(Arc::new(open(&path).await), Arc::new(open(&path).await), folder)
    }

    mashang_store::record_suite!(nodes);
}

mod file_people {
    use super::*;

    async fn nodes() -> Nodes<dyn People> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mashang.db");
        Nodes::new(Arc::new(open(&path).await), Arc::new(open(&path).await), folder)
    }

    mashang_store::credential_suite!(nodes);
    mashang_store::consent_suite!(nodes);
    mashang_store::erasure_suite!(nodes);
    mashang_store::trail_suite!(nodes);
}

mod file_platform_tokens {
    use super::*;

    async fn nodes() -> Nodes<dyn PlatformTokens> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mashang.db");
        Nodes::new(Arc::new(open(&path).await), Arc::new(open(&path).await), folder)
    }

    mashang_store::platform_token_suite!(nodes);
}

mod memory {
    use super::*;

    async fn nodes() -> Nodes<dyn Records> {
        let records = SqlRecords::connect("sqlite::memory:", SqlOptions::default()).await.unwrap();
        Nodes::new(Arc::new(records.clone()), Arc::new(records), ())
    }

    mashang_store::record_suite!(nodes);
}

mod memory_people {
    use super::*;

    async fn nodes() -> Nodes<dyn People> {
        let records = SqlRecords::connect("sqlite::memory:", SqlOptions::default()).await.unwrap();
        Nodes::new(Arc::new(records.clone()), Arc::new(records), ())
    }

    mashang_store::credential_suite!(nodes);
    mashang_store::consent_suite!(nodes);
    mashang_store::erasure_suite!(nodes);
    mashang_store::trail_suite!(nodes);
}

mod memory_platform_tokens {
    use super::*;

    async fn nodes() -> Nodes<dyn PlatformTokens> {
        let records = SqlRecords::connect("sqlite::memory:", SqlOptions::default()).await.unwrap();
        Nodes::new(Arc::new(records.clone()), Arc::new(records), ())
    }

    mashang_store::platform_token_suite!(nodes);
}
