//! The script API's view of tokens and calls.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::{Answered, Body, Refused, known_app};
use crate::state::Sandbox;

/// Nobody needs a token for longer than a year.
const LONGEST_LIFE_S: i64 = 366 * 24 * 3600;

/// Below `/sandbox/api`.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new().route("/calls", get(calls)).route("/apps/{appid}/token", post(token))
}

async fn calls(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({ "calls": sandbox.world().calls.list() }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TokenOrder {
    /// The app's tokens die now.
    #[serde(default)]
    kill: bool,
    /// Life of tokens made from now on.
    life_s: Option<i64>,
}

async fn token(
    State(sandbox): State<Sandbox>,
    Path(appid): Path<String>,
    body: Body<TokenOrder>,
) -> Answered {
    let Json(TokenOrder { kill, life_s }) = body?;
    known_app(&sandbox, &appid)?;
    let tokens = &mut sandbox.world().app_tokens;
    if let Some(life_s) = life_s {
        if !(1..=LONGEST_LIFE_S).contains(&life_s) {
            let message = "life_s is a number of seconds from 1 to a year";
            return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", message));
        }
        tokens.set_life(&appid, life_s);
    }
    if kill {
        tokens.kill(&appid);
    }
    Ok(Json(json!({ "appid": appid, "life_s": tokens.life_s(&appid) })))
}
