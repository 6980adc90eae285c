//! `POST …/password`: name and password from the login page's form.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, Path, State};
use axum::response::Response;
use minijinja::{Value, context};
use serde::Deserialize;

use super::form::{self, Complaint, Filled};
use super::way;
use crate::channel::password::{self, Refused, fitness};
use crate::channel::{Channel, Means};
use crate::flow::{self, Waiting};
use crate::state::App;
use crate::urls;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The form.
#[derive(Deserialize)]
pub struct Typed {
    username: String,
    password: String,
}

/// Signs in, or says beside the fields why not.
pub async fn submit(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
    typed: Result<Form<Typed>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(typed) = typed.map_err(|_| Problem::BadRequest("the form is incomplete"))?;
    let (waiting, channel) = form::sent(&app, &visitor, (&grant, &ticket)).await?;
    let Means::Password(means) = &channel.means else {
        return Err(Problem::BadRequest("this way to sign in asks for no password"));
    };
    let visitor = visitor.preferring(&waiting.grant.request.ui_locales);
    let name: String = typed.username.trim().chars().take(64).collect();
    if name.is_empty() || typed.password.is_empty() {
        let field = if name.is_empty() { "username" } else { "password" };
        let text = app.pages.words.say(visitor.language, &format!("form.{field}_missing"), &[]);
        return form::again(&app, &visitor, &waiting, filled(name, Complaint::wrong(field, text))).await;
    }
    // Nobody's password is longer, and hashing what is makes work for us.
    let password: String = typed.password.chars().take(fitness::LONGEST + 1).collect();
    match means.verify(&app, &visitor, (&channel.id, &name), &password).await {
        Ok(record) => {
            let proof = password::proof(&app, &channel.id, &record);
            let mut gone = flow::prove_here(&app, &visitor, waiting, proof).await?;
            gone.cookies.push(way::remember(&app, channel));
            Ok(gone.into_redirect())
        }
        Err(Refused::Store(error)) => Err(Problem::Store(error)),
        Err(refused) => {
            let complaint = complaint(&app, &visitor, refused);
            form::again(&app, &visitor, &waiting, filled(name, complaint)).await
        }
    }
}

fn filled(typed: String, complaint: Complaint) -> Filled {
    Filled { typed, complaint: Some(complaint), ..Filled::default() }
}

fn complaint(app: &App, visitor: &Visitor, refused: Refused) -> Complaint {
    let words = &app.pages.words;
    match refused {
        Refused::TooMany(limit) => {
            Complaint::too_many(words, visitor.language, "password", "form.password_wait", limit)
        }
        Refused::Wrong | Refused::Store(_) => {
            Complaint::wrong("password", words.say(visitor.language, "form.password_wrong", &[]))
        }
    }
}

/// What `ways/password.html` shows.
pub(super) fn values(waiting: &Waiting, channel: &Channel, filled: &Filled) -> Value {
    let action = waiting.ticket.as_ref().map_or_else(String::new, |ticket| {
        let address = urls::of_ticket(urls::PASSWORD, &waiting.grant.id, &ticket.scan_code);
        format!("{address}?channel={}", channel.id)
    });
    context! { action, typed => filled.typed.clone(), complaint => form::complaint(filled), longest => fitness::LONGEST }
}
