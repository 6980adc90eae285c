//! `response_mode=web_message`: the answer as a message to the window that opened ours.

use std::time::Duration;

use http::StatusCode;
use mashang_login::client::ClientAuthentication;
use serde_json::{Value, json};

use super::ORIGIN;
use crate::channel::callback_from_platform;
use crate::support::*;

const MODE: (&str, &str) = ("response_mode", "web_message");

/// What the page holds for its script.
struct Message {
    target: String,
    response: Value,
    fallback: String,
}

/// Opens the page that an answer's address leads to.
async fn message(browser: &Device, address: &str) -> Message {
    assert!(address.starts_with("/authorize/answer?sealed="), "{address}");
    let page = browser.get(address).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.body);
    let data = |name: &str| {
        let raw = page.between(&format!(" data-{name}=\""), "\"");
        raw.replace("&#x2f;", "/")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&#x27;", "'")
            .replace("&amp;", "&")
    };
    Message {
        target: data("target"),
        response: serde_json::from_str(&data("response")).unwrap(),
        fallback: data("fallback"),
    }
}

async fn logged_in(app: &TestApp, browser: &Device, changes: &[(&str, &str)]) -> String {
    let person = app.person("小明").await;
    app.log_in_with(browser, &person, &[changes, &[MODE]].concat()).await
}

#[tokio::test]
async fn the_answer_is_for_the_exact_origin_of_the_redirect_address() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let address = logged_in(&app, &browser, &[]).await;
    assert!(!address.contains("msc_"), "the code is sealed");
    let told = message(&browser, &address).await;
    assert_eq!(told.target, ORIGIN);
    assert_eq!(
        (&told.response["state"], &told.response["iss"]),
        (&json!("st4te"), &json!("http://127.0.0.1:8080"))
    );
    assert!(told.fallback.starts_with(&format!("{SITE}?code=")), "without an opener");
    assert_eq!(param(&told.fallback, "code"), told.response["code"].as_str().unwrap());
    let tokens = app.exchange(told.response["code"].as_str().unwrap()).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
}

#[tokio::test]
async fn sec_65_the_page_runs_our_script_only_and_keeps_its_opener() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let address = logged_in(&app, &browser, &[("state", "</script><script>alert(1)</script>\"'&")]).await;
    let page = browser.get(&address).await;
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("script-src 'self'")
            && policy.contains("frame-ancestors 'none'")
            && !policy.contains("unsafe"),
        "{policy}"
    );
    assert!(page.header("cross-origin-opener-policy").is_empty());
    assert_eq!((page.header("cache-control"), page.header("referrer-policy")), ("no-store", "no-referrer"));
    assert!(!page.body.contains("alert(1)</script>") && !page.body.contains("<script>"), "{}", page.body);
    assert!(page.body.contains("web_message.js"));
    let told = message(&browser, &address).await;
    assert_eq!(told.response["state"], "</script><script>alert(1)</script>\"'&");
}

#[tokio::test]
async fn sec_56_an_answer_opens_in_its_own_browser_only_and_not_for_long() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let address = logged_in(&app, &browser, &[]).await;
    let stranger = app.desktop();
    app.open_login(&stranger).await;
    for thief in [app.desktop(), stranger] {
        assert_eq!(thief.get(&address).await.status, StatusCode::NOT_FOUND);
    }
    for forged in [
        "/authorize/answer",
        "/authorize/answer?sealed=",
        "/authorize/answer?sealed=AAAA",
        "/authorize/answer?sealed=%ff",
    ] {
        assert_eq!(browser.get(forged).await.status, StatusCode::NOT_FOUND, "{forged}");
    }
    let mut altered = address.clone();
    let last = altered.pop().unwrap();
    altered.push(if last == 'A' { 'E' } else { 'A' });
    assert_eq!(browser.get(&altered).await.status, StatusCode::NOT_FOUND);
    message(&browser, &address).await;
    app.pass(app.app.provider.policy.code + Duration::from_secs(1));
    assert_eq!(browser.get(&address).await.status, StatusCode::NOT_FOUND, "the code in it is dead as well");
}

#[tokio::test]
async fn every_way_to_an_answer_ends_in_a_message() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    // A platform's page, which sends the window back to us.
    let browser = app.desktop();
    let page = app.open_login_with(&browser, &[MODE]).await;
    let back = callback_from_platform(&app, &page, &person).await;
    let told = message(&browser, browser.get(&back).await.location()).await;
    assert!(told.response["code"].is_string());
    // A session that was there.
    let at_once = browser.get(&app.authorize_path(&[MODE])).await;
    assert!(message(&browser, at_once.location()).await.response["code"].is_string());
    // A form without script.
    let browser = app.desktop();
    let page = app.open_login_with(&browser, &[MODE]).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &token, &page.number).await;
    let posted = browser.post(&page.url("redeem"), &[]).await;
    assert_eq!(posted.status, StatusCode::SEE_OTHER, "sec_66");
    assert!(message(&browser, posted.location()).await.response["code"].is_string());
    // Refusals.
    let browser = app.desktop();
    let page = app.open_login_with(&browser, &[MODE]).await;
    let cancelled = browser.post(&page.url("cancel"), &[]).await;
    assert_eq!(message(&browser, cancelled.location()).await.response["error"], "access_denied");
    for (name, value, error) in [("prompt", "none", "login_required"), ("scope", "profile", "invalid_scope")]
    {
        let browser = app.desktop();
        let refused = browser.get(&app.authorize_path(&[MODE, (name, value)])).await;
        let told = message(&browser, refused.location()).await;
        assert_eq!((&told.response["error"], &told.response["state"]), (&json!(error), &json!("st4te")));
        assert_eq!(told.response["iss"], "http://127.0.0.1:8080", "sec_52");
        assert!(told.response["code"].is_null() && told.fallback.starts_with(SITE));
    }
}

#[tokio::test]
async fn sec_46_a_message_needs_a_web_page() {
    let app = TestApp::start().await;
    let mut native = app.client("native", ClientAuthentication::Public);
    native.redirect_uris = vec!["com.example.app:/cb".into()];
    app.save_client(native).await;
    let native = [("client_id", "native"), ("redirect_uri", "com.example.app:/cb")];
    let refused = app.desktop().get(&app.authorize_path(&[&native[..], &[MODE]].concat())).await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.location().is_empty() && refused.body.contains("web_message"));
    assert!(app.desktop().get(&app.authorize_path(&native)).await.location().starts_with("/login/"));
}

#[tokio::test]
async fn sec_47_other_response_modes_are_refused_and_query_is_the_default() {
    let app = TestApp::start().await;
    for mode in ["fragment", "form_post", "web_message.jwt", "Query"] {
        let refused = app.desktop().get(&app.authorize_path(&[("response_mode", mode)])).await;
        assert!(refused.location().starts_with(SITE), "{mode}");
        assert_eq!(param(refused.location(), "error"), "invalid_request", "{mode}");
    }
    let twice = app.authorize_path(&[MODE]) + "&response_mode=query";
    assert_eq!(param(app.desktop().get(&twice).await.location(), "error"), "invalid_request");
    let person = app.person("小明").await;
    let back = app.log_in_with(&app.desktop(), &person, &[("response_mode", "query")]).await;
    assert!(back.starts_with(SITE) && !param(&back, "code").is_empty());
    let modes =
        app.desktop().get("/.well-known/openid-configuration").await.json()["response_modes_supported"]
            .clone();
    assert_eq!(modes, json!(["query", "web_message"]));
}
