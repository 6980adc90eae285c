//! `/cgi-bin/token` and `/cgi-bin/stable_token`: the app's own access token (WeChat fact sheet §4.1, §4.2).

use serde::{Deserialize, Serialize};

use super::answer::{Call, Outcome, success};
use super::error::{self, ApiError};
use super::tokens::Issued;
use crate::faults::{FaultName, Target};
use crate::ids;
use crate::options::{App, AppKind};
use crate::state::Sandbox;

#[derive(Serialize)]
struct Answer {
    access_token: String,
    expires_in: i64,
}

/// By query. The one before stays good for five minutes.
pub(super) fn plain(sandbox: &Sandbox, call: &Call) -> Outcome {
    let given = |name| call.params.get(name);
    let app = proven(sandbox, given("appid"), given("grant_type"), given("secret"))?;
    refuse_address(sandbox, Target::Token, call)?;
    let fresh = ids::token(sandbox.entropy());
    answer(sandbox.world().app_tokens.replace(&app.appid, fresh, sandbox.now_ms()))
}

#[derive(Deserialize)]
struct StableBody {
    #[serde(default)]
    grant_type: String,
    #[serde(default)]
    appid: String,
    #[serde(default)]
    secret: String,
    #[serde(default)]
    force_refresh: bool,
}

/// By JSON body. The same token until shortly before its end.
pub(super) fn stable(sandbox: &Sandbox, call: &Call) -> Outcome {
    if call.method != http::Method::POST {
        return Err(error::REQUIRE_POST);
    }
    let body: StableBody = call.json()?;
    let app = proven(sandbox, &body.appid, &body.grant_type, &body.secret)?;
    refuse_address(sandbox, Target::StableToken, call)?;
    let fresh = ids::token(sandbox.entropy());
    let now = sandbox.now_ms();
    let tokens = &mut sandbox.world().app_tokens;
    answer(match body.force_refresh {
        true => tokens.force(&app.appid, fresh, now)?,
        false => tokens.stable(&app.appid, fresh, now),
    })
}

fn answer(Issued { token, expires_in }: Issued) -> Outcome {
    success(&Answer { access_token: token, expires_in })
}

/// §2.7: a bad appid is told before anything else. That a website app has no such token is a guess.
fn proven<'a>(
    sandbox: &'a Sandbox,
    appid: &str,
    grant_type: &str,
    secret: &str,
) -> Result<&'a App, ApiError> {
    if appid.is_empty() {
        return Err(error::APPID_MISSING);
    }
    let app = sandbox.options().app(appid).filter(|app| app.kind != AppKind::Website);
    let app = app.ok_or(error::INVALID_APPID)?;
    match secret {
        _ if grant_type != "client_credential" => Err(error::INVALID_GRANT_TYPE),
        "" => Err(error::SECRET_MISSING),
        _ if secret != app.secret => Err(error::INVALID_SECRET),
        _ => Ok(app),
    }
}

/// 40164 while the fault is on.
fn refuse_address(sandbox: &Sandbox, target: Target, call: &Call) -> Result<(), ApiError> {
    match sandbox.world().faults.take(FaultName::IpNotWhitelisted, call.at(target)) {
        Some(_) => Err(ApiError::ip_not_whitelisted(call.peer)),
        None => Ok(()),
    }
}
