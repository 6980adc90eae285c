//! `/sns/auth`: does this access token fit this openid? (WeChat fact sheet §2.4)

use super::answer::{Errcode, Outcome, ok};
use super::grant::Grant;
use crate::params::Params;
use crate::state::Sandbox;

/// `ok`, or why not.
pub(super) fn check(sandbox: &Sandbox, params: &Params) -> Outcome {
    live_grant(sandbox, params)?;
    ok()
}

/// The grant behind `access_token`, alive and about `openid`.
pub(super) fn live_grant(sandbox: &Sandbox, params: &Params) -> Result<Grant, Errcode> {
    let (access_token, openid) = (params.get("access_token"), params.get("openid"));
    if access_token.is_empty() {
        return Err(Errcode::AccessTokenMissing);
    }
    if openid.is_empty() {
        return Err(Errcode::OpenidMissing);
    }
    let world = sandbox.world();
    let refresh_token = world.access_tokens.get(access_token).ok_or(Errcode::InvalidCredential)?;
    let grant = world.grants.get(refresh_token).ok_or(Errcode::InvalidCredential)?;
    // A token that a refresh has replaced had expired before.
    if grant.access_token != access_token || grant.access_expired(sandbox.now_ms()) {
        return Err(Errcode::AccessTokenExpired);
    }
    if grant.subject.openid(sandbox.options()) != openid {
        return Err(Errcode::InvalidOpenid);
    }
    Ok(grant.clone())
}
