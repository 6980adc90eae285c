//! People, and whom a proof leads to.

use std::cmp::Reverse;

use mashang_login::Timestamp;
use mashang_login::accounts::UnionNews;
use mashang_login::identity::{Profile, Proof};
use mashang_login::ids::UserId;
use mashang_login::records::StoreError;
use mashang_login::user::User;
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, Query};
use sea_orm::{ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::db::{Db, Fetch, Run};
use super::entity::{identities as identity_entity, users};
use super::errors::{read, text, text_or_none, time, time_or_none};
use super::{identities, leavers, lookup, passwords, sessions, unlinked};

/// Whom a proof leads to.
pub(super) enum Found {
    Known(User, Option<UnionNews>),
    Created(User, Option<UnionNews>),
    /// Known, and switched off, or a member who left since the proof (SEC-40, SEC-35), or held here and gone:
    /// nothing may follow.
    Disabled,
    /// Proven by a password that has been changed since: nothing may follow, and another proof may.
    Outdated,
}

/// Finds the person a proof belongs to, or creates them, and lets profile and link follow the proof.
pub(super) async fn resolve(
    db: Db<'_>,
    proof: &Proof,
    new_user: &UserId,
    now: Timestamp,
) -> Result<Found, StoreError> {
    if leavers::is_stale(db, proof).await? {
        return Ok(Found::Disabled);
    }
    if passwords::is_outdated(db, proof).await? {
        return Ok(Found::Outdated);
    }
    if let Some(row) = identities::row(db, &proof.key).await? {
        let owner = row.user_id.clone();
        let Some(user) = greet(db, &owner, proof, now).await? else { return Ok(Found::Disabled) };
        let news = identities::follow(db, row, proof, now).await?;
        return Ok(Found::Known(user, news));
    }
    // A password or passkey that was removed since the proof makes nobody new.
    if proof.key.kind.is_held_here() || leavers::left_since(db, proof).await? {
        return Ok(Found::Disabled);
    }
    let mut owners = identities::union_owners(db, proof.union.as_ref()).await?.into_iter();
    match (owners.next(), owners.next()) {
        (Some(owner), None) if !unlinked::was_taken(db, &proof.key, &owner).await? => {
            let Some(user) = greet(db, owner.as_str(), proof, now).await? else { return Ok(Found::Disabled) };
            identities::insert(db, proof, proof.union.as_ref(), &user.id, now).await?;
            Ok(Found::Known(user, Some(UnionNews::Attached)))
        }
        // Several people have it, or the one it was taken from, or nobody: somebody new, who takes it only if it is free.
        (theirs, _) => {
            let user = create(db, new_user, &proof.profile, now).await?;
            let free = proof.union.as_ref().filter(|_| theirs.is_none());
            identities::insert(db, proof, free, &user.id, now).await?;
            Ok(Found::Created(user, theirs.map(|other| UnionNews::Clash { other })))
        }
    }
}

/// The person with the profile that the proof tells; `None` if they are switched off.
async fn greet(db: Db<'_>, id: &str, proof: &Proof, now: Timestamp) -> Result<Option<User>, StoreError> {
    let row = db.by_key::<users::Entity>(id).await?;
    let row = row.ok_or_else(|| StoreError::Corrupt {
        table: "identities",
        key: format!("{:?}", proof.key),
        what: "its user does not exist".into(),
    })?;
    if row.disabled_at.is_some() {
        return Ok(None);
    }
    follow_profile(db, row, &proof.profile, now).await.map(Some)
}

/// Somebody new. [`StoreError::Conflict`] if the id exists.
pub(super) async fn create(
    db: Db<'_>,
    id: &UserId,
    profile: &Profile,
    now: Timestamp,
) -> Result<User, StoreError> {
    let row = users::Model {
        id: id.to_string(),
        nickname: nickname_of(profile),
        picture: picture_of(profile),
        created_at: now.as_millisecond(),
        updated_at: now.as_millisecond(),
        disabled_at: None,
        merged_into: None,
    };
    db.insert(row.clone()).await?;
    user_from_row(row)
}

/// What the proof tells replaces what was known; what it does not tell (WeChat's silent scope tells nothing) stays.
async fn follow_profile(
    db: Db<'_>,
    row: users::Model,
    profile: &Profile,
    now: Timestamp,
) -> Result<User, StoreError> {
    let nickname = nickname_of(profile).or_else(|| row.nickname.clone());
    let picture = picture_of(profile).or_else(|| row.picture.clone());
    call(db, row, (nickname, picture), now).await
}

/// Takes back what identities that lead to the person no longer told of them (SEC-90). A name or picture that is theirs gives way to
/// that of the identity used last among the ones that are left and tell one, else to none; another one stays.
pub(super) async fn forget_told(
    db: Db<'_>,
    id: &UserId,
    gone: &[Profile],
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(row) = db.by_key::<users::Entity>(id.as_str()).await? else { return Ok(()) };
    let goes = |known: &Option<String>, told: fn(&Profile) -> Option<String>| {
        known.is_some() && gone.iter().any(|profile| told(profile) == *known)
    };
    let (name_goes, picture_goes) = (goes(&row.nickname, nickname_of), goes(&row.picture, picture_of));
    if !name_goes && !picture_goes {
        return Ok(());
    }
    // A member who left leads nobody in.
    let mut left = identities::of(db, id).await?;
    left.retain(|identity| identity.key.left().is_none());
    left.sort_by_key(|identity| Reverse(identity.last_used_at));
    let told = |told: fn(&Profile) -> Option<String>| left.iter().find_map(|one| told(&one.profile));
    let nickname = if name_goes { told(nickname_of) } else { row.nickname.clone() };
    let picture = if picture_goes { told(picture_of) } else { row.picture.clone() };
    call(db, row, (nickname, picture), now).await.map(drop)
}

fn nickname_of(profile: &Profile) -> Option<String> {
    profile.nickname.clone()
}

fn picture_of(profile: &Profile) -> Option<String> {
    profile.picture.as_ref().map(ToString::to_string)
}

/// The person with this name and picture from now on.
async fn call(
    db: Db<'_>,
    row: users::Model,
    (nickname, picture): (Option<String>, Option<String>),
    now: Timestamp,
) -> Result<User, StoreError> {
    if nickname == row.nickname && picture == row.picture {
        return user_from_row(row);
    }
    let updated = users::Model { nickname, picture, updated_at: now.as_millisecond(), ..row };
    users::Entity::update_many()
        .col_expr(users::Column::Nickname, Expr::value(updated.nickname.clone()))
        .col_expr(users::Column::Picture, Expr::value(updated.picture.clone()))
        .col_expr(users::Column::UpdatedAt, Expr::value(updated.updated_at))
        .filter(users::Column::Id.eq(&updated.id))
        .run(db)
        .await?;
    user_from_row(updated)
}

pub(super) async fn user(db: Db<'_>, id: &UserId) -> Result<Option<User>, StoreError> {
    let row = db.by_key::<users::Entity>(id.as_str()).await?;
    row.map(user_from_row).transpose()
}

/// People by name, by the beginning of their id, or by what they sign in by: a whole user name, e-mail address, phone number or
/// userid. The latest first. Latin letters of names are found in either case.
pub(super) async fn search(db: Db<'_>, search: &str, limit: u32) -> Result<Vec<User>, StoreError> {
    use users::Column;
    let mut people = users::Entity::find();
    if !search.is_empty() {
        let name = LikeExpr::new(format!("%{}%", lookup::literally(&search.to_lowercase()))).escape('!');
        let id = LikeExpr::new(format!("{}%", lookup::literally(search))).escape('!');
        let mut signs_in_by = Query::select();
        signs_in_by.column(identity_entity::Column::UserId).from(identity_entity::Entity);
        signs_in_by.and_where(identity_entity::Column::Subject.eq(search));
        let mut wanted = Condition::any()
            .add(Expr::expr(Func::lower(Expr::col(Column::Nickname))).like(name))
            .add(Expr::col(Column::Id).like(id))
            .add(Column::Id.in_subquery(signs_in_by));
        if let Ok(username) = search.parse()
            && let Some(named) = passwords::by_username(db, &username).await?
        {
            wanted = wanted.add(Column::Id.eq(named.user.as_str()));
        }
        people = people.filter(wanted);
    }
    let people = people.order_by_desc(Column::CreatedAt).order_by_asc(Column::Id).limit(u64::from(limit));
    people.fetch(db).await?.into_iter().map(user_from_row).collect()
}

/// Whether `former` is `user`, or was merged into them, be it through others.
pub(super) async fn is_now(db: Db<'_>, former: UserId, user: &UserId) -> Result<bool, StoreError> {
    let mut next = Some(former);
    while let Some(id) = next {
        if id == *user {
            return Ok(true);
        }
        // It ends: nobody is merged into somebody who is merged already.
        next = self::user(db, &id).await?.and_then(|former| former.merged_into);
    }
    Ok(false)
}

/// Says that a person is merged into another, or no longer.
pub(super) async fn set_merged(db: Db<'_>, id: &UserId, into: Option<&UserId>) -> Result<(), StoreError> {
    users::Entity::update_many()
        .col_expr(users::Column::MergedInto, Expr::value(into.map(ToString::to_string)))
        .filter(users::Column::Id.eq(id.as_str()))
        .run(db)
        .await?;
    Ok(())
}

pub(super) async fn set_disabled(db: Db<'_>, id: &UserId, at: Option<Timestamp>) -> Result<bool, StoreError> {
    let done = users::Entity::update_many()
        .col_expr(users::Column::DisabledAt, Expr::value(at.map(|at| at.as_millisecond())))
        .filter(users::Column::Id.eq(id.as_str()))
        .run(db)
        .await?;
    if let Some(at) = at {
        // Ended and not only held up: a session that was stolen must not work again when the person does.
        sessions::end_of_user(db, id, None, at).await?;
    }
    Ok(done == 1)
}

pub(super) fn user_from_row(row: users::Model) -> Result<User, StoreError> {
    read("users", &row.id, || {
        Ok(User {
            id: text("id", &row.id)?,
            picture: text_or_none("picture", row.picture.as_deref())?,
            created_at: time("created_at", row.created_at)?,
            updated_at: time("updated_at", row.updated_at)?,
            disabled_at: time_or_none("disabled_at", row.disabled_at)?,
            merged_into: text_or_none("merged_into", row.merged_into.as_deref())?,
            nickname: row.nickname.clone(),
        })
    })
}
