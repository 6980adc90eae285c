//! Answering a grant: a login becomes a code, and the response that carries it back to the client.

use mashang_login::accounts::UnionNews;
use mashang_login::client::Client;
use mashang_login::grant::{Grant, Purpose};
use mashang_login::ids::{FamilyId, UserId};
use mashang_login::records::{Fulfilled, Fulfilment, Login, StoreError};
use mashang_login::secret::AuthorizationCode;
use mashang_login::user::User;

use crate::admission;
use crate::authorize::{AuthorizationResponse, AuthorizeError, session_answers};
use crate::provider::Provider;

/// How answering went.
#[expect(clippy::large_enum_variant, reason = "made once per login and taken apart at once")]
#[derive(Clone, PartialEq, Eq)]
pub enum Answered {
    /// Carry this back to the client.
    Done {
        /// `code`, `state` and `iss`.
        response: AuthorizationResponse,
        /// Who signed in.
        user: User,
        /// Whether this login created them.
        created: bool,
        /// What the unionid showed.
        union: Option<UnionNews>,
    },
    /// The grant was answered before, or its time is over.
    NotOpen,
    /// The person was switched off (SEC-40).
    UserDisabled,
    /// The person is in none of the groups that the client requires. The grant is still pending.
    NotAdmitted(UserId),
    /// Somebody else than the person of the `id_token_hint` signed in. The grant is still pending; refuse it with
    /// `login_required` (OpenID Connect Core §3.1.2.1).
    OtherPerson,
}

impl std::fmt::Debug for Answered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done { user, created, .. } => f
                .debug_struct("Done")
                .field("user", &user.id)
                .field("created", created)
                .finish_non_exhaustive(),
            Self::NotOpen => f.write_str("NotOpen"),
            Self::UserDisabled => f.write_str("UserDisabled"),
            Self::NotAdmitted(user) => f.debug_tuple("NotAdmitted").field(user).finish(),
            Self::OtherPerson => f.write_str("OtherPerson"),
        }
    }
}

/// Why a grant was not answered.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// The client was removed or switched off since, or its redirect address was taken back (SEC-40, SEC-45).
    #[error("the application may not be answered any more")]
    ClientRefused,
    /// The session is over, or not as fresh as the request demands (SEC-55): a person must scan.
    #[error("the request needs a fresh approval")]
    FreshApprovalNeeded,
    /// The store did not answer; the grant may or may not have been answered.
    #[error("the store did not answer")]
    Store(#[from] StoreError),
}

/// Mints a code and answers the grant with it, once. The caller has checked that the grant belongs to the browser
/// (SEC-56); everything else is checked again here, because time has passed since the request.
///
/// # Errors
/// [`AnswerError`]; nobody is signed in then.
pub async fn fulfil(provider: &Provider, grant: &Grant, login: Login) -> Result<Answered, AnswerError> {
    let now = provider.clock.now();
    let client = provider.records.client(&grant.client).await?;
    let client = client
        .filter(|client| client.is_enabled() && client.allows_redirect(&grant.request.redirect_uri))
        .ok_or(AnswerError::ClientRefused)?;
    if let Login::Continued(seen) = &login
        && !session_answers(&grant.request, &seen.session, grant.created_at, now)
    {
        return Err(AnswerError::FreshApprovalNeeded);
    }
    let login = match admitted(provider, &client, grant, login).await? {
        Ok(login) => login,
        Err(refused) => return Ok(refused),
    };
    let code = AuthorizationCode::random(&*provider.entropy);
    let fulfilment = Fulfilment {
        grant: grant.id.clone(),
        login,
        code: code.hash(),
        code_expires_at: now + provider.policy.code,
        family: FamilyId::random(&*provider.entropy),
        family_expires_at: now + provider.policy.family,
    };
    let response =
        || AuthorizationResponse::success(&grant.request, &provider.issuer, &code).as_taken_by(&client);
    Ok(match provider.records.fulfil_grant(&fulfilment, now).await? {
        Fulfilled::Done { user, created, union } => {
            Answered::Done { response: response(), user, created, union }
        }
        Fulfilled::NotOpen => Answered::NotOpen,
        Fulfilled::UserDisabled => Answered::UserDisabled,
        Fulfilled::OtherPerson => Answered::OtherPerson,
    })
}

/// The login, if the client admits its person; or how answering ends without it. Where the client requires groups, a fresh
/// approval becomes a session first, which ends again if it leads nowhere.
async fn admitted(
    provider: &Provider,
    client: &Client,
    grant: &Grant,
    login: Login,
) -> Result<Result<Login, Answered>, StoreError> {
    if client.settings.require_groups.is_empty() {
        return Ok(Ok(login));
    }
    let (seen, is_new) = match login {
        Login::Continued(seen) => (*seen, false),
        Login::Fresh(login) => {
            match admission::begun(provider, *login, grant.request.hinted.as_ref()).await? {
                Ok(seen) => (seen, true),
                Err(Fulfilled::UserDisabled) => return Ok(Err(Answered::UserDisabled)),
                Err(Fulfilled::OtherPerson) => return Ok(Err(Answered::OtherPerson)),
                Err(_) => return Ok(Err(Answered::NotOpen)),
            }
        }
    };
    if admission::admits_session(provider, client, &seen.session).await? {
        return Ok(Ok(Login::Continued(Box::new(seen))));
    }
    if is_new {
        provider.records.end_session(&seen.session.secret, provider.clock.now()).await?;
    }
    Ok(Err(Answered::NotAdmitted(seen.session.user)))
}

/// Answers a grant with `error`, once: what to carry back to the client, or `None` if the grant was answered before, or the
/// client's redirect address was taken back meanwhile: then nobody is led there (RFC 6749 §4.1.2.1).
///
/// # Errors
/// [`StoreError`] when the store did not answer.
pub async fn refuse(
    provider: &Provider,
    grant: &Grant,
    error: &AuthorizeError,
) -> Result<Option<AuthorizationResponse>, StoreError> {
    let client = provider.records.client(&grant.client).await?;
    if !provider.records.refuse_grant(&grant.id, provider.clock.now()).await? {
        return Ok(None);
    }
    let is_taken_back = |client: &Client| !client.allows_redirect(&grant.request.redirect_uri);
    // Our own pages' grants are of no stored client, even if one has their name.
    if grant.purpose == Purpose::SignIn && client.as_ref().is_some_and(is_taken_back) {
        return Ok(None);
    }
    let response = AuthorizationResponse::error(&grant.request, &provider.issuer, error);
    Ok(Some(match &client {
        Some(client) => response.as_taken_by(client),
        None => response,
    }))
}
