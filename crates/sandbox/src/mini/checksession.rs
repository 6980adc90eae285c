//! `/wxa/checksession`: is this still the session_key? (mini-program fact sheet §9)

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::cgi::{Call, Outcome, error, ok};
use crate::ids;
use crate::options::{App, AppKind};
use crate::state::Sandbox;

/// `signature` is the HMAC of nothing, keyed with the session_key's text.
pub(super) fn check(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    if app.kind != AppKind::MiniProgram {
        return Err(error::API_UNAUTHORIZED);
    }
    if call.params.get("sig_method") != "hmac_sha256" {
        return Err(error::INVALID_ARGS);
    }
    let seed = &sandbox.options().platform_seed;
    let world = sandbox.world();
    let mut people = world.people.all().iter();
    let person = people
        .find(|person| ids::openid(seed, &app.appid, &person.id) == call.params.get("openid"))
        .ok_or(error::INVALID_OPENID)?;
    let key = world.mini.session_key(&app.appid, &person.id);
    if key.is_some_and(|key| signature(&key) == call.params.get("signature")) {
        return ok();
    }
    Err(error::BAD_SIGNATURE)
}

fn signature(session_key: &str) -> String {
    let mac =
        Hmac::<Sha256>::new_from_slice(session_key.as_bytes()).expect("an HMAC key may have any length");
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::signature;

    #[test]
    fn fact_sheet_vector() {
        assert_eq!(
            signature("HyVFkGl5F5OQWJZZaNzBBg=="),
            "252b75c92698025afe925b29cca5517fdf9ee67aae072cf3225ebf3a53783058"
        );
    }
}
