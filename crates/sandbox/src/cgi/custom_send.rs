//! `/cgi-bin/message/custom/send`: the account writes into the chat (WeChat fact sheet §4.10).

use serde::Deserialize;

use super::answer::{Call, Outcome, ok};
use super::error;
use super::follower::person_of;
use crate::official::Silence;
use crate::options::{App, AppKind};
use crate::state::Sandbox;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    touser: String,
    #[serde(default)]
    msgtype: String,
    text: Option<Text>,
}

#[derive(Deserialize)]
struct Text {
    #[serde(default)]
    content: String,
}

/// Texts only.
pub(super) fn send(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    if app.kind != AppKind::OfficialAccount {
        return Err(error::API_UNAUTHORIZED);
    }
    let body: Body = call.json()?;
    let person = person_of(sandbox, app, &body.touser)?;
    let (Some(text), "text") = (body.text, body.msgtype.as_str()) else {
        return Err(error::INVALID_MESSAGE_TYPE);
    };
    let now = sandbox.now_ms();
    match sandbox.world().chats.of(&app.appid, &person.id).receive(&text.content, now) {
        Ok(()) => ok(),
        Err(Silence::WindowPassed) => Err(error::WINDOW_PASSED),
        Err(Silence::TooMany) => Err(error::TOO_MANY_REPLIES),
    }
}
