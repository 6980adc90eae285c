//! What a waiting login page asks: its QR's picture, and whether something has happened.
//!
//! The real page's own calls are not documented; these are ours, at addresses of ours, as JSON.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::callback_url;
use super::login::confirm_url;
use crate::open::{self, Report};
use crate::params::Params;
use crate::state::Sandbox;

/// How long a request is kept before it says that nothing happened.
const HOLD: Duration = Duration::from_secs(25);

/// The QR as a JPEG; 404 for a key that is not known.
pub(super) async fn picture(State(sandbox): State<Sandbox>, params: Params) -> Response {
    let key = params.get("key");
    if sandbox.world().office.logins.get(key).is_none() {
        return StatusCode::NOT_FOUND.into_response();
    }
    match open::draw_qr(&confirm_url(&sandbox, key)) {
        Some(jpeg) => ([(CONTENT_TYPE, "image/jpeg"), (CACHE_CONTROL, "no-store")], jpeg).into_response(),
        // Only a public_url of some thousand characters does not fit a QR code.
        None => (StatusCode::NOT_FOUND, "public_url is too long for a QR code\n").into_response(),
    }
}

/// Answers at once when there is news for this page, otherwise on the next change, at the latest after 25 s.
pub(super) async fn hold(State(sandbox): State<Sandbox>, params: Params) -> Response {
    let (key, last) = (params.get("key"), params.get("last"));
    let give_up = Instant::now() + HOLD;
    loop {
        let (mut changed, remaining) = match look(&sandbox, key, last) {
            Look::Say(answer) => return answer,
            Look::Wait { changed, remaining } => (changed, remaining),
        };
        let expiry = Instant::now() + remaining;
        // Woken, forgotten or out of time: whatever it was, the stored stage tells the truth.
        let waited = timeout_at(give_up.min(expiry), changed.changed()).await;
        if waited.is_err() && give_up <= expiry {
            return match look(&sandbox, key, last) {
                Look::Say(answer) => answer,
                Look::Wait { .. } => say(&json!({ "stage": "waiting" })),
            };
        }
    }
}

enum Look {
    Say(Response),
    Wait { changed: watch::Receiver<()>, remaining: Duration },
}

fn look(sandbox: &Sandbox, key: &str, last: &str) -> Look {
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    let Some(login) = world.office.logins.get_mut(key) else {
        return Look::Say(say(&json!({ "stage": "expired" })));
    };
    let attempt = &mut login.attempt;
    let seen = if last == "scanned" { "404" } else { "" };
    match attempt.report(seen, now) {
        Some(Report::Scanned) => Look::Say(say(&json!({ "stage": "scanned" }))),
        // A refusal is an answer here (§2), so nothing is ever left cancelled.
        Some(Report::Cancelled | Report::Expired) => Look::Say(say(&json!({ "stage": "expired" }))),
        Some(Report::Done(callback)) => {
            let url = callback_url(&attempt.redirect_uri, &attempt.state, callback.code.as_deref());
            Look::Say(say(
                &json!({ "stage": "done", "url": url, "code": callback.code, "twice": callback.twice }),
            ))
        }
        None => Look::Wait {
            changed: attempt.subscribe(),
            remaining: Duration::from_millis(attempt.remaining_ms(now)),
        },
    }
}

fn say(answer: &serde_json::Value) -> Response {
    ([(CACHE_CONTROL, "no-cache, no-store")], Json(answer)).into_response()
}
