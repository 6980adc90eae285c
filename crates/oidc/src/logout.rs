//! RP-Initiated Logout: a website asks to end the session (SEC-58).
//!
//! Silent only when the website shows an ID token of the very session that this browser has, or when this browser has none;
//! otherwise the person is asked, because any page could have sent the browser here. The session that a website's ID token
//! names ends with it, whether this browser has its cookie or not. A redirect goes to an exactly registered address of a
//! known client or does not happen.

use mashang_login::client::Client;
use mashang_login::ids::{ClientId, SessionId, UserId};
use mashang_login::records::StoreError;
use mashang_login::session::Session;

use crate::keys::IdTokenHint;
use crate::params::{Duplicate, Params, append};
use crate::provider::Provider;

/// The longest `state` that is carried, in bytes.
const MAX_STATE: usize = 2048;

/// What to do with a logout request.
#[derive(Debug)]
pub enum Logout {
    /// End this browser's session, if there is one, and the one that is named; then redirect, or show our own page.
    Leave(Leaving),
    /// Ask the person first; on yes, call [`confirmed`] with the same parameters.
    AskPerson {
        /// The website that asks, when it is known.
        client: Option<Box<Client>>,
        /// Where a yes leads: a registered address, with `state`.
        to: Option<String>,
        /// What is wrong with the request. The person may sign out all the same, but of the parameters nothing counts, so
        /// none may travel on (RP-Initiated Logout §4).
        wrong: Option<LogoutError>,
    },
    /// Show the error; end nothing and redirect nowhere.
    LocalError(LogoutError),
}

/// How to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The session that the website's ID token was issued in, and whose it is.
    pub named: Option<(UserId, SessionId)>,
    /// The website that asks, when it is known.
    pub client: Option<ClientId>,
    /// The registered address, with `state`; none: our own page.
    pub to: Option<String>,
}

/// Why a logout request is refused.
#[derive(Debug, thiserror::Error)]
pub enum LogoutError {
    /// A parameter was sent more than once.
    #[error(transparent)]
    Duplicate(#[from] Duplicate),
    /// Not an ID token of ours, or altered.
    #[error("the id_token_hint was not issued by this login service")]
    InvalidHint,
    /// `client_id` is not the one the ID token was issued to.
    #[error("the client_id is not the one of the id_token_hint")]
    ClientMismatch,
    /// No such client, or it is switched off.
    #[error("no application with this client_id is registered")]
    UnknownClient,
    /// `post_logout_redirect_uri` without anything that says whose it is.
    #[error("post_logout_redirect_uri needs an id_token_hint or a client_id")]
    ClientMissing,
    /// Not registered for this client, character by character.
    #[error("the post_logout_redirect_uri is not registered for this application")]
    RedirectUriMismatch,
    /// `state` is longer than 2048 bytes.
    #[error("state is longer than 2048 bytes")]
    StateTooLong,
    /// We cannot look it up now.
    #[error("the store did not answer")]
    StoreUnavailable(#[from] StoreError),
}

impl LogoutError {
    /// The HTTP status of the page: 400, or 503 when the store did not answer.
    #[must_use]
    pub fn status(&self) -> u16 {
        if matches!(self, Self::StoreUnavailable(_)) { 503 } else { 400 }
    }

    /// Whether the request says well enough that somebody wants to sign out, and only not where to go then.
    fn leaves_the_person_free(&self) -> bool {
        match self {
            Self::InvalidHint
            | Self::ClientMismatch
            | Self::UnknownClient
            | Self::ClientMissing
            | Self::RedirectUriMismatch => true,
            Self::Duplicate(_) | Self::StateTooLong | Self::StoreUnavailable(_) => false,
        }
    }
}

/// Decides about a request from a website; `session` is this browser's live session.
pub async fn decide(provider: &Provider, params: &Params, session: Option<&Session>) -> Logout {
    match read(provider, params).await {
        Ok(request) => request.decide(session),
        Err(error) if session.is_some() && error.leaves_the_person_free() => {
            Logout::AskPerson { client: None, to: None, wrong: Some(error) }
        }
        Err(error) => Logout::LocalError(error),
    }
}

/// The person said yes to [`Logout::AskPerson`]. The parameters are checked again, so they may have travelled through
/// the page (SEC-67).
pub async fn confirmed(provider: &Provider, params: &Params) -> Logout {
    match read(provider, params).await {
        Ok(request) => request.leave(),
        Err(error) => Logout::LocalError(error),
    }
}

/// A logout request whose parts belong together.
struct Request {
    hint: Option<IdTokenHint>,
    client: Option<Client>,
    return_to: Option<String>,
}

impl Request {
    fn decide(self, session: Option<&Session>) -> Logout {
        let Some(session) = session else { return self.leave() };
        let is_of_this_session = |hint: &IdTokenHint| {
            hint.sub == session.user && hint.sid.as_ref().is_some_and(|sid| *sid == session.id)
        };
        if self.hint.as_ref().is_some_and(is_of_this_session) {
            self.leave()
        } else {
            Logout::AskPerson { client: self.client.map(Box::new), to: self.return_to, wrong: None }
        }
    }

    fn leave(self) -> Logout {
        let named = self.hint.and_then(|hint| Some((hint.sub, hint.sid?)));
        Logout::Leave(Leaving { named, client: self.client.map(|client| client.id), to: self.return_to })
    }
}

/// RP-Initiated Logout §2 and §3.
async fn read(provider: &Provider, params: &Params) -> Result<Request, LogoutError> {
    let hint = match params.one("id_token_hint")? {
        Some(token) => {
            let hint = provider.keys.verify_own_id_token(token, &provider.issuer);
            Some(hint.ok_or(LogoutError::InvalidHint)?)
        }
        None => None,
    };
    let client_id = match params.one("client_id")? {
        Some(text) => Some(ClientId::parse(text).map_err(|_| LogoutError::UnknownClient)?),
        None => None,
    };
    let client_id = match (&hint, client_id) {
        (Some(hint), Some(client_id)) if hint.aud != client_id => return Err(LogoutError::ClientMismatch),
        (Some(hint), _) => Some(hint.aud.clone()),
        (None, client_id) => client_id,
    };
    let client = match client_id {
        Some(id) => {
            let client = provider.records.client(&id).await?.filter(Client::is_enabled);
            Some(client.ok_or(LogoutError::UnknownClient)?)
        }
        None => None,
    };
    let state = params.one("state")?;
    if state.is_some_and(|state| state.len() > MAX_STATE) {
        return Err(LogoutError::StateTooLong);
    }
    let return_to = match params.one("post_logout_redirect_uri")? {
        Some(uri) => {
            let client = client.as_ref().ok_or(LogoutError::ClientMissing)?;
            if !client.allows_post_logout_redirect(uri) {
                return Err(LogoutError::RedirectUriMismatch);
            }
            Some(append(uri, &[("state", state)]))
        }
        None => None,
    };
    Ok(Request { hint, client, return_to })
}
