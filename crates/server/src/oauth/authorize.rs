//! `GET` and `POST /authorize`: a website asks who this is (OpenID Connect Core §3.1.2).
//!
//! Until the client and its redirect address are proven, errors are shown here; afterwards they are redirected
//! (SEC-46). A request that needs the person becomes a grant bound to this browser, and [`flow::begin`] decides the rest.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use mashang_login::grant::{Grant, GrantStage, Purpose, ResponseMode};
use mashang_login::ids::{ClientId, GrantId};
use mashang_oidc::authorize::{self, AuthorizationResponse, AuthorizeError, LocalError, Proven};
use mashang_oidc::params::Params;

use super::{message, raw_parameters, with_cookies};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::pages::{see_other, set_cookies};
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{flow, urls};

/// Takes the request.
pub async fn authorize(State(app): State<App>, visitor: Visitor, request: Request) -> Response {
    match take(&app, &visitor, request).await {
        Ok(response) => response,
        Err(problem) => problem.into_response(),
    }
}

async fn take(app: &App, visitor: &Visitor, request: Request) -> Result<Response, Problem> {
    let is_post = *request.method() == Method::POST;
    let raw = raw_parameters(request).await.map_err(|status| match status {
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            Problem::BadRequest("the body must be application/x-www-form-urlencoded")
        }
        _ => Problem::BadRequest("the request is too large or cannot be read"),
    })?;
    let params = Params::parse(&raw).map_err(|error| local(LocalError::Malformed(error), None));
    // Its cookies tell whether somebody is signed in, and which logins of this browser wait: without them it would be a new one.
    if is_post
        && params.is_ok()
        && let Some(again) = with_cookies(visitor, urls::AUTHORIZE, &raw)
    {
        app.limits.count_here(Counted::Poll, visitor.address)?;
        return Ok(again);
    }
    app.count(Counted::Start, visitor.address).await?;
    let params = params?;
    // For whoever looks for the cause: which website it is said to be, whether or not there is one.
    let named = params.one("client_id").ok().flatten().and_then(|id| ClientId::parse(id).ok());
    let proven = authorize::prove(&*app.records, &params).await.map_err(|error| local(error, named))?;
    match answer(app, visitor, &proven, &params).await? {
        Ok(response) => Ok(response),
        Err(error) => {
            tracing::info!(client.id = %proven.client.id, code = error.code, "authorization request of {} refused: {error}", proven.client.id);
            Ok(refuse(app, visitor, &proven, &error))
        }
    }
}

/// Tells the website, by the way it asked for. A message needs this browser to be known; a redirect does not.
fn refuse(app: &App, visitor: &Visitor, proven: &Proven, error: &AuthorizeError) -> Response {
    let response = AuthorizationResponse::refusal(proven, &app.provider.issuer, error);
    match response.mode {
        ResponseMode::Query => see_other(&response.address(), &[]),
        ResponseMode::WebMessage => {
            let (browser, cookies) = visitor.browser_or_new(app);
            see_other(&message::address(app, &browser, &response), &cookies)
        }
    }
}

/// The inner error goes to the website; the outer one is shown here.
async fn answer(
    app: &App,
    visitor: &Visitor,
    proven: &Proven,
    params: &Params,
) -> Result<Result<Response, AuthorizeError>, Problem> {
    let mut checked = match authorize::check(proven, params) {
        Ok(checked) => checked,
        Err(error) => return Ok(Err(error)),
    };
    // SEC-90: products send here what the person typed.
    checked.request.login_hint.take_if(|hint| app.channels.get(hint).is_none());
    app.scopes_left_out.tell(&proven.client.id, &checked.left_out);
    checked.request.hinted = match &checked.id_token_hint {
        None => None,
        Some(token) => match app.provider.keys.verify_own_id_token(token, &app.provider.issuer) {
            Some(hint) => Some(hint.sub),
            None => {
                return Ok(Err(AuthorizeError::new(
                    "invalid_request",
                    "the id_token_hint was not issued by this login service",
                )));
            }
        },
    };
    let session = flow::session_for(app, visitor, &proven.client).await?;
    let now = app.now();
    if let authorize::Next::Refuse(error) = authorize::decide(&checked.request, session, now, now) {
        return Ok(Err(error));
    }
    let (browser, cookies) = visitor.browser_or_new(app);
    let grant = Grant {
        id: GrantId::random(&*app.entropy),
        client: proven.client.id.clone(),
        request: checked.request,
        purpose: Purpose::SignIn,
        browser,
        created_at: now,
        expires_at: now + app.site.request_life,
        stage: GrantStage::Pending,
    };
    let mut response = flow::take_in(app, visitor, &grant, &proven.client, &browser).await?.into_redirect();
    set_cookies(&mut response, &cookies);
    Ok(Ok(response))
}

fn local(error: LocalError, client: Option<ClientId>) -> Problem {
    let (code, description) = (error.code(), error.to_string());
    match error {
        LocalError::StoreUnavailable(error) => Problem::Store(error),
        LocalError::RedirectUriMismatch(mismatch) => {
            Problem::Authorization { code, description, client, mismatch: Some(mismatch) }
        }
        _ => Problem::Authorization { code, description, client, mismatch: None },
    }
}
