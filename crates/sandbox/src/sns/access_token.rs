//! `/sns/oauth2/access_token`: code → token (WeChat fact sheet §2.2).

use serde::Serialize;

use super::answer::{Errcode, Outcome, success};
use super::credentials::proven;
use super::grant::{ACCESS_TOKEN_S, Grant, MINI_SCOPE, Spent, Subject};
use crate::ids;
use crate::options::AppKind;
use crate::params::Params;
use crate::state::Sandbox;

#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    expires_in: i64,
    refresh_token: &'a str,
    openid: String,
    scope: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_snapshotuser: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
}

/// Checks in the order of §10, and burns the code as soon as the app has proven its secret.
pub(super) fn exchange(sandbox: &Sandbox, params: &Params) -> Outcome {
    let app = proven(sandbox, params)?;
    let code = params.get("code");
    if code.is_empty() {
        return Err(Errcode::CodeMissing);
    }
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    let spent = world.codes.get_mut(code).map_or(Spent::Invalid, |code| code.spend(&app.appid, now));
    if params.get("grant_type") != "authorization_code" {
        return Err(Errcode::InvalidGrantType);
    }
    let subject = match spent {
        Spent::Good(subject) if subject.scope != MINI_SCOPE => subject,
        Spent::Good(_) | Spent::Invalid => return Err(Errcode::InvalidCode),
        Spent::Used => return Err(Errcode::CodeUsed),
    };

    let refresh_token = ids::token(sandbox.entropy());
    let grant = Grant::new(subject, sandbox.entropy(), now);
    world.access_tokens.insert(grant.access_token.clone(), refresh_token.clone());
    world.grants.insert(refresh_token.clone(), grant.clone());
    drop(world);
    let Grant { subject, access_token, .. } = &grant;
    success(&Answer {
        access_token,
        expires_in: ACCESS_TOKEN_S,
        refresh_token: &refresh_token,
        openid: subject.openid(sandbox.options()),
        scope: &subject.scope,
        is_snapshotuser: subject.virtual_person.is_some().then_some(1),
        unionid: shows_unionid(app.kind, subject).then(|| subject.unionid(sandbox.options())).flatten(),
    })
}

/// §2.2: always for a website app, for an official account only with snsapi_userinfo.
fn shows_unionid(kind: AppKind, subject: &Subject) -> bool {
    kind == AppKind::Website || subject.scope == "snsapi_userinfo"
}
