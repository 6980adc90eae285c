//! `POST /account/link`: begins to add a way to sign in. What is added is decided by the phone that then approves.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::Response;
use mashang_login::grant::Purpose;
use serde::Deserialize;

use super::{ask_again, begin, is_fresh};
use crate::state::App;
use crate::web::form_token;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{flow, urls};

/// The page's form.
#[derive(Deserialize)]
pub struct Asked {
    token: String,
    channel: String,
}

/// To the login page: for the new identity, or first for a fresh approval.
pub async fn link(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(asked) = form.map_err(|_| Problem::BadRequest("the account page's form is incomplete"))?;
    let session = flow::session_of(&app, &visitor).await?;
    let (Some(secret), Some(session)) = (&visitor.brought.session, session) else {
        return Ok(see_other(urls::ACCOUNT, &[]));
    };
    if !form_token::is_valid(secret.expose(), "account:link", &asked.token) {
        return Err(Problem::CrossSite);
    }
    let channel =
        app.channels.get(&asked.channel).ok_or(Problem::BadRequest("there is no channel of that name"))?;
    let purpose = Purpose::Link { user: session.user.clone() };
    if !channel.serves(&purpose) {
        return Err(Problem::BadRequest("nothing can be linked by this channel"));
    }
    app.limits.count(Counted::Start, visitor.address)?;
    let to = if is_fresh(&app, &session) {
        begin(&app, &visitor, purpose, None, Some(&channel.id)).await?
    } else {
        ask_again(&app, &visitor, &session).await?
    };
    Ok(to.into_redirect())
}
