//! `POST /account/link`: begins to add a way to sign in. What is added is decided by the phone that then approves.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::Response;
use mashang_login::grant::Purpose;
use serde::Deserialize;

use super::{INCOMPLETE, Person, begin};
use crate::state::App;
use crate::urls;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

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
    let Form(asked) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    if !person.holds("link", &asked.token) {
        return Err(Problem::CrossSite);
    }
    let channel =
        app.channels.get(&asked.channel).ok_or(Problem::BadRequest("there is no channel of that name"))?;
    let purpose = Purpose::Link { user: person.user().clone() };
    if !channel.serves(&purpose) {
        return Err(Problem::BadRequest("nothing can be linked by this channel"));
    }
    if !person.is_fresh(&app) {
        return Ok(person.ask_again(&app, &visitor).await?.into_redirect());
    }
    app.count(Counted::Start, visitor.address).await?;
    Ok(begin(&app, &visitor, purpose, None, Some(&channel.id)).await?.into_redirect())
}
