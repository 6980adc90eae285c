//! The one dispatcher: given a grant, a ticket and the browser that asks, what happens next?
//!
//! ```text
//! /authorize ──► begin ──┬─ a session suffices ──────────────► answer ──► website
//!                        ├─ a session, but no consent ──► /consent/{grant} ──► answer ──► website
//!                        ├─ prompt=none ─────────────────────► error ───► website
//!                        └─ draw a ticket ──► /login/{grant}/{ticket} ──► show, wait
//!                                                        ▲  │ approved
//!                              refresh, lost ticket ─────┘  └─ redeem ──► answer ──► website
//! ```
//!
//! The person's own page asks in the same way and is answered in [`crate::account::answer`] instead.
//!
//! Pages, redirects from platforms and the script's requests all come back to [`go_on`]; steps never call each other.

pub(crate) mod answer;
mod draw;
mod here;
mod switched_off;

use axum::response::Response;
use mashang_login::Timestamp;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::Client;
use mashang_login::grant::{Grant, Purpose};
use mashang_login::ids::{ChannelId, GrantId, ScanCode};
use mashang_login::secret::SecretHash;
use mashang_login::session::Session;
use mashang_login::ticket::{Refusal, Status, Ticket};
use mashang_login::tickets::Advance;
use mashang_oidc::admission;
use mashang_oidc::authorize::{self, AuthorizationResponse};
use tokio::time::Instant;

pub use self::answer::{redeem, redeem_for_page};
pub use self::draw::{draw, draw_first, redraw, renew};
pub use self::here::prove_here;
pub use self::switched_off::{switched_off, turned_away};
use crate::oauth::message;
use crate::state::App;
use crate::traces::{self, Side};
use crate::web::language::Language;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{account, audit, consent, urls};

/// A browser with the grant it began and, if it is still there, the ticket it waits on.
#[derive(Debug)]
pub struct Waiting {
    /// Hash of the browser's half.
    pub browser: SecretHash,
    /// The website's request.
    pub grant: Grant,
    /// The website.
    pub client: Client,
    /// The ticket named in the address, if it exists and belongs to this browser and grant.
    pub ticket: Option<Ticket>,
}

impl Waiting {
    /// What the trail says of this browser at its login's end, but who it is.
    pub(crate) fn event(
        &self,
        app: &App,
        visitor: &Visitor,
        kind: AuditKind,
        channel: &ChannelId,
    ) -> AuditEvent {
        let mut event = audit::by(app, visitor, kind);
        event.client = Some(self.client.id.clone());
        event.ticket = self.ticket.as_ref().map(|ticket| ticket.scan_code.short().to_owned());
        event.channel = Some(channel.clone());
        event
    }
}

/// What a browser does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Look at the page and wait (also for denied and expired tickets: the page says so).
    Show,
    /// Get a fresh ticket: this one is gone, which happens when the server restarts.
    Draw,
    /// Collect the approval.
    Redeem,
    /// The website's request has been answered or is too old.
    Over,
}

/// The rule, as a pure function.
#[must_use]
pub fn next(grant: &Grant, ticket: Option<&Ticket>, now: Timestamp) -> Next {
    if !grant.is_open(now) {
        return Next::Over;
    }
    match ticket.map(|ticket| ticket.status(now)) {
        None | Some(Status::Redeemed) => Next::Draw,
        Some(Status::Approved) => Next::Redeem,
        Some(Status::Waiting | Status::Scanned | Status::Denied | Status::Expired) => Next::Show,
    }
}

/// Finds what an address of the login page means to this browser. A grant of another browser is unknown (SEC-56), and so
/// is everything else that is not its own: one answer for all (SEC-14).
///
/// # Errors
/// [`Problem::UnknownLogin`], or [`Problem::Store`] when the stores do not answer.
pub async fn of_browser(app: &App, visitor: &Visitor, grant: &str, ticket: &str) -> Result<Waiting, Problem> {
    let browser = visitor.browser().ok_or(Problem::UnknownLogin)?;
    held_by(app, visitor.language, browser, (grant, ticket)).await
}

/// As [`of_browser`], for whoever holds the secret with this hash.
///
/// # Errors
/// As [`of_browser`].
pub async fn held_by(
    app: &App,
    language: Language,
    browser: SecretHash,
    (grant, ticket): (&str, &str),
) -> Result<Waiting, Problem> {
    let ticket = ScanCode::parse(ticket).map_err(|_| Problem::UnknownLogin)?;
    let mut waiting = grant_held_by(app, language, browser, grant).await?;
    let found = app.tickets.get(&ticket, app.now()).await?;
    waiting.ticket =
        found.filter(|ticket| ticket.belongs_to(&waiting.browser) && ticket.grant == waiting.grant.id);
    Ok(waiting)
}

/// As [`of_browser`], for an address without a ticket.
///
/// # Errors
/// As [`of_browser`].
pub async fn of_grant(app: &App, visitor: &Visitor, grant: &str) -> Result<Waiting, Problem> {
    let browser = visitor.browser().ok_or(Problem::UnknownLogin)?;
    grant_held_by(app, visitor.language, browser, grant).await
}

async fn grant_held_by(
    app: &App,
    language: Language,
    browser: SecretHash,
    grant: &str,
) -> Result<Waiting, Problem> {
    let id = GrantId::parse(grant).map_err(|_| Problem::UnknownLogin)?;
    let (grant, stored) = app
        .records
        .grant_and_client(&id)
        .await?
        .filter(|(grant, _)| grant.belongs_to(&browser))
        .ok_or(Problem::UnknownLogin)?;
    let client = who_asks(app, language, &grant, stored).await?.ok_or(Problem::UnknownLogin)?;
    Ok(Waiting { browser, grant, client, ticket: None })
}

/// A grant, and who asks by it: a website that is switched on, or our own page for the person.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer.
pub async fn asked_by(
    app: &App,
    language: Language,
    grant: &GrantId,
) -> Result<Option<(Grant, Client)>, Problem> {
    let Some((grant, stored)) = app.records.grant_and_client(grant).await? else { return Ok(None) };
    Ok(who_asks(app, language, &grant, stored).await?.map(|client| (grant, client)))
}

async fn who_asks(
    app: &App,
    language: Language,
    grant: &Grant,
    stored: Option<Client>,
) -> Result<Option<Client>, Problem> {
    let ours = account::client(app, language, &grant.purpose).await?;
    Ok(ours.or(stored.filter(Client::is_enabled)))
}

/// The dispatcher for whole pages: redirects to wherever the browser should be, or `None`-like [`Next::Show`] pages by
/// their own address.
///
/// # Errors
/// [`Problem`] when the login is over or a store does not answer.
pub async fn go_on(app: &App, visitor: &Visitor, waiting: Waiting) -> Result<Response, Problem> {
    match next(&waiting.grant, waiting.ticket.as_ref(), app.now()) {
        Next::Over => Err(over(&waiting)),
        Next::Draw => {
            app.count(Counted::Start, visitor.address).await?;
            let to = begin(app, visitor, &waiting.grant, &waiting.client, &waiting.browser).await?;
            Ok(to.into_redirect())
        }
        Next::Redeem => Ok(answer::redeem(app, visitor, &waiting).await?.into_redirect()),
        Next::Show => {
            let ticket = waiting.ticket.as_ref().map(|ticket| ticket.scan_code.clone());
            let to = match ticket {
                Some(ticket) => urls::of_ticket(urls::LOGIN_TICKET, &waiting.grant.id, &ticket),
                None => urls::login(&waiting.grant.id),
            };
            Ok(see_other(&to, &[]))
        }
    }
}

/// The page that says a login is over, with the way back to the website, or to the person's own page.
#[must_use]
pub fn over(waiting: &Waiting) -> Problem {
    let asked_by = &waiting.grant.request.redirect_uri;
    let href = match waiting.grant.purpose {
        Purpose::SignIn => site_root(asked_by),
        Purpose::Account | Purpose::Link { .. } => Some(asked_by.clone()),
    };
    Problem::LoginOver { back: href.map(|href| (waiting.client.name.clone(), href)) }
}

/// The front page of the website behind a redirect address; none for apps.
fn site_root(redirect_uri: &str) -> Option<String> {
    let url = url::Url::parse(redirect_uri).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(format!("{}/", url.origin().ascii_serialization()))
}

/// Somewhere to send the browser, with cookies to set on the way.
#[derive(Debug)]
pub struct GoTo {
    /// An address of ours, or the website's with a code or an error.
    pub address: String,
    /// `Set-Cookie` values.
    pub cookies: Vec<String>,
}

impl GoTo {
    /// As `303 See Other`.
    #[must_use]
    pub fn into_redirect(self) -> Response {
        see_other(&self.address, &self.cookies)
    }
}

/// Stores a grant that was brought just now, and begins to answer it.
///
/// # Errors
/// [`Problem::Store`] when a store does not answer, [`Problem::NoChannel`] without a way to sign in.
pub async fn take_in(
    app: &App,
    visitor: &Visitor,
    grant: &Grant,
    client: &Client,
    browser: &SecretHash,
) -> Result<GoTo, Problem> {
    let next = decided(app, visitor, grant, client).await?;
    if matches!(next, authorize::Next::SignIn) && can_sign_in(app, grant, client) {
        return Ok(to_ticket(&draw_first(app, visitor, grant, client, browser).await?));
    }
    app.records.begin_grant(grant).await?;
    go(app, visitor, (grant, client), browser, next).await
}

/// Begins again to answer a grant: by the session this browser has, or by drawing a ticket.
///
/// # Errors
/// As [`take_in`].
pub async fn begin(
    app: &App,
    visitor: &Visitor,
    grant: &Grant,
    client: &Client,
    browser: &SecretHash,
) -> Result<GoTo, Problem> {
    let next = decided(app, visitor, grant, client).await?;
    go(app, visitor, (grant, client), browser, next).await
}

/// What answers a grant now.
async fn decided(
    app: &App,
    visitor: &Visitor,
    grant: &Grant,
    client: &Client,
) -> Result<authorize::Next, Problem> {
    let session = session_for(app, visitor, client).await?;
    let now = app.now();
    // Whoever asks for a page of ours shall use the phone, however lately they did.
    let asked_at = if grant.purpose == Purpose::SignIn { grant.created_at } else { now };
    Ok(authorize::decide(&grant.request, session, asked_at, now))
}

fn can_sign_in(app: &App, grant: &Grant, client: &Client) -> bool {
    app.channels.for_client(client, &grant.purpose).next().is_some()
}

fn to_ticket(ticket: &Ticket) -> GoTo {
    let address = urls::of_ticket(urls::LOGIN_TICKET, &ticket.grant, &ticket.scan_code);
    GoTo { address, cookies: Vec::new() }
}

/// Draws a ticket whoever is signed in: the website does not admit them, and somebody else wants to try.
///
/// # Errors
/// As [`take_in`].
pub async fn for_another(app: &App, visitor: &Visitor, waiting: &Waiting) -> Result<GoTo, Problem> {
    let (grant, client) = (&waiting.grant, &waiting.client);
    go(app, visitor, (grant, client), &waiting.browser, authorize::Next::SignIn).await
}

async fn go(
    app: &App,
    visitor: &Visitor,
    (grant, client): (&Grant, &Client),
    browser: &SecretHash,
    next: authorize::Next,
) -> Result<GoTo, Problem> {
    match next {
        authorize::Next::UseSession(session)
            if !admission::admits_session(&app.provider, client, &session).await? =>
        {
            let refusal = answer::not_admitted(app, visitor, (grant, client), session.user).await?;
            Ok(GoTo { address: message::address(app, browser, &refusal), cookies: Vec::new() })
        }
        authorize::Next::UseSession(session)
            if consent::is_needed(app, client, &session.user, &grant.request).await? =>
        {
            consent::ask(app, grant).await
        }
        authorize::Next::UseSession(session) => {
            let login = answer::continued_login(app, visitor, client, *session);
            answer::answer(app, visitor, (grant, client), login, Vec::new()).await
        }
        authorize::Next::Refuse(_) if !client.allows_redirect(&grant.request.redirect_uri) => {
            Err(Problem::UnknownLogin)
        }
        authorize::Next::Refuse(error) => {
            let response = AuthorizationResponse::error(&grant.request, &app.provider.issuer, &error)
                .as_taken_by(client);
            let address = message::address(app, browser, &response);
            Ok(GoTo { address, cookies: Vec::new() })
        }
        authorize::Next::SignIn if !can_sign_in(app, grant, client) => Err(Problem::NoChannel),
        authorize::Next::SignIn => Ok(to_ticket(&draw(app, visitor, grant, client, browser).await?)),
    }
}

/// The session this browser has, if it is live.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer.
pub async fn session_of(app: &App, visitor: &Visitor) -> Result<Option<Session>, Problem> {
    match &visitor.brought.session {
        Some(secret) => Ok(app.records.session(&secret.hash(), app.now()).await?),
        None => Ok(None),
    }
}

/// As [`session_of`], if the person came by a way that the client admits; otherwise they sign in again.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer.
pub async fn session_for(app: &App, visitor: &Visitor, client: &Client) -> Result<Option<Session>, Problem> {
    let session = session_of(app, visitor).await?;
    Ok(session.filter(|session| app.channels.admit_session(client, session)))
}

/// The host a redirect address leads to, as the person should see it; the scheme for apps.
#[must_use]
pub fn host_of(redirect_uri: &str) -> String {
    match url::Url::parse(redirect_uri) {
        Ok(url) => match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (Some(host), None) => host.to_owned(),
            (None, _) => url.scheme().to_owned(),
        },
        Err(_) => String::new(),
    }
}

/// Moves a ticket by `step`, again if somebody else moved it meanwhile, until it moves or is refused.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer; the inner error is the ticket's own refusal. A ticket that is not
/// there is refused as expired.
pub async fn advance(
    app: &App,
    code: &ScanCode,
    mut step: impl FnMut(&Ticket, Timestamp) -> Result<Ticket, Refusal>,
) -> Result<Result<Ticket, Refusal>, Problem> {
    let began = Instant::now();
    loop {
        let now = app.now();
        let Some(seen) = app.tickets.get(code, now).await? else { return Ok(Err(Refusal::Expired)) };
        let moved = match step(&seen, now) {
            Ok(moved) => moved,
            Err(refusal) => return Ok(Err(refusal)),
        };
        // Each loss means somebody else won, and a ticket has at most three moves: this ends.
        if app.tickets.advance(&seen, &moved, now).await? == Advance::Won {
            if let Some((stage, channel)) = app.metrics.ticket_moved(&seen, &moved, now, &app.site.lifetimes)
            {
                let mut told =
                    traces::told(Side::Inside, began.elapsed(), || format!("ticket {stage}").into());
                told.set("ticket", code.short().to_owned());
                told.set("ticket.stage", stage);
                told.set("channel.id", channel);
            }
            if moved.is_untold && seen.is_acted_on(&moved) {
                audit::started(app, &moved).await;
            }
            return Ok(Ok(moved));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use mashang_login::ambient::SystemEntropy;
    use mashang_login::grant::{AuthorizationRequest, GrantStage, ResponseMode, ScopeSet};
    use mashang_login::ticket::{Lifetimes, Origin};

    use super::*;

    fn start() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    fn grant(stage: GrantStage) -> Grant {
        Grant {
            id: GrantId::random(&SystemEntropy),
            client: "site".parse().unwrap(),
            request: AuthorizationRequest {
                redirect_uri: "https://site.example/cb".into(),
                response_mode: ResponseMode::Query,
                scope: ScopeSet::default(),
                state: None,
                nonce: None,
                code_challenge: None,
                force_login: false,
                force_consent: false,
                silent: false,
                max_age: None,
                login_hint: None,
                hinted: None,
                ui_locales: vec![],
            },
            purpose: Purpose::SignIn,
            browser: SecretHash::of("b"),
            created_at: start(),
            expires_at: start() + Duration::from_secs(1800),
            stage,
        }
    }

    fn ticket(grant: &Grant) -> Ticket {
        let origin = Origin {
            client: "site".parse().unwrap(),
            site_name: String::new(),
            site_host: String::new(),
            device: String::new(),
            on_phone: false,
            address: String::new(),
            at: start(),
        };
        Ticket::begin(grant.id.clone(), grant.browser, origin, start(), &Lifetimes::default(), &SystemEntropy)
    }

    #[test]
    fn a_lost_ticket_is_drawn_anew_and_an_answered_grant_is_over() {
        let open = grant(GrantStage::Pending);
        let waiting = ticket(&open);
        assert_eq!(next(&open, None, start()), Next::Draw);
        assert_eq!(next(&open, Some(&waiting), start()), Next::Show);
        assert_eq!(next(&grant(GrantStage::Fulfilled), Some(&waiting), start()), Next::Over);
        assert_eq!(next(&open, Some(&waiting), start() + Duration::from_secs(1800)), Next::Over);
    }

    #[test]
    fn an_expired_ticket_is_shown_as_such_and_not_redeemed() {
        let open = grant(GrantStage::Pending);
        assert_eq!(next(&open, Some(&ticket(&open)), start() + Duration::from_secs(121)), Next::Show);
    }

    #[test]
    fn hosts_are_shown_with_their_port_and_without_the_path() {
        assert_eq!(host_of("https://site.example/cb?x=1"), "site.example");
        assert_eq!(host_of("http://127.0.0.1:8931/cb"), "127.0.0.1:8931");
        assert_eq!(host_of("com.example.app:/cb"), "com.example.app");
    }
}
