//! The end of a login: an approval or a session becomes a code at the website, with its session and its audit records, which
//! are stored with it.

use mashang_login::audit::AuditKind;
use mashang_login::client::Client;
use mashang_login::grant::{Grant, Purpose};
use mashang_login::identity::{ChannelKind, Proof};
use mashang_login::ids::{SessionId, UserId};
use mashang_login::records::{ContinuedLogin, FreshLogin, Login, NewSession};
use mashang_login::secret::SessionSecret;
use mashang_login::session::Session;
use mashang_oidc::answer::{AnswerError, Answered, fulfil, refuse};
use mashang_oidc::authorize::{AuthorizationResponse, AuthorizeError};

use super::{GoTo, Waiting, advance, site_root};
use crate::channel::Channel;
use crate::oauth::message;
use crate::state::App;
use crate::web::cookies::CookieKind;
use crate::web::limits::{Counted, Whose};
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{account, audit, consent, urls};

/// The browser collects the approval, once, and goes back to the website with a code (promise 3). The ticket is spent
/// first: if the records then fail, the person scans again, and nobody is let in.
///
/// # Errors
/// [`Problem::UnknownLogin`] when there is nothing to collect.
pub async fn redeem(app: &App, visitor: &Visitor, waiting: &Waiting) -> Result<GoTo, Problem> {
    let proof = collect(app, visitor, waiting).await?.ok_or(Problem::UnknownLogin)?;
    if let Purpose::Link { user } = &waiting.grant.purpose {
        return account::answer::link(app, visitor, waiting, user, proof).await;
    }
    let (secret, login) = fresh_login(app, visitor, waiting, proof);
    let cookies = vec![app.site.transport.set(CookieKind::Session, secret.expose())];
    if waiting.grant.purpose == Purpose::Account {
        return account::answer::open(app, visitor, waiting, &login, cookies).await;
    }
    // Whose groups they are shows once they are signed in; whoever is refused by this website alone stays so.
    if !waiting.client.settings.require_groups.is_empty() {
        return consent::hold(app, visitor, waiting, &login, cookies, consent::Onward::Decide).await;
    }
    if consent::is_needed_after(app, waiting, &login).await? {
        return consent::hold(app, visitor, waiting, &login, cookies, consent::Onward::Ask).await;
    }
    let login = Login::Fresh(Box::new(login));
    answer(app, visitor, (&waiting.grant, &waiting.client), login, cookies).await
}

/// As [`redeem`], for a website's own page: it gets the answer itself, and nobody the session's cookie. `None` when there
/// is nothing to collect.
///
/// # Errors
/// As [`redeem`].
pub async fn redeem_for_page(
    app: &App,
    visitor: &Visitor,
    waiting: &Waiting,
) -> Result<Option<AuthorizationResponse>, Problem> {
    if waiting.client.settings.consent {
        // The person is asked by a page of ours, in a window of its own.
        return Err(Problem::way_not_admitted(&waiting.grant));
    }
    let Some(proof) = collect(app, visitor, waiting).await? else { return Ok(None) };
    let (_, login) = fresh_login(app, visitor, waiting, proof);
    let login = Login::Fresh(Box::new(login));
    respond(app, visitor, (&waiting.grant, &waiting.client), login).await
}

/// Spends the approved ticket: whoever gets the proof is the only one. `None` when there is nothing to collect.
async fn collect(app: &App, visitor: &Visitor, waiting: &Waiting) -> Result<Option<Proof>, Problem> {
    let Some(ticket) = &waiting.ticket else { return Ok(None) };
    let mut approved_by = None;
    let moved = advance(app, &ticket.scan_code, |ticket, now| {
        let (redeemed, by) = ticket.redeem(&waiting.browser, now)?;
        approved_by = Some(by);
        Ok(redeemed)
    })
    .await?;
    let (Ok(_), Some(proof)) = (moved, approved_by) else { return Ok(None) };
    if !waiting.client.settings.admits(&proof.channel) {
        tracing::info!(client.id = %waiting.client.id, channel.id = %proof.channel, "an approval by channel {} was refused: {} does not admit it", proof.channel, waiting.client.id);
        audit::of_client(app, visitor, AuditKind::SignInRefused, &waiting.client.id, None).await;
        return Err(Problem::way_not_admitted(&waiting.grant));
    }
    Ok(Some(proof))
}

fn fresh_login(app: &App, visitor: &Visitor, waiting: &Waiting, proof: Proof) -> (SessionSecret, FreshLogin) {
    let now = app.now();
    // Which way the person came, and that is not always the kind of their identity: an app may vouch for it.
    let through = app.channels.get(proof.channel.as_str()).map(Channel::kind);
    // A platform was asked for this very login. A token may repeat an earlier one, and so does the session of a phone's
    // browser: a proof from before the ticket. Neither must make it look fresh.
    let is_older = waiting.ticket.as_ref().is_some_and(|ticket| proof.proven_at < ticket.origin.at);
    let is_repeated = is_older || through.is_none_or(|kind| kind == ChannelKind::App);
    let secret = SessionSecret::random(&*app.entropy);
    let auth_time = if is_repeated { proof.proven_at.min(now) } else { now };
    let session = NewSession {
        id: SessionId::random(&*app.entropy),
        secret: secret.hash(),
        amr: through.unwrap_or(proof.key.kind).as_str().to_owned(),
        auth_time,
        confirmed_at: (waiting.grant.purpose == Purpose::Account).then_some(auth_time),
        // What repeats a session lives no longer than that one could: or sessions would beget sessions for ever. An app
        // vouches for its people anew each time.
        expires_at: if is_older && through != Some(ChannelKind::App) { proof.proven_at } else { now }
            + app.site.session_life,
        device: visitor.device(),
        address: visitor.address.to_string(),
    };
    let replaces = visitor.brought.session.as_ref().map(SessionSecret::hash);
    let new_user = UserId::random(&*app.entropy);
    let told = waiting.event(app, visitor, AuditKind::SignedIn, &proof.channel);
    (secret, FreshLogin { proof, new_user, session, replaces, told })
}

/// A session that is there answers the grant of `client`.
pub(crate) fn continued_login(app: &App, visitor: &Visitor, client: &Client, session: Session) -> Login {
    let mut told = audit::by(app, visitor, AuditKind::SessionContinued);
    told.client = Some(client.id.clone());
    Login::Continued(Box::new(ContinuedLogin { session, told }))
}

pub(crate) async fn answer(
    app: &App,
    visitor: &Visitor,
    waiting: (&Grant, &Client),
    login: Login,
    cookies: Vec<String>,
) -> Result<GoTo, Problem> {
    let (grant, _) = waiting;
    let Some(response) = respond(app, visitor, waiting, login).await? else {
        return Ok(GoTo { address: urls::login(&grant.id), cookies });
    };
    // Whoever is refused is not signed in.
    let cookies = if response.get("code").is_some() { cookies } else { Vec::new() };
    Ok(GoTo { address: message::address(app, &grant.browser, &response), cookies })
}

/// Answers the grant, once. `None` when a person must approve first.
async fn respond(
    app: &App,
    visitor: &Visitor,
    waiting: (&Grant, &Client),
    login: Login,
) -> Result<Option<AuthorizationResponse>, Problem> {
    let (grant, client) = waiting;
    let answered = match fulfil(&app.provider, grant, login).await {
        Ok(answered) => answered,
        Err(AnswerError::Store(error)) => return Err(Problem::Store(error)),
        // The client was switched off, or its address taken back, while the person was scanning.
        Err(AnswerError::ClientRefused) => return Err(Problem::UnknownLogin),
        Err(AnswerError::FreshApprovalNeeded) => return Ok(None),
    };
    match answered {
        Answered::Done { response, user, union, .. } => {
            audit::warn_of_union(&user.id, union.as_ref());
            Ok(Some(response))
        }
        Answered::NotAdmitted(user) => not_admitted(app, visitor, (grant, client), user).await.map(Some),
        Answered::OtherPerson => {
            let error = AuthorizeError::login_required();
            refuse(&app.provider, grant, &error).await?.ok_or(Problem::UnknownLogin).map(Some)
        }
        Answered::NotOpen => Err(Problem::LoginOver {
            back: site_root(&grant.request.redirect_uri).map(|href| (client.name.clone(), href)),
        }),
        Answered::UserDisabled => {
            tracing::info!(client.id = %client.id, "a switched-off person was refused");
            audit::of_client(app, visitor, AuditKind::SignInRefused, &client.id, None).await;
            Err(Problem::PersonDisabled)
        }
    }
}

/// Somebody whom the website does not admit: a website that wants no page is told so, people see a page of ours. Their
/// session stands, and the grant too: somebody else may sign in by it.
///
/// # Errors
/// [`Problem::NotAdmitted`], unless the website is told.
pub(crate) async fn not_admitted(
    app: &App,
    visitor: &Visitor,
    (grant, client): (&Grant, &Client),
    user: UserId,
) -> Result<AuthorizationResponse, Problem> {
    // Each visit meets it, so no more of them are told than of other refusals.
    if app.count(Counted::Refusal, Whose::to_one(visitor.address, client.id.as_str())).await.is_ok() {
        audit::of_client(app, visitor, AuditKind::NotAdmitted, &client.id, Some(&user)).await;
    }
    tracing::info!(client.id = %client.id, user.id = %user, "{user} is in none of the groups that {} requires", client.id);
    if grant.request.silent {
        let refusal = refuse(&app.provider, grant, &AuthorizeError::not_admitted()).await?;
        return refusal.ok_or(Problem::UnknownLogin);
    }
    Err(Problem::NotAdmitted { site: client.name.clone(), user, retry: urls::login_as_another(&grant.id) })
}
