//! `GET` and `POST /logout`: RP-Initiated Logout. Silent only with an ID token of this very session; otherwise the
//! person is asked, and says yes by our own form, whose token only this session can have (SEC-58).

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use mashang_login::audit::AuditKind;
use mashang_login::session::Session;
use mashang_oidc::logout::{Logout, LogoutError, confirmed, decide};
use mashang_oidc::params::Params;
use minijinja::context;

use super::raw_parameters;
use crate::state::App;
use crate::web::cookies::CookieKind;
use crate::web::form_token;
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
    let raw = raw_parameters(request).await.map_err(|_| Problem::BadRequest("the request cannot be read"))?;
    let params = Params::parse(&raw).map_err(|_| Problem::BadRequest("the parameters cannot be read"))?;
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
        Logout::Redirect { to } => {
            let cookies = end(&app, &visitor, session).await?;
            Ok(see_other(&to, &cookies))
        }
        Logout::SignedOutPage => {
            let cookies = end(&app, &visitor, session).await?;
            let values = context! { back_href => (), back_label => "" };
            let page = app.pages.render(&visitor, "signed_out.html", "signed_out.title", values)?;
            Ok(page.with_cookies(cookies).into_response())
        }
        Logout::AskPerson { .. } => ask(&app, &visitor, &params, session).await,
        Logout::LocalError(LogoutError::StoreUnavailable(error)) => Err(Problem::Store(error)),
        Logout::LocalError(error) => {
            Err(Problem::Authorization { code: "invalid_request", description: error.to_string() })
        }
    }
}

async fn ask(
    app: &App,
    visitor: &Visitor,
    params: &Params,
    session: Option<Session>,
) -> Result<Response, Problem> {
    let person = match &session {
        Some(session) => app.records.user(&session.user).await?.and_then(|user| user.nickname),
        None => None,
    };
    let carried = CARRIED.into_iter().filter_map(|name| {
        let value = params.one(name).ok().flatten()?.to_owned();
        Some(context! { name, value })
    });
    let mut fields: Vec<_> = carried.collect();
    if let Some(secret) = &visitor.brought.session {
        fields.push(context! { name => TOKEN, value => form_token::mint(secret.expose(), PURPOSE) });
    }
    let values = context! { action => urls::LOGOUT, person => context! { name => person }, fields };
    Ok(app.pages.render(visitor, "logout.html", "logout.title", values)?.into_response())
}

async fn end(app: &App, visitor: &Visitor, session: Option<Session>) -> Result<Vec<String>, Problem> {
    let Some(session) = session else { return Ok(Vec::new()) };
    app.records.end_session(&session.secret, app.now()).await?;
    let mut event = audit::by(app, visitor, AuditKind::SignedOut);
    event.user = Some(session.user);
    audit::write(app, event).await;
    // On a shared computer nothing of this person's browser may work for the next one.
    Ok([CookieKind::Session, CookieKind::Browser, CookieKind::Phone]
        .map(|kind| app.site.transport.remove(kind))
        .into())
}
