//! How often each API path was called, and for which app: proof of what a client caches.

use std::collections::BTreeMap;
use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::request::Parts;
use serde_json::{Value, json};

use crate::faults::{At, Target};
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
    let (mut parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_LIMIT).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let params = Params::parse(parts.uri.query().unwrap_or_default().as_bytes());
    let appid = called_for(&sandbox, &params, &body);
    sandbox.world().calls.add(parts.uri.path(), &appid);
    parts.extensions.insert(CalledFor(appid));
    next.run(Request::from_parts(parts, Body::from(body))).await
}

/// The appid or CorpID of a call, as [`count`] found it; empty: none that is known.
#[derive(Clone, Debug, Default)]
pub(crate) struct CalledFor(String);

impl CalledFor {
    /// The call as the board of faults sees it.
    pub(crate) fn at(&self, call: Target) -> At<'_> {
        At { call, appid: &self.0 }
    }
}

impl<S: Sync> FromRequestParts<S> for CalledFor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

/// By the parameter, by the token, or by the body of a token call; otherwise empty.
fn called_for(sandbox: &Sandbox, params: &Params, body: &[u8]) -> String {
    let known = |appid: &str| sandbox.options().app(appid).map(|app| app.appid.clone());
    let by_corp = || sandbox.world().office.called_for(params.get("corpid"), params.get("access_token"));
    let by_token = || sandbox.world().app_tokens.appid_of(params.get("access_token"), sandbox.now_ms()).ok();
    let by_grant = || {
        let world = sandbox.world();
        let refresh_token = world.access_tokens.get(params.get("access_token"))?;
        world.grants.get(refresh_token).map(|grant| grant.appid().to_owned())
    };
    let by_body = || {
        let body: Value = serde_json::from_slice(body).ok()?;
        known(body.get("appid")?.as_str()?)
    };
    known(params.get("appid"))
        .or_else(by_corp)
        .or_else(by_token)
        .or_else(by_grant)
        .or_else(by_body)
        .unwrap_or_default()
}
