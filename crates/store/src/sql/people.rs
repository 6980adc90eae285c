//! People and the identities that lead to them.

use mashang_login::Timestamp;
use mashang_login::identity::{ChannelKind, Identity, IdentityKey, Profile, Proof, UnionLink};
use mashang_login::ids::UserId;
use mashang_login::records::StoreError;
use mashang_login::user::User;
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Set,
};

use super::entity::{identities, users};
use super::errors::{
    Unreadable, json, known, read, store_error, text, text_or_none, time, time_or_none, to_json,
};
use super::lookup;

/// Whom a proof leads to.
pub(super) enum Found {
    Known(User),
    Created(User),
    /// Known, and switched off: nothing may follow (SEC-40).
    Disabled,
}

/// Finds the person a proof belongs to, or creates them, and lets profile and link follow the proof.
pub(super) async fn resolve(
    db: &impl ConnectionTrait,
    proof: &Proof,
    new_user: &UserId,
    now: Timestamp,
) -> Result<Found, StoreError> {
    let seen = identity_row(db, &proof.key).await?;
    let owner = match &seen {
        Some(identity) => Some(identity.user_id.clone()),
        None => owner_by_union(db, proof.union.as_ref()).await?,
    };
    let Some(owner) = owner else {
        let user = create_user(db, proof, new_user, now).await?;
        insert_identity(db, proof, &user.id, now).await?;
        return Ok(Found::Created(user));
    };
    let row = lookup::row(users::Entity::find_by_id(owner.as_str()), db).await?;
    let row = row.ok_or_else(|| StoreError::Corrupt {
        table: "identities",
        key: format!("{:?}", proof.key),
        what: "its user does not exist".into(),
    })?;
    if row.disabled_at.is_some() {
        return Ok(Found::Disabled);
    }
    let user = follow_profile(db, row, &proof.profile, now).await?;
    match seen {
        Some(identity) => refresh_identity(db, identity, proof, now).await?,
        None => insert_identity(db, proof, &user.id, now).await?,
    }
    Ok(Found::Known(user))
}

/// The one person whose identities carry the same link; none if there are several (SEC-39).
async fn owner_by_union(
    db: &impl ConnectionTrait,
    union: Option<&UnionLink>,
) -> Result<Option<String>, StoreError> {
    let Some(union) = union else { return Ok(None) };
    let owners: Vec<String> = identities::Entity::find()
        .select_only()
        .column(identities::Column::UserId)
        .distinct()
        .filter(identities::Column::UnionPlatform.eq(&union.platform))
        .filter(identities::Column::Unionid.eq(&union.unionid))
        .limit(2)
        .into_tuple()
        .all(db)
        .await
        .map_err(store_error)?;
    Ok(<[String; 1]>::try_from(owners).ok().map(|[owner]| owner))
}

async fn create_user(
    db: &impl ConnectionTrait,
    proof: &Proof,
    id: &UserId,
    now: Timestamp,
) -> Result<User, StoreError> {
    let row = users::Model {
        id: id.to_string(),
        nickname: proof.profile.nickname.clone(),
        picture: proof.profile.picture.as_ref().map(ToString::to_string),
        created_at: now.as_millisecond(),
        updated_at: now.as_millisecond(),
        disabled_at: None,
    };
    users::Entity::insert(row.clone().into_active_model())
        .exec_without_returning(db)
        .await
        .map_err(store_error)?;
    user_from_row(row)
}

/// What the proof tells replaces what was known; what it does not tell (WeChat's silent scope tells nothing) stays.
async fn follow_profile(
    db: &impl ConnectionTrait,
    row: users::Model,
    profile: &Profile,
    now: Timestamp,
) -> Result<User, StoreError> {
    let nickname = profile.nickname.clone().or_else(|| row.nickname.clone());
    let picture = profile.picture.as_ref().map(ToString::to_string).or_else(|| row.picture.clone());
    if nickname == row.nickname && picture == row.picture {
        return user_from_row(row);
    }
    let updated = users::Model { nickname, picture, updated_at: now.as_millisecond(), ..row };
    users::Entity::update_many()
        .col_expr(users::Column::Nickname, Expr::value(updated.nickname.clone()))
        .col_expr(users::Column::Picture, Expr::value(updated.picture.clone()))
        .col_expr(users::Column::UpdatedAt, Expr::value(updated.updated_at))
        .filter(users::Column::Id.eq(&updated.id))
        .exec(db)
        .await
        .map_err(store_error)?;
    user_from_row(updated)
}

async fn insert_identity(
    db: &impl ConnectionTrait,
    proof: &Proof,
    user: &UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = identities::Model {
        kind: proof.key.kind.as_str().to_owned(),
        app: proof.key.app.clone(),
        subject: proof.key.subject.clone(),
        union_platform: proof.union.as_ref().map(|union| union.platform.clone()),
        unionid: proof.union.as_ref().map(|union| union.unionid.clone()),
        user_id: user.to_string(),
        channel: proof.channel.to_string(),
        nickname: proof.profile.nickname.clone(),
        picture: proof.profile.picture.as_ref().map(ToString::to_string),
        attributes: to_json(&proof.attributes),
        created_at: now.as_millisecond(),
        last_used_at: now.as_millisecond(),
    };
    identities::Entity::insert(row.into_active_model())
        .exec_without_returning(db)
        .await
        .map_err(store_error)?;
    Ok(())
}

async fn refresh_identity(
    db: &impl ConnectionTrait,
    row: identities::Model,
    proof: &Proof,
    now: Timestamp,
) -> Result<(), StoreError> {
    let attributes = read("identities", &shown_key(&row), || json("attributes", &row.attributes))?;
    let attributes = to_json(&proof.attributes.over(attributes));
    let mut changed = row.into_active_model();
    changed.attributes = Set(attributes);
    changed.channel = Set(proof.channel.to_string());
    changed.last_used_at = Set(now.as_millisecond());
    if let Some(union) = &proof.union {
        changed.union_platform = Set(Some(union.platform.clone()));
        changed.unionid = Set(Some(union.unionid.clone()));
    }
    if let Some(nickname) = &proof.profile.nickname {
        changed.nickname = Set(Some(nickname.clone()));
    }
    if let Some(picture) = &proof.profile.picture {
        changed.picture = Set(Some(picture.to_string()));
    }
    changed.update_without_returning(db).await.map_err(store_error)?;
    Ok(())
}

pub(super) async fn user(db: &impl ConnectionTrait, id: &UserId) -> Result<Option<User>, StoreError> {
    let row = lookup::row(users::Entity::find_by_id(id.as_str()), db).await?;
    row.map(user_from_row).transpose()
}

pub(super) async fn set_disabled(
    db: &impl ConnectionTrait,
    id: &UserId,
    at: Option<Timestamp>,
) -> Result<bool, StoreError> {
    let done = users::Entity::update_many()
        .col_expr(users::Column::DisabledAt, Expr::value(at.map(|at| at.as_millisecond())))
        .filter(users::Column::Id.eq(id.as_str()))
        .exec(db)
        .await
        .map_err(store_error)?;
    Ok(done.rows_affected == 1)
}

pub(super) async fn identity(
    db: &impl ConnectionTrait,
    key: &IdentityKey,
) -> Result<Option<Identity>, StoreError> {
    identity_row(db, key).await?.map(identity_from_row).transpose()
}

pub(super) async fn identities_of(
    db: &impl ConnectionTrait,
    user: &UserId,
) -> Result<Vec<Identity>, StoreError> {
    let rows = identities::Entity::find()
        .filter(identities::Column::UserId.eq(user.as_str()))
        .order_by_asc(identities::Column::CreatedAt)
        .order_by_asc(identities::Column::Kind)
        .order_by_asc(identities::Column::App)
        .order_by_asc(identities::Column::Subject)
        .all(db)
        .await
        .map_err(store_error)?;
    rows.into_iter().map(identity_from_row).collect()
}

async fn identity_row(
    db: &impl ConnectionTrait,
    key: &IdentityKey,
) -> Result<Option<identities::Model>, StoreError> {
    let id = (key.kind.as_str().to_owned(), key.app.clone(), key.subject.clone());
    lookup::row(identities::Entity::find_by_id(id), db).await
}

pub(super) fn user_from_row(row: users::Model) -> Result<User, StoreError> {
    read("users", &row.id, || {
        Ok(User {
            id: text("id", &row.id)?,
            picture: text_or_none("picture", row.picture.as_deref())?,
            created_at: time("created_at", row.created_at)?,
            updated_at: time("updated_at", row.updated_at)?,
            disabled_at: time_or_none("disabled_at", row.disabled_at)?,
            nickname: row.nickname.clone(),
        })
    })
}

fn identity_from_row(row: identities::Model) -> Result<Identity, StoreError> {
    read("identities", &shown_key(&row), || {
        let union = match (row.union_platform.clone(), row.unionid.clone()) {
            (Some(platform), Some(unionid)) => Some(UnionLink { platform, unionid }),
            (None, None) => None,
            _ => return Err("half a union link".into()),
        };
        Ok(Identity {
            key: key_from_columns(&row.kind, &row.app, &row.subject)?,
            union,
            user: text("user_id", &row.user_id)?,
            channel: text("channel", &row.channel)?,
            profile: Profile {
                nickname: row.nickname.clone(),
                picture: text_or_none("picture", row.picture.as_deref())?,
            },
            attributes: json("attributes", &row.attributes)?,
            created_at: time("created_at", row.created_at)?,
            last_used_at: time("last_used_at", row.last_used_at)?,
        })
    })
}

/// The key of a row for an error, which shows no whole openid (promise 10).
fn shown_key(row: &identities::Model) -> String {
    let start: String = row.subject.chars().take(4).collect();
    format!("{}:{}:{start}…", row.kind, row.app)
}

/// The three columns that make an identity key, wherever they stand.
pub(super) fn key_from_columns(kind: &str, app: &str, subject: &str) -> Result<IdentityKey, Unreadable> {
    Ok(IdentityKey {
        kind: known("kind", ChannelKind::parse(kind))?,
        app: app.to_owned(),
        subject: subject.to_owned(),
    })
}
