//! One writer, many intentions to a commit.
//!
//! SQLite lets one connection write at a time, and what costs is the commit: the disk must answer. So intentions queue
//! up while a commit is under way and the next transaction takes all of them, each inside a savepoint of its own: one
//! that fails is undone alone. **Nobody is answered before the commit is done**, also not one that wrote nothing: what
//! it read may be its neighbour's uncommitted work.
//!
//! A caller that goes away does not interrupt its intention. PostgreSQL and MySQL write concurrently and need none of
//! this: there, `write` will run the intention in a transaction of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use mashang_login::records::StoreError;
use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::{mpsc, oneshot};

/// Most intentions in one commit.
const BATCH: usize = 64;
/// Most intentions waiting; beyond, callers wait to be let in.
const QUEUE: usize = 1024;

/// What an intention leaves behind.
pub(super) enum Outcome<T> {
    /// The answer, and what was written stays.
    Keep(T),
    /// The answer, and what was written is undone.
    Undo(T),
}

/// The steps of an intention, inside the transaction it was given. An error undoes them.
pub(super) type Steps<'t, T> = Pin<Box<dyn Future<Output = Result<Outcome<T>, StoreError>> + Send + 't>>;

/// The queue's end that callers hold. The writer stops when the last one is gone and the queue is empty.
#[derive(Clone, Debug)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Job>>);

/// The transaction around an intention failed; whether it was written is unknown.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the transaction failed")]
struct TransactionFailed(#[source] Arc<DbErr>);

/// The writer is gone, which only a panic inside it can cause.
#[derive(Debug, thiserror::Error)]
#[error("the database writer has stopped; restart Mashang")]
struct WriterStopped;

impl Writer {
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
            let (keep, result) = match intention(transaction).await {
                Ok(Outcome::Keep(answer)) => (true, Ok(answer)),
                Ok(Outcome::Undo(answer)) => (false, Ok(answer)),
                Err(error) => (false, Err(error)),
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
