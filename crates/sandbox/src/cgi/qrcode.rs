//! `/cgi-bin/qrcode/create`: a ticket for a parametric QR code (WeChat fact sheet §4.3).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Call, Outcome, success};
use super::error::{self, ApiError};
use crate::hosts::{self, Reached};
use crate::official::{QrTicket, Scene, link_id, ticket_text};
use crate::options::{App, AppKind};
use crate::state::Sandbox;

/// 30 days, in seconds.
const LONGEST_S: i64 = 2_592_000;
/// §11: 60 seconds now, 30 in older documents.
const DEFAULT_S: i64 = 60;
const LONGEST_SCENE: usize = 64;

#[derive(Deserialize)]
struct Body {
    expire_seconds: Option<i64>,
    #[serde(default)]
    action_name: String,
    action_info: Option<Value>,
}

#[derive(Serialize)]
struct Answer {
    ticket: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expire_seconds: Option<u32>,
    url: String,
}

/// Which numbers refuse what is a choice among those that the fact sheet lists.
pub(super) fn create(sandbox: &Sandbox, app: &App, call: &Call, reached: &Reached) -> Outcome {
    if app.kind != AppKind::OfficialAccount {
        return Err(error::API_UNAUTHORIZED);
    }
    let body: Body = call.json()?;
    let (permanent, by_text) = match body.action_name.as_str() {
        "QR_SCENE" => (false, false),
        "QR_STR_SCENE" => (false, true),
        "QR_LIMIT_SCENE" => (true, false),
        "QR_LIMIT_STR_SCENE" => (true, true),
        _ => return Err(error::INVALID_ACTION_NAME),
    };
    let info = body.action_info.filter(Value::is_object).ok_or(error::INVALID_ACTION_INFO)?;
    let scene = scene(sandbox, &info, permanent, by_text)?;
    let life_s = if permanent { 0 } else { life_s(sandbox, body.expire_seconds)? };
    let link = link_id(sandbox.entropy());
    let ticket = ticket_text(&link, life_s, sandbox.entropy(), sandbox.now_ms());
    // By path prefix the real address would lead a phone out of the sandbox.
    let url = match reached.is_virtual() {
        true => format!("http://{}/q/{link}", hosts::WEIXIN),
        false => format!("{}/{}/q/{link}", sandbox.options().public_base(), hosts::WEIXIN),
    };
    let made = QrTicket::new(&app.appid, scene, url.clone(), life_s, sandbox.now_ms());
    let mut world = sandbox.world();
    world.qr_links.insert(link, ticket.clone());
    world.qr_tickets.insert(ticket.clone(), made);
    success(&Answer { ticket, expire_seconds: (!permanent).then_some(life_s), url })
}

fn life_s(sandbox: &Sandbox, asked: Option<i64>) -> Result<u32, ApiError> {
    if asked.is_none() {
        let warning =
            "qrcode/create without expire_seconds: the code lives 60 seconds, or 30 by older documents";
        sandbox.world().warn(warning.to_owned());
    }
    let life_s = asked.unwrap_or(DEFAULT_S);
    let fits = (1..=LONGEST_S).contains(&life_s);
    u32::try_from(life_s).ok().filter(|_| fits).ok_or(error::INVALID_PARAMETER)
}

/// Without the `scene` wrapper the real one accepts in silence, and events carry `0` (§4.3).
fn scene(sandbox: &Sandbox, info: &Value, permanent: bool, by_text: bool) -> Result<Scene, ApiError> {
    let Some(scene) = info.get("scene").filter(|scene| scene.is_object()) else {
        let warning = "qrcode/create without action_info.scene: accepted, but its events carry EventKey 0";
        sandbox.world().warn(warning.to_owned());
        return Ok(Scene::Id(0));
    };
    if by_text {
        let text = scene.get("scene_str").and_then(Value::as_str).unwrap_or_default();
        let fits = (1..=LONGEST_SCENE).contains(&text.chars().count());
        return fits.then(|| Scene::Text(text.to_owned())).ok_or(error::INVALID_SCENE);
    }
    let id = scene.get("scene_id").and_then(Value::as_u64).and_then(|id| u32::try_from(id).ok());
    let most = if permanent { 100_000 } else { u32::MAX };
    id.filter(|id| (1..=most).contains(id)).map(Scene::Id).ok_or(error::INVALID_SCENE)
}
