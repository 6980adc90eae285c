//! `/account/erase`: the person deletes their account (SEC-90). `GET` says what goes and what stays, and which websites keep
//! copies; `POST` does it, after a fresh approval. There is no way back, so nothing but that form leads there.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use mashang_login::audit::AuditKind;
use mashang_login::erasure::{ErasurePreview, ErasureRefusal};
use minijinja::context;

use super::{Asked, INCOMPLETE, Person};
use crate::state::App;
use crate::web::cookies::CookieKind;
use crate::web::pages::{Page, see_other};
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, urls};

/// What the form does, as its token says it.
const PURPOSE: &str = "erase";

/// The look before.
pub async fn look(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    is_offered(&app)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    let Ok(preview) = app.records.erasure_preview(person.user(), app.now()).await? else {
        return Ok(see_other(urls::ACCOUNT, &[]));
    };
    let values = context! {
        name => preview.user.nickname.clone(),
        id => preview.user.id.as_str(),
        sessions => preview.sessions,
        websites => websites(&app, &preview).await?,
        keep_days => app.site.trail_life.map(|life| life.as_secs() / (24 * 3600)),
        is_fresh => person.is_fresh(&app),
        token => person.token(PURPOSE),
        action => urls::ACCOUNT_ERASE,
        account => urls::ACCOUNT,
    };
    Ok(app.pages.render(&visitor, "account_erase.html", "account.erase.title", values)?.into_response())
}

/// Erases, or first asks for a fresh approval.
pub async fn erase(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    is_offered(&app)?;
    let Form(asked) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else {
        // The second click of two: the first has ended the session. A login page would make a new account of it.
        return Ok(over(&app, &visitor, "signed_out.html", "signed_out.title")?.into_response());
    };
    if !person.holds(PURPOSE, &asked.token) {
        return Err(Problem::CrossSite);
    }
    if !person.is_fresh(&app) {
        return Ok(person.ask_again(&app, &visitor).await?.into_redirect());
    }
    let (user, now) = (person.user(), app.now());
    let preview = app.records.erasure_preview(user, now).await?;
    let told = audit::by(&app, &visitor, AuditKind::PersonErased);
    match app.records.erase_user(user, &told, now).await? {
        Ok(erased) => {
            let clients = preview.map(|preview| preview.clients).unwrap_or_default();
            let clients: Vec<&str> = clients.iter().map(|client| client.as_str()).collect();
            tracing::info!(
                user.id = %erased.user,
                "{} has erased their account; websites that know them and keep what they were told: {}",
                erased.user,
                if clients.is_empty() { "none".to_owned() } else { clients.join(", ") }
            );
        }
        // In another tab, or by the operator, at the same moment.
        Err(ErasureRefusal::Unknown(_)) => {}
        // Merged at the same moment, which has signed them out.
        Err(ErasureRefusal::Merged { .. }) => return Ok(see_other(urls::ACCOUNT, &[])),
    }
    Ok(over(&app, &visitor, "account_erased.html", "account.erased.title")?.into_response())
}

/// 404 where the operator does not want people to do this by themselves.
fn is_offered(app: &App) -> Result<(), Problem> {
    if app.site.self_erase { Ok(()) } else { Err(Problem::NotFound) }
}

/// The names of the websites that know the person; of one that is registered no more, its id.
async fn websites(app: &App, preview: &ErasurePreview) -> Result<Vec<String>, Problem> {
    let mut names = Vec::with_capacity(preview.clients.len());
    for id in &preview.clients {
        let client = app.records.client(id).await?;
        names.push(client.map_or_else(|| id.to_string(), |client| client.name));
    }
    Ok(names)
}

/// A page that says that it is over. Nothing of this person's browser may work for the next one.
fn over(app: &App, visitor: &Visitor, template: &str, title: &str) -> Result<Page, Problem> {
    let values = context! { back_href => (), back_label => "" };
    let page = app.pages.render(visitor, template, title, values)?;
    let cookies = [CookieKind::Session, CookieKind::Browser, CookieKind::Phone];
    Ok(page.with_cookies(cookies.map(|kind| app.site.transport.remove(kind))))
}
