//! One writer, many intentions to a commit.
//!
//! SQLite lets one connection write at a time, and what costs is the commit: the disk must answer. So intentions queue
//! up while a commit is under way and the next transaction takes all of them, each inside a savepoint of its own: one
//! that fails is undone alone. **Nobody is answered before the commit is done**, also not one that wrote nothing: what
//! it read may be its neighbour's uncommitted work.
//!
//! The writer is a thread: statements run [in place](super::in_place), so that an intention is one call from its first
//! statement to its last, and the thread sleeps in the disk's answer and, if another process has locked the file, in SQLite.
//!
//! A caller that goes away does not interrupt its intention. One that panics is undone and fails alone, like any other
//! that fails: the panic of one login must not end all writing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use mashang_login::records::StoreError;
use sea_orm::DbErr;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::db::Db;
use super::in_place::InPlace;
use super::writer::{Outcome, Panicked, Steps};

/// Most intentions in one commit.
const BATCH: usize = 256;
/// Most intentions waiting; beyond, callers wait to be let in.
const QUEUE: usize = 1024;

/// The queue's end that callers hold. The writer stops when the last one is gone and the queue is empty.
#[derive(Clone, Debug)]
pub(super) struct Queue(mpsc::Sender<Box<dyn Job>>);

/// The transaction around an intention failed; whether it was written is unknown.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the transaction failed")]
struct TransactionFailed(#[source] Arc<DbErr>);

/// The writer is gone, by a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("the database writer has stopped; restart Mashang")]
struct WriterStopped;

/// SQLite has ended a transaction by itself, as it does when the disk is full.
const ENDED_EARLY: &str = "the database undid the whole transaction";

impl Queue {
    /// Starts writing through `db`, which must have exactly one connection. Whoever reads through the same one holds `turn`
    /// meanwhile.
    pub(super) fn start(db: Arc<InPlace>, turn: Option<Arc<Mutex<()>>>) -> std::io::Result<Self> {
        let (sender, mut queue) = mpsc::channel::<Box<dyn Job>>(QUEUE);
        std::thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || {
            let mut batch = Vec::with_capacity(BATCH);
            while queue.blocking_recv_many(&mut batch, BATCH) > 0 {
                let mine = turn.as_deref().map(Mutex::blocking_lock);
                let end = commit_together(&db, &mut batch).map_err(|error| {
                    tracing::error!(error = %error, intentions = batch.len(), "a transaction failed and was undone");
                    TransactionFailed(Arc::new(error))
                });
                drop(mine);
                for job in batch.drain(..) {
                    job.settle(end.clone());
                }
            }
        })?;
        Ok(Self(sender))
    }

    /// Carries out one intention, all of it or nothing, and answers once it is committed.
    pub(super) async fn write<T, F>(&self, intention: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(Db<'t>) -> Steps<'t, T> + Send + 'static,
    {
        let stopped = || StoreError::Unavailable(Box::new(WriterStopped));
        let (answer, answered) = oneshot::channel();
        let job = Pending { intention: Some(intention), result: None, answer };
        self.0.send(Box::new(job)).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// Immediate: a read-then-write transaction that began as a reader is refused when another process wrote meanwhile.
fn commit_together(db: &InPlace, batch: &mut [Box<dyn Job>]) -> Result<(), DbErr> {
    db.execute("begin immediate")?;
    let written = write_together(db, batch).and_then(|()| db.execute("commit"));
    if written.is_err() && !db.is_outside_of_transactions() {
        // What cannot be rolled back is so when the connection is used next: it refuses to begin within.
        db.execute("rollback")?;
    }
    written
}

fn write_together(db: &InPlace, batch: &mut [Box<dyn Job>]) -> Result<(), DbErr> {
    for job in batch {
        db.execute("savepoint intention")?;
        let keep = job.carry_out(db);
        if db.is_outside_of_transactions() {
            return Err(DbErr::Custom(ENDED_EARLY.to_owned()));
        }
        if !keep {
            db.execute("rollback to intention")?;
        }
        db.execute("release intention")?;
    }
    Ok(())
}

/// An intention without its type.
trait Job: Send {
    /// Runs it; `true` if what it wrote shall stay.
    fn carry_out(&mut self, db: &InPlace) -> bool;
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
    F: for<'t> FnOnce(Db<'t>) -> Steps<'t, T> + Send,
{
    fn carry_out(&mut self, db: &InPlace) -> bool {
        let intention = self.intention.take().expect("a job is carried out once");
        // Unwind safe: what the steps had borrowed is the savepoint, which is rolled back, and nothing else.
        let steps = AssertUnwindSafe(async move { intention(Db::File(db)).await }).catch_unwind();
        let done = steps.now_or_never().expect("an intention waits for nothing but its transaction");
        let (keep, result) = match done {
            Ok(Ok(Outcome::Keep(answer))) => (true, Ok(answer)),
            Ok(Ok(Outcome::Undo(answer))) => (false, Ok(answer)),
            Ok(Err(error)) => (false, Err(error)),
            Err(_) => (false, Err(StoreError::Unavailable(Box::new(Panicked)))),
        };
        self.result = Some(result);
        keep
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
    use rusqlite::Connection;
    use sea_orm::{DbBackend, Statement};

    use super::super::errors::store_error;
    use super::*;

    /// A statement of an intention of these tests.
    fn execute(db: Db<'_>, sql: &str) -> Result<(), StoreError> {
        let Db::File(file) = db else { panic!("the queue writes files") };
        file.execute(sql).map_err(store_error)
    }

    /// A writer on a database that is full after 40 pages, and a table.
    fn small_disk() -> (Queue, Arc<InPlace>) {
        let connection = Connection::open_in_memory().unwrap();
        let prepare = "pragma max_page_count = 40; create table notes (size integer, body blob)";
        connection.execute_batch(prepare).unwrap();
        let db = Arc::new(InPlace::new(vec![connection]));
        (Queue::start(db.clone(), None).unwrap(), db)
    }

    /// What is there, when nothing is being written.
    fn stored(db: &InPlace) -> Vec<i64> {
        let all = Statement::from_string(DbBackend::Sqlite, "select size from notes order by rowid");
        db.rows(&all, |columns| columns.value()).unwrap()
    }

    async fn note(writer: Queue, size: usize) -> bool {
        let insert = format!("insert into notes (size, body) values ({size}, zeroblob({size}))");
        let written = writer.write(move |db| {
            Box::pin(async move {
                execute(db, &insert)?;
                Ok(Outcome::Keep(()))
            })
        });
        written.await.is_ok()
    }

    #[tokio::test]
    async fn promise_9_a_full_disk_fails_what_does_not_fit_and_acknowledges_only_what_is_there() {
        let (writer, db) = small_disk();
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
        assert_eq!(stored(&db), acknowledged.into_iter().map(|size| size as i64).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn promise_9_a_panic_fails_its_own_intention_and_the_writer_goes_on() {
        let (writer, db) = small_disk();
        let panicking = writer.write::<(), _>(|db| {
            Box::pin(async move {
                execute(db, "insert into notes (size) values (666)")?;
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
        assert_eq!(stored(&db), [1, 2, 3]);
    }

    #[tokio::test]
    async fn an_undone_intention_answers_and_leaves_nothing() {
        let (writer, db) = small_disk();
        let answer = writer.write(|db| {
            Box::pin(async move {
                execute(db, "insert into notes (size) values (1)")?;
                Ok(Outcome::Undo("seen"))
            })
        });
        assert_eq!(answer.await.unwrap(), "seen");
        assert_eq!(stored(&db), Vec::<i64>::new());
    }
}
