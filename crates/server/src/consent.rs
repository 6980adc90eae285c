//! Consent: before a website that was switched so is told who a person is, our page lists what it gets, and asks.
//!
//! ```text
//! approval ──► hold: session begun, grant still open ──► /consent/{grant} ──┬─ yes ──► answer ──► website
//! session  ──────────────────────────────────────────────►                 └─ no ───► access_denied
//! ```
//!
//! What was agreed is remembered per person, website and scope ([`Consents`](mashang_login::consent::Consents)); the
//! person takes it back on their own page.

pub mod answer;
pub mod page;

use mashang_login::audit::AuditKind;
use mashang_login::client::Client;
use mashang_login::grant::{AuthorizationRequest, Grant};
use mashang_login::ids::{GrantId, UserId};
use mashang_login::records::{FreshLogin, Fulfilled};
use mashang_login::secret::SessionSecret;
use mashang_login::session::Session;
use mashang_oidc::answer::refuse;
use mashang_oidc::authorize::{self, AuthorizeError};

use crate::flow::{self, GoTo, Waiting};
use crate::oauth::message;
use crate::state::App;
use crate::web::form_token;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, urls};

/// Whether this person must be asked before the website is answered.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer.
pub async fn is_needed(
    app: &App,
    client: &Client,
    user: &UserId,
    request: &AuthorizationRequest,
) -> Result<bool, Problem> {
    if !client.settings.consent {
        return Ok(false);
    }
    let agreed = app.consents.consent(user, &client.id).await?;
    let told = client.granted(&request.scope);
    Ok(request.force_consent || !agreed.is_some_and(|agreed| agreed.covers(&told)))
}

/// The same for whoever a fresh approval leads to; somebody new has agreed to nothing.
///
/// # Errors
/// As [`is_needed`].
pub(crate) async fn is_needed_after(
    app: &App,
    waiting: &Waiting,
    login: &FreshLogin,
) -> Result<bool, Problem> {
    let client = &waiting.client;
    if !client.settings.consent {
        return Ok(false);
    }
    match app.records.identity(&login.proof.key).await? {
        Some(identity) => is_needed(app, client, &identity.user, &waiting.grant.request).await,
        None => Ok(true),
    }
}

/// To the page that asks; a website that wants no page shown is told that there must be one.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer.
pub(crate) async fn ask(app: &App, grant: &Grant) -> Result<GoTo, Problem> {
    let to = if grant.request.silent {
        let refusal = refuse(&app.provider, grant, &AuthorizeError::consent_required()).await?;
        message::address(app, &grant.browser, &refusal.ok_or(Problem::UnknownLogin)?)
    } else {
        urls::consent(&grant.id)
    };
    Ok(GoTo { address: to, cookies: Vec::new() })
}

/// Where somebody goes who was signed in here while the website waits.
pub(crate) enum Onward {
    /// To the page that asks.
    Ask,
    /// Back to the dispatcher, which sees who they are.
    Decide,
}

/// Signs the person in here, but answers the website only after they were asked, or found to be one whom it admits.
///
/// # Errors
/// [`Problem`] when nobody was signed in.
pub(crate) async fn hold(
    app: &App,
    visitor: &Visitor,
    waiting: &Waiting,
    login: &FreshLogin,
    cookies: Vec<String>,
    onward: Onward,
) -> Result<GoTo, Problem> {
    let (grant, client) = (&waiting.grant, &waiting.client);
    match app.records.begin_session(login, grant.request.hinted.as_ref(), app.now()).await? {
        Fulfilled::Done { user, union, .. } => {
            audit::warn_of_union(&user.id, union.as_ref());
            match onward {
                Onward::Ask => Ok(GoTo { cookies, ..ask(app, grant).await? }),
                Onward::Decide => Ok(GoTo { address: urls::login(&grant.id), cookies }),
            }
        }
        Fulfilled::OtherPerson => {
            let refusal = refuse(&app.provider, grant, &AuthorizeError::login_required()).await?;
            let address = message::address(app, &grant.browser, &refusal.ok_or(Problem::UnknownLogin)?);
            Ok(GoTo { address, cookies: Vec::new() })
        }
        Fulfilled::NotOpen => Err(flow::over(waiting)),
        Fulfilled::UserDisabled => {
            audit::of_client(app, visitor, AuditKind::SignInRefused, &client.id, None).await;
            Err(Problem::PersonDisabled)
        }
    }
}

/// An open request of a browser, and the session of the person who is asked. `None` when they must sign in first, or need
/// not be asked.
async fn asked(app: &App, visitor: &Visitor, waiting: &Waiting) -> Result<Option<Session>, Problem> {
    let grant = &waiting.grant;
    if !grant.is_open(app.now()) {
        return Err(flow::over(waiting));
    }
    let session = flow::session_for(app, visitor, &waiting.client).await?;
    let next = authorize::decide(&grant.request, session, grant.created_at, app.now());
    let authorize::Next::UseSession(session) = next else { return Ok(None) };
    let is_needed = is_needed(app, &waiting.client, &session.user, &grant.request).await?;
    Ok(is_needed.then_some(*session))
}

/// The token of the form: of this session, for this request (SEC-64).
fn token(secret: &SessionSecret, grant: &GrantId) -> String {
    form_token::mint(secret.expose(), &purpose(grant))
}

fn is_token(secret: &SessionSecret, grant: &GrantId, presented: &str) -> bool {
    form_token::is_valid(secret.expose(), &purpose(grant), presented)
}

fn purpose(grant: &GrantId) -> String {
    format!("consent:{grant}")
}
