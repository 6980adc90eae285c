//! `/wxa/business/getuserphonenumber` (mini-program fact sheet §8).

use serde::{Deserialize, Serialize};

use super::login::phone_number;
use crate::cgi::{ApiError, Call, Outcome, error, success};
use crate::ids;
use crate::options::{App, AppKind};
use crate::state::Sandbox;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    code: String,
    openid: Option<String>,
}

#[derive(Serialize)]
struct Answer {
    errcode: u8,
    errmsg: &'static str,
    phone_info: PhoneInfo,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhoneInfo {
    phone_number: String,
    pure_phone_number: String,
    country_code: &'static str,
    watermark: Watermark,
}

#[derive(Serialize)]
struct Watermark {
    timestamp: i64,
    appid: String,
}

/// A code counts once, for its own app, and with `openid` for that person only. A `wx.login` code is 40029.
pub(super) fn read(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    if app.kind != AppKind::MiniProgram {
        return Err(error::API_UNAUTHORIZED);
    }
    let body: Body = call.json()?;
    let now = sandbox.now_ms();
    let invalid: ApiError = error::INVALID_CODE;
    let Some(entry) = sandbox.world().mini.phone_codes.remove(&body.code) else { return Err(invalid) };
    let openid = ids::openid(&sandbox.options().platform_seed, &app.appid, &entry.person);
    let same_person = body.openid.is_none_or(|given| given == openid);
    if entry.appid != app.appid || now >= entry.expires_ms || !same_person {
        return Err(invalid);
    }
    let number = phone_number(sandbox, &entry.person);
    let watermark = Watermark { timestamp: now / 1000, appid: app.appid.clone() };
    let phone_info =
        PhoneInfo { phone_number: number.clone(), pure_phone_number: number, country_code: "86", watermark };
    success(&Answer { errcode: 0, errmsg: "ok", phone_info })
}
