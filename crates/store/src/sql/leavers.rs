//! Members whom a directory told about: who left, who was switched off, and who has another id now (SEC-35). One transaction
//! each, so that a login which is being written at the same moment either is seen and ended, or sees that its proof is stale.

use mashang_login::Timestamp;
use mashang_login::accounts::{Renamed, Retired};
use mashang_login::identity::{IdentityKey, Proof};
use mashang_login::records::StoreError;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::db::{Db, Run};
use super::entity::stale_proofs::{Column, Entity, Model};
use super::{identities, merges, sessions};

/// Puts a leaver's identity away and signs the person out, whatever they came in by.
pub(super) async fn retire(
    db: Db<'_>,
    key: &IdentityKey,
    stale_before: Timestamp,
    now: Timestamp,
) -> Result<Option<Retired>, StoreError> {
    let Some(tombstone) = key.tombstone(now) else { return Ok(None) };
    distrust(db, key, stale_before).await?;
    let Some(identity) = identities::one(db, key).await? else { return Ok(None) };
    move_to(db, key, &tombstone).await?;
    let ended = sessions::end_of_user(db, &identity.user, None, now).await?;
    Ok(Some(Retired { user: identity.user, ended }))
}

/// Ends what a member who was switched off is signed in to.
pub(super) async fn switch_off(
    db: Db<'_>,
    key: &IdentityKey,
    stale_before: Timestamp,
    now: Timestamp,
) -> Result<u64, StoreError> {
    if key.tombstone(now).is_some() {
        distrust(db, key, stale_before).await?;
    }
    match identities::one(db, key).await? {
        Some(identity) => sessions::end_of_identity(db, &identity.user, key, None, now).await,
        None => Ok(0),
    }
}

/// Lets an identity follow the member's new id, if that one is free.
pub(super) async fn rename(
    db: Db<'_>,
    from: &IdentityKey,
    to: &IdentityKey,
    stale_before: Timestamp,
    now: Timestamp,
) -> Result<Renamed, StoreError> {
    if from == to {
        return Ok(Renamed::Nobody);
    }
    if from.tombstone(now).is_some() {
        distrust(db, from, stale_before).await?;
    }
    let Some(identity) = identities::one(db, from).await? else { return Ok(Renamed::Nobody) };
    if let Some(known) = identities::one(db, to).await? {
        // Whoever had it, the former id is free for somebody else now.
        retire(db, from, stale_before, now).await?;
        return Ok(Renamed::Clash { user: identity.user, other: known.user });
    }
    move_to(db, from, to).await?;
    sessions::end_of_identity(db, &identity.user, from, None, now).await?;
    Ok(Renamed::Done(identity.user))
}

/// From now on proofs of `key` from before `stale_before` count for nothing.
async fn distrust(db: Db<'_>, key: &IdentityKey, stale_before: Timestamp) -> Result<(), StoreError> {
    let stale_before = stale_before.as_millisecond();
    let later = Entity::update_many().col_expr(Column::StaleBefore, Expr::value(stale_before));
    let (kind, app, subject) = identities::primary_key(key);
    match db.by_key::<Entity>(identities::primary_key(key)).await? {
        Some(known) if known.stale_before >= stale_before => {}
        Some(_) => {
            let this = later.filter(Column::Kind.eq(kind)).filter(Column::App.eq(app));
            this.filter(Column::Subject.eq(subject)).run(db).await?;
        }
        None => db.insert(Model { kind, app, subject, stale_before }).await?,
    }
    Ok(())
}

/// Whether a directory has said something of the member since the proof was made.
pub(super) async fn is_stale(db: Db<'_>, proof: &Proof) -> Result<bool, StoreError> {
    // Of nobody else does a directory tell.
    if proof.key.tombstone(proof.proven_at).is_none() {
        return Ok(false);
    }
    let said = db.by_key::<Entity>(identities::primary_key(&proof.key)).await?;
    Ok(said.is_some_and(|row| proof.proven_at.as_millisecond() < row.stale_before))
}

/// Whether the proof was made before its member left: it must not make the leaver the first one to have the id again. By
/// the tombstone, which is all that a node of the version before writes.
pub(super) async fn left_since(db: Db<'_>, proof: &Proof) -> Result<bool, StoreError> {
    // Only an identity that could be put away was.
    if proof.key.tombstone(proof.proven_at).is_none() {
        return Ok(false);
    }
    let leavers = identities::tombstones(db, &proof.key).await?;
    let is_theirs = |key: &IdentityKey| {
        key.left().is_some_and(|(at, subject)| subject == proof.key.subject && at > proof.proven_at)
    };
    Ok(leavers.iter().any(is_theirs))
}

/// Names an identity anew, also where a merge remembers it.
async fn move_to(db: Db<'_>, from: &IdentityKey, to: &IdentityKey) -> Result<(), StoreError> {
    identities::rename(db, from, &to.subject).await?;
    merges::rename(db, from, &to.subject).await
}
