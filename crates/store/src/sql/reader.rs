//! Reading through a pool. Reading changes nothing, so whoever meets a connection that was lost asks again on another.

use std::future::Future;

use mashang_login::records::StoreError;
use sea_orm::DatabaseConnection;

use super::errors::{Fault, fault};
use super::patience::Patience;

/// The pool that reads.
#[derive(Debug, Clone)]
pub(super) struct Reader {
    db: DatabaseConnection,
    /// A file answers, or has a busy timeout of its own.
    patience: Option<Patience>,
}

impl Reader {
    /// Reads a file.
    pub(super) fn of_a_file(db: DatabaseConnection) -> Self {
        Self { db, patience: None }
    }

    /// Reads from a server, which may be slow or gone.
    pub(super) fn of_a_server(db: DatabaseConnection, patience: Patience) -> Self {
        Self { db, patience: Some(patience) }
    }

    /// Asks one question, again on another connection if the first one was lost, and no longer than patience lasts.
    pub(super) async fn read<'a, T, F>(
        &'a self,
        question: impl Fn(&'a DatabaseConnection) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let Some(patience) = &self.patience else { return question(&self.db).await };
        let end = patience.ends();
        let asking = async {
            let mut lost = 0;
            loop {
                match question(&self.db).await {
                    Err(error) if fault(&error) == Fault::ConnectionLost => {
                        lost += 1;
                        tokio::time::sleep(super::each::pause_after(lost)).await;
                    }
                    answer => return answer,
                }
            }
        };
        patience.wait(end, asking).await.unwrap_or_else(|| Err(patience.no_answer()))
    }
}
