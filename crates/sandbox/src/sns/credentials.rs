//! Which app calls: appid and secret in the query (WeChat fact sheet §10 has the order of the checks).

use super::answer::Errcode;
use crate::options::App;
use crate::params::Params;
use crate::state::Sandbox;

/// The app, when it has proven its secret.
pub(super) fn proven<'a>(sandbox: &'a Sandbox, params: &Params) -> Result<&'a App, Errcode> {
    let appid = params.get("appid");
    if appid.is_empty() {
        return Err(Errcode::AppidMissing);
    }
    let app = sandbox.options().app(appid).ok_or(Errcode::InvalidAppid)?;
    match params.get("secret") {
        "" => Err(Errcode::SecretMissing),
        secret if secret != app.secret => Err(Errcode::InvalidSecret),
        _ => Ok(app),
    }
}
