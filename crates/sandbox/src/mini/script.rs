//! The script API of mini-programs: opening them, codes without a page, settings.

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::launch::{NoLaunch, launch, link_target};
use super::login::{phone_code, wx_login};
use super::page::known_program;
use super::sealed::seal;
use super::world::Build;
use crate::api::{Answered, Body, Refused, known};
use crate::hosts::Reached;
use crate::ids;
use crate::options::App;
use crate::people::Person;
use crate::phone::{PhoneApp, Reading, read};
use crate::state::Sandbox;

/// Below `/sandbox/api`.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/mini/launch", post(open))
        .route("/mini/login", post(login))
        .route("/mini/phone-number", post(phone_number))
        .route("/mini/user-info", post(user_info))
        .route("/apps/{appid}/mini", get(settings).post(set))
}

impl From<NoLaunch> for Refused {
    fn from(why: NoLaunch) -> Self {
        let (status, error) = match why {
            NoLaunch::Unknown => (StatusCode::NOT_FOUND, "not_a_mini_code"),
            NoLaunch::Stranger => (StatusCode::FORBIDDEN, "not_a_member"),
            NoLaunch::NotReleased => (StatusCode::CONFLICT, "not_released"),
            NoLaunch::NoPage => (StatusCode::CONFLICT, "no_page"),
        };
        Self::new(status, error, why)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Open {
    /// What the picture or the QR holds.
    scan: String,
    person: String,
    /// The build to open, whatever the code says.
    env: Option<Build>,
}

/// Scans, opens, and calls `wx.login`: all that a login server needs from a phone.
async fn open(State(sandbox): State<Sandbox>, reached: Reached, body: Body<Open>) -> Answered {
    let Json(Open { scan, person, env }) = body?;
    let person = known(&sandbox, &person)?;
    let path = match link_target(&sandbox, &scan, Some(&person)) {
        Some(path) => path,
        None => match read(&scan, sandbox.options(), reached.authority.as_ref(), PhoneApp::WeChat) {
            Reading::Here(path) => path,
            _ => return Err(NoLaunch::Unknown.into()),
        },
    };
    launched(&sandbox, &path, &person, env).map(Json)
}

/// A launch with a fresh code.
pub(crate) fn launched(
    sandbox: &Sandbox,
    path: &str,
    person: &Person,
    env: Option<Build>,
) -> Result<Value, Refused> {
    let launched = launch(sandbox, path, person, env)?;
    let app = known_program(sandbox, &launched.appid)?;
    let mut shown = json!(launched);
    shown["code"] = wx_login(sandbox, app, person).into();
    shown["stage"] = "launched".into();
    Ok(shown)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Who {
    appid: String,
    person: String,
}

async fn login(State(sandbox): State<Sandbox>, body: Body<Who>) -> Answered {
    let Json(Who { appid, person }) = body?;
    let (app, person) = (known_program(&sandbox, &appid)?, known(&sandbox, &person)?);
    Ok(Json(json!({ "code": wx_login(&sandbox, app, &person) })))
}

async fn phone_number(State(sandbox): State<Sandbox>, body: Body<Who>) -> Answered {
    let Json(Who { appid, person }) = body?;
    let (app, person) = (known_program(&sandbox, &appid)?, known(&sandbox, &person)?);
    let number = super::login::phone_number(&sandbox, &person.id);
    Ok(Json(json!({ "code": phone_code(&sandbox, app, &person), "phone_number": number })))
}

/// What `wx.getUserInfo` gives: since 2021 no real name and picture, but still signed and sealed.
async fn user_info(State(sandbox): State<Sandbox>, body: Body<Who>) -> Answered {
    let Json(Who { appid, person }) = body?;
    let (app, person) = (known_program(&sandbox, &appid)?, known(&sandbox, &person)?);
    let no_session =
        || Refused::new(StatusCode::CONFLICT, "no_session", "this person never called wx.login here");
    let key = sandbox.world().mini.session_key(&appid, &person.id).ok_or_else(no_session)?;
    let raw = json!({ "nickName": "微信用户", "gender": 0, "language": "", "city": "", "province": "", "country": "", "avatarUrl": "" });
    let mut secret = raw.clone();
    let seed = &sandbox.options().platform_seed;
    secret["openId"] = ids::openid(seed, &appid, &person.id).into();
    if !app.platform.is_empty() {
        secret["unionId"] = ids::unionid(seed, &app.platform, &person.id).into();
    }
    secret["watermark"] = json!({ "timestamp": sandbox.now_ms() / 1000, "appid": appid });
    let mut iv = [0u8; 16];
    sandbox.entropy()(&mut iv);
    let sealed = seal(&key, iv, raw.to_string(), &secret.to_string());
    sealed.map(|sealed| Json(json!(sealed))).ok_or_else(no_session)
}

async fn settings(State(sandbox): State<Sandbox>, Path(appid): Path<String>) -> Answered {
    let app = known_program(&sandbox, &appid)?;
    Ok(Json(shown(&sandbox, app)))
}

fn shown(sandbox: &Sandbox, app: &App) -> Value {
    let program = sandbox.mini_program(app);
    json!({
        "appid": app.appid,
        "pages": program.pages,
        "members": program.members,
        "demo_api_base": program.demo_api_base.as_ref().map(Url::as_str),
        "demo_channel": program.demo_channel,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    pages: Option<Vec<String>>,
    members: Option<Vec<String>>,
    demo_api_base: Option<Url>,
    demo_channel: Option<String>,
}

/// Absent fields stay as they are.
async fn set(State(sandbox): State<Sandbox>, Path(appid): Path<String>, body: Body<Change>) -> Answered {
    let Json(change) = body?;
    let app = known_program(&sandbox, &appid)?;
    let mut program = sandbox.mini_program(app);
    program.pages = change.pages.unwrap_or(program.pages);
    program.members = change.members.unwrap_or(program.members);
    program.demo_api_base = change.demo_api_base.or(program.demo_api_base);
    program.demo_channel = change.demo_channel.unwrap_or(program.demo_channel);
    sandbox.world().mini.programs.insert(appid, program);
    Ok(Json(shown(&sandbox, app)))
}
