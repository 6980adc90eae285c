//! `/channel/{channel}/access-token`, and what a platform that fails does to others.

use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use mashang_login::audit::AuditKind;
use mashang_sandbox::DEMO_OFFICIAL_APPID;
use mashang_server::platform::breaker;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower::ServiceExt as _;

use crate::support::{Answer, Device, TestApp};

const KEY: &str = "a-key-of-the-operators-own-portal-0001";
const TOKEN: &str = "/channel/wechat/access-token";

fn hub() -> String {
    format!("[channel.wechat.token_hub]\nkey = \"{KEY}\"")
}

/// Another system of the operator's.
struct System(Device);

impl System {
    fn with_key(app: &TestApp, key: &str) -> Self {
        Self(app.device("portal/1.0").with("authorization", &format!("Bearer {key}")))
    }

    async fn ask(&self) -> Answer {
        self.0.get(TOKEN).await
    }

    async fn token(&self) -> String {
        let answer = self.ask().await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    async fn report(&self, body: &str) -> Answer {
        let device = self.0.clone();
        let mut request = Request::builder().method(Method::POST).uri(TOKEN);
        for (name, value) in &device.headers {
            request = request.header(*name, value);
        }
        let request = request.header("content-type", "application/json").body(Body::from(body.to_owned()));
        let (parts, body) = device.router.oneshot(request.unwrap()).await.unwrap().into_parts();
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn report_dead(&self, token: &str) {
        let answer = self.report(&json!({ "invalid": token }).to_string()).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    }
}

/// How often the platform was asked, by the end of the path.
async fn calls(app: &TestApp, path: &str) -> u64 {
    let request = Request::get("/sandbox/api/calls").body(Body::empty()).unwrap();
    let response = app.sandbox.clone().oneshot(request).await.unwrap();
    let told: Value =
        serde_json::from_slice(&response.into_body().collect().await.unwrap().to_bytes()).unwrap();
    let counted = told["calls"].as_array().unwrap().iter();
    let counted = counted.filter(|call| call["path"].as_str().unwrap().ends_with(path));
    counted.map(|call| call["count"].as_u64().unwrap()).sum()
}

/// Serves the app on a socket, as its own address for other systems.
async fn serve(app: &TestApp) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = app.router.clone();
    tokio::spawn(async move { axum::serve(listener, router.into_routes()).await });
    address
}

fn taking_from(url: &str, key: &str) -> String {
    format!("{}\n[channel.wechat.token_source]\nurl = \"{url}\"\nkey = \"{key}\"", hub())
}

#[tokio::test]
async fn sec_43_the_hub_is_off_unless_it_has_a_key() {
    let app = TestApp::start().await;
    assert_eq!(System::with_key(&app, KEY).ask().await.status, StatusCode::NOT_FOUND);
    let app = TestApp::with_config(&hub()).await;
    for path in ["/channel/web/access-token", "/channel/nobody/access-token"] {
        assert_eq!(System::with_key(&app, KEY).0.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(calls(&app, "stable_token").await, 0);
}

#[tokio::test]
async fn a_system_with_the_key_gets_the_token_as_wechat_would_tell_it() {
    let app = TestApp::with_config(&hub()).await;
    let answer = System::with_key(&app, KEY).ask().await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.json()["expires_in"], 7200);
    app.pass(Duration::from_secs(100));
    let later = System::with_key(&app, KEY).ask().await;
    assert_eq!(later.json()["access_token"], answer.json()["access_token"]);
    assert_eq!(later.json()["expires_in"], 7100);
    let given = app.app.records.audit_trail(10).await.unwrap();
    let given: Vec<_> = given.iter().filter(|event| event.kind == AuditKind::PlatformTokenGiven).collect();
    assert_eq!(given.len(), 2);
    assert_eq!(given[0].channel.as_ref().unwrap().as_str(), "wechat");
    assert!(given[0].address.is_some());
}

#[tokio::test]
async fn sec_43_without_the_key_there_is_no_token_and_no_call() {
    let app = TestApp::with_config(&hub()).await;
    for key in ["", "wrong", &KEY[1..], &KEY.to_uppercase(), &format!("{KEY}x")] {
        let answer = System::with_key(&app, key).ask().await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{key}");
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
        let report = System::with_key(&app, key).report(r#"{"invalid":"x"}"#).await;
        assert_eq!(report.status, StatusCode::UNAUTHORIZED);
    }
    let bare = app.device("portal/1.0");
    assert_eq!(bare.get(TOKEN).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(bare.get(&format!("{TOKEN}?access_token={KEY}")).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(
        bare.with("authorization", &format!("Basic {KEY}")).get(TOKEN).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(calls(&app, "stable_token").await, 0);
}

#[tokio::test]
async fn sec_79_guessing_the_key_ends_soon() {
    let app = TestApp::with_config(&format!("{}\n[limits]\ntoken_errors_per_minute = 5", hub())).await;
    let guess = System::with_key(&app, "guess");
    for _ in 0..6 {
        assert_eq!(guess.ask().await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = System::with_key(&app, KEY).ask().await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "also with the right key");
    assert!(!refused.header("retry-after").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sec_44_a_hundred_that_ask_at_once_cause_one_token_call() {
    let app = TestApp::with_config(&hub()).await;
    let asking: JoinSet<String> = (0..100)
        .map(|_| {
            let system = System::with_key(&app, KEY);
            async move { system.token().await }
        })
        .collect();
    let mut tokens = asking.join_all().await;
    tokens.dedup();
    assert_eq!(tokens.len(), 1, "all have the same");
    assert_eq!(calls(&app, "stable_token").await, 1);
}

#[tokio::test]
async fn a_dead_token_that_is_reported_is_replaced() {
    let app = TestApp::with_config(&hub()).await;
    let system = System::with_key(&app, KEY);
    let dead = system.token().await;
    app.sandbox(&format!("apps/{DEMO_OFFICIAL_APPID}/token"), json!({ "kill": true })).await;
    assert_eq!(system.token().await, dead, "nobody has noticed yet");
    system.report_dead("a token of yesterday").await;
    assert_eq!(system.token().await, dead, "only the current one can be reported");
    system.report_dead(&dead).await;
    let fresh = system.token().await;
    assert_ne!(fresh, dead);
    system.report_dead(&dead).await;
    assert_eq!(system.token().await, fresh, "a late report changes nothing");
    assert_eq!(calls(&app, "stable_token").await, 2);
}

#[tokio::test]
async fn a_token_that_wechat_still_gives_is_forced_once_in_half_a_minute() {
    let app = TestApp::with_config(&hub()).await;
    let system = System::with_key(&app, KEY);
    let first = system.token().await;
    system.report_dead(&first).await;
    let second = system.token().await;
    assert_ne!(second, first, "forced");
    assert_eq!(calls(&app, "stable_token").await, 3);
    for _ in 0..10 {
        system.report_dead(&second).await;
    }
    assert_eq!(system.token().await, second);
    assert_eq!(calls(&app, "stable_token").await, 4, "asked once more, not forced");
}

#[tokio::test]
async fn a_report_that_cannot_be_read_is_refused() {
    let app = TestApp::with_config(&hub()).await;
    let system = System::with_key(&app, KEY);
    for body in ["", "{}", "[]", r#"{"invalid":7}"#, r#"{"invalid":"x","more":1}"#, "{\"invalid\":\"\u{0}"] {
        assert_eq!(system.report(body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let large = format!(r#"{{"invalid":"{}"}}"#, "x".repeat(64 * 1024));
    assert!(system.report(&large).await.status.is_client_error());
    assert_eq!(calls(&app, "stable_token").await, 0);
}

#[tokio::test]
async fn promise_9_a_refusing_platform_is_told_without_its_words() {
    let app = TestApp::with_config(&hub()).await;
    app.fault(json!({ "fault": "ip_not_whitelisted", "target": "stable_token" })).await;
    let answer = System::with_key(&app, KEY).ask().await;
    assert_eq!(answer.status, StatusCode::BAD_GATEWAY);
    assert_eq!(answer.json(), json!({ "error": "temporarily_unavailable" }));
}

#[tokio::test]
async fn a_token_can_come_from_another_system_and_is_never_fetched_beside_it() {
    let theirs = TestApp::with_config(&hub()).await;
    let url = format!("{}{TOKEN}", serve(&theirs).await);
    let ours = TestApp::with_config(&taking_from(&url, KEY)).await;
    let (their_system, our_system) = (System::with_key(&theirs, KEY), System::with_key(&ours, KEY));
    let token = our_system.token().await;
    assert_eq!(token, their_system.token().await);
    // What is found dead here is replaced there, and taken again.
    theirs.sandbox(&format!("apps/{DEMO_OFFICIAL_APPID}/token"), json!({ "kill": true })).await;
    our_system.report_dead(&token).await;
    let fresh = our_system.token().await;
    assert_ne!(fresh, token);
    assert_eq!(fresh, their_system.token().await);
    assert_eq!(calls(&theirs, "stable_token").await, 2);
    assert_eq!(calls(&ours, "stable_token").await, 0);
}

#[tokio::test]
async fn sec_70_a_source_that_refuses_redirects_or_is_gone_gives_no_token() {
    let theirs = TestApp::with_config(&hub()).await;
    let address = serve(&theirs).await;
    let elsewhere = axum::Router::new().fallback({
        let to = format!("{address}{TOKEN}");
        move || async move { axum::response::Redirect::temporary(&to) }
    });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let redirecting = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, elsewhere).await });
    let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (url, key) in [
        (format!("{address}{TOKEN}"), "another-key-that-is-long-enough-00"),
        (redirecting, KEY),
        (format!("http://{unused}/"), KEY),
        (format!("{address}/healthz"), KEY),
    ] {
        let ours = TestApp::with_config(&taking_from(&url, key)).await;
        let answer = System::with_key(&ours, KEY).ask().await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{url} {}", answer.body);
        assert_eq!(calls(&ours, "stable_token").await, 0, "{url}");
    }
    assert_eq!(calls(&theirs, "stable_token").await, 0);
}

#[tokio::test]
async fn sec_85_a_channel_whose_platform_fails_rests_and_comes_back_while_others_work() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let faults = u64::from(breaker::FAULTS);
    app.fault(json!({ "fault": "html_body", "target": "access_token" })).await;
    for _ in 0..faults + 3 {
        let page = app.open_login(&app.desktop()).await;
        let answer = app.callback_of(&app.phone(), &page.ticket, &person).await;
        assert_eq!(answer.status, StatusCode::BAD_GATEWAY, "{}", answer.body);
        assert_eq!(page.stage().await, "waiting");
    }
    app.fault(json!({ "on": false })).await;
    assert_eq!(calls(&app, "sns/oauth2/access_token").await, faults, "the last three were not sent");
    // The website app is another app.
    let page = app.open_login(&app.desktop()).await;
    let back = crate::channel::callback_from_platform(&app, &page, &person).await;
    let answer = page.browser.get(&back).await;
    assert!(answer.status.is_redirection() || answer.status == StatusCode::OK, "{}", answer.body);
    assert_ne!(page.stage().await, "waiting");
    app.pass(breaker::REST);
    app.log_in(&app.desktop(), &person).await;
}
