//! `/connect/l/qrconnect`: the long poll of the QR page (WeChat fact sheet §1.4).

use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::qr_login::Report;
use crate::params::Params;
use crate::state::Sandbox;

/// How long the server keeps a request before it says 408.
const HOLD: Duration = Duration::from_secs(25);

/// Answers at once when there is news for this page, otherwise on the next change, at the latest after 25 s.
pub(super) async fn hold(State(sandbox): State<Sandbox>, params: Params) -> Response {
    let (uuid, last) = (params.get("uuid"), params.get("last"));
    let give_up = Instant::now() + HOLD;
    loop {
        let (mut changed, remaining) = match look(&sandbox, uuid, last) {
            Look::Say(answer) => return answer,
            Look::Wait { changed, remaining } => (changed, remaining),
        };
        let expiry = Instant::now() + remaining;
        // Woken, forgotten or out of time: whatever it was, the stored stage tells the truth.
        let waited = timeout_at(give_up.min(expiry), changed.changed()).await;
        if waited.is_err() && give_up <= expiry {
            return match look(&sandbox, uuid, last) {
                Look::Say(answer) => answer,
                Look::Wait { .. } => say(408, "", false),
            };
        }
    }
}

enum Look {
    Say(Response),
    Wait { changed: watch::Receiver<()>, remaining: Duration },
}

fn look(sandbox: &Sandbox, uuid: &str, last: &str) -> Look {
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    let Some(login) = world.qr_logins.get_mut(uuid) else { return Look::Say(say(500, "", false)) };
    match login.report(last, now) {
        Some(Report::Scanned) => Look::Say(say(404, "", false)),
        Some(Report::Cancelled) => Look::Say(say(403, "", false)),
        Some(Report::Expired) => Look::Say(say(402, "", false)),
        Some(Report::Done(callback)) => {
            Look::Say(say(405, callback.code.as_deref().unwrap_or(""), callback.twice))
        }
        None => Look::Wait {
            changed: login.subscribe(),
            remaining: Duration::from_millis(login.remaining_ms(now)),
        },
    }
}

/// Two assignments, always with HTTP status 200. A third one only under the fault "duplicate callback", which asks
/// the page to request the callback twice.
fn say(errcode: u16, code: &str, twice: bool) -> Response {
    let fault = if twice { "window.sandbox_twice=1;" } else { "" };
    let script = format!("window.wx_errcode={errcode};window.wx_code='{code}';{fault}");
    ([(CONTENT_TYPE, "text/javascript"), (CACHE_CONTROL, "no-cache, no-store")], script).into_response()
}
