//! Sessions: a browser in which a person is signed in, and what ends with it.

use mashang_login::Timestamp;
use mashang_login::identity::IdentityKey;
use mashang_login::ids::{SessionId, UserId};
use mashang_login::records::StoreError;
use mashang_login::secret::SecretHash;
use mashang_login::session::Session;
use mashang_login::user::User;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use super::db::{Db, Fetch, Run};
use super::entity::sessions::{Column, Entity, Model, Relation};
use super::entity::{families, users};
use super::errors::{hash, read, text, time};
use super::{identities, people};

pub(super) async fn begin(db: Db<'_>, session: &Session) -> Result<(), StoreError> {
    db.insert(to_row(session)).await
}

/// A session that is live at `now`, and its person, switched off or not.
pub(super) async fn with_user(
    db: Db<'_>,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<(Session, User)>, StoreError> {
    let found = db.by_key_with::<Entity, users::Entity>(secret.to_text()).await?;
    match found {
        Some((session, Some(user))) if session.expires_at > now.as_millisecond() => {
            Ok(Some((from_row(session)?, people::user_from_row(user)?)))
        }
        _ => Ok(None),
    }
}

/// A live session of a person who is not switched off (SEC-40).
pub(super) async fn live(
    db: Db<'_>,
    secret: &SecretHash,
    now: Timestamp,
) -> Result<Option<Session>, StoreError> {
    let found = with_user(db, secret, now).await?;
    Ok(found.filter(|(_, user)| user.disabled_at.is_none()).map(|(session, _)| session))
}

/// Whether a session is live, and the person's own, and they are not switched off: asked in the transaction that does what it asks
/// for, since working that out may take seconds in which the person ends the session.
pub(super) async fn is_live(
    db: Db<'_>,
    user: &UserId,
    session: &SessionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    Ok(people::user(db, user).await?.is_some_and(|user| user.disabled_at.is_none())
        && of(db, user, now).await?.iter().any(|theirs| theirs.id == *session))
}

/// Ends a session and revokes what came from it.
pub(super) async fn end(db: Db<'_>, secret: &SecretHash, now: Timestamp) -> Result<bool, StoreError> {
    let Some(row) = take(db, secret).await? else { return Ok(false) };
    revoke_families(db, &row.id, now).await?;
    Ok(true)
}

/// Ends one of a person's sessions, live or not.
pub(super) async fn end_one_of(
    db: Db<'_>,
    user: &UserId,
    session: &SessionId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let gone = Entity::delete_many()
        .filter(Column::Id.eq(session.as_str()))
        .filter(Column::UserId.eq(user.as_str()))
        .run(db)
        .await?;
    if gone == 0 {
        return Ok(false);
    }
    revoke_families(db, session.as_str(), now).await?;
    Ok(true)
}

/// Ends the browser's former session in favour of `successor` (SEC-17). When the same person signs in again, websites
/// where they are signed in stay so, and the successor's end will reach them; when another person does, the former one
/// is signed out.
pub(super) async fn replace(
    db: Db<'_>,
    former: &SecretHash,
    successor: &Session,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(row) = take(db, former).await? else { return Ok(()) };
    if row.user_id != successor.user.as_str() {
        return revoke_families(db, &row.id, now).await;
    }
    families::Entity::update_many()
        .col_expr(families::Column::EndsWith, Expr::value(successor.id.as_str()))
        .filter(families::Column::EndsWith.eq(row.id))
        .run(db)
        .await?;
    Ok(())
}

/// Ends every session that came from a person's identity, but `except`; how many browsers that signed out.
pub(super) async fn end_of_identity(
    db: Db<'_>,
    user: &UserId,
    key: &IdentityKey,
    except: Option<&SessionId>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let from_it = Condition::all()
        .add(Column::IdentityKind.eq(key.kind.as_str()))
        .add(Column::IdentityApp.eq(&key.app))
        .add(Column::IdentitySubject.eq(&key.subject));
    let issued = Condition::all()
        .add(families::Column::IdentityKind.eq(key.kind.as_str()))
        .add(families::Column::IdentityApp.eq(&key.app))
        .add(families::Column::IdentitySubject.eq(&key.subject));
    end_all(db, user, except, (from_it, issued), now).await
}

/// Ends every session of a person but `except`, with all that came from them.
pub(super) async fn end_of_user(
    db: Db<'_>,
    user: &UserId,
    except: Option<&SessionId>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    end_all(db, user, except, (Condition::all(), Condition::all()), now).await
}

/// Ends a person's sessions, and revokes their families, so far as they meet a condition. The two conditions may differ: a
/// family that one identity opened ends with a later session of another one (see [`replace`]). The session `except` and
/// what ends with it stay.
async fn end_all(
    db: Db<'_>,
    user: &UserId,
    except: Option<&SessionId>,
    (mut these, mut issued): (Condition, Condition),
    now: Timestamp,
) -> Result<u64, StoreError> {
    if let Some(except) = except {
        these = these.add(Column::Id.ne(except.as_str()));
        issued = issued.add(families::Column::EndsWith.ne(except.as_str()));
    }
    let mine = Entity::find().filter(Column::UserId.eq(user.as_str())).filter(these);
    let mut ended = 0;
    for row in mine.fetch(db).await? {
        let gone = Entity::delete_by_id(row.secret.as_str()).run(db).await?;
        revoke_families(db, &row.id, now).await?;
        ended += gone * u64::from(now.as_millisecond() < row.expires_at);
    }
    families::Entity::update_many()
        .col_expr(families::Column::RevokedAt, Expr::value(now.as_millisecond()))
        .filter(families::Column::UserId.eq(user.as_str()))
        .filter(families::Column::RevokedAt.is_null())
        .filter(issued)
        .run(db)
        .await?;
    Ok(ended)
}

/// A person's sessions that are live at `now`, oldest approval first.
pub(super) async fn of(db: Db<'_>, user: &UserId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
    let rows = Entity::find()
        .filter(Column::UserId.eq(user.as_str()))
        .filter(Column::ExpiresAt.gt(now.as_millisecond()))
        .order_by_asc(Column::AuthTime)
        .order_by_asc(Column::Id)
        .fetch(db)
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// Deletes a session, once.
async fn take(db: Db<'_>, secret: &SecretHash) -> Result<Option<Model>, StoreError> {
    let Some(row) = db.by_key::<Entity>(secret.to_text()).await? else {
        return Ok(None);
    };
    let gone = Entity::delete_by_id(secret.to_text()).run(db).await?;
    Ok((gone == 1).then_some(row))
}

async fn revoke_families(db: Db<'_>, session: &str, now: Timestamp) -> Result<(), StoreError> {
    families::Entity::update_many()
        .col_expr(families::Column::RevokedAt, Expr::value(now.as_millisecond()))
        .filter(families::Column::EndsWith.eq(session))
        .filter(families::Column::RevokedAt.is_null())
        .run(db)
        .await?;
    Ok(())
}

impl sea_orm::Related<users::Entity> for Entity {
    fn to() -> sea_orm::RelationDef {
        sea_orm::RelationTrait::def(&Relation::User)
    }
}

fn to_row(session: &Session) -> Model {
    Model {
        secret: session.secret.to_text(),
        id: session.id.to_string(),
        user_id: session.user.to_string(),
        identity_kind: session.identity.kind.as_str().to_owned(),
        identity_app: session.identity.app.clone(),
        identity_subject: session.identity.subject.clone(),
        amr: session.amr.clone(),
        auth_time: session.auth_time.as_millisecond(),
        expires_at: session.expires_at.as_millisecond(),
        device: session.device.clone(),
        address: session.address.clone(),
        confirmed_at: session.confirmed_at.map(Timestamp::as_millisecond),
    }
}

fn from_row(row: Model) -> Result<Session, StoreError> {
    read("sessions", &row.id, || {
        Ok(Session {
            id: text("id", &row.id)?,
            secret: hash("secret", &row.secret)?,
            user: text("user_id", &row.user_id)?,
            identity: identities::key_from_columns(
                &row.identity_kind,
                &row.identity_app,
                &row.identity_subject,
            )?,
            auth_time: time("auth_time", row.auth_time)?,
            expires_at: time("expires_at", row.expires_at)?,
            amr: row.amr.clone(),
            device: row.device.clone(),
            address: row.address.clone(),
            confirmed_at: row.confirmed_at.map(|at| time("confirmed_at", at)).transpose()?,
        })
    })
}
