//! Accounts of WeChat that were taken from a person. Their unionid, which the person's other identities carry too, must not lead
//! them back: whoever unlinks is told that it does not (SEC-39). Only linking it again does. Nothing else has a unionid, and is
//! not remembered (SEC-90).

use mashang_login::Timestamp;
use mashang_login::identity::IdentityKey;
use mashang_login::ids::UserId;
use mashang_login::records::StoreError;
use sea_orm::{ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter};

use super::db::{Db, Fetch, Run};
use super::entity::unlinked_identities::{Column, Entity, Model};
use super::errors::{read, text};
use super::people;

/// Writes down that the identity was taken from the person.
pub(super) async fn remember(
    db: Db<'_>,
    key: &IdentityKey,
    user: &UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = Model {
        kind: key.kind.as_str().to_owned(),
        app: key.app.clone(),
        subject: key.subject.clone(),
        user_id: user.to_string(),
        unlinked_at: now.as_millisecond(),
    };
    Entity::insert(row.into_active_model())
        .on_conflict_do_nothing_on([Column::Kind, Column::App, Column::Subject, Column::UserId])
        .run(db)
        .await?;
    Ok(())
}

/// Whether the identity was taken from the person, or from somebody who was merged into them since.
pub(super) async fn was_taken(db: Db<'_>, key: &IdentityKey, from: &UserId) -> Result<bool, StoreError> {
    for row in Entity::find().filter(key_is(key)).fetch(db).await? {
        let user = read("unlinked_identities", &row.user_id, || text("user_id", &row.user_id))?;
        if people::is_now(db, user, from).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The person linked the identity again.
pub(super) async fn forget(db: Db<'_>, key: &IdentityKey, user: &UserId) -> Result<(), StoreError> {
    Entity::delete_many().filter(key_is(key)).filter(Column::UserId.eq(user.as_str())).run(db).await?;
    Ok(())
}

fn key_is(key: &IdentityKey) -> Condition {
    Condition::all()
        .add(Column::Kind.eq(key.kind.as_str()))
        .add(Column::App.eq(&key.app))
        .add(Column::Subject.eq(&key.subject))
}
