//! One writer, many intentions to a commit.
//!
//! SQLite lets one connection write at a time, and what costs is the commit: the disk must answer. So intentions queue
//! up while a commit is under way and the next transaction takes all of them, each inside a savepoint of its own: one
//! that fails is undone alone. **Nobody is answered before the commit is done**, also not one that wrote nothing: what
//! it read may be its neighbour's uncommitted work.
//!
//! A caller that goes away does not interrupt its intention. One that panics is undone and fails alone, like any other
//! that fails: the panic of one login must not end all writing.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;

use futures_util::FutureExt;
use mashang_login::records::StoreError;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

use super::writer::{Outcome, Panicked, Steps};

/// Most intentions in one commit.
const BATCH: usize = 64;
/// Most intentions waiting; beyond, callers wait to be let in.
const QUEUE: usize = 1024;

/// The queue's end that callers hold. The writer stops when the last one is gone and the queue is empty.
#[derive(Clone, Debug)]
pub(super) struct Queue(mpsc::Sender<Box<dyn Job>>);

/// The transaction around an intention failed; whether it was written is unknown.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the transaction failed")]
struct TransactionFailed(#[source] Arc<DbErr>);

/// The writer is gone: its runtime has ended.
#[derive(Debug, thiserror::Error)]
#[error("the database writer has stopped; restart Mashang")]
struct WriterStopped;

impl Queue {
    /// Starts writing through `db`, which must hold exactly one connection.
    pub(super) fn start(db: DatabaseConnection) -> Self {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(BATCH);
            while queue.recv_many(&mut batch, BATCH).await > 0 {
                let end = commit_together(&db, &mut batch).await.map_err(|error| {
                    tracing::error!(error = %error, intentions = batch.len(), "a transaction failed and was undone");
                    TransactionFailed(Arc::new(error))
                });
                for job in batch.drain(..) {
                    job.settle(end.clone());
                }
            }
        });
        Self(sender)
    }

    /// Carries out one intention, all of it or nothing, and answers once it is committed.
    pub(super) async fn write<T, F>(&self, intention: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t DatabaseTransaction) -> Steps<'t, T> + Send + 'static,
    {
        let stopped = || StoreError::Unavailable(Box::new(WriterStopped));
        let (answer, answered) = oneshot::channel();
        let job = Pending { intention: Some(intention), result: None, answer };
        self.0.send(Box::new(job)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

async fn commit_together(db: &DatabaseConnection, batch: &mut [Box<dyn Job>]) -> Result<(), DbErr> {
    // Immediate: a read-then-write transaction that began as a reader is refused when another process wrote meanwhile.
    let options = TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    let transaction = db.begin_with_options(options).await?;
    for job in batch {
        let savepoint = transaction.begin().await?;
        if job.carry_out(&savepoint).await {
            savepoint.commit().await?;
        } else {
            savepoint.rollback().await?;
        }
    }
    transaction.commit().await
}

/// An intention without its type.
trait Job: Send {
    /// Runs it; `true` if what it wrote shall stay.
    fn carry_out<'a>(
        &'a mut self,
        transaction: &'a DatabaseTransaction,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>>;
    /// Answers its caller.
    fn settle(self: Box<Self>, end: Result<(), TransactionFailed>);
}

struct Pending<T, F> {
    intention: Option<F>,
    result: Option<Result<T, StoreError>>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: for<'t> FnOnce(&'t DatabaseTransaction) -> Steps<'t, T> + Send,
{
    fn carry_out<'a>(
        &'a mut self,
        transaction: &'a DatabaseTransaction,
    ) -> Pin<Box<dyn Future<Output = bool> + Send + 'a>> {
        Box::pin(async move {
            let intention = self.intention.take().expect("a job is carried out once");
            // Unwind safe: what the steps had borrowed is the savepoint, which is rolled back, and nothing else.
            let steps = AssertUnwindSafe(async move { intention(transaction).await });
            let (keep, result) = match steps.catch_unwind().await {
                Ok(Ok(Outcome::Keep(answer))) => (true, Ok(answer)),
                Ok(Ok(Outcome::Undo(answer))) => (false, Ok(answer)),
                Ok(Err(error)) => (false, Err(error)),
                Err(_) => (false, Err(StoreError::Unavailable(Box::new(Panicked)))),
            };
            self.result = Some(result);
            keep
        })
    }

    fn settle(self: Box<Self>, end: Result<(), TransactionFailed>) {
        let result = match end {
            Ok(()) => self.result.expect("a committed job was carried out"),
            Err(failed) => Err(StoreError::Unavailable(Box::new(failed))),
        };
        // Whoever asked may have gone; what was committed stays committed.
        drop(self.answer.send(result));
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectionTrait, SqlxSqliteConnector};
    use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

    use super::super::errors::store_error;
    use super::*;

    /// A writer on a database that is full after 40 pages, and a table.
    async fn small_disk() -> (Queue, sqlx::SqlitePool) {
        let options = SqliteConnectOptions::new().in_memory(true).pragma("max_page_count", "40");
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        sqlx::query("create table notes (size integer, body blob)").execute(&pool).await.unwrap();
        (Queue::start(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.clone())), pool)
    }

    async fn note(writer: Queue, size: usize) -> bool {
        let insert = format!("insert into notes (size, body) values ({size}, zeroblob({size}))");
        let written = writer.write(move |db| {
            Box::pin(async move {
                db.execute_unprepared(&insert).await.map_err(store_error)?;
                Ok(Outcome::Keep(()))
            })
        });
        written.await.is_ok()
    }

    #[tokio::test]
    async fn promise_9_a_full_disk_fails_what_does_not_fit_and_acknowledges_only_what_is_there() {
        let (writer, pool) = small_disk().await;
        let mut acknowledged = Vec::new();
        for _ in 0..3 {
            // On one thread these queue up together: the large one fails in the middle of a batch.
            let sizes = [10, 20, 1_000_000, 30, 40];
            let answers = tokio::join!(
                note(writer.clone(), sizes[0]),
                note(writer.clone(), sizes[1]),
                note(writer.clone(), sizes[2]),
                note(writer.clone(), sizes[3]),
                note(writer.clone(), sizes[4]),
            );
            assert!(!answers.2, "it does not fit");
            let answers = [answers.0, answers.1, answers.2, answers.3, answers.4];
            acknowledged.extend(sizes.into_iter().zip(answers).filter(|(_, ok)| *ok).map(|(size, _)| size));
        }
        assert!(note(writer, 50).await, "the writer goes on");
        acknowledged.push(50);
        let stored: Vec<i64> =
            sqlx::query_scalar("select size from notes order by rowid").fetch_all(&pool).await.unwrap();
        assert_eq!(stored, acknowledged.into_iter().map(|size| size as i64).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn promise_9_a_panic_fails_its_own_intention_and_the_writer_goes_on() {
        let (writer, pool) = small_disk().await;
        let panicking = writer.write::<(), _>(|db| {
            Box::pin(async move {
                db.execute_unprepared("insert into notes (size) values (666)").await.map_err(store_error)?;
                panic!("a bug in one intention")
            })
        });
        // On one thread these queue up together: the panic is in the middle of a batch.
        let (before, panicked, after) =
            tokio::join!(note(writer.clone(), 1), panicking, note(writer.clone(), 2));
        assert!(
            matches!(&panicked, Err(StoreError::Unavailable(why)) if why.is::<Panicked>()),
            "{panicked:?}"
        );
        assert!(before && after, "its neighbours are written");
        assert!(note(writer, 3).await, "and so is what comes later");
        let stored: Vec<i64> =
            sqlx::query_scalar("select size from notes order by rowid").fetch_all(&pool).await.unwrap();
        assert_eq!(stored, [1, 2, 3]);
    }

    #[tokio::test]
    async fn an_undone_intention_answers_and_leaves_nothing() {
        let (writer, pool) = small_disk().await;
        let answer = writer.write(|db| {
            Box::pin(async move {
                db.execute_unprepared("insert into notes (size) values (1)").await.map_err(store_error)?;
                Ok(Outcome::Undo("seen"))
            })
        });
        assert_eq!(answer.await.unwrap(), "seen");
        let stored: i64 = sqlx::query_scalar("select count(*) from notes").fetch_one(&pool).await.unwrap();
        assert_eq!(stored, 0);
    }
}
