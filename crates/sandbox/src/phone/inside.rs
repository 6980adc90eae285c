//! Whether a request comes from the browser inside WeChat or WeCom.
//!
//! The real apps say so in their User-Agent. A tab that plays the phone cannot, so whatever the phone opens leaves a mark
//! in a cookie. The mark fades after ten minutes: the same browser is somebody's desktop too, and there a page of WeChat
//! must say what it says there.

use http::HeaderMap;
use http::header::USER_AGENT;

use super::app::PhoneApp;
use super::holder::{cookie, short_cookie_line};
use crate::state::Sandbox;

const NAME: &str = "sandbox_inside";
/// As long as somebody takes who reads a page on the way, in seconds.
const LIFETIME_S: i64 = 600;

/// The app whose browser sent this request; nothing for an ordinary browser. WeCom's names WeChat in its User-Agent too.
pub(crate) fn inside(sandbox: &Sandbox, headers: &HeaderMap) -> Option<PhoneApp> {
    let agent = headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes()));
    match agent {
        Some(agent) if agent.contains("wxwork") => Some(PhoneApp::WeCom),
        Some(agent) if agent.contains("MicroMessenger") => Some(PhoneApp::WeChat),
        _ => marked(sandbox, headers),
    }
}

/// `{app}.{unix seconds}`
fn marked(sandbox: &Sandbox, headers: &HeaderMap) -> Option<PhoneApp> {
    let (app, since) = cookie(headers, NAME)?.split_once('.')?;
    let age_s = sandbox.now_ms() / 1000 - since.parse::<i64>().ok()?;
    (0..LIFETIME_S).contains(&age_s).then(|| PhoneApp::parse(app)).flatten()
}

/// The `Set-Cookie` that comes with whatever the phone opens in `app`.
pub(super) fn mark(sandbox: &Sandbox, app: PhoneApp) -> String {
    let value = format!("{}.{}", app.name(), sandbox.now_ms() / 1000);
    short_cookie_line(sandbox.options(), NAME, &value, LIFETIME_S)
}
