//! The OpenID Connect endpoints: thin coats around the functions of `mashang_oidc`.

pub mod authorize;
pub mod cors;
pub mod discovery;
pub mod jwks;
pub mod logout;
pub mod message;
pub mod revoke;
pub mod scopes;
pub mod token;
pub mod userinfo;

use axum::Json;
use axum::extract::Request;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use mashang_oidc::params::Params;
use mashang_oidc::token::TokenRequest;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::state::App;
use crate::web::limits::{Counted, TooMany, Whose};
use crate::web::pages::see_other;
use crate::web::visitor::Visitor;

/// The query of a GET or the body of a form POST.
pub(crate) async fn raw_parameters(request: Request) -> Result<Vec<u8>, StatusCode> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(request.uri().query().unwrap_or_default().as_bytes().to_vec());
    }
    if !is_form(request.headers()) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    form_body(request).await.map(|bytes| bytes.to_vec())
}

/// Longest query that goes into an address: nginx takes 4 KiB of headers from us, where nobody told it otherwise.
const LONGEST_QUERY: usize = 2_800;

/// For a form from a website, which browsers send without our `SameSite=Lax` cookies: the same request as a link, which
/// brings them. `None` when it brought some, so that it is our own form, and when it is too long for an address: then it is
/// answered as it is.
pub(crate) fn with_cookies(visitor: &Visitor, path: &str, raw: &[u8]) -> Option<Response> {
    let has_cookie = visitor.brought.browser.is_some() || visitor.brought.session.is_some();
    if has_cookie || raw.is_empty() {
        return None;
    }
    // Written anew, so that nothing but a query can come of it.
    let query =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(form_urlencoded::parse(raw)).finish();
    (query.len() <= LONGEST_QUERY).then(|| see_other(&format!("{path}?{query}"), &[]))
}

/// A form's body, up to the server's limit.
pub(crate) async fn form_body(request: Request) -> Result<axum::body::Bytes, StatusCode> {
    use axum::extract::FromRequest;
    axum::body::Bytes::from_request(request, &()).await.map_err(|error: BytesRejection| error.status())
}

/// Whether a request says it carries a form (RFC 6749 appendix B).
pub(crate) fn is_form(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value
            .split(';')
            .next()
            .is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
    })
}

/// A JSON answer that no cache may keep (RFC 6749 §5.1).
pub(crate) fn answer(status: u16, body: &Value) -> Response {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    (status, [(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(body)).into_response()
}

/// `invalid_request` for a request that could not even be read.
pub(crate) fn unreadable(status: StatusCode) -> Response {
    let description = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "the request is too large",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "the body must be application/x-www-form-urlencoded",
        _ => "the request cannot be read",
    };
    answer(400, &json!({ "error": "invalid_request", "error_description": description }))
}

/// Parses, or answers as RFC 6749 §5.2 says.
pub(crate) fn parse(raw: &[u8]) -> Result<Params, Box<Response>> {
    Params::parse(raw).map_err(|error| {
        Box::new(answer(400, &json!({ "error": "invalid_request", "error_description": error.to_string() })))
    })
}

/// The `Authorization` header as text, if it is sent once and is text; two of them are unreadable.
pub(crate) fn authorization(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let first = values.next()?;
    if values.next().is_some() {
        return Some("duplicate".to_owned());
    }
    Some(first.to_str().unwrap_or("unreadable").to_owned())
}

/// What a client sent to the token or revocation endpoint.
pub(crate) struct FromClient {
    authorization: Option<String>,
    params: Params,
}

impl FromClient {
    /// Reads it, or answers as RFC 6749 §5.2 says.
    pub(crate) async fn read(request: Request) -> Result<Self, Box<Response>> {
        let authorization = authorization(request.headers());
        let raw = raw_parameters(request).await.map_err(|status| Box::new(unreadable(status)))?;
        Ok(Self { authorization, params: parse(&raw)? })
    }

    /// As the protocol takes it.
    pub(crate) fn as_request(&self) -> TokenRequest<'_> {
        TokenRequest { authorization: self.authorization.as_deref(), params: &self.params }
    }
}

/// The refusal for an address that presented too many wrong secrets of this client (SEC-79). Other clients behind the address are
/// none the wiser: one product with an old secret must not close the endpoint to all of an office's.
pub(crate) fn guessed_too_much(app: &App, visitor: &Visitor, sent: &FromClient) -> Option<Response> {
    let whose = Whose::to_one(visitor.address, &sent.as_request().presents_secret_of()?);
    let limit = app.limits.is_exhausted(Counted::TokenError, whose).err()?;
    Some(too_many(limit, "too many wrong secrets of this client came from this address"))
}

/// The refusal for an address that asks too often, whatever it asks (SEC-79): each question is work.
pub(crate) fn called_too_often(app: &App, visitor: &Visitor) -> Option<Response> {
    let limit = app.limits.count_here(Counted::Call, visitor.address).err()?;
    Some(too_many(limit, "too many requests came from this address"))
}

/// Over a limit; in JSON, as these endpoints speak.
pub(crate) fn too_many(limit: TooMany, description: &str) -> Response {
    let body = json!({ "error": "temporarily_unavailable", "error_description": description });
    let seconds = limit.retry_after.as_secs().to_string();
    with_header(answer(429, &body), header::RETRY_AFTER, &seconds)
}

/// Sets a header whose value was made here.
pub(crate) fn with_header(mut response: Response, name: header::HeaderName, value: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
    response
}
