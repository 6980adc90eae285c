//! Who may sign in to a client at all: everybody, or the people in one of the groups that the operator named for it. Asked before a
//! code is issued, and again whenever tokens are: rules change, and so do departments.

use mashang_login::audit::AuditKind;
use mashang_login::client::Client;
use mashang_login::identity::IdentityKey;
use mashang_login::ids::UserId;
use mashang_login::records::{ContinuedLogin, FreshLogin, Fulfilled, StoreError};
use mashang_login::session::Session;
use mashang_login::user::User;

use crate::claims::{Given, Person};
use crate::provider::Provider;

/// Whether `client` may be told of a person who signed in by `used`.
///
/// # Errors
/// [`StoreError`] when the store did not answer.
pub async fn is_admitted(
    provider: &Provider,
    client: &Client,
    user: User,
    used: &IdentityKey,
) -> Result<bool, StoreError> {
    if client.settings.require_groups.is_empty() {
        return Ok(true);
    }
    let person = Person::load(provider, user, used).await?;
    Ok(of_its_groups(provider, client, &person))
}

/// The same for the person of a session; one who is not there any more is not admitted.
///
/// # Errors
/// [`StoreError`] when the store did not answer.
pub async fn admits_session(
    provider: &Provider,
    client: &Client,
    session: &Session,
) -> Result<bool, StoreError> {
    if client.settings.require_groups.is_empty() {
        return Ok(true);
    }
    match provider.records.user(&session.user).await? {
        Some(user) => is_admitted(provider, client, user, &session.identity).await,
        None => Ok(false),
    }
}

/// The same for a person who has been read.
pub(crate) fn of_its_groups(provider: &Provider, client: &Client, person: &Person) -> bool {
    let required = &client.settings.require_groups;
    let given = || Given::by(&provider.claims.rules, client, person).groups;
    required.is_empty() || given().iter().any(|group| required.contains(group))
}

/// Begins the session of a fresh approval by itself, as whose person it is shows only then: their groups are of what this very
/// login proved.
///
/// # Errors
/// The inner error says why there is none.
pub(crate) async fn begun(
    provider: &Provider,
    login: FreshLogin,
    hinted: Option<&UserId>,
) -> Result<Result<ContinuedLogin, Fulfilled>, StoreError> {
    let now = provider.clock.now();
    match provider.records.begin_session(&login, hinted, now).await? {
        Fulfilled::Done { .. } => {}
        other => return Ok(Err(other)),
    }
    let session = provider.records.session(&login.session.secret, now).await?;
    let mut told = login.told;
    told.kind = AuditKind::SessionContinued;
    Ok(session.map(|session| ContinuedLogin { session, told }).ok_or(Fulfilled::NotOpen))
}
