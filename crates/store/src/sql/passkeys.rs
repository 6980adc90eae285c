//! Passkeys: added together with their identity, used, named.

use mashang_login::Timestamp;
use mashang_login::credentials::{AddPasskey, PasskeyRecord};
use mashang_login::identity::IdentityKey;
use mashang_login::ids::{ChannelId, SessionId, UserId};
use mashang_login::records::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder};

use super::db::{Db, Fetch, Run};
use super::entity::identities;
use super::entity::passkeys::{Column, Entity, Model};
use super::errors::{read, text, time, time_or_none};
use super::{identities as identity, sessions};

pub(super) async fn one(db: Db<'_>, key: &IdentityKey) -> Result<Option<PasskeyRecord>, StoreError> {
    Ok(those(db, key_is(key)).await?.pop())
}

/// A person's passkeys, oldest first.
pub(super) async fn of(db: Db<'_>, user: &UserId) -> Result<Vec<PasskeyRecord>, StoreError> {
    those(db, Condition::all().add(identities::Column::UserId.eq(user.as_str()))).await
}

async fn those(db: Db<'_>, which: Condition) -> Result<Vec<PasskeyRecord>, StoreError> {
    let rows = Entity::find()
        .find_also_related(identities::Entity)
        .filter(which)
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::App)
        .order_by_asc(Column::Subject)
        .fetch(db)
        .await?;
    rows.into_iter().filter_map(|(row, identity)| Some(from_row(&row, &identity?))).collect()
}

/// Adds a passkey and its identity.
pub(super) async fn add(
    db: Db<'_>,
    passkey: &PasskeyRecord,
    channel: &ChannelId,
    session: &SessionId,
    now: Timestamp,
) -> Result<AddPasskey, StoreError> {
    if !sessions::is_live(db, &passkey.user, session, now).await? {
        return Ok(AddPasskey::SessionOver);
    }
    if identity::one(db, &passkey.key).await?.is_some() {
        return Ok(AddPasskey::Known);
    }
    identity::insert_held_here(db, &passkey.key, channel, &passkey.user, now).await?;
    let row = Model {
        kind: passkey.key.kind.as_str().to_owned(),
        app: passkey.key.app.clone(),
        subject: passkey.key.subject.clone(),
        name: passkey.name.clone(),
        data: passkey.data.clone(),
        created_at: passkey.created_at.as_millisecond(),
        last_used_at: passkey.last_used_at.map(|at| at.as_millisecond()),
    };
    Entity::insert(row.into_active_model()).run(db).await?;
    Ok(AddPasskey::Done)
}

pub(super) async fn used(
    db: Db<'_>,
    key: &IdentityKey,
    data: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let done = Entity::update_many()
        .col_expr(Column::Data, Expr::value(data))
        .col_expr(Column::LastUsedAt, Expr::value(now.as_millisecond()))
        .filter(key_is(key))
        .run(db)
        .await?;
    Ok(done == 1)
}

pub(super) async fn rename(
    db: Db<'_>,
    user: &UserId,
    key: &IdentityKey,
    name: &str,
) -> Result<bool, StoreError> {
    if identity::one(db, key).await?.is_none_or(|identity| identity.user != *user) {
        return Ok(false);
    }
    let done =
        Entity::update_many().col_expr(Column::Name, Expr::value(name)).filter(key_is(key)).run(db).await?;
    Ok(done == 1)
}

fn key_is(key: &IdentityKey) -> Condition {
    Condition::all()
        .add(Column::Kind.eq(key.kind.as_str()))
        .add(Column::App.eq(&key.app))
        .add(Column::Subject.eq(&key.subject))
}

fn from_row(row: &Model, owner: &identities::Model) -> Result<PasskeyRecord, StoreError> {
    read("passkeys", &identity::shown_key(owner), || {
        Ok(PasskeyRecord {
            key: identity::key_from_columns(&row.kind, &row.app, &row.subject)?,
            user: text("user_id", &owner.user_id)?,
            name: row.name.clone(),
            data: row.data.clone(),
            created_at: time("created_at", row.created_at)?,
            last_used_at: time_or_none("last_used_at", row.last_used_at)?,
        })
    })
}
