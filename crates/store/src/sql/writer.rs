//! Writing: one intention, all of it or nothing, answered once it is committed.
//!
//! How depends on the engine: [`queue`](super::queue) for SQLite, which lets one connection write at a time, and
//! [`each`](super::each) for PostgreSQL and MySQL, which write concurrently. Intentions do not notice: they are written as
//! if each were alone.

use std::future::Future;
use std::pin::Pin;

use super::db::Db;
use super::each::Each;
use super::queue::Queue;
use mashang_login::records::StoreError;
use tokio::sync::oneshot;

/// What an intention leaves behind.
pub(super) enum Outcome<T> {
    /// The answer, and what was written stays.
    Keep(T),
    /// The answer, and what was written is undone.
    Undo(T),
}

/// The steps of an intention, inside the transaction it was given. An error undoes them.
pub(super) type Steps<'t, T> = Pin<Box<dyn Future<Output = Result<Outcome<T>, StoreError>> + Send + 't>>;

/// A bug in an intention. What it panicked with stays out: the panic hook has shown it, and it may quote a value.
#[derive(Debug, thiserror::Error)]
#[error("a write to the database panicked and was undone")]
pub(super) struct Panicked;

/// The writer of one database. Clones share it.
#[derive(Clone, Debug)]
pub(super) enum Writer {
    Queue(Queue),
    Each(Each),
}

impl Writer {
    /// Carries out one intention. It may be begun several times, each time from the start and with nothing left of the
    /// time before: that is why it must be `Clone`, and may touch nothing but the transaction.
    pub(super) async fn write<T, F>(&self, intention: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(Db<'t>) -> Steps<'t, T> + Clone + Send + 'static,
    {
        match self {
            Self::Queue(queue) => queue.write(intention).await,
            Self::Each(each) => each.write(intention).await,
        }
    }
}

/// An intention without its type and with a place for its answer: what carries intentions out is compiled once, and not for each
/// of eighty.
pub(super) trait Job: Send {
    /// Carries it out inside a transaction, from the start, and says whether what it wrote shall stay.
    fn steps<'t>(&'t mut self, db: Db<'t>) -> Carried<'t>;
    /// Answers whoever asked, who may have gone: with what the last steps answered, or with why they came to nothing.
    fn settle(self: Box<Self>, end: Result<(), StoreError>);
}

/// The steps of a [`Job`].
pub(super) type Carried<'t> = Pin<Box<dyn Future<Output = Result<bool, StoreError>> + Send + 't>>;

/// What comes of a [`Job`]; nothing if it was dropped instead of settled.
pub(super) type Answered<T> = oneshot::Receiver<Result<T, StoreError>>;

/// An intention that nobody has to name the type of any more.
pub(super) fn job<T, F>(intention: F) -> (Box<dyn Job>, Answered<T>)
where
    T: Send + 'static,
    F: for<'t> FnOnce(Db<'t>) -> Steps<'t, T> + Clone + Send + 'static,
{
    let (answer, answered) = oneshot::channel();
    (Box::new(Pending { intention, result: None, answer }), answered)
}

struct Pending<T, F> {
    intention: F,
    result: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Pending<T, F>
where
    T: Send,
    F: for<'t> FnOnce(Db<'t>) -> Steps<'t, T> + Clone + Send,
{
    fn steps<'t>(&'t mut self, db: Db<'t>) -> Carried<'t> {
        let steps = self.intention.clone()(db);
        Box::pin(async {
            let (keep, answer) = match steps.await? {
                Outcome::Keep(answer) => (true, answer),
                Outcome::Undo(answer) => (false, answer),
            };
            self.result = Some(answer);
            Ok(keep)
        })
    }

    fn settle(self: Box<Self>, end: Result<(), StoreError>) {
        let Self { result, answer, .. } = *self;
        drop(answer.send(end.map(|()| result.expect("a job is carried out before it is settled as done"))));
    }
}

/// `write!(self, |db| steps)`: one intention whose answer and writes stay; `undoable` ones decide that themselves.
macro_rules! write {
    ($self:ident, |$db:ident| $steps:expr) => {
        $self.writer.write(move |$db| Box::pin(async move { $steps.await.map(Outcome::Keep) })).await
    };
    ($self:ident, undoable |$db:ident| $steps:expr) => {
        $self.writer.write(move |$db| Box::pin(async move { $steps.await })).await
    };
}
pub(super) use write;
