//! `/sns/jscode2session`: a `wx.login` code → openid and session_key (mini-program fact sheet §1).

use serde::Serialize;

use super::answer::{Errcode, Outcome, success};
use super::credentials::proven;
use super::grant::{MINI_SCOPE, Spent};
use crate::params::Params;
use crate::state::Sandbox;

#[derive(Serialize)]
struct Answer {
    session_key: String,
    openid: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
}

/// A code of another appid, and one that no `wx.login` gave, is 40029.
pub(super) fn exchange(sandbox: &Sandbox, params: &Params) -> Outcome {
    let app = proven(sandbox, params)?;
    let code = params.get("js_code");
    if code.is_empty() {
        return Err(Errcode::CodeMissing);
    }
    if params.get("grant_type") != "authorization_code" {
        return Err(Errcode::InvalidGrantType);
    }
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    let spent = world.codes.get_mut(code).map_or(Spent::Invalid, |code| code.spend(&app.appid, now));
    let subject = match spent {
        Spent::Good(subject) if subject.scope == MINI_SCOPE => subject,
        Spent::Good(_) | Spent::Invalid => return Err(Errcode::InvalidCode),
        Spent::Used => return Err(Errcode::CodeUsed),
    };
    let session_key = world.mini.session_key(&app.appid, &subject.person).ok_or(Errcode::InvalidCode)?;
    drop(world);
    success(&Answer {
        session_key,
        openid: subject.openid(sandbox.options()),
        unionid: subject.unionid(sandbox.options()),
    })
}
