//! Token families: everything issued from one answered grant, live and revoked together.

use std::collections::BTreeMap;

use mashang_login::Timestamp;
use mashang_login::consent::Holding;
use mashang_login::grant::Family;
use mashang_login::ids::{ClientId, UserId};
use mashang_login::records::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, JoinType, QueryFilter, QuerySelect, RelationTrait};

use super::db::{Db, Fetch, Run};
use super::entity::families::{Column, Entity, Model, Relation};
use super::entity::{clients, users};
use super::errors::{json, read, text, time, time_or_none, to_json};
use super::identities;

pub(super) async fn open(db: Db<'_>, family: &Family) -> Result<(), StoreError> {
    db.insert(to_row(family)).await
}

/// A family, live or not. The rows that point at one guarantee that it exists.
pub(super) async fn one(db: Db<'_>, id: &str) -> Result<Option<Family>, StoreError> {
    let row = db.by_key::<Entity>(id).await?;
    row.map(from_row).transpose()
}

/// A family that is live at `now`, of a person and a client that are switched on (SEC-40).
pub(super) async fn live(db: Db<'_>, id: &str, now: Timestamp) -> Result<Option<Family>, StoreError> {
    let live = Entity::find_by_id(id)
        .join(JoinType::InnerJoin, Relation::User.def())
        .join(JoinType::InnerJoin, Relation::Client.def())
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.as_millisecond()))
        .filter(users::Column::DisabledAt.is_null())
        .filter(clients::Column::DisabledAt.is_null());
    live.fetch_one(db).await?.map(from_row).transpose()
}

/// What websites hold of a person, by client id.
pub(super) async fn holdings_of(
    db: Db<'_>,
    user: &UserId,
    now: Timestamp,
) -> Result<Vec<Holding>, StoreError> {
    let live = Entity::find()
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::RevokedAt.is_null())
        .filter(Column::ExpiresAt.gt(now.as_millisecond()));
    let mut by_client = BTreeMap::new();
    for row in live.fetch(db).await? {
        let Family { client, scope, auth_time: since, .. } = from_row(row)?;
        let held =
            by_client.entry(client.to_string()).or_insert(Holding { client, scope: scope.clone(), since });
        held.scope = held.scope.union(&scope);
        held.since = held.since.max(since);
    }
    Ok(by_client.into_values().collect())
}

/// Revokes a family. The first moment stays.
pub(super) async fn revoke(db: Db<'_>, id: &str, now: Timestamp) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now.as_millisecond()))
        .filter(Column::Id.eq(id))
        .filter(Column::RevokedAt.is_null())
        .run(db)
        .await?;
    Ok(())
}

/// Revokes all that a website holds of a person.
pub(super) async fn revoke_of(
    db: Db<'_>,
    user: &UserId,
    client: &ClientId,
    now: Timestamp,
) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::RevokedAt, Expr::value(now.as_millisecond()))
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::ClientId.eq(client.as_str()))
        .filter(Column::RevokedAt.is_null())
        .run(db)
        .await?;
    Ok(())
}

fn to_row(family: &Family) -> Model {
    Model {
        id: family.id.to_string(),
        client_id: family.client.to_string(),
        user_id: family.user.to_string(),
        session_id: family.session.to_string(),
        ends_with: family.session.to_string(),
        identity_kind: family.identity.kind.as_str().to_owned(),
        identity_app: family.identity.app.clone(),
        identity_subject: family.identity.subject.clone(),
        scope: to_json(&family.scope),
        auth_time: family.auth_time.as_millisecond(),
        amr: family.amr.clone(),
        expires_at: family.expires_at.as_millisecond(),
        revoked_at: family.revoked_at.map(|at| at.as_millisecond()),
    }
}

pub(super) fn from_row(row: Model) -> Result<Family, StoreError> {
    read("families", &row.id, || {
        Ok(Family {
            id: text("id", &row.id)?,
            client: text("client_id", &row.client_id)?,
            user: text("user_id", &row.user_id)?,
            session: text("session_id", &row.session_id)?,
            identity: identities::key_from_columns(
                &row.identity_kind,
                &row.identity_app,
                &row.identity_subject,
            )?,
            scope: json("scope", &row.scope)?,
            auth_time: time("auth_time", row.auth_time)?,
            expires_at: time("expires_at", row.expires_at)?,
            revoked_at: time_or_none("revoked_at", row.revoked_at)?,
            amr: row.amr.clone(),
        })
    })
}
