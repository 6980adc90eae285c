//! `/account`: the person's own page, and the two things done there: adding a way to sign in and taking one away.
//!
//! Signing in here is a grant like a website's, shown by the same login page, but of a client that is built in and ends
//! in a session instead of a code ([`Purpose::Account`]). Adding an identity is such a grant too ([`Purpose::Link`]),
//! bound to the browser, its session and the person in it (SEC-38). Whoever changes something has approved within the
//! last five minutes, or is asked to once more.

pub mod answer;
pub mod link;
pub mod page;
pub mod unlink;

use std::time::Duration;

use mashang_login::client::{Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::grant::{AuthorizationRequest, Grant, GrantStage, Purpose, ResponseMode, ScopeSet};
use mashang_login::identity::IdentityKey;
use mashang_login::ids::{ChannelId, ClientId, GrantId, UserId};
use mashang_login::key::SigningAlgorithm;
use mashang_login::secret::SessionSecret;
use mashang_login::session::Session;

use crate::flow::{self, GoTo};
use crate::state::App;
use crate::urls;
use crate::web::form_token;
use crate::web::language::Language;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The built-in client: what the audit trail calls this page. It is not stored, and a registered client of the same name is
/// another one.
const CLIENT: &str = "account";
/// Within this time of an approval a person may change how they sign in.
const FRESH: Duration = Duration::from_secs(5 * 60);
/// How long adding an identity may take.
const LINKING: Duration = Duration::from_secs(10 * 60);

/// What the page says after something was done, by a word in its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    /// An identity was added.
    Linked,
    /// An identity was taken away.
    Unlinked,
    /// So it was, and another one of the same WeChat account is still there.
    UnlinkedOne,
    /// It was the person's before.
    AlreadyYours,
    /// It leads to another person.
    OwnedByOther,
    /// The last one stays.
    LastOne,
    /// The session ended or grew old on the way.
    NotFresh,
    /// Approved once more: now it can be done.
    Fresh,
    /// Another person than the one signed in approved.
    OtherPerson,
    /// Gone back without an approval.
    Cancelled,
}

impl Notice {
    const ALL: [Self; 10] = [
        Self::Linked,
        Self::Unlinked,
        Self::UnlinkedOne,
        Self::AlreadyYours,
        Self::OwnedByOther,
        Self::LastOne,
        Self::NotFresh,
        Self::Fresh,
        Self::OtherPerson,
        Self::Cancelled,
    ];

    /// The word in addresses and locale keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::Unlinked => "unlinked",
            Self::UnlinkedOne => "unlinked_one",
            Self::AlreadyYours => "already_yours",
            Self::OwnedByOther => "owned_by_other",
            Self::LastOne => "last_one",
            Self::NotFresh => "not_fresh",
            Self::Fresh => "fresh",
            Self::OtherPerson => "other_person",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads [`Notice::as_str`].
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.as_str() == text)
    }

    /// The page with this notice.
    #[must_use]
    pub fn address(self) -> String {
        format!("{}?notice={}", urls::ACCOUNT, self.as_str())
    }
}

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
    app.records.begin_grant(&grant).await?;
    let mut to = flow::begin(app, visitor, &grant, &client, &browser).await?;
    to.cookies.extend(cookies);
    Ok(to)
}

/// Whether the person approved lately enough to change how they sign in.
fn is_fresh(app: &App, session: &Session) -> bool {
    session.auth_time + FRESH > app.now()
}

/// Asks the person in `session` to approve once more; afterwards they are on the page again.
async fn ask_again(app: &App, visitor: &Visitor, session: &Session) -> Result<GoTo, Problem> {
    begin(app, visitor, Purpose::Account, Some(&session.user), None).await
}

/// The token of the form that adds an identity by a channel.
fn link_token(secret: &SessionSecret) -> String {
    form_token::mint(secret.expose(), "account:link")
}

/// The token of the form that takes an identity away. It also stands for the identity, so that no openid is in the page
/// (promise 10).
fn unlink_token(secret: &SessionSecret, key: &IdentityKey) -> String {
    form_token::mint(secret.expose(), &unlink_purpose(key))
}

fn unlink_purpose(key: &IdentityKey) -> String {
    format!("account:unlink:{}:{}:{}", key.kind.as_str(), key.app, key.subject)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_read_back() {
        for notice in Notice::ALL {
            assert_eq!(Notice::parse(notice.as_str()), Some(notice));
        }
        assert_eq!(Notice::parse("<b>"), None);
    }
}
