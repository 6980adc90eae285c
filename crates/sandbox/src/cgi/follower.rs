//! `/cgi-bin/user/info`: does this person follow, and by which code? (WeChat fact sheet §4.9)

use serde::Serialize;

use super::answer::{Call, Outcome, success};
use super::error::{self, ApiError};
use crate::ids;
use crate::official::Scene;
use crate::options::{App, AppKind};
use crate::people::Person;
use crate::state::Sandbox;

#[derive(Serialize)]
struct Stranger<'a> {
    subscribe: u8,
    openid: &'a str,
    tagid_list: [u32; 0],
}

/// Since 2021 without nickname and picture; the keys are still there.
#[derive(Serialize)]
struct Follower<'a> {
    subscribe: u8,
    openid: &'a str,
    nickname: &'static str,
    sex: u8,
    language: &'a str,
    city: &'static str,
    province: &'static str,
    country: &'static str,
    headimgurl: &'static str,
    subscribe_time: i64,
    remark: &'static str,
    groupid: u32,
    tagid_list: [u32; 0],
    subscribe_scene: &'static str,
    qr_scene: u32,
    qr_scene_str: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
}

/// The person behind an openid of this app.
pub(super) fn person_of(sandbox: &Sandbox, app: &App, openid: &str) -> Result<Person, ApiError> {
    let seed = &sandbox.options().platform_seed;
    let world = sandbox.world();
    let found = world.people.all().iter().find(|person| ids::openid(seed, &app.appid, &person.id) == openid);
    found.cloned().ok_or(error::INVALID_OPENID)
}

pub(super) fn read(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    if app.kind != AppKind::OfficialAccount {
        return Err(error::API_UNAUTHORIZED);
    }
    let openid = call.params.get("openid");
    let person = person_of(sandbox, app, openid)?;
    let chat = sandbox.world().chats.get(&app.appid, &person.id);
    let Some(followed_ms) = chat.followed_ms else {
        return success(&Stranger { subscribe: 0, openid, tagid_list: [] });
    };
    let language = if call.params.has("lang") { call.params.get("lang") } else { "zh_CN" };
    let (qr_scene, qr_scene_str) = match &chat.followed_by {
        Some(Scene::Id(id)) => (*id, String::new()),
        Some(Scene::Text(text)) => (0, text.clone()),
        None => (0, String::new()),
    };
    let unionid = (!app.platform.is_empty())
        .then(|| ids::unionid(&sandbox.options().platform_seed, &app.platform, &person.id));
    success(&Follower {
        subscribe: 1,
        openid,
        nickname: "",
        sex: 0,
        language,
        city: "",
        province: "",
        country: "",
        headimgurl: "",
        subscribe_time: followed_ms / 1000,
        remark: "",
        groupid: 0,
        tagid_list: [],
        subscribe_scene: if chat.followed_by.is_some() { "ADD_SCENE_QR_CODE" } else { "ADD_SCENE_OTHERS" },
        qr_scene,
        qr_scene_str,
        unionid,
    })
}
