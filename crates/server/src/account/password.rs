//! `POST /account/password`: sets name and password, the first or others. It takes a fresh approval, or the present password.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use minijinja::{Value, context};
use serde::Deserialize;

use super::page::{day, show};
use super::{INCOMPLETE, Notice, Person};
use crate::channel::password::{self, NotSet, Refused, fitness};
use crate::state::App;
use crate::urls;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The page's form.
#[derive(Deserialize)]
pub struct Typed {
    token: String,
    username: String,
    password: String,
    #[serde(default)]
    current: String,
}

/// What the form comes back with.
#[derive(Debug, Default)]
pub(super) struct Filled {
    username: Option<String>,
    /// A field and the sentence beside it.
    pub(super) complaint: Option<(&'static str, String)>,
}

/// Sets both, or says beside the fields why not.
pub async fn set(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Typed>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(typed) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    if !person.holds("password", &typed.token) {
        return Err(Problem::CrossSite);
    }
    let again = |field, text| {
        let username = typed.username.trim().chars().take(64).collect();
        Filled { username: Some(username), complaint: Some((field, text)) }
    };
    if !person.is_fresh(&app) {
        match knows_current(&app, &visitor, &person, &typed.current).await {
            Ok(true) => {}
            Ok(false) => return Ok(person.ask_again(&app, &visitor).await?.into_redirect()),
            Err(Refused::Wrong) => {
                let text = app.pages.words.say(visitor.language, "account.password_wrong", &[]);
                return Ok(show(&app, &visitor, &person, &again("current", text)).await?.into_response());
            }
            Err(refused) => return Err(refused.into()),
        }
    }
    let wanted = password::Wanted {
        user: person.user(),
        username: &typed.username,
        password: &typed.password,
        keep: Some(&person.session.id),
    };
    match password::set(&app, &visitor, wanted).await? {
        Ok(()) => Ok(see_other(&Notice::PasswordSet.address(), &[])),
        Err(NotSet::SessionOver) => Ok(see_other(urls::ACCOUNT, &[])),
        Err(NotSet::Unfit(unfit)) => {
            let field = if unfit.is_about_name() { "username" } else { "password" };
            let key = format!("password.unfit.{}", unfit.as_str());
            let text = app.pages.words.say(visitor.language, &key, &[]);
            Ok(show(&app, &visitor, &person, &again(field, text)).await?.into_response())
        }
    }
}

/// Whether the present password was typed; `false` if it was not asked for or left out, and the phone must answer.
async fn knows_current(app: &App, visitor: &Visitor, person: &Person, typed: &str) -> Result<bool, Refused> {
    let Some((channel, means)) = password::channel(app).filter(|_| !typed.is_empty()) else {
        return Ok(false);
    };
    let typed: String = typed.chars().take(fitness::LONGEST + 1).collect();
    means.verify_own(app, visitor, (&channel.id, person.user()), &typed).await.map(|_| true)
}

/// `{username, changed, unlink_token, asks_current, token, shortest, longest, complaint}`; nothing where there are no
/// passwords.
pub(super) async fn values(app: &App, person: &Person, filled: &Filled) -> Result<Option<Value>, Problem> {
    if password::channel(app).is_none() {
        return Ok(None);
    }
    let record = app.credentials.password_of(person.user()).await?;
    let known = record.as_ref().map(|record| record.username.to_string());
    let complaint = filled.complaint.as_ref().map(|(field, text)| context! { field => *field, text });
    Ok(Some(context! {
        is_set => record.is_some(),
        username => filled.username.clone().or(known).unwrap_or_default(),
        changed => record.as_ref().map(|record| day(record.changed_at)),
        unlink_token => record.as_ref().map(|record| person.unlink_token(&record.key)),
        asks_current => record.is_some() && !person.is_fresh(app),
        token => person.token("password"),
        shortest => fitness::SHORTEST,
        longest => fitness::LONGEST,
        complaint,
    }))
}
