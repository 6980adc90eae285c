//! What the faults of the API do to an answer: late, an errcode instead, lost, or cut off.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;

use crate::cgi::ApiError;
use crate::faults::{FaultName, Target};
use crate::state::Sandbox;

/// Answers a call, late when the faults "slow" and "slow before" say so. `answer` does all the work without a pause, so
/// under "slow" it is done whether or not the client has the patience to hear of it.
pub(crate) async fn in_time(sandbox: &Sandbox, call: Target, answer: impl FnOnce() -> Response) -> Response {
    wait(sandbox, FaultName::SlowBefore, call).await;
    let response = answer();
    wait(sandbox, FaultName::Slow, call).await;
    response
}

async fn wait(sandbox: &Sandbox, fault: FaultName, call: Target) {
    let slow = sandbox.world().faults.take(fault, call).and_then(|armed| armed.ms);
    if let Some(ms) = slow {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

/// An errcode that comes instead of any work.
pub(crate) fn errcode(sandbox: &Sandbox, call: Target) -> Option<ApiError> {
    let mut world = sandbox.world();
    if world.faults.take(FaultName::SystemError, call).is_some() {
        return Some(ApiError::by_number(-1));
    }
    let armed = world.faults.take(FaultName::Errcode, call)?;
    armed.code.map(|code| ApiError::by_number(i64::from(code)))
}

/// Something else than the answer, after the work was done.
pub(crate) fn lost(sandbox: &Sandbox, call: Target) -> Option<Response> {
    let mut world = sandbox.world();
    if world.faults.take(FaultName::EmptyBody, call).is_some() {
        // Seen in 2017 for bad credentials (§2.1).
        return Some(([(CONTENT_TYPE, "text/html; charset=gbk")], "").into_response());
    }
    world.faults.take(FaultName::HtmlBody, call).map(|_| {
        let html = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>502 Bad Gateway</body>\r\n</html>\r\n";
        ([(CONTENT_TYPE, "text/html")], html).into_response()
    })
}

/// The JSON, without its last quarter when the fault "garbage JSON" is due.
pub(crate) fn cut(sandbox: &Sandbox, call: Target, json: String) -> String {
    if sandbox.world().faults.take(FaultName::GarbageJson, call).is_none() {
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
