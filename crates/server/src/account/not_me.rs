//! `POST /account/not-me`: a login was not the person's own. Everything but this browser is signed out at once, and the page
//! that follows (`GET`) says what to do next; it is words, and does nothing.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use minijinja::context;

use super::{Asked, INCOMPLETE, Person, logins, sessions};
use crate::channel::password;
use crate::state::App;
use crate::urls;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Signs everybody else out.
pub async fn disown(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(asked) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    let events = logins::recent(&app, &person).await?;
    let named = events.iter().find(|event| person.holds(&logins::not_me(event), &asked.token));
    let Some(event) = named else { return Err(Problem::CrossSite) };
    let ended = sessions::all_others(&app, &visitor, &person).await?;
    let user = person.user();
    tracing::warn!(
        user.id = %user,
        "{user} says that this was not their own: {} at {} from {} by {}; {ended} other browsers were signed out",
        event.kind.as_str(),
        event.at,
        event.address.as_deref().unwrap_or("an unknown address"),
        event.channel.as_ref().map_or("a session", |channel| channel.as_str()),
    );
    Ok(see_other(urls::ACCOUNT_NOT_ME, &[]))
}

/// What to do next.
pub async fn advice(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    let has_password =
        password::channel(&app).is_some() && app.credentials.password_of(person.user()).await?.is_some();
    let values = context! { has_password, account => urls::ACCOUNT };
    Ok(app.pages.render(&visitor, "account_not_me.html", "account.not_me.title", values)?.into_response())
}
