//! Refuses requests of browsers and phones that name a person or carry a platform's token (SEC-22, SEC-24).
//!
//! Who somebody is comes from our own exchange with the platform and from nothing else, so such a value would be ignored
//! anyway. It is refused all the same, and recorded: a page or script that sends one believes that it counts, or somebody
//! is trying whether it does. (The phone API has a longer list, [`crate::phone::body`]: its callers write their own.)

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use mashang_login::audit::AuditKind;
use url::form_urlencoded;

use crate::state::App;
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, body};

/// In lower case and without `_` and `-`: `openId`, `open_id` and `openid` are one.
const NAMES: [&str; 12] = [
    "openid",
    "fromopenid",
    "unionid",
    "userid",
    "openuserid",
    "externaluserid",
    "phonenumber",
    "mobile",
    "accesstoken",
    "refreshtoken",
    "sessionkey",
    "userticket",
];

/// The layer. The body has arrived whole before ([`body::layer`]).
pub(crate) async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    let (parts, whole) = request.into_parts();
    let Ok(bytes) = to_bytes(whole, body::LIMIT).await else {
        return Problem::BadRequest("the request cannot be read").into_response();
    };
    let query = parts.uri.query().unwrap_or_default();
    if names_a_person(query.as_bytes()) || names_a_person(&bytes) {
        let visitor = Visitor::read(&app, &parts);
        // One row each would let anybody fill the trail; whoever goes on is refused all the same.
        if app.count(Counted::Refusal, visitor.address).await.is_ok() {
            audit::write(&app, audit::by(&app, &visitor, AuditKind::IdentityInRequestRefused)).await;
        }
        return Problem::BadRequest(
            "who signs in is proven by the platform: a request may not name a person or carry a platform's token",
        )
        .into_response();
    }
    next.run(Request::from_parts(parts, Body::from(bytes))).await
}

/// Whether a query or a form has a field of such a name.
fn names_a_person(fields: &[u8]) -> bool {
    form_urlencoded::parse(fields).any(|(name, _)| {
        let plain: String =
            name.chars().filter(|c| !matches!(c, '_' | '-')).map(|c| c.to_ascii_lowercase()).collect();
        NAMES.contains(&plain.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_22_24_each_spelling_is_found_and_our_own_fields_are_not() {
        for fields in
            ["openid=o1", "a=1&openId=o1", "open_id=", "UserId=x", "session_key=k", "access%5Ftoken=t"]
        {
            assert!(names_a_person(fields.as_bytes()), "{fields}");
        }
        for fields in ["", "code=1&state=2", "confirm_token=x&number=42", "channel=wechat&via=wecom&again=1"]
        {
            assert!(!names_a_person(fields.as_bytes()), "{fields}");
        }
    }
}
