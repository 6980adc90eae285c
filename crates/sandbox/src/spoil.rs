//! What the faults of the API do to an answer: late, an errcode instead, lost, or cut off.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::faults::{At, FaultName};
use crate::state::Sandbox;

/// Answers a call, late when the faults "slow" and "slow before" say so. `answer` does all the work without a pause, so
/// under "slow" it is done whether or not the client has the patience to hear of it.
pub(crate) async fn in_time(sandbox: &Sandbox, at: At<'_>, answer: impl FnOnce() -> Response) -> Response {
    wait(sandbox, FaultName::SlowBefore, at).await;
    let response = answer();
    wait(sandbox, FaultName::Slow, at).await;
    response
}

async fn wait(sandbox: &Sandbox, fault: FaultName, at: At<'_>) {
    let slow = sandbox.world().faults.take(fault, at).and_then(|armed| armed.ms);
    if let Some(ms) = slow {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// The number of an errcode that comes instead of any work. Its text is the platform's business.
pub(crate) fn errcode(sandbox: &Sandbox, at: At<'_>) -> Option<i64> {
    let fixed = [(FaultName::SystemError, -1), (FaultName::InvalidCode, 40029), (FaultName::UsedCode, 40163)];
    let mut world = sandbox.world();
    if let Some((_, number)) = fixed.into_iter().find(|(fault, _)| world.faults.take(*fault, at).is_some()) {
        return Some(number);
    }
    world.faults.take(FaultName::Errcode, at)?.code.map(i64::from)
}

/// Something else than the answer, after the work was done.
pub(crate) fn lost(sandbox: &Sandbox, at: At<'_>) -> Option<Response> {
    let mut world = sandbox.world();
    if world.faults.take(FaultName::EmptyBody, at).is_some() {
        // Seen in 2017 for bad credentials (§2.1).
        return Some(([(CONTENT_TYPE, "text/html; charset=gbk")], "").into_response());
    }
    world.faults.take(FaultName::HtmlBody, at).map(|_| {
        let html = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>502 Bad Gateway</body>\r\n</html>\r\n";
        ([(CONTENT_TYPE, "text/html")], html).into_response()
    })
}

/// The JSON, without its last quarter when the fault "garbage JSON" is due.
pub(crate) fn cut(sandbox: &Sandbox, at: At<'_>, json: String) -> String {
    if sandbox.world().faults.take(FaultName::GarbageJson, at).is_none() {
        return json;
    }
    // Every answer starts with ASCII field names, and cutting is by character.
    json.chars().take(json.chars().count() * 3 / 4).collect()
}

/// `unionid` is the last field of the answers that faults take it from, so it can go without disturbing the order.
pub(crate) fn without_unionid(json: &str) -> String {
    match json.rfind(",\"unionid\":") {
        Some(at) => format!("{}}}", &json[..at]),
        None => json.to_owned(),
    }
}
