//! What the phone's side of the API gives: `wx.login` and getPhoneNumber codes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::world::PhoneCode;
use crate::ids;
use crate::options::App;
use crate::people::Person;
use crate::sns::{Code, MINI_SCOPE};
use crate::state::Sandbox;

/// §8: five minutes from the tap.
const PHONE_CODE_MS: i64 = 300_000;

/// `wx.login`. The session_key is renewed each time: the real one *may* do so, and clients must stand it.
pub(crate) fn wx_login(sandbox: &Sandbox, app: &App, person: &Person) -> String {
    let code = ids::code(sandbox.entropy());
    let mut key = [0u8; 16];
    sandbox.entropy()(&mut key);
    let mut world = sandbox.world();
    world.mini.set_session_key(&app.appid, &person.id, STANDARD.encode(key));
    world.codes.insert(code.clone(), Code::new(app, person, MINI_SCOPE, None, sandbox.now_ms()));
    code
}

/// The button `open-type="getPhoneNumber"`, allowed.
pub(super) fn phone_code(sandbox: &Sandbox, app: &App, person: &Person) -> String {
    let code = ids::hex(sandbox.entropy(), 64);
    let entry = PhoneCode {
        appid: app.appid.clone(),
        person: person.id.clone(),
        expires_ms: sandbox.now_ms() + PHONE_CODE_MS,
    };
    sandbox.world().mini.phone_codes.insert(code.clone(), entry);
    code
}

/// The mobile number of a person: 11 digits starting with 13, the same after a restart.
pub(super) fn phone_number(sandbox: &Sandbox, person: &str) -> String {
    let key = ids::hex_key(&[&sandbox.options().platform_seed, "phone", person], 12);
    let number = u64::from_str_radix(&key, 16).unwrap_or_default() % 1_000_000_000;
    format!("13{number:09}")
}
