//! `POST /consent/{grant}`: the person's yes or no. By POST only, with a token of this session for this request.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use mashang_login::audit::AuditKind;
use mashang_login::consent::Consent;
use mashang_oidc::answer::refuse;
use mashang_oidc::authorize::AuthorizeError;
use serde::Deserialize;

use super::{asked, is_token};
use crate::oauth::message;
use crate::state::App;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow};

/// The page's form.
#[derive(Deserialize)]
pub struct Answered {
    token: String,
    answer: Answer,
}

/// Which button.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Agree,
    Decline,
}

/// Remembers the yes and answers the website; or tells it that the person declined.
pub async fn answer(
    State(app): State<App>,
    visitor: Visitor,
    Path(grant): Path<String>,
    form: Result<Form<Answered>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(form) = form.map_err(|_| Problem::BadRequest("the consent page's form is incomplete"))?;
    let waiting = flow::of_grant(&app, &visitor, &grant).await?;
    let (grant, client) = (&waiting.grant, &waiting.client);
    let is_asked = |secret| is_token(secret, &grant.id, &form.token);
    // A no is a no, also if another tab said yes meanwhile.
    if matches!(form.answer, Answer::Decline) && visitor.brought.session.as_ref().is_some_and(is_asked) {
        let refusal = refuse(&app.provider, grant, &AuthorizeError::access_denied()).await?;
        let refusal = refusal.ok_or_else(|| flow::over(&waiting))?;
        let session = flow::session_of(&app, &visitor).await?;
        let user = session.as_ref().map(|session| &session.user);
        audit::of_client(&app, &visitor, AuditKind::LoginCancelled, &client.id, user).await;
        return Ok(see_other(&message::address(&app, &grant.browser, &refusal), &[]));
    }
    let (Some(secret), Some(session)) = (&visitor.brought.session, asked(&app, &visitor, &waiting).await?)
    else {
        return flow::go_on(&app, &visitor, waiting).await;
    };
    if !is_asked(secret) {
        return Err(Problem::CrossSite);
    }
    let agreed =
        Consent { client: client.id.clone(), scope: client.granted(&grant.request.scope), at: app.now() };
    app.consents.save_consent(&session.user, &agreed).await?;
    audit::of_client(&app, &visitor, AuditKind::ConsentGiven, &client.id, Some(&session.user)).await;
    let login = flow::answer::continued_login(&app, &visitor, client, session);
    let to = flow::answer::answer(&app, &visitor, (grant, client), login, Vec::new()).await?;
    Ok(to.into_redirect())
}
