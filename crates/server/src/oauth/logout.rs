//! `GET` and `POST /logout`: RP-Initiated Logout. Silent only with an ID token of this very session; otherwise the
//! person is asked, and says yes by our own form, whose token only this session can have (SEC-58).
//!
//! A website's own form brings none of our cookies along (they are `SameSite=Lax`), so such a request is sent here once more
//! as a link, which does: else it would answer that somebody is signed out who is not.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::Method;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::ids::{ClientId, SessionId, UserId};
use mashang_login::session::Session;
use mashang_oidc::logout::{Leaving, Logout, LogoutError, confirmed, decide};
use mashang_oidc::params::Params;
use minijinja::context;

use super::{raw_parameters, with_cookies};
use crate::state::App;
use crate::web::cookies::CookieKind;
use crate::web::form_token;
use crate::web::headers::{Csp, source_of};
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow, urls};

/// The field of our own form that says yes, and what its token is for.
const TOKEN: &str = "logout_token";
const PURPOSE: &str = "logout";
/// What travels through the page that asks.
const CARRIED: [&str; 4] = ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"];

/// Ends the session, or asks.
pub async fn logout(State(app): State<App>, visitor: Visitor, request: Request) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let is_post = *request.method() == Method::POST;
    let is_bare = request.uri().query().is_none_or(str::is_empty);
    let raw = raw_parameters(request).await.map_err(|_| Problem::BadRequest("the request cannot be read"))?;
    let params = Params::parse(&raw).map_err(|_| Problem::BadRequest("the parameters cannot be read"))?;
    if is_post && let Some(again) = with_cookies(&visitor, urls::LOGOUT, &raw) {
        return Ok(again);
    }
    let session = flow::session_of(&app, &visitor).await?;
    let said_yes = visitor.brought.session.as_ref().is_some_and(|secret| {
        let token = params.one(TOKEN).ok().flatten().unwrap_or_default();
        form_token::is_valid(secret.expose(), PURPOSE, token)
    });
    let next = if said_yes {
        confirmed(&app.provider, &params).await
    } else {
        decide(&app.provider, &params, session.as_ref()).await
    };
    match next {
        Logout::Leave(Leaving { named, client, to }) => {
            if let Some((user, id)) = named {
                end_named(&app, &visitor, (user, id), client.as_ref(), session.as_ref()).await?;
            }
            let cookies = end(&app, &visitor, session, client).await?;
            // Nobody's ID token stays in the address bar (promise 10).
            if let Some(to) = to.or_else(|| (!is_bare).then(|| urls::LOGOUT.to_owned())) {
                return Ok(see_other(&to, &cookies));
            }
            let values = context! { back_href => (), back_label => "" };
            let page = app.pages.render(&visitor, "signed_out.html", "signed_out.title", values)?;
            Ok(page.with_cookies(cookies).into_response())
        }
        Logout::AskPerson { wrong: Some(error), .. } => {
            tracing::info!("a logout request is asked of the person alone, and leads nowhere: {error}");
            ask(&app, &visitor, None, None, session).await
        }
        Logout::AskPerson { to, .. } => ask(&app, &visitor, Some(&params), to, session).await,
        Logout::LocalError(LogoutError::StoreUnavailable(error)) => Err(Problem::Store(error)),
        Logout::LocalError(error) => Err(Problem::Authorization {
            code: "invalid_request",
            description: error.to_string(),
            client: None,
            mismatch: None,
        }),
    }
}

async fn ask(
    app: &App,
    visitor: &Visitor,
    params: Option<&Params>,
    to: Option<String>,
    session: Option<Session>,
) -> Result<Response, Problem> {
    let person = match &session {
        Some(session) => app.records.user(&session.user).await?.and_then(|user| user.nickname),
        None => None,
    };
    let carried = CARRIED.into_iter().filter_map(|name| {
        let value = params?.one(name).ok().flatten()?.to_owned();
        Some(context! { name, value })
    });
    let mut fields: Vec<_> = carried.collect();
    if let Some(secret) = &visitor.brought.session {
        fields.push(context! { name => TOKEN, value => form_token::mint(secret.expose(), PURPOSE) });
    }
    let values = context! { action => urls::LOGOUT, person => context! { name => person }, fields };
    // A yes leads on to the website.
    let csp = Csp { form_leads_to: to.as_deref().and_then(source_of), ..Csp::default() };
    Ok(app.pages.render(visitor, "logout.html", "logout.title", values)?.with_csp(csp).into_response())
}

/// Ends the session that the website's ID token names, which another browser may have, or nobody: one that began inside a
/// website's own page. `here` is what this browser has, and [`end`] ends.
async fn end_named(
    app: &App,
    visitor: &Visitor,
    (user, id): (UserId, SessionId),
    client: Option<&ClientId>,
    here: Option<&Session>,
) -> Result<(), Problem> {
    let is_here = here.is_some_and(|session| session.id == id);
    if !is_here && app.records.end_session_of(&user, &id, app.now()).await? {
        record(app, visitor, user, client.cloned()).await;
    }
    Ok(())
}

async fn record(app: &App, visitor: &Visitor, user: UserId, client: Option<ClientId>) {
    let user = Some(user);
    audit::write(app, AuditEvent { user, client, ..audit::by(app, visitor, AuditKind::SignedOut) }).await;
}

async fn end(
    app: &App,
    visitor: &Visitor,
    session: Option<Session>,
    client: Option<ClientId>,
) -> Result<Vec<String>, Problem> {
    let Some(session) = session else { return Ok(Vec::new()) };
    app.records.end_session(&session.secret, app.now()).await?;
    record(app, visitor, session.user, client).await;
    // On a shared computer nothing of this person's browser may work for the next one.
    Ok([CookieKind::Session, CookieKind::Browser, CookieKind::Phone]
        .map(|kind| app.site.transport.remove(kind))
        .into())
}
