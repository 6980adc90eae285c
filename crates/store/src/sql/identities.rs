//! Identities: what channels proved, and whose it is.

use mashang_login::Timestamp;
use mashang_login::accounts::{UnionNews, Unlinked};
use mashang_login::identity::{Attributes, ChannelKind, Identity, IdentityKey, Profile, Proof, UnionLink};
use mashang_login::ids::{ChannelId, UserId};
use mashang_login::records::StoreError;
use sea_orm::sea_query::{Expr, LikeExpr};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, Select, Set,
};

use super::db::{Db, Fetch, Run, texts};
use super::entity::identities::{Column, Entity, Model};
use super::errors::{Unreadable, json, known, read, text, text_or_none, time, to_json};
use super::writer::Outcome;
use super::{lookup, people, sessions, unlinked};

/// Stores what a proof says of an identity that was not known.
pub(super) async fn insert(
    db: Db<'_>,
    proof: &Proof,
    union: Option<&UnionLink>,
    user: &UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let row = Model {
        kind: proof.key.kind.as_str().to_owned(),
        app: proof.key.app.clone(),
        subject: proof.key.subject.clone(),
        union_platform: union.map(|union| union.platform.clone()),
        unionid: union.map(|union| union.unionid.clone()),
        user_id: user.to_string(),
        channel: proof.channel.to_string(),
        nickname: proof.profile.nickname.clone(),
        picture: proof.profile.picture.as_ref().map(ToString::to_string),
        attributes: to_json(&proof.attributes.over(Attributes::default(), proof.proven_at)),
        created_at: now.as_millisecond(),
        last_used_at: now.as_millisecond(),
    };
    db.insert(row).await
}

/// Stores the identity of a password or passkey, which tells nothing of the person.
pub(super) async fn insert_held_here(
    db: Db<'_>,
    key: &IdentityKey,
    channel: &ChannelId,
    user: &UserId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let proof = Proof {
        channel: channel.clone(),
        key: key.clone(),
        union: None,
        profile: Profile::default(),
        attributes: Attributes::default(),
        proven_at: now,
        password_set_at: None,
    };
    insert(db, &proof, None, user, now).await
}

/// Deletes an identity, and with it a password or passkey.
pub(super) async fn delete(db: Db<'_>, key: &IdentityKey) -> Result<(), StoreError> {
    Entity::delete_many().filter(key_is(key)).run(db).await?;
    Ok(())
}

/// Lets an identity follow a proof: name, picture and telephone number that it does not tell stay. Its link is recorded
/// unless it leads to somebody else: one link, one person (SEC-39).
pub(super) async fn follow(
    db: Db<'_>,
    row: Model,
    proof: &Proof,
    now: Timestamp,
) -> Result<Option<UnionNews>, StoreError> {
    let known = from_row(row.clone())?;
    let owners = union_owners(db, proof.union.as_ref()).await?;
    let other = owners.into_iter().find(|owner| *owner != known.user);
    let union = proof.union.as_ref().filter(|_| other.is_none()).or(known.union.as_ref());
    let news = match other {
        Some(other) => Some(UnionNews::Clash { other }),
        None => (known.union.is_some() && union != known.union.as_ref()).then_some(UnionNews::Changed),
    };
    // What stays as it is is not written: engines touch an index for a column that is, even with the same value.
    let mut changed = row.into_active_model();
    changed.last_used_at = Set(now.as_millisecond());
    changed.channel.set_if_not_equals(proof.channel.to_string());
    changed.union_platform.set_if_not_equals(union.map(|union| union.platform.clone()));
    changed.unionid.set_if_not_equals(union.map(|union| union.unionid.clone()));
    let attributes = proof.attributes.over(known.attributes.clone(), proof.proven_at);
    changed.attributes.set_if_not_equals(to_json(&attributes));
    if let Some(nickname) = &proof.profile.nickname {
        changed.nickname.set_if_not_equals(Some(nickname.clone()));
    }
    if let Some(picture) = &proof.profile.picture {
        changed.picture.set_if_not_equals(Some(picture.to_string()));
    }
    Entity::update_many().set(changed).filter(key_is(&known.key)).run(db).await?;
    Ok(news)
}

/// Forgets the name and picture that the platform told.
pub(super) async fn forget_profile(db: Db<'_>, key: &IdentityKey) -> Result<(), StoreError> {
    Entity::update_many()
        .col_expr(Column::Nickname, Expr::value(Option::<String>::None))
        .col_expr(Column::Picture, Expr::value(Option::<String>::None))
        .filter(key_is(key))
        .run(db)
        .await?;
    Ok(())
}

/// The people whose identities carry the link: nobody, one, or the several that a database of the first version may hold. Not
/// limited to two: SQLite plans a statement anew each time its limit is bound.
pub(super) async fn union_owners(db: Db<'_>, union: Option<&UnionLink>) -> Result<Vec<UserId>, StoreError> {
    let Some(union) = union else { return Ok(Vec::new()) };
    let owners = Entity::find()
        .select_only()
        .column(Column::UserId)
        .distinct()
        .filter(Column::UnionPlatform.eq(&union.platform))
        .filter(Column::Unionid.eq(&union.unionid));
    let owners = texts(owners, db).await?;
    owners.iter().map(|owner| read("identities", "by union", || text("user_id", owner))).collect()
}

/// Takes an identity from a person, and ends what was signed in by it.
pub(super) async fn unlink(
    db: Db<'_>,
    user: &UserId,
    key: &IdentityKey,
    now: Timestamp,
) -> Result<Outcome<Unlinked>, StoreError> {
    let Some(theirs) = one(db, key).await?.filter(|identity| identity.user == *user) else {
        return Ok(Outcome::Undo(Unlinked::NotYours));
    };
    // Deleted first: of two calls that would leave nothing, the second one counts what the first one left.
    let gone =
        Entity::delete_many().filter(key_is(key)).filter(Column::UserId.eq(user.as_str())).run(db).await?;
    if gone == 0 {
        return Ok(Outcome::Undo(Unlinked::NotYours));
    }
    // One that was put away leads nobody in.
    if of(db, user).await?.iter().all(|identity| identity.key.left().is_some()) {
        return Ok(Outcome::Undo(Unlinked::LastOne));
    }
    sessions::end_of_identity(db, user, key, None, now).await?;
    people::forget_told(db, user, &[theirs.profile], now).await?;
    // A unionid leads to accounts of WeChat alone: nothing else can come back by one.
    if key.kind.is_wechat() {
        unlinked::remember(db, key, user, now).await?;
    }
    Ok(Outcome::Keep(Unlinked::Done))
}

/// Gives one of `from`'s identities to `into`; `false` if it is no longer with `from`.
pub(super) async fn give(
    db: Db<'_>,
    key: &IdentityKey,
    from: &UserId,
    into: &UserId,
) -> Result<bool, StoreError> {
    let moved = Entity::update_many()
        .col_expr(Column::UserId, Expr::value(into.as_str()))
        .filter(key_is(key))
        .filter(Column::UserId.eq(from.as_str()))
        .run(db)
        .await?;
    Ok(moved == 1)
}

/// Gives an identity another subject within its app.
pub(super) async fn rename(db: Db<'_>, key: &IdentityKey, subject: &str) -> Result<(), StoreError> {
    Entity::update_many().col_expr(Column::Subject, Expr::value(subject)).filter(key_is(key)).run(db).await?;
    Ok(())
}

/// The keys of the corp's members who left.
pub(super) async fn tombstones(db: Db<'_>, key: &IdentityKey) -> Result<Vec<IdentityKey>, StoreError> {
    let left = format!("left:%:{}", lookup::literally(&key.subject));
    let rows = Entity::find()
        .filter(Column::Kind.eq(key.kind.as_str()))
        .filter(Column::App.eq(&key.app))
        // SQLite has no index for a pattern.
        .filter(Column::Subject.gte("left:"))
        .filter(Column::Subject.lt("left;"))
        .filter(Column::Subject.like(LikeExpr::new(left).escape('!')))
        .fetch(db)
        .await?;
    rows.into_iter().map(|row| from_row(row).map(|identity| identity.key)).collect()
}

/// Forgets the identity's link if somebody else has it too.
pub(super) async fn drop_shared_link(db: Db<'_>, key: &IdentityKey) -> Result<(), StoreError> {
    let Some(identity) = one(db, key).await? else { return Ok(()) };
    let owners = union_owners(db, identity.union.as_ref()).await?;
    if owners.iter().all(|owner| *owner == identity.user) {
        return Ok(());
    }
    Entity::update_many()
        .col_expr(Column::UnionPlatform, Expr::value(Option::<String>::None))
        .col_expr(Column::Unionid, Expr::value(Option::<String>::None))
        .filter(key_is(key))
        .run(db)
        .await?;
    Ok(())
}

pub(super) async fn one(db: Db<'_>, key: &IdentityKey) -> Result<Option<Identity>, StoreError> {
    row(db, key).await?.map(from_row).transpose()
}

/// A person's identities, oldest first.
pub(super) async fn of(db: Db<'_>, user: &UserId) -> Result<Vec<Identity>, StoreError> {
    let rows = of_user(user)
        .order_by_asc(Column::CreatedAt)
        .order_by_asc(Column::Kind)
        .order_by_asc(Column::App)
        .order_by_asc(Column::Subject)
        .fetch(db)
        .await?;
    rows.into_iter().map(from_row).collect()
}

/// The row of an identity, to be changed.
pub(super) async fn row(db: Db<'_>, key: &IdentityKey) -> Result<Option<Model>, StoreError> {
    let row = db.by_key::<Entity>(primary_key(key)).await?;
    // MySQL takes `a` and `a ` for the same key; nobody shall come in as somebody else by a blank (SEC-23).
    Ok(row.filter(|row| row.app == key.app && row.subject == key.subject))
}

pub(super) fn primary_key(key: &IdentityKey) -> (String, String, String) {
    (key.kind.as_str().to_owned(), key.app.clone(), key.subject.clone())
}

fn key_is(key: &IdentityKey) -> Condition {
    Condition::all()
        .add(Column::Kind.eq(key.kind.as_str()))
        .add(Column::App.eq(&key.app))
        .add(Column::Subject.eq(&key.subject))
}

fn of_user(user: &UserId) -> Select<Entity> {
    Entity::find().filter(Column::UserId.eq(user.as_str()))
}

fn from_row(row: Model) -> Result<Identity, StoreError> {
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
pub(super) fn shown_key(row: &Model) -> String {
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
