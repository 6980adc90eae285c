//! The script API of events: server settings, deliveries good and bad, and what came of them.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::batch::Batch;
use super::delivery::{deliver_once, message};
use super::message::Happening;
use super::parcel::{Flaw, Packing, Style};
use super::target::{DEMO_OFFICIAL_AES_KEY, DEMO_OFFICIAL_TOKEN, EventMode, EventTarget};
use super::verify::{Unverified, verify};
use crate::api::{Answered, Body, Refused, known, known_app};
use crate::options::{App, AppKind};
use crate::state::Sandbox;

/// Below `/sandbox/api`.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/apps/{appid}/events", get(settings).post(set).delete(unset))
        .route("/events/deliver", post(send))
        .route("/events/deliveries", get(deliveries))
}

impl From<Unverified> for Refused {
    fn from(refusal: Unverified) -> Self {
        let error = match refusal {
            Unverified::Url | Unverified::Token | Unverified::AesKey => "bad_settings",
            Unverified::Unreachable | Unverified::Status(_) | Unverified::Echo => "url_not_verified",
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, error, refusal)
    }
}

/// The official account with this appid.
pub(crate) fn known_account<'a>(sandbox: &'a Sandbox, appid: &str) -> Result<&'a App, Refused> {
    let app = known_app(sandbox, appid)?;
    if app.kind == AppKind::OfficialAccount {
        return Ok(app);
    }
    Err(Refused::new(StatusCode::CONFLICT, "other_kind", "only official accounts have a chat and events"))
}

/// Without token and key.
async fn settings(State(sandbox): State<Sandbox>, Path(appid): Path<String>) -> Answered {
    let app = known_account(&sandbox, &appid)?;
    Ok(Json(shown(&sandbox, app)))
}

fn shown(sandbox: &Sandbox, app: &App) -> Value {
    let target = sandbox.event_target(app);
    json!({
        "appid": app.appid,
        "original_id": app.original_id(),
        "url": target.as_ref().map(|target| target.url.as_str()),
        "mode": target.as_ref().map(|target| target.mode),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: Url,
    /// The demo account's, if absent.
    token: Option<String>,
    aes_key: Option<String>,
    #[serde(default)]
    mode: EventMode,
}

/// Saves the settings if the address passes verification, as the console does.
async fn set(State(sandbox): State<Sandbox>, Path(appid): Path<String>, body: Body<Settings>) -> Answered {
    let Json(Settings { url, token, aes_key, mode }) = body?;
    let app = known_account(&sandbox, &appid)?;
    let target = EventTarget {
        url,
        token: token.unwrap_or_else(|| DEMO_OFFICIAL_TOKEN.to_owned()),
        aes_key: aes_key.unwrap_or_else(|| DEMO_OFFICIAL_AES_KEY.to_owned()),
        mode,
    };
    verify(&sandbox, &target).await?;
    sandbox.world().event_targets.insert(appid, Some(target));
    Ok(Json(shown(&sandbox, app)))
}

async fn unset(State(sandbox): State<Sandbox>, Path(appid): Path<String>) -> Answered {
    let app = known_account(&sandbox, &appid)?;
    sandbox.world().event_targets.insert(appid, None);
    Ok(Json(shown(&sandbox, app)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    appid: String,
    person: String,
    event: Happening,
    flaw: Option<Flaw>,
    /// The same message so often, one after the other.
    times: Option<usize>,
    /// All of them at once instead.
    #[serde(default)]
    at_once: bool,
    /// The very same bytes each time, instead of a fresh signature.
    #[serde(default)]
    replay: bool,
    /// Sent in this mode whatever the settings say.
    mode: Option<EventMode>,
}

/// Sends a message of the script's making. Each delivery is tried once, and the chat does not hear the replies.
async fn send(State(sandbox): State<Sandbox>, body: Body<Order>) -> Answered {
    let Json(order) = body?;
    let app = known_account(&sandbox, &order.appid)?.clone();
    let person = known(&sandbox, &order.person)?;
    let no_target = || {
        let message = "this account has no server; POST /sandbox/api/apps/{appid}/events first";
        Refused::new(StatusCode::CONFLICT, "no_event_target", message)
    };
    let mut target = sandbox.event_target(&app).ok_or_else(no_target)?;
    target.mode = order.mode.unwrap_or(target.mode);
    let message = message(&sandbox, &app, &person, order.event);
    let packing = Packing {
        target: &target,
        receiver: &app.appid,
        elements: message.elements(),
        style: Style::Account { openid: &message.from },
        now_ms: sandbox.now_ms(),
        flaw: order.flaw,
    };
    let deliver = |parcel| {
        let (sandbox, target, app) = (sandbox.clone(), target.clone(), app.clone());
        let (person, message) = (person.clone(), message.clone());
        async move { deliver_once(&sandbox, &target, &app, &person, &message, &parcel).await }
    };
    let batch = Batch { times: order.times, at_once: order.at_once, replay: order.replay };
    let sent = batch.send(|| packing.pack(sandbox.entropy()), deliver).await?;
    Ok(Json(json!({ "deliveries": sent })))
}

async fn deliveries(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({ "deliveries": sandbox.world().deliveries.all().collect::<Vec<_>>() }))
}
