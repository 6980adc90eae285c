//! Apps' tokens at their platforms: leased, saved, read. Every change is guarded by the condition of its `update`.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::platform_token::{PlatformTokens, StoredToken, TokenName};
use mashang_login::records::StoreError;
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};

use super::SqlRecords;
use super::db::{Db, Run};
use super::entity::platform_tokens::{Column, Entity, Model};
use super::errors::{read, time};
use super::writer::Outcome;

#[async_trait]
impl PlatformTokens for SqlRecords {
    async fn platform_token(&self, name: &TokenName) -> Result<Option<StoredToken>, StoreError> {
        self.reader.read(|db| one(db, name)).await
    }

    async fn lease_platform_token(
        &self,
        name: &TokenName,
        holder: &str,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let (name, holder) = (name.as_str().to_owned(), holder.to_owned());
        self.writer
            .write(move |db| {
                Box::pin(async move { lease(db, &name, &holder, until, now).await.map(Outcome::Keep) })
            })
            .await
    }

    async fn save_platform_token(
        &self,
        name: &TokenName,
        sealed: &[u8],
        expires_at: Timestamp,
        holder: &str,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let (name, holder, sealed) = (name.as_str().to_owned(), holder.to_owned(), sealed.to_vec());
        self.writer
            .write(move |db| {
                Box::pin(async move {
                    save(db, &name, &holder, sealed, (expires_at, now)).await.map(Outcome::Keep)
                })
            })
            .await
    }

    async fn release_platform_token(&self, name: &TokenName, holder: &str) -> Result<(), StoreError> {
        let (name, holder) = (name.as_str().to_owned(), holder.to_owned());
        self.writer
            .write(move |db| Box::pin(async move { release(db, &name, &holder).await.map(Outcome::Keep) }))
            .await
    }
}

async fn one(db: Db<'_>, name: &TokenName) -> Result<Option<StoredToken>, StoreError> {
    let row = db.by_key::<Entity>(name.as_str()).await?;
    row.map_or(Ok(None), from_row)
}

async fn lease(
    db: Db<'_>,
    name: &str,
    holder: &str,
    until: Timestamp,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let idle = Model {
        name: name.to_owned(),
        sealed: None,
        expires_at: None,
        generation: 0,
        lease_holder: None,
        lease_until: None,
    };
    Entity::insert(idle.into_active_model()).on_conflict_do_nothing_on([Column::Name]).run(db).await?;
    let is_free = Condition::any()
        .add(Column::LeaseHolder.is_null())
        .add(Column::LeaseHolder.eq(holder))
        .add(Column::LeaseUntil.lte(now.as_millisecond()));
    let taken = Entity::update_many()
        .col_expr(Column::LeaseHolder, Expr::value(holder))
        .col_expr(Column::LeaseUntil, Expr::value(until.as_millisecond()))
        .filter(Column::Name.eq(name))
        .filter(is_free)
        .run(db)
        .await?;
    Ok(taken == 1)
}

async fn save(
    db: Db<'_>,
    name: &str,
    holder: &str,
    sealed: Vec<u8>,
    (expires_at, now): (Timestamp, Timestamp),
) -> Result<Option<u64>, StoreError> {
    let saved = Entity::update_many()
        .col_expr(Column::Sealed, Expr::value(sealed))
        .col_expr(Column::ExpiresAt, Expr::value(expires_at.as_millisecond()))
        .col_expr(Column::Generation, Column::Generation.into_expr().add(1))
        .col_expr(Column::LeaseHolder, Expr::value(None::<String>))
        .col_expr(Column::LeaseUntil, Expr::value(None::<i64>))
        .filter(Column::Name.eq(name))
        .filter(Column::LeaseHolder.eq(holder))
        .filter(Column::LeaseUntil.gt(now.as_millisecond()))
        .run(db)
        .await?;
    if saved == 0 {
        return Ok(None);
    }
    let row = db.by_key::<Entity>(name).await?;
    let stored = row.map_or(Ok(None), from_row)?;
    Ok(stored.map(|token| token.generation))
}

async fn release(db: Db<'_>, name: &str, holder: &str) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::LeaseHolder, Expr::value(None::<String>))
        .col_expr(Column::LeaseUntil, Expr::value(None::<i64>))
        .filter(Column::Name.eq(name))
        .filter(Column::LeaseHolder.eq(holder))
        .run(db)
        .await?;
    Ok(())
}

/// `None` for a row that has known a lease but no token yet.
fn from_row(row: Model) -> Result<Option<StoredToken>, StoreError> {
    let (Some(sealed), Some(expires_at)) = (row.sealed, row.expires_at) else { return Ok(None) };
    read("platform_tokens", &row.name, || {
        let generation = u64::try_from(row.generation).map_err(|_| "generation is negative".to_owned())?;
        Ok(Some(StoredToken { sealed, expires_at: time("expires_at", expires_at)?, generation }))
    })
}
