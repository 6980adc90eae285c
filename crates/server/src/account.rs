//! `/account`: the person's own page. It tells who they are here, by which ways they sign in ([`ways`]), in which browsers
//! ([`sessions`]), what websites may know ([`websites`]) and what happened lately ([`logins`]); and what is not theirs they
//! can end. They may also leave for good ([`erase`]).
//!
//! Signing in here is a grant like a website's, shown by the same login page, but of a client that is built in and ends
//! in a session instead of a code ([`Purpose::Account`]). Adding an identity is such a grant too ([`Purpose::Link`]),
//! bound to the browser, its session and the person in it (SEC-38). Whoever adds or removes a way to sign in, or leaves, has approved for
//! this page within the last five minutes, or is asked to; signing others out needs no more than the session. But for making a
//! passkey, all of it works without script.

pub mod answer;
pub mod erase;
pub mod link;
mod logins;
pub mod not_me;
mod notice;
pub mod page;
pub mod passkey;
pub mod password;
pub mod sessions;
pub mod unlink;
mod ways;
pub mod websites;

use std::time::Duration;

use mashang_login::client::{Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::grant::{AuthorizationRequest, Grant, GrantStage, Purpose, ResponseMode, ScopeSet};
use mashang_login::identity::IdentityKey;
use mashang_login::ids::{ChannelId, ClientId, GrantId, UserId};
use mashang_login::key::SigningAlgorithm;
use mashang_login::secret::SessionSecret;
use mashang_login::session::Session;
use serde::Deserialize;

pub use self::notice::Notice;
use crate::flow::{self, GoTo};
use crate::state::App;
use crate::urls;
use crate::web::form_token;
use crate::web::language::Language;
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The built-in client: what the audit trail calls this page. It is not stored, and a registered client of the same name is
/// another one.
const CLIENT: &str = "account";
/// Within this time of an approval a person may change how they sign in.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// How long adding an identity may take.
const LINKING: Duration = Duration::from_secs(10 * 60);

/// The built-in client behind a grant of this page, named as the person should read it: on the login page and on the
/// phone it stands where a website's name stands. `None` for a website's grant.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer.
pub async fn client(app: &App, language: Language, purpose: &Purpose) -> Result<Option<Client>, Problem> {
    let words = &app.pages.words;
    let name = match purpose {
        Purpose::SignIn => return Ok(None),
        Purpose::Account => words.say(language, "account.client", &[]),
        Purpose::Link { user } => {
            let name = name_of(app, language, user).await?;
            words.say(language, "account.client_of", &[("name", &name)])
        }
    };
    Ok(Some(Client {
        id: ClientId::parse(CLIENT).expect("our own name is a client id"),
        name,
        authentication: ClientAuthentication::Public,
        redirect_uris: vec![app.site.absolute(urls::ACCOUNT)],
        post_logout_redirect_uris: Vec::new(),
        pkce: PkcePolicy::Required,
        id_token_alg: SigningAlgorithm::Rs256,
        refresh_tokens: false,
        settings: ClientSettings::default(),
        created_at: app.now(),
        disabled_at: None,
    }))
}

/// What a person is called, as they chose; words for nobody in particular if they chose nothing.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer.
pub async fn name_of(app: &App, language: Language, user: &UserId) -> Result<String, Problem> {
    let nickname = app.records.user(user).await?.and_then(|user| user.nickname);
    Ok(nickname.unwrap_or_else(|| app.pages.words.say(language, "account.someone", &[])))
}

/// Begins a grant of this page: the login page's address, with the browser's cookie if it had none. `of` is the person who
/// must approve, if that is settled; `channel` is the tab to open. Callers have counted the start (SEC-16).
async fn begin(
    app: &App,
    visitor: &Visitor,
    purpose: Purpose,
    of: Option<&UserId>,
    channel: Option<&ChannelId>,
) -> Result<GoTo, Problem> {
    let now = app.now();
    let life = if purpose == Purpose::Account { app.site.request_life } else { LINKING };
    let client = client(app, visitor.language, &purpose)
        .await?
        .ok_or_else(|| Problem::Broken("no page of ours".into()))?;
    let (browser, cookies) = visitor.browser_or_new(app);
    let grant = Grant {
        id: GrantId::random(&*app.entropy),
        client: client.id.clone(),
        request: AuthorizationRequest {
            redirect_uri: app.site.absolute(urls::ACCOUNT),
            response_mode: ResponseMode::Query,
            scope: ScopeSet::default(),
            state: None,
            nonce: None,
            code_challenge: None,
            // Whoever comes here without a session, or wants to change something, shall use the phone.
            force_login: true,
            force_consent: false,
            silent: false,
            max_age: None,
            login_hint: channel.map(ToString::to_string),
            hinted: of.cloned(),
            ui_locales: Vec::new(),
        },
        purpose,
        browser,
        created_at: now,
        expires_at: now + life,
        stage: GrantStage::Pending,
    };
    let mut to = flow::take_in(app, visitor, &grant, &client, &browser).await?;
    to.cookies.extend(cookies);
    Ok(to)
}

/// Why a form of this page cannot be read.
const INCOMPLETE: Problem = Problem::BadRequest("the account page's form is incomplete");

/// A form that carries nothing but its token, which also stands for what it acts on.
#[derive(Deserialize)]
pub struct Asked {
    token: String,
}

/// Whoever is signed in in this browser.
struct Person {
    secret: SessionSecret,
    session: Session,
}

impl Person {
    async fn of(app: &App, visitor: &Visitor) -> Result<Option<Self>, Problem> {
        let session = flow::session_of(app, visitor).await?;
        Ok(visitor.brought.session.clone().zip(session).map(|(secret, session)| Self { secret, session }))
    }

    fn user(&self) -> &UserId {
        &self.session.user
    }

    /// The token of the form of this page that does `what`.
    fn token(&self, what: &str) -> String {
        form_token::mint(self.secret.expose(), &format!("account:{what}"))
    }

    /// Whether `presented` is that token.
    fn holds(&self, what: &str, presented: &str) -> bool {
        form_token::is_valid(self.secret.expose(), &format!("account:{what}"), presented)
    }

    /// The token of the form that takes an identity away. It also stands for the identity, so that no openid is in the page
    /// (promise 10).
    fn unlink_token(&self, key: &IdentityKey) -> String {
        self.token(&unlinks(key))
    }

    /// Whether the person approved for this page lately enough to change how they sign in. A website's login is not enough:
    /// whoever was talked into approving one for a stranger's browser would give the account away with it.
    fn is_fresh(&self, app: &App) -> bool {
        self.session.confirmed_at.is_some_and(|confirmed| confirmed + FRESH > app.now())
    }

    /// Asks the person to approve once more; afterwards they are on the page again. Counted like any start (SEC-16).
    async fn ask_again(&self, app: &App, visitor: &Visitor) -> Result<GoTo, Problem> {
        app.count(Counted::Start, visitor.address).await?;
        begin(app, visitor, Purpose::Account, Some(self.user()), None).await
    }
}

/// What the form that takes an identity away does, as its token says it.
fn unlinks(key: &IdentityKey) -> String {
    of_identity("unlink", key)
}

/// What a form does to one identity.
fn of_identity(what: &str, key: &IdentityKey) -> String {
    format!("{what}:{}:{}:{}", key.kind.as_str(), key.app, key.subject)
}
