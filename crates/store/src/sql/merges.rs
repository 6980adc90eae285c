//! Merging two people and taking it back: one transaction each, with the line in the audit trail in it.

use mashang_login::Timestamp;
use mashang_login::accounts::{Merge, MergePreview, MergeRefusal, Undone};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::identity::IdentityKey;
use mashang_login::ids::{MergeId, UserId};
use mashang_login::records::StoreError;
use mashang_login::user::User;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::db::{Db, Fetch, Run, texts};
use super::entity::merges::{Column, Entity, Model};
use super::entity::{families, merged_identities};
use super::errors::{read, text, time, time_or_none};
use super::writer::Outcome;
use super::{audit, identities, people, sessions, unlinked};

pub(super) async fn preview(
    db: Db<'_>,
    from: &UserId,
    into: &UserId,
    now: Timestamp,
) -> Result<Result<MergePreview, MergeRefusal>, StoreError> {
    let (from, into) = match both(db, from, into).await? {
        Ok(both) => both,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let identities = identities::of(db, &from.id).await?;
    let sessions = sessions::of(db, &from.id, now).await?.len() as u64;
    let clients = families::Entity::find()
        .select_only()
        .column(families::Column::ClientId)
        .distinct()
        .filter(families::Column::UserId.eq(from.id.as_str()))
        .order_by_asc(families::Column::ClientId);
    let clients = texts(clients, db).await?;
    let clients = clients.iter().map(|client| read("families", "by user", || text("client_id", client)));
    let clients = clients.collect::<Result<_, _>>()?;
    Ok(Ok(MergePreview { from, into, identities, sessions, clients }))
}

pub(super) async fn merge(
    db: Db<'_>,
    id: &MergeId,
    from: &UserId,
    into: &UserId,
    now: Timestamp,
) -> Result<Outcome<Result<Merge, MergeRefusal>>, StoreError> {
    if let Err(refusal) = both(db, from, into).await? {
        return Ok(Outcome::Undo(Err(refusal)));
    }
    let merge =
        Merge { id: id.clone(), from: from.clone(), into: into.clone(), merged_at: now, undone_at: None };
    db.insert(to_row(&merge)).await?;
    for identity in identities::of(db, from).await? {
        let key = identity.key;
        identities::give(db, &key, from, into).await?;
        let row = merged_identities::Model {
            merge_id: id.to_string(),
            kind: key.kind.as_str().to_owned(),
            app: key.app,
            subject: key.subject,
        };
        db.insert(row).await?;
    }
    people::set_merged(db, from, Some(into)).await?;
    sessions::end_of_user(db, from, None, now).await?;
    append(db, AuditKind::UsersMerged, &merge, now).await?;
    Ok(Outcome::Keep(Ok(merge)))
}

pub(super) async fn undo(db: Db<'_>, id: &MergeId, now: Timestamp) -> Result<Outcome<Undone>, StoreError> {
    let undone = Entity::update_many()
        .col_expr(Column::UndoneAt, Expr::value(now.as_millisecond()))
        .filter(Column::Id.eq(id.as_str()))
        .filter(Column::UndoneAt.is_null())
        .run(db)
        .await?;
    let Some(row) = db.by_key::<Entity>(id.as_str()).await? else {
        return Ok(Outcome::Undo(Undone::Unknown));
    };
    if undone == 0 {
        return Ok(Outcome::Undo(Undone::Before));
    }
    let merge = from_row(row)?;
    if let Some(refusal) = refusal(db, &merge).await? {
        return Ok(Outcome::Undo(refusal));
    }
    let moved = merged_identities::Entity::find().filter(merged_identities::Column::MergeId.eq(id.as_str()));
    let (mut back, mut told) = (Vec::new(), Vec::new());
    for row in moved.fetch(db).await? {
        let key = read("merged_identities", &row.merge_id, || {
            identities::key_from_columns(&row.kind, &row.app, &row.subject)
        })?;
        if identities::give(db, &key, &merge.into, &merge.from).await? {
            // Whoever is signed in by it is signed in as the wrong person now.
            sessions::end_of_identity(db, &merge.into, &key, None, now).await?;
            identities::drop_shared_link(db, &key).await?;
            told.extend(identities::one(db, &key).await?.map(|identity| identity.profile));
            back.push(key);
        } else if unlinked::was_taken(db, &key, &merge.into).await? {
            // Taken from both while they were one.
            unlinked::remember(db, &key, &merge.from, now).await?;
        }
    }
    people::forget_told(db, &merge.into, &told, now).await?;
    people::set_merged(db, &merge.from, None).await?;
    append(db, AuditKind::MergeUndone, &merge, now).await?;
    Ok(Outcome::Keep(Undone::Done { merge, identities: back }))
}

/// Why a merge cannot be undone, as its person who stayed is now.
async fn refusal(db: Db<'_>, merge: &Merge) -> Result<Option<Undone>, StoreError> {
    let Some(into) = people::user(db, &merge.into).await? else { return Ok(None) };
    if let Some(further) = into.merged_into {
        return Ok(Some(Undone::MergedFurther(further)));
    }
    // Else `from` would come back switched on, and who was locked out with them (SEC-40).
    Ok(into.disabled_at.map(|_| Undone::Disabled(into.id)))
}

/// Lets the merges follow an identity's new subject, so that undoing them still finds it.
pub(super) async fn rename(db: Db<'_>, key: &IdentityKey, subject: &str) -> Result<(), StoreError> {
    use merged_identities::Column;
    merged_identities::Entity::update_many()
        .col_expr(Column::Subject, Expr::value(subject))
        .filter(Column::Kind.eq(key.kind.as_str()))
        .filter(Column::App.eq(&key.app))
        .filter(Column::Subject.eq(&key.subject))
        .run(db)
        .await?;
    Ok(())
}

pub(super) async fn all(db: Db<'_>) -> Result<Vec<Merge>, StoreError> {
    let newest_first = Entity::find().order_by_desc(Column::MergedAt).order_by_asc(Column::Id);
    newest_first.fetch(db).await?.into_iter().map(from_row).collect()
}

/// The two people, if they may be merged.
async fn both(
    db: Db<'_>,
    from: &UserId,
    into: &UserId,
) -> Result<Result<(User, User), MergeRefusal>, StoreError> {
    if from == into {
        return Ok(Err(MergeRefusal::SamePerson));
    }
    let mut found = Vec::with_capacity(2);
    for id in [from, into] {
        match people::user(db, id).await? {
            None => return Ok(Err(MergeRefusal::Unknown(id.clone()))),
            Some(user) if user.merged_into.is_some() => return Ok(Err(MergeRefusal::Merged(user.id))),
            Some(user) if user.disabled_at.is_some() => return Ok(Err(MergeRefusal::Disabled(user.id))),
            Some(user) => found.push(user),
        }
    }
    let [from, into] = <[User; 2]>::try_from(found).expect("two were asked for, and each was found");
    Ok(Ok((from, into)))
}

async fn append(db: Db<'_>, kind: AuditKind, merge: &Merge, now: Timestamp) -> Result<(), StoreError> {
    let (user, other) = (Some(merge.from.clone()), Some(merge.into.clone()));
    audit::append(db, &AuditEvent { user, other, ..AuditEvent::new(now, kind) }).await
}

fn to_row(merge: &Merge) -> Model {
    Model {
        id: merge.id.to_string(),
        from_user: merge.from.to_string(),
        into_user: merge.into.to_string(),
        merged_at: merge.merged_at.as_millisecond(),
        undone_at: merge.undone_at.map(|at| at.as_millisecond()),
    }
}

fn from_row(row: Model) -> Result<Merge, StoreError> {
    read("merges", &row.id, || {
        Ok(Merge {
            id: text("id", &row.id)?,
            from: text("from_user", &row.from_user)?,
            into: text("into_user", &row.into_user)?,
            merged_at: time("merged_at", row.merged_at)?,
            undone_at: time_or_none("undone_at", row.undone_at)?,
        })
    })
}
