//! What a noun's file speaks to: a server through a pool or a transaction of SeaORM, or a file [in place](super::in_place).
//!
//! Queries are SeaORM's, but they are run by [`Fetch`] and [`Run`] instead of its own methods, whose answers only the
//! drivers it knows can make. Errors come out as ours.

use std::future::Future;

use mashang_login::records::StoreError;
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr,
    EntityTrait, IntoActiveModel, QueryTrait, Related, Select, SelectTwo, Statement,
};
use serde::de::DeserializeOwned;

use super::errors::store_error;
use super::in_place::InPlace;
use super::row::Joined;
use super::texts::Key;

/// Where a noun reads, or the transaction in which it writes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Db<'c> {
    Pool(&'c DatabaseConnection),
    Transaction(&'c DatabaseTransaction),
    File(&'c InPlace),
}

impl Db<'_> {
    pub(super) fn backend(self) -> DbBackend {
        match self {
            Self::Pool(pool) => pool.get_database_backend(),
            Self::Transaction(transaction) => transaction.get_database_backend(),
            Self::File(_) => DbBackend::Sqlite,
        }
    }

    /// The row of `E` that has this primary key, if it is there.
    pub(super) async fn by_key<E>(self, key: impl Into<Key<E>>) -> Result<Option<E::Model>, StoreError>
    where
        E: EntityTrait<Model: DeserializeOwned>,
    {
        match self {
            Self::File(file) => file.by_key::<E>(key.into()).map_err(store_error),
            Self::Pool(_) | Self::Transaction(_) => E::find_by_id(key).fetch_one(self).await,
        }
    }

    /// The same, and the row of `F` that it belongs to.
    pub(super) async fn by_key_with<E, F>(
        self,
        key: impl Into<Key<E>>,
    ) -> Result<Option<Joined<E, F>>, StoreError>
    where
        E: EntityTrait<Model: DeserializeOwned> + Related<F>,
        F: EntityTrait<Model: DeserializeOwned>,
    {
        match self {
            Self::File(file) => file.by_key_with::<E, F>(key.into()).map_err(store_error),
            Self::Pool(_) | Self::Transaction(_) => {
                E::find_by_id(key).find_also_related(F::default()).fetch_one(self).await
            }
        }
    }

    /// A new row. [`StoreError::Conflict`] if a value that must be unique is there.
    pub(super) async fn insert<A: ActiveModelTrait + Send>(
        self,
        row: impl IntoActiveModel<A>,
    ) -> Result<(), StoreError> {
        let row = row.into_active_model();
        match self {
            Self::File(file) => file.insert(row).map_err(store_error),
            Self::Pool(_) | Self::Transaction(_) => A::Entity::insert(row).run(self).await.map(drop),
        }
    }

    async fn execute(self, statement: Statement) -> Result<u64, DbErr> {
        let executed = match self {
            Self::Pool(pool) => pool.execute_raw(statement).await?,
            Self::Transaction(transaction) => transaction.execute_raw(statement).await?,
            Self::File(file) => return file.run(&statement),
        };
        Ok(executed.rows_affected())
    }
}

/// A query with rows.
pub(super) trait Fetch {
    /// What a row becomes.
    type Row;

    /// All rows.
    fn fetch(self, db: Db<'_>) -> impl Future<Output = Result<Vec<Self::Row>, StoreError>> + Send;

    /// The row that the query names by a primary or unique key, if it is there.
    ///
    /// Not SeaORM's `one()`: that adds `limit ?` with the number as a bound value, and since 3.47 SQLite plans such a
    /// statement anew each time its limit is bound, which made parsing SQL half of the work of a look-up. A key has one row
    /// at most, so there is nothing to limit.
    fn fetch_one(self, db: Db<'_>) -> impl Future<Output = Result<Option<Self::Row>, StoreError>> + Send
    where
        Self: Sized + Send,
    {
        async move { Ok(self.fetch(db).await?.pop()) }
    }
}

impl<E> Fetch for Select<E>
where
    E: EntityTrait<Model: DeserializeOwned>,
{
    type Row = E::Model;

    async fn fetch(self, db: Db<'_>) -> Result<Vec<E::Model>, StoreError> {
        let fetched = match db {
            Db::Pool(pool) => self.all(pool).await,
            Db::Transaction(transaction) => self.all(transaction).await,
            Db::File(file) => file.rows(&self.build(DbBackend::Sqlite), |columns| columns.model::<E>()),
        };
        fetched.map_err(store_error)
    }
}

impl<E, F> Fetch for SelectTwo<E, F>
where
    E: EntityTrait<Model: DeserializeOwned>,
    F: EntityTrait<Model: DeserializeOwned>,
{
    type Row = Joined<E, F>;

    async fn fetch(self, db: Db<'_>) -> Result<Vec<Self::Row>, StoreError> {
        let fetched = match db {
            Db::Pool(pool) => self.all(pool).await,
            Db::Transaction(transaction) => self.all(transaction).await,
            Db::File(file) => file.rows(&self.build(DbBackend::Sqlite), |columns| columns.joined::<E, F>()),
        };
        fetched.map_err(store_error)
    }
}

/// The one text column that `select` names, of all its rows.
pub(super) async fn texts<E: EntityTrait>(select: Select<E>, db: Db<'_>) -> Result<Vec<String>, StoreError> {
    let fetched = match db {
        Db::Pool(pool) => select.into_tuple().all(pool).await,
        Db::Transaction(transaction) => select.into_tuple().all(transaction).await,
        Db::File(file) => file.rows(&select.build(DbBackend::Sqlite), |columns| columns.value()),
    };
    fetched.map_err(store_error)
}

/// A query that writes.
pub(super) trait Run {
    /// Runs it, and says how many rows that changed.
    fn run(self, db: Db<'_>) -> impl Future<Output = Result<u64, StoreError>> + Send;
}

impl<Q: QueryTrait + Send> Run for Q {
    async fn run(self, db: Db<'_>) -> Result<u64, StoreError> {
        db.execute(self.build(db.backend())).await.map_err(store_error)
    }
}
