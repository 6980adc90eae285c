//! Who may not begin or go on with a login here, and what is refused for its form.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{CHALLENGE, ORIGIN, ask, begin, begin_with, post_json, website};
use crate::support::*;

fn error(answer: &Answer) -> (u16, String) {
    (answer.status.as_u16(), answer.json()["error"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn sec_59_only_a_page_of_the_clients_own_origin_begins_a_login() {
    let app = TestApp::start().await;
    let mut other = app.client("other", mashang_login::client::ClientAuthentication::Public);
    other.redirect_uris = vec!["https://other.example/cb".into(), "com.example.app:/cb".into()];
    app.save_client(other).await;
    let unknown = ask(&website(&app), json!({ "client_id": "nobody" })).await;
    let refused = [
        ask(&app.desktop(), json!({})).await,
        ask(&app.desktop().with("origin", "null"), json!({})).await,
        ask(&app.desktop().with("origin", "https://evil.example"), json!({})).await,
        ask(&app.desktop().with("origin", "https://other.example"), json!({})).await,
        ask(&app.desktop().with("origin", "http://127.0.0.1:9/"), json!({})).await,
        ask(&app.desktop().with("origin", "http://127.0.0.1:99"), json!({})).await,
        ask(&app.desktop().with("origin", "http://127.0.0.1:9.evil.example"), json!({})).await,
        ask(&website(&app).with("origin", "https://evil.example"), json!({})).await,
        ask(&website(&app), json!({ "client_id": "other" })).await,
        ask(&website(&app), json!({ "client_id": "a/b" })).await,
        ask(&app.desktop().with("origin", "com.example.app:"), json!({ "client_id": "other" })).await,
    ];
    for answer in refused {
        assert_eq!(error(&answer), (403, "origin_not_allowed".into()));
        assert_eq!(answer.body, unknown.body, "whether a client exists is not told");
    }
}

#[tokio::test]
async fn a_request_in_another_form_is_refused_with_a_sentence() {
    let app = TestApp::start().await;
    let page = website(&app);
    for changes in [
        json!({ "code_challenge": "" }),
        json!({ "code_challenge": "short" }),
        json!({ "code_challenge_method": "plain" }),
        json!({ "code_challenge_method": "" }),
        json!({ "redirect_uri": "http://127.0.0.1:9/other" }),
        json!({ "redirect_uri": "http://127.0.0.1:9@evil.example/callback" }),
        json!({ "redirect_uri": "https://zt.example/index.php?m=sso&f=cb" }),
        json!({ "scope": "profile" }),
        json!({ "prompt": "none" }),
        json!({ "prompt": "maybe" }),
        json!({ "max_age": -1 }),
        json!({ "max_age": "1" }),
        json!({ "max_age": 99_999_999_999_u64 }),
        json!({ "state": "s".repeat(2049) }),
        json!({ "state": 1 }),
        json!({ "nonce": "n".repeat(513) }),
        json!({ "state": "\u{0}" }),
        json!({ "channel": "nobody" }),
        json!({ "id_token_hint": "x.y.z" }),
        json!({ "response_mode": "fragment" }),
        json!({ "userid": "xiaoming" }),
        json!({ "client_id": Value::Null }),
    ] {
        let answer = ask(&page, changes.clone()).await;
        assert_eq!(error(&answer), (400, "invalid_request".into()), "{changes}");
        assert!(answer.json()["error_description"].as_str().unwrap().len() > 20, "{}", answer.body);
        assert!(
            !answer.body.contains("evil.example") && !answer.body.contains("xiaoming"),
            "{}",
            answer.body
        );
    }
    let bodies = [
        "",
        "[]",
        "{",
        "\"x\"",
        "null",
        "{}",
        "{\"client_id\":\"site\",\"client_id\":\"site\"}",
        "\u{feff}{}",
    ];
    for body in bodies {
        let answer = post_json(&page, "/api/browser/logins", body).await;
        assert_eq!(error(&answer), (400, "invalid_request".into()), "{body}");
    }
    let form = page.post("/api/browser/logins", &[("client_id", "site")]).await;
    assert_eq!(error(&form), (400, "invalid_request".into()), "sec_64: a form is no request");
    let large = post_json(&page, "/api/browser/logins", &"x".repeat(200_000)).await;
    assert!(large.status.is_client_error() && large.json()["error"] == "invalid_request", "{}", large.body);
}

#[tokio::test]
async fn sec_48_pkce_is_asked_of_clients_that_may_go_without_elsewhere() {
    let app = TestApp::start().await;
    let mut legacy = app.client("legacy", mashang_login::client::Client::authentication_by(&app.secret));
    legacy.pkce = mashang_login::client::PkcePolicy::Optional;
    app.save_client(legacy).await;
    let without = json!({ "client_id": "legacy", "code_challenge": "", "code_challenge_method": "" });
    assert_eq!(error(&ask(&website(&app), without).await), (400, "invalid_request".into()));
    begin_with(&website(&app), json!({ "client_id": "legacy", "code_challenge": CHALLENGE })).await;
}

#[tokio::test]
async fn sec_45_the_address_is_named_unless_there_is_only_one_of_that_origin() {
    let app = TestApp::start().await;
    let mut two = app.client("two", mashang_login::client::ClientAuthentication::Public);
    two.redirect_uris.push("http://127.0.0.1:9/second".into());
    app.save_client(two).await;
    let unnamed = ask(&website(&app), json!({ "client_id": "two", "redirect_uri": null })).await;
    assert_eq!(error(&unnamed), (400, "invalid_request".into()));
    let named = json!({ "client_id": "two", "redirect_uri": "http://127.0.0.1:9/second" });
    assert_eq!(begin_with(&website(&app), named).await.told["redirect_uri"], "http://127.0.0.1:9/second");
    // Loopback addresses may change their port at /authorize; a page of another port is another origin.
    let moved = app.desktop().with("origin", "http://127.0.0.1:10");
    let answer = ask(&moved, json!({ "redirect_uri": "http://127.0.0.1:10/callback" })).await;
    assert_eq!(error(&answer), (403, "origin_not_allowed".into()));
    let answer = ask(&website(&app), json!({ "redirect_uri": "http://127.0.0.1:10/callback" })).await;
    assert_eq!(error(&answer), (400, "invalid_request".into()), "of the page's own origin");
}

#[tokio::test]
async fn sec_14_every_login_that_is_not_the_pages_own_gets_one_answer() {
    let app = TestApp::start().await;
    let (page, other) = (begin(&app).await, begin(&app).await);
    let (grant, ticket) = (page.told["grant"].as_str().unwrap(), page.ticket());
    let (other_grant, other_ticket) = (other.told["grant"].as_str().unwrap(), other.ticket());
    let bare = website(&app);
    let nonsense = bare.clone().with("authorization", "Bearer nonsense");
    let basic = bare.clone().with("authorization", &app.basic());
    let in_cookie_form =
        bare.clone().with("authorization", &format!("Bearer {}", page.secret().replace("msw_", "msb_")));
    let unknown = "x".repeat(32);
    for (method, end) in [
        (Method::GET, "status"),
        (Method::GET, "events"),
        (Method::POST, "redeem"),
        (Method::POST, "refresh"),
        (Method::POST, "cancel"),
    ] {
        let send = async |device: &Device, grant: &str, ticket: &str| {
            let path = format!("/api/browser/logins/{grant}/{ticket}/{end}");
            device.send(method.clone(), &path, None).await
        };
        let reference = send(&page.holder(), &unknown, &unknown).await;
        assert_eq!(error(&reference), (404, "unknown_login".into()));
        let foreign = [
            send(&bare, grant, ticket).await,
            send(&nonsense, grant, ticket).await,
            send(&basic, grant, ticket).await,
            send(&in_cookie_form, grant, ticket).await,
            send(&other.holder(), grant, ticket).await,
            send(&page.holder(), other_grant, other_ticket).await,
            send(&page.holder(), other_grant, ticket).await,
            send(&page.holder(), &unknown, ticket).await,
            send(&page.holder(), "..%2f", "%00").await,
            send(&page.holder().with("authorization", "Bearer x"), grant, ticket).await,
        ];
        for answer in foreign {
            assert_eq!((answer.status, &answer.body), (reference.status, &reference.body), "{end}");
            let names = |answer: &Answer| answer.headers.keys().map(ToString::to_string).collect::<Vec<_>>();
            assert_eq!(names(&answer), names(&reference), "{end}");
        }
    }
    // A ticket of another login of this page is none of this grant's either.
    let status = format!("/api/browser/logins/{grant}/{other_ticket}/status");
    assert_eq!(page.holder().get(&status).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        (page.stage().await, other.stage().await),
        ("waiting".into(), "waiting".into()),
        "nobody was disturbed"
    );
}

#[tokio::test]
async fn sec_59_a_secret_that_wandered_to_another_site_is_of_no_use_there() {
    let app = TestApp::start().await;
    let mut neighbour = app.client("neighbour", mashang_login::client::ClientAuthentication::Public);
    neighbour.redirect_uris = vec!["https://neighbour.example/cb".into()];
    app.save_client(neighbour).await;
    let person = app.person("小明").await;
    let page = begin(&app).await;
    super::approve(&app, &page, &person).await;
    let bearer = format!("Bearer {}", page.secret());
    for origin in ["https://neighbour.example", "https://evil.example", "null"] {
        let thief = app.desktop().with("origin", origin).with("authorization", &bearer);
        for (method, end) in [
            (Method::GET, "status"),
            (Method::GET, "events"),
            (Method::POST, "redeem"),
            (Method::POST, "refresh"),
            (Method::POST, "cancel"),
        ] {
            let answer = thief.send(method, &page.url(end), None).await;
            assert_eq!(error(&answer), (403, "origin_not_allowed".into()), "{origin} {end}");
        }
    }
    assert_eq!(page.stage().await, "approved");
    // No browser: it has no origin to tell, and it has the secret.
    let back_end = app.desktop().with("authorization", &bearer);
    assert_eq!(back_end.send(Method::POST, &page.url("redeem"), None).await.status, StatusCode::OK);
}

#[tokio::test]
async fn other_methods_are_refused_in_json() {
    let app = TestApp::start().await;
    let page = begin(&app).await;
    for (path, allowed) in [
        ("http://127.0.0.1:8080/api/browser/logins".to_owned(), "POST, OPTIONS"),
        (page.url("redeem"), "POST, OPTIONS"),
        (page.url("refresh"), "POST, OPTIONS"),
        (page.url("cancel"), "POST, OPTIONS"),
        (page.url("status"), "GET, OPTIONS"),
        (page.url("events"), "GET, OPTIONS"),
    ] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::HEAD] {
            if allowed.starts_with(method.as_str()) {
                continue;
            }
            let answer = page.holder().send(method.clone(), &path, None).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert_eq!(answer.header("allow"), allowed, "{method} {path}");
            assert_eq!(answer.header("access-control-allow-origin"), ORIGIN);
            if method != Method::HEAD {
                assert_eq!(answer.json()["error"], "invalid_request");
            }
        }
    }
    assert_eq!(page.stage().await, "waiting");
}
