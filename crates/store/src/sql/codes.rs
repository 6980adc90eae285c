//! Authorization codes: issued with their family, spent once.

use mashang_login::Timestamp;
use mashang_login::grant::{Family, Grant};
use mashang_login::records::{Fulfilment, Spent, StoreError};
use mashang_login::secret::SecretHash;
use mashang_login::session::Session;
use mashang_login::token::{CodeRecord, NewTokens};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::db::{Db, Run};
use super::entity;
use super::entity::codes::{Column, Entity, Model};
use super::errors::{hash, read, time, time_or_none};
use super::writer::Outcome;
use super::{families, tokens};

/// Opens the family that a code will speak for, and stores the code.
pub(super) async fn issue(
    db: Db<'_>,
    fulfilment: &Fulfilment,
    grant: &Grant,
    session: &Session,
) -> Result<(), StoreError> {
    let family = Family {
        id: fulfilment.family.clone(),
        client: grant.client.clone(),
        user: session.user.clone(),
        session: session.id.clone(),
        identity: session.identity.clone(),
        scope: grant.request.scope.clone(),
        auth_time: session.auth_time,
        amr: session.amr.clone(),
        expires_at: fulfilment.family_expires_at,
        revoked_at: None,
    };
    families::open(db, &family).await?;
    let row = Model {
        code: fulfilment.code.to_text(),
        family_id: family.id.to_string(),
        redirect_uri: grant.request.redirect_uri.clone(),
        code_challenge: grant.request.code_challenge.clone(),
        nonce: grant.request.nonce.clone(),
        expires_at: fulfilment.code_expires_at.as_millisecond(),
        spent_at: None,
    };
    db.insert(row).await
}

pub(super) async fn one(db: Db<'_>, code: &SecretHash) -> Result<Option<CodeRecord>, StoreError> {
    let Some((row, family)) = db.by_key_with::<Entity, entity::families::Entity>(code.to_text()).await?
    else {
        return Ok(None);
    };
    let family = family.map(families::from_row).transpose()?;
    read("codes", &row.code, || {
        Ok(Some(CodeRecord {
            code: hash("code", &row.code)?,
            family: family.ok_or("its family does not exist")?,
            redirect_uri: row.redirect_uri.clone(),
            code_challenge: row.code_challenge.clone(),
            nonce: row.nonce.clone(),
            expires_at: time("expires_at", row.expires_at)?,
            spent_at: time_or_none("spent_at", row.spent_at)?,
        }))
    })
}

/// Spends a code, then stores its tokens: in this order, guarded in the write (SEC-49).
pub(super) async fn exchange(
    db: Db<'_>,
    code: &SecretHash,
    new: &NewTokens,
    now: Timestamp,
) -> Result<Outcome<Spent>, StoreError> {
    let spent = Entity::update_many()
        .col_expr(Column::SpentAt, Expr::value(now.as_millisecond()))
        .filter(Column::Code.eq(code.to_text()))
        .filter(Column::SpentAt.is_null())
        .filter(Column::ExpiresAt.gt(now.as_millisecond()))
        .run(db)
        .await?;
    let row = db.by_key::<Entity>(code.to_text()).await?;
    let Some(row) = row.filter(|row| row.spent_at.is_some()) else {
        return Ok(Outcome::Undo(Spent::Unknown));
    };
    if spent == 0 {
        families::revoke(db, &row.family_id, now).await?;
        return Ok(Outcome::Keep(Spent::Replayed));
    }
    tokens::issue(db, &row.family_id, new, now).await
}
