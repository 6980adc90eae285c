//! `/sns/oauth2/refresh_token`: a longer life for an access token (WeChat fact sheet §2.3). No secret is asked.

use serde::Serialize;

use super::answer::{Errcode, Outcome, success};
use super::grant::ACCESS_TOKEN_S;
use crate::params::Params;
use crate::state::Sandbox;

#[derive(Serialize)]
struct Answer<'a> {
    access_token: &'a str,
    expires_in: i64,
    refresh_token: &'a str,
    openid: String,
    scope: &'a str,
}

/// An unknown token, or another app's, is 40030; one that outlived its thirty days 42002.
pub(super) fn refresh(sandbox: &Sandbox, params: &Params) -> Outcome {
    let appid = params.get("appid");
    if appid.is_empty() {
        return Err(Errcode::AppidMissing);
    }
    sandbox.options().app(appid).ok_or(Errcode::InvalidAppid)?;
    if params.get("grant_type") != "refresh_token" {
        return Err(Errcode::InvalidGrantType);
    }
    let refresh_token = params.get("refresh_token");
    if refresh_token.is_empty() {
        return Err(Errcode::RefreshTokenMissing);
    }
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    let grant = world.grants.get_mut(refresh_token).filter(|grant| grant.subject.appid == appid);
    let grant = grant.ok_or(Errcode::InvalidRefreshToken)?;
    if grant.refresh_expired(now) {
        return Err(Errcode::RefreshTokenExpired);
    }
    grant.renew(sandbox.entropy(), now);
    let grant = grant.clone();
    world.access_tokens.insert(grant.access_token.clone(), refresh_token.to_owned());
    drop(world);
    success(&Answer {
        access_token: &grant.access_token,
        expires_in: ACCESS_TOKEN_S,
        refresh_token,
        openid: grant.subject.openid(sandbox.options()),
        scope: &grant.subject.scope,
    })
}
