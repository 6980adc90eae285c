//! The forms of the login page, for ways to sign in that the waiting browser itself proves: what they are shown with, and
//! what is said beside a field when it does not go on.
//!
//! A form that was not good enough comes back as the same page: what was typed is kept (never a password or a code), the
//! sentence stands at its field, and the field has the focus.

use std::time::Duration;

use axum::extract::{OriginalUri, Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use minijinja::{Value, context};

use super::{code, page, passkey, password};
use crate::channel::{Channel, Means};
use crate::flow::{self, Waiting};
use crate::state::App;
use crate::urls;
use crate::web::language::{Language, Words};
use crate::web::limits::{Counted, TooMany};
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// What a form comes back with.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    /// The name or address as typed.
    pub typed: String,
    /// Whether the operator's policies were agreed to.
    pub agreed: bool,
    /// Why it did not go on.
    pub complaint: Option<Complaint>,
}

/// A sentence beside a field.
#[derive(Debug, Clone)]
pub struct Complaint {
    /// The field's name.
    pub field: &'static str,
    /// The sentence.
    pub text: String,
    /// What an operator can do about it.
    pub remedy: Option<String>,
    /// The answer's status.
    pub status: StatusCode,
    /// When to come back.
    pub wait: Option<Duration>,
}

impl Complaint {
    /// Something typed is not right.
    #[must_use]
    pub fn wrong(field: &'static str, text: String) -> Self {
        Self { field, text, remedy: None, status: StatusCode::UNPROCESSABLE_ENTITY, wait: None }
    }

    /// Too often; `key` is the sentence with `{time}`.
    #[must_use]
    pub fn too_many(
        words: &Words,
        language: Language,
        field: &'static str,
        key: &str,
        limit: TooMany,
    ) -> Self {
        let time = time(words, language, limit.retry_after);
        Self {
            field,
            text: words.say(language, key, &[("time", &time)]),
            remedy: None,
            status: StatusCode::TOO_MANY_REQUESTS,
            wait: Some(limit.retry_after),
        }
    }
}

/// A length of time as people say it: seconds, or minutes rounded up.
#[must_use]
pub fn time(words: &Words, language: Language, length: Duration) -> String {
    let seconds = length.as_secs().max(1);
    let (key, number) = match seconds {
        0..100 => ("form.seconds", seconds),
        100..=7200 => ("form.minutes", seconds.div_ceil(60)),
        _ => ("form.hours", seconds.div_ceil(3600)),
    };
    words.say(language, key, &[("n", &number.to_string())])
}

/// The form of the open tab, as its template wants it; nothing under tabs that have none.
///
/// # Errors
/// [`Problem::Store`] when a store does not answer.
pub(super) async fn values(
    app: &App,
    visitor: &Visitor,
    waiting: &Waiting,
    channel: Option<&Channel>,
    filled: &Filled,
) -> Result<Value, Problem> {
    let Some(channel) = channel else { return Ok(Value::from(())) };
    match &channel.means {
        Means::Password(_) => Ok(password::values(waiting, channel, filled)),
        Means::Email(_) | Means::Sms(_) => code::values(app, visitor, waiting, channel, filled).await,
        Means::Passkey(key) => Ok(passkey::values(app, waiting, key)),
        _ => Ok(Value::from(())),
    }
}

/// A complaint for a template.
pub(super) fn complaint(filled: &Filled) -> Option<Value> {
    let told = |one: &Complaint| context! { field => one.field, text => one.text.clone(), remedy => one.remedy.clone() };
    filled.complaint.as_ref().map(told)
}

/// The same page with what is said beside a field.
///
/// # Errors
/// As the page itself.
pub(super) async fn again(
    app: &App,
    visitor: &Visitor,
    waiting: &Waiting,
    filled: Filled,
) -> Result<Response, Problem> {
    let (status, wait) = match &filled.complaint {
        Some(complaint) => (complaint.status, complaint.wait),
        None => (StatusCode::OK, None),
    };
    let mut response = page::page(app, visitor, waiting, &filled).await?.with_status(status).into_response();
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    Ok(response)
}

/// The browser, grant and channel that a form was sent for. The ticket in its address may be gone, since mail takes its time
/// and servers restart: then there is another, as the form proves the person by itself.
///
/// # Errors
/// [`Problem::UnknownLogin`], [`Problem::LoginOver`], and [`Problem::BadRequest`] for a channel that is none of this
/// website's.
pub(super) async fn sent<'a>(
    app: &'a App,
    visitor: &Visitor,
    (grant, ticket): (&str, &str),
) -> Result<(Waiting, &'a Channel), Problem> {
    let mut waiting = flow::of_browser(app, visitor, grant, ticket).await?;
    if !waiting.grant.is_open(app.now()) {
        return Err(flow::over(&waiting));
    }
    let named = visitor.query("channel").unwrap_or_default();
    let channel = app.channels.get_for_client(&named, &waiting.client, &waiting.grant.purpose);
    let channel = channel.ok_or(Problem::BadRequest("there is no such way to sign in here"))?;
    if waiting.ticket.is_none() {
        app.count(Counted::Start, visitor.address).await?;
        let fresh = flow::redraw(app, visitor, &waiting.grant, &waiting.client, &waiting.browser).await?;
        waiting.ticket = Some(fresh);
    }
    Ok((waiting, channel))
}

/// `GET` of a form's address, which is where a reload or a language link of a page that came back leads: to the page.
pub async fn back(
    State(_): State<App>,
    OriginalUri(address): OriginalUri,
    Path((grant, ticket)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let (grant, ticket) = (grant.parse(), ticket.parse());
    let (Ok(grant), Ok(ticket)) = (grant, ticket) else { return Err(Problem::UnknownLogin) };
    let page = urls::of_ticket(urls::LOGIN_TICKET, &grant, &ticket);
    let query = address.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(see_other(&format!("{page}{query}"), &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_are_said_in_seconds_or_minutes() {
        let words = Words::embedded();
        let said = |seconds| time(&words, Language::En, Duration::from_secs(seconds));
        assert_eq!([said(0), said(59), said(290), said(3600)], ["1 s", "59 s", "5 min", "60 min"]);
    }
}
