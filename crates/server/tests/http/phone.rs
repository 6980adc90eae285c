//! `/api/phone/…`: mini-programs and the operator's own app.

mod issuer;
mod mini;
mod own_app;
mod own_tokens;

use axum::body::Body;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use mashang_login::audit::AuditKind;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support::*;

/// A phone that calls the API of one channel, as an app does: no cookies.
struct Caller<'a> {
    app: &'a TestApp,
    channel: &'static str,
    /// Its user's token.
    bearer: Option<String>,
}

impl Caller<'_> {
    async fn send(&self, ticket: &str, step: &str, body: &str) -> Answer {
        let mut request = Request::post(format!("/api/phone/{}/{ticket}/{step}", self.channel))
            .header("content-type", "application/json")
            .header("accept-language", "en");
        if let Some(bearer) = &self.bearer {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        self.answer(request.body(Body::from(body.to_owned())).unwrap()).await
    }

    async fn answer(&self, request: Request<Body>) -> Answer {
        let response = self.app.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        assert!(!parts.headers.contains_key("set-cookie"), "no cookies");
        assert!(!parts.headers.contains_key("access-control-allow-origin"), "not for other websites' pages");
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn call(&self, ticket: &str, step: &str, body: Value) -> Answer {
        self.send(ticket, step, &body.to_string()).await
    }

    /// Scans, and returns the phone's token.
    async fn scan(&self, ticket: &str, body: Value) -> String {
        let answer = self.call(ticket, "scan", body).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["phone_token"].as_str().unwrap().to_owned()
    }

    async fn approve(&self, ticket: &str, phone_token: &str, number: &str) -> Answer {
        self.call(ticket, "approve", json!({ "phone_token": phone_token, "number": number })).await
    }
}

/// The status and the name of a refusal, whose message must be there.
fn refusal(answer: &Answer) -> (u16, String) {
    let body = answer.json();
    assert!(body["message"].as_str().is_some_and(|text| text.len() > 10), "{}", answer.body);
    (answer.status.as_u16(), body["error"].as_str().unwrap().to_owned())
}

fn refused(status: u16, name: &str) -> (u16, String) {
    (status, name.to_owned())
}

async fn recorded(app: &TestApp, kind: AuditKind) -> usize {
    let trail = app.app.records.audit_trail(200).await.unwrap();
    trail.iter().filter(|event| event.kind == kind).count()
}
