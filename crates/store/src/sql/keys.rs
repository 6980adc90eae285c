//! Signing keys: added, and retired in the same transaction.

use mashang_login::Timestamp;
use mashang_login::ids::KeyId;
use mashang_login::key::{SigningAlgorithm, SigningKey};
use mashang_login::records::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use super::db::{Db, Fetch, Run};
use super::entity::signing_keys::{Column, Entity, Model};
use super::errors::{known, read, text, time, time_or_none};

pub(super) async fn all(db: Db<'_>) -> Result<Vec<SigningKey>, StoreError> {
    let oldest_first = Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id);
    let rows = oldest_first.fetch(db).await?;
    rows.into_iter().map(from_row).collect()
}

pub(super) async fn add(
    db: Db<'_>,
    key: &SigningKey,
    retires: &[KeyId],
    published_until: Timestamp,
) -> Result<(), StoreError> {
    db.insert(to_row(key)).await?;
    Entity::update_many()
        .col_expr(Column::PublishedUntil, Expr::value(published_until.as_millisecond()))
        .filter(Column::Id.is_in(retires.iter().map(KeyId::as_str)))
        // Never longer than somebody else said meanwhile: a key that leaked stays out.
        .filter(
            Condition::any()
                .add(Column::PublishedUntil.is_null())
                .add(Column::PublishedUntil.gt(published_until.as_millisecond())),
        )
        .run(db)
        .await?;
    Ok(())
}

pub(super) async fn add_first(db: Db<'_>, key: &SigningKey) -> Result<bool, StoreError> {
    let current = Entity::find()
        .filter(Column::Algorithm.eq(key.algorithm.as_str()))
        .filter(Column::PublishedUntil.is_null());
    if !current.fetch(db).await?.is_empty() {
        return Ok(false);
    }
    db.insert(to_row(key)).await?;
    Ok(true)
}

fn to_row(key: &SigningKey) -> Model {
    Model {
        id: key.id.to_string(),
        algorithm: key.algorithm.as_str().to_owned(),
        sealed_private: key.sealed_private.clone(),
        public_jwk: key.public_jwk.clone(),
        created_at: key.created_at.as_millisecond(),
        signs_from: key.signs_from.as_millisecond(),
        published_until: key.published_until.map(|at| at.as_millisecond()),
    }
}

fn from_row(row: Model) -> Result<SigningKey, StoreError> {
    read("signing_keys", &row.id, || {
        Ok(SigningKey {
            id: text("id", &row.id)?,
            algorithm: known("algorithm", SigningAlgorithm::parse(&row.algorithm))?,
            created_at: time("created_at", row.created_at)?,
            signs_from: time("signs_from", row.signs_from)?,
            published_until: time_or_none("published_until", row.published_until)?,
            sealed_private: row.sealed_private.clone(),
            public_jwk: row.public_jwk.clone(),
        })
    })
}
