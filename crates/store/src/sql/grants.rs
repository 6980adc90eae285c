//! Grants: stored, answered once, refused once. Answering is the one transaction where a login becomes
//! real, or a linked identity.

use mashang_login::Timestamp;
use mashang_login::accounts::{Linked, Linking, UnionNews, trail_of};
use mashang_login::audit::AuditEvent;
use mashang_login::client::Client;
use mashang_login::grant::{Grant, GrantStage, Purpose};
use mashang_login::ids::{GrantId, UserId};
use mashang_login::records::{ContinuedLogin, FreshLogin, Fulfilled, Fulfilment, Login, StoreError};
use mashang_login::session::Session;
use mashang_login::user::User;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::db::{Db, Run};
use super::entity;
use super::entity::grants::{Column, Entity, Model};
use super::errors::{Unreadable, hash, json, known, read, text, time, to_json};
use super::people::{self, Found};
use super::writer::Outcome;
use super::{audit, clients, codes, identities, leavers, passwords, sessions, unlinked};

pub(super) async fn begin(db: Db<'_>, grant: &Grant) -> Result<(), StoreError> {
    db.insert(to_row(grant)).await
}

pub(super) async fn one(db: Db<'_>, id: &GrantId) -> Result<Option<Grant>, StoreError> {
    let row = db.by_key::<Entity>(id.as_str()).await?;
    row.map(from_row).transpose()
}

pub(super) async fn with_client(
    db: Db<'_>,
    id: &GrantId,
) -> Result<Option<(Grant, Option<Client>)>, StoreError> {
    let Some((grant, client)) = db.by_key_with::<Entity, entity::clients::Entity>(id.as_str()).await? else {
        return Ok(None);
    };
    Ok(Some((from_row(grant)?, client.map(clients::from_row).transpose()?)))
}

pub(super) async fn refuse(db: Db<'_>, id: &GrantId, now: Timestamp) -> Result<bool, StoreError> {
    leave_pending(db, id, GrantStage::Refused, now).await
}

/// Moves `Pending → stage` if it is still open at `now`: the guard is in the write (promise 3).
async fn leave_pending(
    db: Db<'_>,
    id: &GrantId,
    stage: GrantStage,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let moved = Entity::update_many()
        .col_expr(Column::Stage, Expr::value(stage_word(stage)))
        .filter(Column::Id.eq(id.as_str()))
        .filter(Column::Stage.eq(stage_word(GrantStage::Pending)))
        .filter(Column::ExpiresAt.gt(now.as_millisecond()))
        .run(db)
        .await?;
    Ok(moved == 1)
}

/// Answers a website's grant. The grant is moved first, so that of two nodes the second waits, finds it moved and leaves.
pub(super) async fn fulfil(
    db: Db<'_>,
    fulfilment: &Fulfilment,
    now: Timestamp,
) -> Result<Outcome<Fulfilled>, StoreError> {
    let Some(grant) =
        take(db, &fulfilment.grant, now).await?.filter(|grant| grant.purpose == Purpose::SignIn)
    else {
        return Ok(Outcome::Undo(Fulfilled::NotOpen));
    };
    let signed_in = match &fulfilment.login {
        Login::Fresh(login) => fresh(db, login, grant.request.hinted.as_ref(), now).await?,
        Login::Continued(seen) => continued(db, &grant, seen, now).await?,
    };
    let (session, answer) = match signed_in {
        Ok(signed_in) => signed_in,
        Err(refusal) => return Ok(Outcome::Undo(refusal)),
    };
    codes::issue(db, fulfilment, &grant, &session).await?;
    Ok(Outcome::Keep(answer))
}

/// Answers a grant of the person's own page: as [`fulfil`], without a code.
pub(super) async fn open_account(
    db: Db<'_>,
    grant: &GrantId,
    login: &FreshLogin,
    now: Timestamp,
) -> Result<Outcome<Fulfilled>, StoreError> {
    let Some(grant) = take(db, grant, now).await?.filter(|grant| grant.purpose == Purpose::Account) else {
        return Ok(Outcome::Undo(Fulfilled::NotOpen));
    };
    begin_session(db, login, grant.request.hinted.as_ref(), now).await
}

/// Begins a session, whatever it is for.
pub(super) async fn begin_session(
    db: Db<'_>,
    login: &FreshLogin,
    hinted: Option<&UserId>,
    now: Timestamp,
) -> Result<Outcome<Fulfilled>, StoreError> {
    Ok(match fresh(db, login, hinted, now).await? {
        Ok((_, answer)) => Outcome::Keep(answer),
        Err(refusal) => Outcome::Undo(refusal),
    })
}

/// Answers a grant that adds an identity (SEC-38).
pub(super) async fn link(
    db: Db<'_>,
    linking: &Linking,
    now: Timestamp,
) -> Result<Outcome<Linked>, StoreError> {
    let Some(Grant { purpose: Purpose::Link { user }, .. }) = take(db, &linking.grant, now).await? else {
        return Ok(Outcome::Undo(Linked::NotOpen));
    };
    let session = sessions::with_user(db, &linking.session, now).await?;
    let Some((_, person)) = session
        .filter(|(session, _)| session.user == user && session.confirmed_at >= Some(linking.fresh_since))
    else {
        return Ok(Outcome::Undo(Linked::NotOpen));
    };
    if person.disabled_at.is_some() {
        return Ok(Outcome::Undo(Linked::UserDisabled));
    }
    let proof = &linking.proof;
    if leavers::is_stale(db, proof).await? || passwords::is_outdated(db, proof).await? {
        return Ok(Outcome::Undo(Linked::NotOpen));
    }
    if let Some(known) = identities::one(db, &proof.key).await? {
        let answer =
            if known.user == user { Linked::AlreadyYours(user) } else { Linked::OwnedByOther(known.user) };
        return Ok(Outcome::Undo(answer));
    }
    // What is held here was removed since the proof; it is made together with its identity only.
    if proof.key.kind.is_held_here() || leavers::left_since(db, proof).await? {
        return Ok(Outcome::Undo(Linked::NotOpen));
    }
    let owners = identities::union_owners(db, proof.union.as_ref()).await?;
    if let Some(other) = owners.into_iter().find(|owner| *owner != user) {
        return Ok(Outcome::Undo(Linked::OwnedByOther(other)));
    }
    identities::insert(db, proof, proof.union.as_ref(), &user, now).await?;
    unlinked::forget(db, &proof.key, &user).await?;
    Ok(Outcome::Keep(Linked::Done(user)))
}

/// Moves a grant from `Pending` to `Fulfilled`, once; the grant, unless somebody else did or its time is over.
async fn take(db: Db<'_>, id: &GrantId, now: Timestamp) -> Result<Option<Grant>, StoreError> {
    if !leave_pending(db, id, GrantStage::Fulfilled, now).await? {
        return Ok(None);
    }
    one(db, id).await
}

/// A session that answers a grant and what to tell about it, or why there is none; then everything is to be undone.
type SignedIn = Result<(Session, Fulfilled), Fulfilled>;

async fn fresh(
    db: Db<'_>,
    login: &FreshLogin,
    hinted: Option<&UserId>,
    now: Timestamp,
) -> Result<SignedIn, StoreError> {
    let (user, created, union) = match people::resolve(db, &login.proof, &login.new_user, now).await? {
        Found::Known(user, news) => (user, false, news),
        Found::Created(user, news) => (user, true, news),
        Found::Disabled => return Ok(Err(Fulfilled::UserDisabled)),
        Found::Outdated => return Ok(Err(Fulfilled::NotOpen)),
    };
    if hinted.is_some_and(|hinted| *hinted != user.id) {
        return Ok(Err(Fulfilled::OtherPerson));
    }
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
        confirmed_at: login.session.confirmed_at,
    };
    if let Some(former) = &login.replaces {
        sessions::replace(db, former, &begun, now).await?;
    }
    sessions::begin(db, &begun).await?;
    done(db, &login.told, begun, (user, created, union)).await
}

async fn continued(
    db: Db<'_>,
    grant: &Grant,
    ContinuedLogin { session: seen, told }: &ContinuedLogin,
    now: Timestamp,
) -> Result<SignedIn, StoreError> {
    // It may have ended since the caller saw it: a signed-out browser gets no code.
    let Some((session, user)) = sessions::with_user(db, &seen.secret, now).await? else {
        return Ok(Err(Fulfilled::NotOpen));
    };
    if user.disabled_at.is_some() {
        return Ok(Err(Fulfilled::UserDisabled));
    }
    if !grant.request.admits(&user.id) {
        return Ok(Err(Fulfilled::OtherPerson));
    }
    done(db, told, session, (user, false, None)).await
}

/// Somebody is signed in, and the trail says so.
async fn done(
    db: Db<'_>,
    told: &AuditEvent,
    session: Session,
    (user, created, union): (User, bool, Option<UnionNews>),
) -> Result<SignedIn, StoreError> {
    for event in trail_of(told, &user.id, created, union.as_ref()) {
        audit::append(db, &event).await?;
    }
    Ok(Ok((session, Fulfilled::Done { user, created, union })))
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
        purpose: purpose_word(&grant.purpose).to_owned(),
        link_user: match &grant.purpose {
            Purpose::Link { user } => Some(user.to_string()),
            Purpose::SignIn | Purpose::Account => None,
        },
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
            purpose: read_purpose(&row)?,
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

fn purpose_word(purpose: &Purpose) -> &'static str {
    match purpose {
        Purpose::SignIn => "sign_in",
        Purpose::Account => "account",
        Purpose::Link { .. } => "link",
    }
}

fn read_purpose(row: &Model) -> Result<Purpose, Unreadable> {
    match (row.purpose.as_str(), row.link_user.as_deref()) {
        ("sign_in", None) => Ok(Purpose::SignIn),
        ("account", None) => Ok(Purpose::Account),
        ("link", Some(user)) => Ok(Purpose::Link { user: text("link_user", user)? }),
        _ => Err("purpose and link_user do not fit together".into()),
    }
}
