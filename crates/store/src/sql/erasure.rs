//! Erasing a person, and whoever was merged into them: one transaction, with the lines in the audit trail in it (SEC-90).
//!
//! Rows go before those they refer to. A login, a refresh or an agreement that is written at the same moment refers to the person
//! too: it is seen and goes with them, or finds nobody, as it looks in its own transaction.

use std::collections::BTreeSet;

use mashang_login::Timestamp;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::erasure::{Erased, ErasurePreview, ErasureRefusal, Withdrawn};
use mashang_login::grant::GrantStage;
use mashang_login::identity::IdentityKey;
use mashang_login::ids::{ClientId, UserId};
use mashang_login::records::StoreError;
use mashang_login::user::User;
use sea_orm::sea_query::LikeExpr;
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::db::{Db, Run, texts};
use super::entity::{
    access_tokens, codes, consents, families, grants, identities as identity_entity, merged_identities,
    merges, refresh_tokens, sessions as session_entity, unlinked_identities, users,
};
use super::errors::{Unreadable, read, text};
use super::grants::stage_word;
use super::writer::Outcome;
use super::{audit, identities, lookup, people, sessions};

/// Most families whose tokens one statement deletes.
const FAMILIES_AT_ONCE: usize = 50;

pub(super) async fn preview(
    db: Db<'_>,
    id: &UserId,
    now: Timestamp,
) -> Result<Result<ErasurePreview, ErasureRefusal>, StoreError> {
    let user = match erasable(db, id).await? {
        Ok(user) => user,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let merged = merged_into(db, id).await?;
    let identities = identities::of(db, id).await?;
    let sessions = sessions::of(db, id, now).await?.len() as u64;
    let clients = clients_of_all(db, id, &merged).await?;
    Ok(Ok(ErasurePreview { user, merged, identities, sessions, clients }))
}

/// The websites that hold something of the person's, or of those who go with them, by id.
async fn clients_of_all(db: Db<'_>, id: &UserId, merged: &[User]) -> Result<Vec<ClientId>, StoreError> {
    let mut clients = BTreeSet::new();
    for one in std::iter::once(id).chain(merged.iter().map(|user| &user.id)) {
        clients.extend(clients_of(db, one).await?);
    }
    Ok(clients.into_iter().collect())
}

pub(super) async fn erase(
    db: Db<'_>,
    id: &UserId,
    told: &AuditEvent,
    now: Timestamp,
) -> Result<Outcome<Result<Erased, ErasureRefusal>>, StoreError> {
    if let Err(refusal) = erasable(db, id).await? {
        return Ok(Outcome::Undo(Err(refusal)));
    }
    Ok(Outcome::Keep(Ok(go(db, id, told, now).await?)))
}

/// Deletes somebody who can be erased.
async fn go(db: Db<'_>, id: &UserId, told: &AuditEvent, now: Timestamp) -> Result<Erased, StoreError> {
    let sessions = sessions::of(db, id, now).await?.len() as u64;
    let merged: Vec<UserId> = merged_into(db, id).await?.into_iter().map(|user| user.id).collect();
    for one in std::iter::once(id).chain(&merged) {
        issued(db, one).await?;
        held(db, one).await?;
        open_grants(db, one, now).await?;
    }
    for one in std::iter::once(id).chain(&merged) {
        users::Entity::delete_by_id(one.as_str()).run(db).await?;
        let other = (one != id).then(|| id.clone());
        audit::append(db, &AuditEvent { user: Some(one.clone()), other, ..told.clone() }).await?;
    }
    Ok(Erased { user: id.clone(), merged, sessions })
}

/// Takes away an identity that was withdrawn at its platform; with the last one goes the person.
pub(super) async fn withdraw(
    db: Db<'_>,
    key: &IdentityKey,
    told: &AuditEvent,
    now: Timestamp,
) -> Result<Option<Withdrawn>, StoreError> {
    let Some(user) = forget_profile(db, key, told, now).await? else { return Ok(None) };
    let mut theirs = identities::of(db, &user).await?.into_iter();
    // One that was put away leads nobody in.
    if theirs.any(|one| one.key != *key && one.key.left().is_none()) {
        let ended = sessions::end_of_identity(db, &user, key, None, now).await?;
        identities::delete(db, key).await?;
        return Ok(Some(Withdrawn { user, ended, erased: None, clients: Vec::new() }));
    }
    let clients = clients_of_all(db, &user, &merged_into(db, &user).await?).await?;
    let told = AuditEvent { kind: AuditKind::PersonErased, ..told.clone() };
    let erased = go(db, &user, &told, now).await?;
    Ok(Some(Withdrawn { user, ended: erased.sessions, erased: Some(erased), clients }))
}

/// Forgets an identity's name and picture, and tells so.
pub(super) async fn forget_profile(
    db: Db<'_>,
    key: &IdentityKey,
    told: &AuditEvent,
    now: Timestamp,
) -> Result<Option<UserId>, StoreError> {
    let Some(identity) = identities::one(db, key).await? else { return Ok(None) };
    identities::forget_profile(db, key).await?;
    people::forget_told(db, &identity.user, &[identity.profile], now).await?;
    audit::append(db, &AuditEvent { user: Some(identity.user.clone()), ..told.clone() }).await?;
    Ok(Some(identity.user))
}

/// The person, if they can be erased.
async fn erasable(db: Db<'_>, id: &UserId) -> Result<Result<User, ErasureRefusal>, StoreError> {
    Ok(match people::user(db, id).await? {
        None => Err(ErasureRefusal::Unknown(id.clone())),
        Some(User { id, merged_into: Some(into), .. }) => Err(ErasureRefusal::Merged { user: id, into }),
        Some(user) => Ok(user),
    })
}

/// Who was merged into the person, be it through others. By the merges, which have an index, and each time who it is now.
async fn merged_into(db: Db<'_>, id: &UserId) -> Result<Vec<User>, StoreError> {
    let (mut found, mut next) = (Vec::new(), vec![id.clone()]);
    while let Some(into) = next.pop() {
        let former = merges::Entity::find()
            .select_only()
            .column(merges::Column::FromUser)
            .filter(merges::Column::IntoUser.eq(into.as_str()))
            .filter(merges::Column::UndoneAt.is_null())
            .order_by_asc(merges::Column::FromUser);
        for former in texts(former, db).await? {
            let former = read("merges", "by into_user", || text("from_user", &former))?;
            if let Some(user) =
                people::user(db, &former).await?.filter(|user| user.merged_into == Some(into.clone()))
            {
                next.push(former);
                found.push(user);
            }
        }
    }
    Ok(found)
}

/// The websites that hold something of the person's.
async fn clients_of(db: Db<'_>, id: &UserId) -> Result<Vec<ClientId>, StoreError> {
    let met = families::Entity::find()
        .select_only()
        .column(families::Column::ClientId)
        .distinct()
        .filter(families::Column::UserId.eq(id.as_str()));
    let agreed = consents::Entity::find()
        .select_only()
        .column(consents::Column::ClientId)
        .filter(consents::Column::UserId.eq(id.as_str()));
    let mut clients = texts(met, db).await?;
    clients.extend(texts(agreed, db).await?);
    let client = |id: &String| -> Result<ClientId, Unreadable> { text("client_id", id) };
    clients.iter().map(|id| read("families", "by user", || client(id))).collect()
}

/// What was issued: tokens and codes, then the families they belong to. By the families' ids, as not every engine has a use for
/// an index in a `delete` with a subquery.
async fn issued(db: Db<'_>, id: &UserId) -> Result<(), StoreError> {
    let theirs = families::Entity::find()
        .select_only()
        .column(families::Column::Id)
        .filter(families::Column::UserId.eq(id.as_str()));
    for some in texts(theirs, db).await?.chunks(FAMILIES_AT_ONCE) {
        let some = || some.iter().map(String::as_str);
        access_tokens::Entity::delete_many()
            .filter(access_tokens::Column::FamilyId.is_in(some()))
            .run(db)
            .await?;
        refresh_tokens::Entity::delete_many()
            .filter(refresh_tokens::Column::FamilyId.is_in(some()))
            .run(db)
            .await?;
        codes::Entity::delete_many().filter(codes::Column::FamilyId.is_in(some())).run(db).await?;
        families::Entity::delete_many().filter(families::Column::Id.is_in(some())).run(db).await?;
    }
    Ok(())
}

/// What is held of the person themself. Passwords and passkeys go with their identity.
async fn held(db: Db<'_>, id: &UserId) -> Result<(), StoreError> {
    let id = id.as_str();
    session_entity::Entity::delete_many().filter(session_entity::Column::UserId.eq(id)).run(db).await?;
    consents::Entity::delete_many().filter(consents::Column::UserId.eq(id)).run(db).await?;
    identity_entity::Entity::delete_many().filter(identity_entity::Column::UserId.eq(id)).run(db).await?;
    unlinked_identities::Entity::delete_many()
        .filter(unlinked_identities::Column::UserId.eq(id))
        .run(db)
        .await?;
    let either = Condition::any().add(merges::Column::FromUser.eq(id)).add(merges::Column::IntoUser.eq(id));
    let theirs = merges::Entity::find().select_only().column(merges::Column::Id).filter(either);
    for merge in texts(theirs, db).await? {
        merged_identities::Entity::delete_many()
            .filter(merged_identities::Column::MergeId.eq(merge.as_str()))
            .run(db)
            .await?;
        merges::Entity::delete_by_id(merge).run(db).await?;
    }
    Ok(())
}

/// Open requests that only this person could answer: to add a way to sign in, to approve once more, or a website's that names
/// them. Those that are over say nothing but a random id, for a day at most.
async fn open_grants(db: Db<'_>, id: &UserId, now: Timestamp) -> Result<(), StoreError> {
    // As it stands in the JSON of the request: ids need no escaping there.
    let hinted = format!("%\"hinted\":\"{}\"%", lookup::literally(id.as_str()));
    let hinted = grants::Column::Request.like(LikeExpr::new(hinted).escape('!'));
    let asks_for_them = Condition::any().add(grants::Column::LinkUser.eq(id.as_str())).add(hinted);
    let open: Select<grants::Entity> = grants::Entity::find()
        .filter(grants::Column::ExpiresAt.gt(now.as_millisecond()))
        .filter(grants::Column::Stage.eq(stage_word(GrantStage::Pending)))
        .filter(asks_for_them);
    for grant in texts(open.select_only().column(grants::Column::Id), db).await? {
        grants::Entity::delete_by_id(grant).run(db).await?;
    }
    Ok(())
}
