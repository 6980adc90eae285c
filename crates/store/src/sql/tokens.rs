//! Access and refresh tokens: issued, looked up, rotated.

use mashang_login::Timestamp;
use mashang_login::client::Client;
use mashang_login::grant::Family;
use mashang_login::records::{Bearer, Spent, StoreError};
use mashang_login::secret::SecretHash;
use mashang_login::token::{NewTokens, RefreshRecord};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::db::{Db, Run};
use super::entity::{self, access_tokens, refresh_tokens};
use super::errors::{hash, read, time, time_or_none};
use super::writer::Outcome;
use super::{audit, clients, families, people};

/// Stores tokens, and what the trail says of them, if their family may still have some; otherwise undoes the spending that
/// led here.
pub(super) async fn issue(
    db: Db<'_>,
    family_id: &str,
    new: &NewTokens,
    now: Timestamp,
) -> Result<Outcome<Spent>, StoreError> {
    if families::live(db, family_id, now).await?.is_none() {
        return Ok(Outcome::Undo(Spent::Unknown));
    }
    let access = access_tokens::Model {
        token: new.access.to_text(),
        family_id: family_id.to_owned(),
        expires_at: new.access_expires_at.as_millisecond(),
    };
    db.insert(access).await?;
    if let Some((token, expires_at)) = &new.refresh {
        let refresh = refresh_tokens::Model {
            token: token.to_text(),
            family_id: family_id.to_owned(),
            expires_at: expires_at.as_millisecond(),
            spent_at: None,
        };
        db.insert(refresh).await?;
    }
    audit::append(db, &new.told).await?;
    Ok(Outcome::Keep(Spent::Issued))
}

pub(super) async fn refresh_token(
    db: Db<'_>,
    token: &SecretHash,
) -> Result<Option<RefreshRecord>, StoreError> {
    let found = db.by_key_with::<refresh_tokens::Entity, entity::families::Entity>(token.to_text()).await?;
    let Some((row, family)) = found else { return Ok(None) };
    let family = family.map(families::from_row).transpose()?;
    read("refresh_tokens", &row.token, || {
        Ok(Some(RefreshRecord {
            token: hash("token", &row.token)?,
            family: family.ok_or("its family does not exist")?,
            expires_at: time("expires_at", row.expires_at)?,
            spent_at: time_or_none("spent_at", row.spent_at)?,
        }))
    })
}

/// Spends a refresh token, then stores its successors; a second attempt revokes the family (SEC-50).
pub(super) async fn rotate(
    db: Db<'_>,
    token: &SecretHash,
    new: &NewTokens,
    now: Timestamp,
) -> Result<Outcome<Spent>, StoreError> {
    use refresh_tokens::{Column, Entity};
    let spent = Entity::update_many()
        .col_expr(Column::SpentAt, Expr::value(now.as_millisecond()))
        .filter(Column::Token.eq(token.to_text()))
        .filter(Column::SpentAt.is_null())
        .filter(Column::ExpiresAt.gt(now.as_millisecond()))
        .run(db)
        .await?;
    let row = db.by_key::<Entity>(token.to_text()).await?;
    let Some(row) = row.filter(|row| row.spent_at.is_some()) else {
        return Ok(Outcome::Undo(Spent::Unknown));
    };
    if spent == 0 {
        families::revoke(db, &row.family_id, now).await?;
        return Ok(Outcome::Keep(Spent::Replayed));
    }
    issue(db, &row.family_id, new, now).await
}

pub(super) async fn bearer(
    db: Db<'_>,
    access: &SecretHash,
    now: Timestamp,
) -> Result<Option<Bearer>, StoreError> {
    let found = db.by_key_with::<access_tokens::Entity, entity::families::Entity>(access.to_text()).await?;
    let Some((row, Some(family))) = found else { return Ok(None) };
    let family = families::from_row(family)?;
    let is_live = now.as_millisecond() < row.expires_at && family.is_live(now);
    if !is_live {
        return Ok(None);
    }
    let client = clients::one(db, &family.client).await?.filter(Client::is_enabled);
    let Some(client) = client else { return Ok(None) };
    let user = people::user(db, &family.user).await?.filter(|user| user.disabled_at.is_none());
    Ok(user.map(|user| Bearer { family, user, client }))
}

pub(super) async fn family_of(db: Db<'_>, token: &SecretHash) -> Result<Option<Family>, StoreError> {
    let key = token.to_text();
    let access = db.by_key::<access_tokens::Entity>(key.as_str()).await?;
    let family_id = match access {
        Some(row) => Some(row.family_id),
        None => {
            let refresh = db.by_key::<refresh_tokens::Entity>(key).await?;
            refresh.map(|row| row.family_id)
        }
    };
    match family_id {
        Some(id) => families::one(db, &id).await,
        None => Ok(None),
    }
}
