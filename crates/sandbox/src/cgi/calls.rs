//! How often each API path was called, and for which app: proof of what a client caches.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use crate::params::Params;
use crate::state::Sandbox;

/// Different (path, appid) pairs counted; more than anyone plays with.
const MOST_COUNTED: usize = 1000;
/// As much as a call may hold.
const BODY_LIMIT: usize = 1024 * 1024;

/// The counts.
#[derive(Debug, Default)]
pub(crate) struct Calls(BTreeMap<(String, String), u64>);

impl Calls {
    fn add(&mut self, path: &str, appid: &str) {
        let key = (path.to_owned(), appid.to_owned());
        if self.0.len() < MOST_COUNTED || self.0.contains_key(&key) {
            *self.0.entry(key).or_default() += 1;
        }
    }

    /// For the script API.
    pub(crate) fn list(&self) -> Vec<Value> {
        let entry = |((path, appid), count): (&(String, String), &u64)| json!({ "path": path, "appid": appid, "count": count });
        self.0.iter().map(entry).collect()
    }
}

/// Around all of an API host: counts, and passes on unchanged.
pub(crate) async fn count(State(sandbox): State<Sandbox>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let params = Params::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let appid = called_for(&sandbox, &params, &body);
    sandbox.world().calls.add(parts.uri.path(), &appid);
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// By the parameter, by the token, or by the body of a token call; otherwise empty.
fn called_for(sandbox: &Sandbox, params: &Params, body: &[u8]) -> String {
    let known = |appid: &str| sandbox.options().app(appid).map(|app| app.appid.clone());
    let by_corp = || sandbox.world().office.called_for(params.get("corpid"), params.get("access_token"));
    let by_token = || sandbox.world().app_tokens.appid_of(params.get("access_token"), sandbox.now_ms()).ok();
    let by_body = || {
        let body: Value = serde_json::from_slice(body).ok()?;
        known(body.get("appid")?.as_str()?)
    };
    known(params.get("appid")).or_else(by_corp).or_else(by_token).or_else(by_body).unwrap_or_default()
}
