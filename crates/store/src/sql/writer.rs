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
