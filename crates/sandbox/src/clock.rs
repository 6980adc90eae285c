//! `/sandbox/api/clock`: the sandbox's time, which a script can move on. Not back: what has expired stays so.

use axum::extract::State;
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Answered, Body, Refused};
use crate::state::Sandbox;

/// In one step, in seconds: longer than anything lives here (a refresh token, 30 days).
const LONGEST_STEP_S: i64 = 366 * 24 * 3600;
/// All steps together, in seconds. Far beyond it, times would not fit their fields.
const MOST_AHEAD_S: i64 = 20 * LONGEST_STEP_S;

/// Below `/sandbox/api`.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new().route("/clock", get(show).post(advance))
}

async fn show(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(shown(&sandbox))
}

fn shown(sandbox: &Sandbox) -> Value {
    json!({ "now_ms": sandbox.now_ms(), "ahead_s": sandbox.ahead_ms() / 1000 })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    advance_s: i64,
}

/// Moves the time on; waiting pages are woken, so that they notice what has expired.
async fn advance(State(sandbox): State<Sandbox>, body: Body<Step>) -> Answered {
    let Json(Step { advance_s }) = body?;
    let fits = (1..=LONGEST_STEP_S).contains(&advance_s);
    if !fits || sandbox.ahead_ms() / 1000 + advance_s > MOST_AHEAD_S {
        let message = "advance_s is a number of seconds from 1 to a year, and twenty years in all";
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", message));
    }
    sandbox.advance_ms(advance_s * 1000);
    sandbox.world().wake();
    Ok(Json(shown(&sandbox)))
}
