//! A call to `cgi-bin` or `wxa` and the bytes of its answer: HTTP 200, `application/json; encoding=utf-8`, errmsg ending
//! in ` rid: …` without the comma that sns has (WeChat fact sheet §2.1).

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::body::Bytes;
use axum::extract::{ConnectInfo, FromRequest, Request};
use axum::response::{IntoResponse, Response};
use http::Method;
use http::header::CONTENT_TYPE;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::calls::CalledFor;
use super::error::{self, ApiError};
use crate::faults::{At, FaultName, Target};
use crate::ids;
use crate::options::App;
use crate::params::Params;
use crate::spoil;
use crate::state::Sandbox;

/// Larger bodies are refused: nothing that is played here is near this.
const BODY_LIMIT: usize = 1024 * 1024;

/// A request, read.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) params: Params,
    pub(crate) body: Bytes,
    /// Where it came from, as far as the caller of the router tells; loopback otherwise.
    pub(crate) peer: IpAddr,
    called_for: CalledFor,
}

impl<S: Send + Sync> FromRequest<S> for Call {
    type Rejection = Infallible;

    async fn from_request(request: Request, _: &S) -> Result<Self, Infallible> {
        let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        let params = Params::parse(request.uri().query().unwrap_or_default().as_bytes());
        let method = request.method().clone();
        let called_for = request.extensions().get().cloned().unwrap_or_default();
        let body = axum::body::to_bytes(request.into_body(), BODY_LIMIT).await.unwrap_or_default();
        Ok(Self { method, params, body, peer: peer.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), called_for })
    }
}

impl Call {
    /// This call as the board of faults sees it.
    pub(crate) fn at(&self, target: Target) -> At<'_> {
        self.called_for.at(target)
    }

    /// The body as JSON, whatever its Content-Type says. A form, or a field of another type, is 47001.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        if self.body.is_empty() {
            return Err(error::EMPTY_POST);
        }
        serde_json::from_slice(&self.body).map_err(|_| error::DATA_FORMAT)
    }

    /// The app whose access token came along.
    pub(crate) fn app<'a>(&self, sandbox: &'a Sandbox) -> Result<&'a App, ApiError> {
        let token = self.params.get("access_token");
        if token.is_empty() {
            return Err(error::TOKEN_MISSING);
        }
        let appid = sandbox.world().app_tokens.appid_of(token, sandbox.now_ms())?;
        sandbox.options().app(&appid).ok_or(error::TOKEN_NOT_LATEST)
    }
}

/// A success before it becomes bytes.
pub(crate) enum Reply {
    /// Fields in their real order.
    Json(String),
    Picture {
        media_type: &'static str,
        bytes: Vec<u8>,
    },
}

/// What a call came to.
pub(crate) type Outcome = Result<Reply, ApiError>;

/// The JSON of a success, in the order in which the fields are declared.
pub(crate) fn success(fields: &impl Serialize) -> Outcome {
    Ok(Reply::Json(serde_json::to_string(fields).expect("structs of texts and numbers serialize")))
}

/// The answer of a call that has nothing to tell.
pub(crate) fn ok() -> Outcome {
    Ok(Reply::Json(r#"{"errcode":0,"errmsg":"ok"}"#.to_owned()))
}

/// A POST with an access token.
pub(crate) async fn posted(
    sandbox: &Sandbox,
    target: Target,
    call: Call,
    work: impl FnOnce(&App, &Call) -> Outcome,
) -> Response {
    let method = if call.method == Method::POST { Ok(()) } else { Err(error::REQUIRE_POST) };
    respond(sandbox, call.at(target), || method.and_then(|()| work(call.app(sandbox)?, &call))).await
}

/// A GET with an access token.
pub(crate) async fn got(
    sandbox: &Sandbox,
    target: Target,
    call: Call,
    work: impl FnOnce(&App, &Call) -> Outcome,
) -> Response {
    let method = if call.method == Method::GET { Ok(()) } else { Err(error::REQUIRE_GET) };
    respond(sandbox, call.at(target), || method.and_then(|()| work(call.app(sandbox)?, &call))).await
}

/// Does the work and sends it, with whatever fault is due for this call.
pub(crate) async fn respond(sandbox: &Sandbox, at: At<'_>, work: impl FnOnce() -> Outcome) -> Response {
    spoil::in_time(sandbox, at, || answered(sandbox, at, work)).await
}

fn answered(sandbox: &Sandbox, at: At<'_>, work: impl FnOnce() -> Outcome) -> Response {
    let outcome = match spoil::errcode(sandbox, at) {
        Some(number) => Err(ApiError::by_number(number)),
        None => work(),
    };
    match outcome {
        Ok(Reply::Picture { media_type, bytes }) => match spoil::lost(sandbox, at) {
            Some(instead) => instead,
            None => ([(CONTENT_TYPE, media_type)], bytes).into_response(),
        },
        Ok(Reply::Json(json)) => finish(sandbox, at, json),
        Err(refused) => {
            let json = error_json(sandbox, &refused);
            finish(sandbox, at, json)
        }
    }
}

fn finish(sandbox: &Sandbox, at: At<'_>, mut json: String) -> Response {
    if json.contains("\"unionid\"") && sandbox.world().faults.take(FaultName::NoUnionid, at).is_some() {
        json = spoil::without_unionid(&json);
    }
    if let Some(instead) = spoil::lost(sandbox, at) {
        return instead;
    }
    let json = spoil::cut(sandbox, at, json);
    // A slash occurs only inside JSON strings, so escaping it is safe (§2.1).
    ([(CONTENT_TYPE, "application/json; encoding=utf-8")], json.replace('/', "\\/")).into_response()
}

fn error_json(sandbox: &Sandbox, refused: &ApiError) -> String {
    let rid = ids::rid(sandbox.entropy(), sandbox.now_ms());
    let ApiError { number, text } = refused;
    format!(r#"{{"errcode":{number},"errmsg":"{text} rid: {rid}"}}"#)
}
