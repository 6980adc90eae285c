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
//! Everybody waits for their turn equally long, from when they ask: whoever is not begun by then is refused and not written.
//! Those who ask while the file is locked do not wait for the end of those before them and then anew.
//!
//! A caller that goes away does not interrupt its intention. One that panics is undone and fails alone, like any other
//! that fails: the panic of one login must not end all writing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use mashang_login::records::StoreError;
use sea_orm::DbErr;
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use super::db::Db;
use super::errors::{Fault, fault_of};
use super::in_place::InPlace;
use super::writer::{Job, Panicked, Steps, job};

/// Most intentions in one commit.
const BATCH: usize = 256;
/// Most intentions waiting; beyond, callers wait to be let in.
const QUEUE: usize = 1024;
/// How long until a locked file is asked again.
const BETWEEN_ATTEMPTS: Duration = Duration::from_millis(5);

/// The queue's end that callers hold. The writer stops when the last one is gone and the queue is empty.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    sender: mpsc::Sender<Waiting>,
    limit: Duration,
}

/// An intention in the queue, or in the batch that is being written.
struct Waiting {
    job: Box<dyn Job>,
    /// When it must have begun.
    end: Instant,
    /// How its own steps failed, which are undone then.
    failed: Option<StoreError>,
}

/// The transaction around an intention failed; whether it was written is unknown.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the transaction failed")]
struct TransactionFailed(#[source] Arc<DbErr>);

/// Why an intention was not committed.
#[derive(Debug, Clone)]
enum Failed {
    NoTurn(NoTurn),
    Transaction(TransactionFailed),
}

/// The writer is gone, by a fault of ours.
#[derive(Debug, thiserror::Error)]
#[error("the database writer has stopped; restart Mashang")]
struct WriterStopped;

/// SQLite has ended a transaction by itself, as it does when the disk is full.
const ENDED_EARLY: &str = "the database undid the whole transaction";

/// Nothing was written.
#[derive(Debug, Clone, thiserror::Error)]
#[error(
    "the database's file took no writes for {} s: another process has locked it, or the disk does not keep up",
    limit.as_secs_f32()
)]
struct NoTurn {
    limit: Duration,
    /// That the file is locked, if it is.
    #[source]
    locked: Option<Arc<DbErr>>,
}

fn stopped() -> StoreError {
    StoreError::Unavailable(Box::new(WriterStopped))
}

impl Queue {
    /// Starts writing through `db`, which must have exactly one connection. Whoever reads through the same one holds `turn`
    /// meanwhile. An intention that has not begun after `limit` fails.
    pub(super) fn start(
        db: Arc<InPlace>,
        turn: Option<Arc<Mutex<()>>>,
        limit: Duration,
    ) -> std::io::Result<Self> {
        let (sender, queue) = mpsc::channel::<Waiting>(QUEUE);
        let thread = Thread { db, turn, queue, batch: Vec::with_capacity(BATCH), limit, is_late: false };
        std::thread::Builder::new().name("sqlite-writer".to_owned()).spawn(move || thread.run())?;
        Ok(Self { sender, limit })
    }

    /// Carries out one intention, all of it or nothing, and answers once it is committed.
    pub(super) async fn write<T, F>(&self, intention: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(Db<'t>) -> Steps<'t, T> + Clone + Send + 'static,
    {
        let (job, answered) = job(intention);
        self.send(job).await?;
        answered.await.map_err(|_| stopped())?
    }

    async fn send(&self, job: Box<dyn Job>) -> Result<(), StoreError> {
        let waiting = Waiting { job, end: now() + self.limit, failed: None };
        match timeout(self.limit, self.sender.send(waiting)).await {
            Ok(sent) => sent.map_err(|_| stopped()),
            Err(_) => Err(StoreError::Unavailable(Box::new(NoTurn { limit: self.limit, locked: None }))),
        }
    }
}

/// What the writer's thread works with.
struct Thread {
    db: Arc<InPlace>,
    turn: Option<Arc<Mutex<()>>>,
    queue: mpsc::Receiver<Waiting>,
    /// Those of the next commit, who came first in front.
    batch: Vec<Waiting>,
    limit: Duration,
    /// Set while nobody gets their turn: it is told once.
    is_late: bool,
}

impl Thread {
    fn run(mut self) {
        let mut locked = None;
        while self.gather() {
            self.refuse_the_late(locked.as_ref());
            let Some(first) = self.batch.first() else { continue };
            let patience = first.end.saturating_duration_since(now());
            locked = self.commit(patience).err();
        }
    }

    /// Takes whoever waits, and waits for somebody if there is nobody; `false` if nobody will come any more.
    fn gather(&mut self) -> bool {
        if self.batch.is_empty() && self.queue.blocking_recv_many(&mut self.batch, BATCH) == 0 {
            return false;
        }
        // Those who came while those before them waited for the file.
        while self.batch.len() < BATCH
            && let Ok(job) = self.queue.try_recv()
        {
            self.batch.push(job);
        }
        true
    }

    fn refuse_the_late(&mut self, locked: Option<&Arc<DbErr>>) {
        let now = now();
        let late: Vec<_> = self.batch.extract_if(.., |waiting| waiting.end <= now).collect();
        if late.is_empty() {
            return;
        }
        let no_turn = NoTurn { limit: self.limit, locked: locked.cloned() };
        if !std::mem::replace(&mut self.is_late, true) {
            let error = locked.map(tracing::field::display);
            tracing::error!(error, intentions = late.len(), "{no_turn}");
        }
        for waiting in late {
            waiting.settle(Err(Failed::NoTurn(no_turn.clone())));
        }
    }

    /// Carries out the batch and answers it.
    ///
    /// # Errors
    /// Another process held the file for as long as `patience`: nothing was begun, and the batch waits on.
    fn commit(&mut self, patience: Duration) -> Result<(), Arc<DbErr>> {
        let mine = self.turn.as_deref().map(Mutex::blocking_lock);
        let end = match begin(&self.db, patience) {
            Ok(()) => commit_together(&self.db, &mut self.batch),
            Err(error) if fault_of(&error) == Fault::Busy => {
                drop(mine);
                // SQLite waited in most cases, but does not in all.
                pause();
                return Err(Arc::new(error));
            }
            Err(error) => Err(error),
        };
        drop(mine);
        let end = end.map_err(|error| {
            tracing::error!(error = %error, intentions = self.batch.len(), "a transaction failed and was undone");
            Failed::Transaction(TransactionFailed(Arc::new(error)))
        });
        self.is_late &= end.is_err();
        for waiting in self.batch.drain(..) {
            waiting.settle(end.clone());
        }
        Ok(())
    }
}

/// By the clock of the writer's thread, which is in no runtime whose clock could be paused.
#[expect(clippy::disallowed_methods, reason = "both ends of the queue must look at one clock")]
fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "the thread is the writer's own")]
fn pause() {
    std::thread::sleep(BETWEEN_ATTEMPTS);
}

/// Immediate: a read-then-write transaction that began as a reader is refused when another process wrote meanwhile.
fn begin(db: &InPlace, patience: Duration) -> Result<(), DbErr> {
    db.wait_for_locks(patience)?;
    db.execute("begin immediate")
}

/// Within a transaction that has begun.
fn commit_together(db: &InPlace, batch: &mut [Waiting]) -> Result<(), DbErr> {
    let written = write_together(db, batch).and_then(|()| db.execute("commit"));
    if written.is_err() && !db.is_outside_of_transactions() {
        // What cannot be rolled back is so when the connection is used next: it refuses to begin within.
        db.execute("rollback")?;
    }
    written
}

fn write_together(db: &InPlace, batch: &mut [Waiting]) -> Result<(), DbErr> {
    for waiting in batch {
        db.execute("savepoint intention")?;
        let keep = waiting.carry_out(db);
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

impl Failed {
    fn told(self) -> StoreError {
        StoreError::Unavailable(match self {
            Self::NoTurn(why) => Box::new(why),
            Self::Transaction(why) => Box::new(why),
        })
    }
}

impl Waiting {
    /// Runs it; `true` if what it wrote shall stay.
    fn carry_out(&mut self, db: &InPlace) -> bool {
        // Unwind safe: what the steps had borrowed is the savepoint, which is rolled back, and nothing else.
        let steps =
            AssertUnwindSafe(async { self.job.steps(Db::File(db)).await }).catch_unwind().now_or_never();
        let done = steps.expect("an intention waits for nothing but its transaction");
        match done.unwrap_or_else(|_| Err(StoreError::Unavailable(Box::new(Panicked)))) {
            Ok(keep) => keep,
            Err(error) => {
                self.failed = Some(error);
                false
            }
        }
    }

    /// Answers its caller.
    fn settle(self, end: Result<(), Failed>) {
        self.job.settle(match end {
            Ok(()) => self.failed.map_or(Ok(()), Err),
            Err(why) => Err(why.told()),
        });
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;
    use sea_orm::{DbBackend, Statement};
    use tokio::sync::oneshot;

    use super::super::errors::store_error;
    use super::super::writer::Outcome;
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
        (Queue::start(db.clone(), None, Duration::from_secs(10)).unwrap(), db)
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

    /// Tells when the writer has begun with this, and holds it until the sender of `until` is dropped.
    async fn hold(
        writer: Queue,
        begun: oneshot::Sender<()>,
        until: std::sync::mpsc::Receiver<()>,
    ) -> Result<(), StoreError> {
        let held = Arc::new(std::sync::Mutex::new(Some((begun, until))));
        let intention = move |_: Db<'_>| {
            let (begun, until) = held.lock().unwrap().take().expect("it is begun once");
            begun.send(()).expect("the test waits for it");
            let _ = until.recv();
            Ok(Outcome::Keep(()))
        };
        writer.write(move |db| Box::pin(async move { intention(db) })).await
    }

    fn had_no_turn<T: std::fmt::Debug>(answer: &Result<T, StoreError>) -> bool {
        matches!(answer, Err(StoreError::Unavailable(why)) if why.is::<NoTurn>())
    }

    #[tokio::test]
    async fn promise_9_whoever_comes_while_the_file_is_locked_waits_no_longer_than_whoever_was_first() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.db");
        let other = Connection::open(&path).unwrap();
        other.execute_batch("create table notes (size integer, body blob)").unwrap();
        let db = Arc::new(InPlace::new(vec![Connection::open(&path).unwrap()]));
        let limit = Duration::from_secs(2);
        let writer = Queue::start(db.clone(), None, limit).unwrap();
        let note = async |size: usize| {
            let insert = format!("insert into notes (size) values ({size})");
            let intention = move |db: Db<'_>| execute(db, &insert).map(Outcome::Keep);
            writer.write(move |db| Box::pin(async move { intention(db) })).await
        };
        other.execute_batch("begin immediate").unwrap();
        let began = now();
        let second = async {
            // The first is no longer in the queue: its batch is under way.
            while writer.sender.capacity() < QUEUE {
                tokio::task::yield_now().await;
            }
            note(2).await
        };
        let (first, second) = tokio::join!(note(1), second);
        assert!(had_no_turn(&first) && had_no_turn(&second), "{first:?} {second:?}");
        assert!(began.elapsed() < limit * 9 / 5, "{:?}", began.elapsed());
        other.execute_batch("rollback").unwrap();
        note(3).await.unwrap();
        assert_eq!(stored(&db), [3]);
    }

    #[tokio::test]
    async fn promise_9_whoever_does_not_get_their_turn_in_time_is_refused_and_not_written() {
        let (_, db) = small_disk();
        let writer = Queue::start(db.clone(), None, Duration::from_secs(1)).unwrap();
        let (release, held) = std::sync::mpsc::channel();
        let (begun, has_begun) = oneshot::channel();
        let holding = tokio::spawn(hold(writer.clone(), begun, held));
        has_begun.await.unwrap();
        // One more than the queue has room for is not even let in, though the writer is still held.
        let mut crowd = tokio::task::JoinSet::new();
        for size in 0..=QUEUE {
            crowd.spawn(note(writer.clone(), size));
        }
        assert!(!crowd.join_next().await.unwrap().unwrap());
        drop(release);
        holding.await.unwrap().expect("it had begun in time");
        assert!(crowd.join_all().await.into_iter().all(|is_written| !is_written));
        assert!(note(writer, 7).await, "the writer goes on");
        assert_eq!(stored(&db), [7]);
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
