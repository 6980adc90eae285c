//! Where the person is signed in, and `POST /account/sessions/end…`, which signs browsers out.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::Response;
use mashang_login::audit::AuditKind;
use minijinja::{Value, context};

use super::page::minute;
use super::ways::label_of;
use super::{Asked, INCOMPLETE, Notice, Person};
use crate::state::App;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, urls};

/// `{rows [{device, address, since, way, is_here, token}], others_token}`, this browser first and then the latest.
pub(super) async fn values(app: &App, visitor: &Visitor, person: &Person) -> Result<Value, Problem> {
    let mut sessions = app.records.sessions_of(person.user(), app.now()).await?;
    sessions.sort_by_key(|one| (one.id != person.session.id, std::cmp::Reverse(one.auth_time)));
    let rows: Vec<Value> = sessions
        .iter()
        .map(|one| {
            context! {
                device => one.device.clone(),
                address => one.address.clone(),
                since => minute(one.auth_time),
                way => label_of(app, visitor, None, &one.amr),
                is_here => one.id == person.session.id,
                token => person.token(&format!("session:{}", one.id)),
            }
        })
        .collect();
    Ok(context! { rows, others_token => person.token("sessions") })
}

/// Signs one browser out; its tokens end with it.
pub async fn end(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(asked) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    let now = app.now();
    let sessions = app.records.sessions_of(person.user(), now).await?;
    let named = sessions.iter().find(|one| person.holds(&format!("session:{}", one.id), &asked.token));
    // Also after a second click, or when the session ended by itself: the token names nothing any more.
    let Some(session) = named else { return Err(Problem::CrossSite) };
    if app.records.end_session_of(person.user(), &session.id, now).await? {
        tell(&app, &visitor, &person).await;
    }
    Ok(see_other(&Notice::SessionEnded.address(), &[]))
}

/// Signs all other browsers out.
pub async fn end_others(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(asked) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    if !person.holds("sessions", &asked.token) {
        return Err(Problem::CrossSite);
    }
    all_others(&app, &visitor, &person).await?;
    Ok(see_other(&Notice::OthersEnded.address(), &[]))
}

/// Ends every session of the person but this one, and whatever tokens came from them.
pub(super) async fn all_others(app: &App, visitor: &Visitor, person: &Person) -> Result<u64, Problem> {
    let ended = app.records.end_all_sessions(person.user(), Some(&person.session.id), app.now()).await?;
    tell(app, visitor, person).await;
    Ok(ended)
}

async fn tell(app: &App, visitor: &Visitor, person: &Person) {
    let mut event = audit::by(app, visitor, AuditKind::SessionsEnded);
    event.user = Some(person.user().clone());
    audit::write(app, event).await;
}
