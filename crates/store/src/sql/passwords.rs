//! Passwords: set together with their identity, found by name, never seen but as a hash.

use mashang_login::Timestamp;
use mashang_login::credentials::{NewPassword, NewUser, PasswordHash, PasswordRecord, SetPassword, Username};
use mashang_login::identity::{IdentityKey, Profile, Proof};
use mashang_login::ids::UserId;
use mashang_login::records::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder};

use super::db::{Db, Fetch, Run};
use super::entity::identities;
use super::entity::passwords::{Column, Entity, Model};
use super::errors::{known, read, text, time};
use super::writer::Outcome;
use super::{identities as identity, people, sessions};

pub(super) async fn by_username(
    db: Db<'_>,
    username: &Username,
) -> Result<Option<PasswordRecord>, StoreError> {
    let named = Condition::all().add(Column::Folded.eq(username.folded()));
    Ok(those(db, named).await?.pop())
}

/// The one of a person that was set last.
pub(super) async fn of(db: Db<'_>, user: &UserId) -> Result<Option<PasswordRecord>, StoreError> {
    Ok(all_of(db, user).await?.into_iter().next())
}

/// A person's passwords, that which was set last first.
async fn all_of(db: Db<'_>, user: &UserId) -> Result<Vec<PasswordRecord>, StoreError> {
    those(db, Condition::all().add(identities::Column::UserId.eq(user.as_str()))).await
}

async fn those(db: Db<'_>, which: Condition) -> Result<Vec<PasswordRecord>, StoreError> {
    let rows = Entity::find()
        .find_also_related(identities::Entity)
        .filter(which)
        .order_by_desc(Column::ChangedAt)
        .order_by_asc(Column::Subject)
        .fetch(db)
        .await?;
    rows.into_iter().filter_map(|(row, identity)| Some(from_row(&row, &identity?))).collect()
}

/// Whether another password was set since the one was read that the proof is by. Told by its moment being another one, not a later
/// one: the nodes' clocks differ.
pub(super) async fn is_outdated(db: Db<'_>, proof: &Proof) -> Result<bool, StoreError> {
    let Some(set_at) = proof.password_set_at else { return Ok(false) };
    let now = db.by_key::<Entity>(identity::primary_key(&proof.key)).await?;
    Ok(now.is_none_or(|row| row.changed_at != set_at.as_millisecond()))
}

/// Sets a person's name and password, and ends what the former ones were signed in to. Whoever was merged may have several;
/// the others are gone then, so that no former password is worth anything, and none leads to another person when the merge
/// is undone.
pub(super) async fn set(
    db: Db<'_>,
    new: &NewPassword,
    now: Timestamp,
) -> Result<Outcome<SetPassword>, StoreError> {
    if people::user(db, &new.user).await?.is_none_or(|user| user.merged_into.is_some()) {
        return Ok(Outcome::Undo(SetPassword::NoSuchUser));
    }
    if let Some(asks) = &new.keep
        && !sessions::is_live(db, &new.user, asks, now).await?
    {
        return Ok(Outcome::Undo(SetPassword::SessionOver));
    }
    let theirs = all_of(db, &new.user).await?;
    let Some(former) = theirs.iter().find(|record| record.key == new.key).or(theirs.first()) else {
        return add(db, new, now).await;
    };
    for record in &theirs {
        sessions::end_of_identity(db, &new.user, &record.key, new.keep.as_ref(), now).await?;
        if record.key != former.key {
            identity::delete(db, &record.key).await?;
        }
    }
    let stays_assigned = former.is_assigned && !new.is_assigned && former.username == new.username;
    // To the letter: websites are told it, and may tell `Ada` from `ada`.
    let username = if stays_assigned { &former.username } else { &new.username };
    let changed = Entity::update_many()
        .col_expr(Column::Assigned, Expr::value(new.is_assigned || stays_assigned))
        .col_expr(Column::Username, Expr::value(username.as_str()))
        .col_expr(Column::Folded, Expr::value(new.username.folded()))
        .col_expr(Column::Hash, Expr::value(new.hash.expose()))
        .col_expr(Column::ChangedAt, Expr::value(now.as_millisecond()))
        .filter(key_is(&former.key))
        .run(db)
        .await;
    if let Some(taken) = taken(changed)? {
        return Ok(taken);
    }
    Ok(Outcome::Keep(SetPassword::Done))
}

/// Creates a person with a password.
pub(super) async fn create_user(
    db: Db<'_>,
    user: &NewUser,
    new: &NewPassword,
    now: Timestamp,
) -> Result<Outcome<SetPassword>, StoreError> {
    if user.id != new.user {
        return Ok(Outcome::Undo(SetPassword::NoSuchUser));
    }
    let profile = Profile { nickname: user.nickname.clone(), picture: None };
    people::create(db, &user.id, &profile, now).await?;
    add(db, new, now).await
}

/// A person's first password, with its identity.
async fn add(db: Db<'_>, new: &NewPassword, now: Timestamp) -> Result<Outcome<SetPassword>, StoreError> {
    identity::insert_held_here(db, &new.key, &new.channel, &new.user, now).await?;
    let row = Model {
        kind: new.key.kind.as_str().to_owned(),
        app: new.key.app.clone(),
        subject: new.key.subject.clone(),
        username: new.username.as_str().to_owned(),
        folded: new.username.folded().to_owned(),
        assigned: new.is_assigned,
        hash: new.hash.expose().to_owned(),
        changed_at: now.as_millisecond(),
    };
    let added = db.insert(row).await;
    Ok(taken(added)?.unwrap_or(Outcome::Keep(SetPassword::Done)))
}

/// Whether a write met the name of somebody else: its key was new or its own, so nothing else can be double.
fn taken<T>(written: Result<T, StoreError>) -> Result<Option<Outcome<SetPassword>>, StoreError> {
    match written {
        Ok(_) => Ok(None),
        Err(StoreError::Conflict) => Ok(Some(Outcome::Undo(SetPassword::UsernameTaken))),
        Err(error) => Err(error),
    }
}

pub(super) async fn rehash(
    db: Db<'_>,
    key: &IdentityKey,
    seen: &PasswordHash,
    hash: &PasswordHash,
) -> Result<bool, StoreError> {
    let done = Entity::update_many()
        .col_expr(Column::Hash, Expr::value(hash.expose()))
        .filter(key_is(key))
        .filter(Column::Hash.eq(seen.expose()))
        .run(db)
        .await?;
    Ok(done == 1)
}

fn key_is(key: &IdentityKey) -> Condition {
    Condition::all()
        .add(Column::Kind.eq(key.kind.as_str()))
        .add(Column::App.eq(&key.app))
        .add(Column::Subject.eq(&key.subject))
}

fn from_row(row: &Model, owner: &identities::Model) -> Result<PasswordRecord, StoreError> {
    read("passwords", &identity::shown_key(owner), || {
        Ok(PasswordRecord {
            key: identity::key_from_columns(&row.kind, &row.app, &row.subject)?,
            user: text("user_id", &owner.user_id)?,
            username: text("username", &row.username)?,
            is_assigned: row.assigned,
            hash: known("hash", PasswordHash::from_phc(&row.hash))?,
            changed_at: time("changed_at", row.changed_at)?,
        })
    })
}
