//! Grants: stored, answered once, refused once. Answering is the one transaction where a login becomes real.

use mashang_login::Timestamp;
use mashang_login::grant::{Grant, GrantStage};
use mashang_login::ids::GrantId;
use mashang_login::records::{Fulfilled, Fulfilment, Login, StoreError};
use mashang_login::session::Session;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};

use super::entity::grants::{Column, Entity, Model};
use super::errors::{hash, json, known, read, store_error, text, time, to_json};
use super::people::{self, Found};
use super::writer::Outcome;
use super::{codes, lookup, sessions};

pub(super) async fn begin(db: &impl ConnectionTrait, grant: &Grant) -> Result<(), StoreError> {
    let row = to_row(grant).into_active_model();
    Entity::insert(row).exec_without_returning(db).await.map_err(store_error)?;
    Ok(())
}

pub(super) async fn one(db: &impl ConnectionTrait, id: &GrantId) -> Result<Option<Grant>, StoreError> {
    let row = lookup::row(Entity::find_by_id(id.as_str()), db).await?;
    row.map(from_row).transpose()
}

pub(super) async fn refuse(
    db: &impl ConnectionTrait,
    id: &GrantId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    leave_pending(db, id, GrantStage::Refused, now).await
}

/// Moves `Pending → stage` if it is still open at `now`: the guard is in the write (promise 3).
async fn leave_pending(
    db: &impl ConnectionTrait,
    id: &GrantId,
    stage: GrantStage,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let moved = Entity::update_many()
        .col_expr(Column::Stage, Expr::value(stage_word(stage)))
        .filter(Column::Id.eq(id.as_str()))
        .filter(Column::Stage.eq(stage_word(GrantStage::Pending)))
        .filter(Column::ExpiresAt.gt(now.as_millisecond()))
        .exec(db)
        .await
        .map_err(store_error)?;
    Ok(moved.rows_affected == 1)
}

/// Answers a grant. The grant is moved first, so that of two nodes the second waits, finds it moved and leaves.
pub(super) async fn fulfil(
    db: &impl ConnectionTrait,
    fulfilment: &Fulfilment,
    now: Timestamp,
) -> Result<Outcome<Fulfilled>, StoreError> {
    if !leave_pending(db, &fulfilment.grant, GrantStage::Fulfilled, now).await? {
        return Ok(Outcome::Undo(Fulfilled::NotOpen));
    }
    let grant = one(db, &fulfilment.grant).await?.ok_or(StoreError::Conflict)?;
    let (session, user, created) = match &fulfilment.login {
        Login::Fresh(login) => {
            let (user, created) = match people::resolve(db, &login.proof, &login.new_user, now).await? {
                Found::Known(user) => (user, false),
                Found::Created(user) => (user, true),
                Found::Disabled => return Ok(Outcome::Undo(Fulfilled::UserDisabled)),
            };
            let begun = Session {
                id: login.session.id.clone(),
                secret: login.session.secret,
                user: user.id.clone(),
                identity: login.proof.key.clone(),
                amr: login.session.amr.clone(),
                auth_time: login.session.auth_time,
                expires_at: login.session.expires_at,
                device: login.session.device.clone(),
                address: login.session.address.clone(),
            };
            if let Some(former) = &login.replaces {
                sessions::replace(db, former, &begun, now).await?;
            }
            sessions::begin(db, &begun).await?;
            (begun, user, created)
        }
        Login::Continued(seen) => {
            // It may have ended since the caller saw it: a signed-out browser gets no code.
            let Some((session, user)) = sessions::with_user(db, &seen.secret, now).await? else {
                return Ok(Outcome::Undo(Fulfilled::NotOpen));
            };
            if user.disabled_at.is_some() {
                return Ok(Outcome::Undo(Fulfilled::UserDisabled));
            }
            (session, user, false)
        }
    };
    if grant.request.hinted.as_ref().is_some_and(|hinted| *hinted != user.id) {
        return Ok(Outcome::Undo(Fulfilled::OtherPerson));
    }
    codes::issue(db, fulfilment, &grant, &session).await?;
    Ok(Outcome::Keep(Fulfilled::Done { user, created }))
}

fn to_row(grant: &Grant) -> Model {
    Model {
        id: grant.id.to_string(),
        client_id: grant.client.to_string(),
        request: to_json(&grant.request),
        browser: grant.browser.to_text(),
        created_at: grant.created_at.as_millisecond(),
        expires_at: grant.expires_at.as_millisecond(),
        stage: stage_word(grant.stage).to_owned(),
    }
}

fn from_row(row: Model) -> Result<Grant, StoreError> {
    read("grants", &row.id, || {
        Ok(Grant {
            id: text("id", &row.id)?,
            client: text("client_id", &row.client_id)?,
            request: json("request", &row.request)?,
            browser: hash("browser", &row.browser)?,
            created_at: time("created_at", row.created_at)?,
            expires_at: time("expires_at", row.expires_at)?,
            stage: known("stage", read_stage(&row.stage))?,
        })
    })
}

/// The word in the column `stage`.
pub(super) fn stage_word(stage: GrantStage) -> &'static str {
    match stage {
        GrantStage::Pending => "pending",
        GrantStage::Fulfilled => "fulfilled",
        GrantStage::Refused => "refused",
    }
}

fn read_stage(word: &str) -> Option<GrantStage> {
    [GrantStage::Pending, GrantStage::Fulfilled, GrantStage::Refused]
        .into_iter()
        .find(|stage| stage_word(*stage) == word)
}
