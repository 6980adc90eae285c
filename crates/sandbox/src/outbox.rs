//! The outbox: where e-mails and SMS of a server under development end, so that nothing leaves the machine. A server posts
//! them to `/outbox`; the page of the same name shows them with their codes, and so does the script API.

use std::collections::VecDeque;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use minijinja::context;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::{Answered, Body, Refused};
use crate::pages::{ASSETS, Policy};
use crate::phone::PhoneLang;
use crate::state::Sandbox;

const PAGE: &str = "/outbox";
/// Beyond this the oldest is forgotten.
const MOST: usize = 200;
/// Nothing that a person reads is longer.
const LONGEST: usize = 4000;

/// What the sandbox remembers of it.
#[derive(Default)]
pub(crate) struct Outbox {
    /// The newest first.
    messages: VecDeque<Kept>,
    taken: u64,
    /// The provider's code by which everything is refused, as a script wished.
    refusal: Option<String>,
}

/// A message as it is posted. Other members are let pass.
#[derive(Deserialize)]
struct Posted {
    kind: Kind,
    to: String,
    #[serde(default)]
    subject: String,
    text: String,
    #[serde(default)]
    code: String,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Email,
    Sms,
}

/// A message as it is shown.
#[derive(Clone, Serialize)]
struct Kept {
    number: u64,
    kind: Kind,
    to: String,
    subject: String,
    text: String,
    code: String,
    at_ms: i64,
}

/// On the sandbox's own origin.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new().route(PAGE, get(show).post(take))
}

/// Below `/sandbox/api`.
pub(crate) fn script_router() -> Router<Sandbox> {
    Router::new().route("/outbox", get(list).post(order))
}

/// `POST /outbox`: 202, or the refusal that a script ordered.
async fn take(State(sandbox): State<Sandbox>, body: Body<Posted>) -> Result<Response, Refused> {
    let Json(Posted { kind, to, subject, text, code }) = body?;
    if to.is_empty() || [&to, &subject, &text, &code].into_iter().any(|part| part.chars().count() > LONGEST) {
        let message = format!("a message needs somebody to go to, and at most {LONGEST} characters");
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", message));
    }
    let at_ms = sandbox.now_ms();
    let mut world = sandbox.world();
    let outbox = &mut world.outbox;
    if let Some(code) = &outbox.refusal {
        let body = json!({ "error": code, "message": "as the script API was told" });
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Json(body)).into_response());
    }
    outbox.taken += 1;
    let number = outbox.taken;
    outbox.messages.push_front(Kept { number, kind, to, subject, text, code, at_ms });
    outbox.messages.truncate(MOST);
    Ok(StatusCode::ACCEPTED.into_response())
}

async fn list(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({ "messages": sandbox.world().outbox.messages }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    /// From now on everything is refused with this code; with null, nothing is.
    refuse: Option<String>,
}

async fn order(State(sandbox): State<Sandbox>, body: Body<Order>) -> Answered {
    let Json(Order { refuse }) = body?;
    sandbox.world().outbox.refusal.clone_from(&refuse);
    Ok(Json(json!({ "refuse": refuse })))
}

/// `GET /outbox`
async fn show(State(sandbox): State<Sandbox>, PhoneLang(lang): PhoneLang) -> Response {
    let messages: Vec<minijinja::Value> = sandbox
        .world()
        .outbox
        .messages
        .iter()
        .map(|kept| {
            context! {
                kind => minijinja::value::Serde(kept.kind),
                to => kept.to.clone(),
                subject => kept.subject.clone(),
                // The code stands out where it stands in the text.
                pieces => pieces(&kept.text, &kept.code),
                code => kept.code.clone(),
                time => clock(kept.at_ms),
            }
        })
        .collect();
    let newest = sandbox.world().outbox.taken;
    let context = context! { messages, newest };
    sandbox.pages().show("outbox.html", lang, Policy::Live, ASSETS, context).into_response()
}

/// The text around the code: every second piece is the code.
fn pieces(text: &str, code: &str) -> Vec<String> {
    if code.is_empty() {
        return vec![text.to_owned()];
    }
    let mut pieces = Vec::new();
    for (index, part) in text.split(code).enumerate() {
        if index > 0 {
            pieces.push(code.to_owned());
        }
        pieces.push(part.to_owned());
    }
    pieces
}

/// Hours, minutes and seconds in UTC+8, as on the clocks of those who mostly use it.
fn clock(at_ms: i64) -> String {
    let seconds = (at_ms / 1000 + 8 * 3600).rem_euclid(24 * 3600);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_code_stands_out_where_it_stands() {
        assert_eq!(pieces("123456 is it", "123456"), ["", "123456", " is it"]);
        assert_eq!(pieces("nothing", ""), ["nothing"]);
        assert_eq!(clock(1_789_646_400_000), "20:00:00");
    }
}
