//! SEC-59 at the Browser API: which pages may read its answers.

use http::{Method, StatusCode};
use serde_json::json;

use super::{ORIGIN, ask, begin};
use crate::support::*;

const ENDS: [(&str, &str); 5] =
    [("status", "GET"), ("events", "GET"), ("refresh", "POST"), ("redeem", "POST"), ("cancel", "POST")];

#[tokio::test]
async fn sec_59_preflights_are_answered_for_registered_origins_and_nobody_else() {
    let app = TestApp::start().await;
    let page = begin(&app).await;
    let mut routes: Vec<(String, &str)> = ENDS.iter().map(|(end, method)| (page.url(end), *method)).collect();
    routes.push(("/api/browser/logins".into(), "POST"));
    for (path, method) in routes {
        let from = async |origin: &str| {
            let device = app.desktop().with("origin", origin).with("access-control-request-method", method);
            device.send(Method::OPTIONS, &path, None).await
        };
        let own = from(ORIGIN).await;
        assert_eq!((own.status, own.body.as_str()), (StatusCode::NO_CONTENT, ""), "{path}");
        assert_eq!(own.header("access-control-allow-origin"), ORIGIN);
        assert_eq!(own.header("access-control-allow-headers"), "authorization, content-type");
        assert!(own.header("access-control-allow-methods").contains(method));
        assert!(own.header("access-control-allow-credentials").is_empty());
        assert!(own.header("vary").contains("origin"));
        for stranger in ["https://evil.example", "null", "http://127.0.0.1:99", "http://127.0.0.1:9/"] {
            let answer = from(stranger).await;
            assert!(
                answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")),
                "{stranger} {path}"
            );
        }
    }
}

#[tokio::test]
async fn sec_59_answers_and_refusals_are_readable_by_registered_origins_and_nobody_else() {
    let app = TestApp::start().await;
    let page = begin(&app).await;
    let never = page.url("status").replace(page.ticket(), &"x".repeat(32));
    for (path, method) in [
        (page.url("status"), Method::GET),
        (never, Method::GET),
        (page.url("redeem"), Method::POST),
        (page.url("refresh"), Method::PUT),
        ("/api/browser/logins".into(), Method::POST),
    ] {
        let own = page.holder().send(method.clone(), &path, None).await;
        assert_eq!(own.header("access-control-allow-origin"), ORIGIN, "{path}");
        assert_eq!(own.header("access-control-expose-headers"), "retry-after");
        assert!(own.header("access-control-allow-credentials").is_empty());
        assert!(own.header("vary").contains("origin"));
        assert_eq!(own.header("content-type"), "application/json", "{path}");
        let evil = app.desktop().with("origin", "https://evil.example").send(method, &path, None).await;
        assert!(evil.header("access-control-allow-origin").is_empty(), "{path}");
    }
    let evil = ask(&app.desktop().with("origin", "https://evil.example"), json!({})).await;
    assert!(evil.header("access-control-allow-origin").is_empty());
}

#[tokio::test]
async fn sec_59_a_client_that_was_switched_off_owns_no_origin() {
    let app = TestApp::start().await;
    for id in ["site", "spa"] {
        let mut client = app.app.records.client(&id.parse().unwrap()).await.unwrap().unwrap();
        client.disabled_at = Some(app.app.now());
        app.save_client(client).await;
    }
    let device = app.desktop().with("origin", ORIGIN).with("access-control-request-method", "POST");
    let answer = device.send(Method::OPTIONS, "/api/browser/logins", None).await;
    assert!(answer.header("access-control-allow-origin").is_empty());
}
