//! May the browser's session answer, or must a person scan (SEC-55).

use jiff::Timestamp;
use mashang_login::grant::AuthorizationRequest;
use mashang_login::session::Session;

use super::error::AuthorizeError;

/// What happens next to a checked request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Show the login page.
    SignIn,
    /// Answer at once with this session (single sign-on).
    UseSession(Box<Session>),
    /// Redirect this error.
    Refuse(AuthorizeError),
}

/// Decides by `prompt`, `max_age` and `id_token_hint` (OpenID Connect Core §3.1.2.1, §3.1.2.3): `session` is the
/// browser's live session, `asked_at` the moment of the request. A *verified* `id_token_hint` is already in the request.
#[must_use]
pub fn decide(
    request: &AuthorizationRequest,
    session: Option<Session>,
    asked_at: Timestamp,
    now: Timestamp,
) -> Next {
    let usable = session.filter(|session| session_answers(request, session, asked_at, now));
    match usable {
        Some(session) => Next::UseSession(Box::new(session)),
        None if request.silent => Next::Refuse(AuthorizeError::login_required()),
        None => Next::SignIn,
    }
}

/// Whether `session` is of the hinted person, and as fresh as the request demands. `max_age=0` demands a fresh approval, like
/// `prompt=login`; an approval since the request is fresh by any measure.
pub(crate) fn session_answers(
    request: &AuthorizationRequest,
    session: &Session,
    asked_at: Timestamp,
    now: Timestamp,
) -> bool {
    let age = now.as_second().saturating_sub(session.auth_time.as_second());
    let young_enough = request.max_age.is_none_or(|most| most > 0 && u64::try_from(age).unwrap_or(0) <= most);
    let right_person = request.hinted.as_ref().is_none_or(|hinted| *hinted == session.user);
    let fresh_enough = session.auth_time > asked_at || (!request.force_login && young_enough);
    session.is_live(now) && right_person && fresh_enough
}
