//! Reading through a pool. Reading changes nothing, so whoever meets a connection that was lost asks again on another, and
//! whoever meets a file that another process has locked comes again a little later.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use mashang_login::records::StoreError;
use sea_orm::DatabaseConnection;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};

use super::db::Db;
use super::each::pause_after;
use super::errors::{Fault, fault};
use super::in_place::InPlace;
use super::patience::Patience;

/// How long until a locked file is asked again.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(5);

/// What reads.
#[derive(Debug, Clone)]
pub(super) enum Reader {
    /// It may be slow or gone.
    Server(DatabaseConnection, Patience),
    /// It answers at once, unless another process has locked it: so long that is waited for.
    File(Arc<InPlace>, Duration),
    /// The writer's connection. Whoever holds the lock has it for now.
    Memory(Arc<InPlace>, Arc<Mutex<()>>),
}

impl Reader {
    /// Asks one question, again if a connection was lost or a file was locked, and no longer than patience lasts.
    pub(super) async fn read<'a, T, F>(&'a self, question: impl Fn(Db<'a>) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        match self {
            Self::Server(pool, patience) => {
                let asking = until_reached(|| question(Db::Pool(pool)));
                patience.wait(patience.ends(), asking).await.unwrap_or_else(|| Err(patience.no_answer()))
            }
            Self::File(file, busy) => until_unlocked(*busy, || question(Db::File(file))).await,
            Self::Memory(db, turn) => {
                let _mine = turn.lock().await;
                question(Db::File(db)).await
            }
        }
    }
}

async fn until_reached<T, F>(ask: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut lost = 0;
    loop {
        match ask().await {
            Err(error) if fault(&error) == Fault::ConnectionLost => {
                lost += 1;
                sleep(pause_after(lost)).await;
            }
            answer => return answer,
        }
    }
}

/// SQLite's own way of waiting would hold up the thread, and with it whoever else is served there.
async fn until_unlocked<T, F>(busy: Duration, ask: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut give_up = None;
    loop {
        match ask().await {
            Err(error) if fault(&error) == Fault::Busy => {
                if *give_up.get_or_insert_with(|| Instant::now() + busy) <= Instant::now() {
                    return Err(error);
                }
                sleep(BETWEEN_ATTEMPTS).await;
            }
            answer => return answer,
        }
    }
}
