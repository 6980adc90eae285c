//! Members whom a directory told about: who left, and who has another id now (SEC-35). One transaction each.

use mashang_login::Timestamp;
use mashang_login::accounts::{Renamed, Retired};
use mashang_login::identity::{IdentityKey, Proof};
use mashang_login::records::StoreError;

use super::db::Db;
use super::{identities, merges, sessions};

/// Puts a leaver's identity away and signs the person out, whatever they came in by.
pub(super) async fn retire(
    db: Db<'_>,
    key: &IdentityKey,
    now: Timestamp,
) -> Result<Option<Retired>, StoreError> {
    let Some(tombstone) = key.tombstone(now) else { return Ok(None) };
    let Some(identity) = identities::one(db, key).await? else { return Ok(None) };
    move_to(db, key, &tombstone).await?;
    let ended = sessions::end_of_user(db, &identity.user, None, now).await?;
    Ok(Some(Retired { user: identity.user, ended }))
}

/// Lets an identity follow the member's new id, if that one is free.
pub(super) async fn rename(
    db: Db<'_>,
    from: &IdentityKey,
    to: &IdentityKey,
    now: Timestamp,
) -> Result<Renamed, StoreError> {
    if from == to {
        return Ok(Renamed::Nobody);
    }
    let Some(identity) = identities::one(db, from).await? else { return Ok(Renamed::Nobody) };
    if let Some(known) = identities::one(db, to).await? {
        // Whoever had it, the former id is free for somebody else now.
        retire(db, from, now).await?;
        return Ok(Renamed::Clash { user: identity.user, other: known.user });
    }
    move_to(db, from, to).await?;
    sessions::end_of_identity(db, &identity.user, from, None, now).await?;
    Ok(Renamed::Done(identity.user))
}

/// Whether the proof was made before its member left: it must not make the leaver the first one to have the id again.
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
