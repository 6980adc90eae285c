//! What holds whatever a page does: one code per login, an end by time, no cookie ever.

use std::time::Duration;

use http::StatusCode;
use mashang_login::audit::AuditKind;
use mashang_login::client::{Client, ClientSettings};
use mashang_login::grant::ScopeSet;
use serde_json::json;

use super::{approve, ask, begin, begin_with, website};
use crate::support::*;

#[tokio::test]
async fn promise_3_of_many_redeems_one_gets_the_code() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = begin(&app).await;
    approve(&app, &page, &person).await;
    let tries: Vec<_> = (0..16)
        .map(|_| {
            let (holder, url) = (page.holder(), page.url("redeem"));
            tokio::spawn(async move { holder.send(http::Method::POST, &url, None).await })
        })
        .collect();
    let (mut codes, mut over) = (0, 0);
    for one in tries {
        let answer = one.await.unwrap();
        match answer.status {
            StatusCode::OK => codes += 1,
            StatusCode::GONE => over += 1,
            StatusCode::CONFLICT => {
                assert_eq!(answer.json()["status"], "redeemed", "seen between the ticket and the grant");
                over += 1;
            }
            other => panic!("{other}: {}", answer.body),
        }
    }
    assert_eq!((codes, over), (1, 15));
    let again = page.call("redeem").await;
    assert_eq!((again.status, again.json()["error"].clone()), (StatusCode::GONE, json!("login_over")));
}

#[tokio::test]
async fn what_is_too_late_is_told_as_such() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let mut page = begin(&app).await;
    app.pass(Duration::from_secs(121));
    assert_eq!(page.stage().await, "expired");
    let late = page.call("redeem").await;
    assert_eq!((late.status, late.json()["status"].clone()), (StatusCode::CONFLICT, json!("expired")));
    assert_eq!(page.refresh(None).await.status, StatusCode::OK);
    approve(&app, &page, &person).await;
    app.pass(Duration::from_secs(31));
    assert_eq!(
        page.call("redeem").await.json()["status"],
        "expired",
        "an approval is collected at once or not"
    );
    app.pass(Duration::from_secs(1800));
    for answer in [page.call("redeem").await, page.refresh(None).await, page.call("cancel").await] {
        assert_eq!((answer.status, answer.json()["error"].clone()), (StatusCode::GONE, json!("login_over")));
    }
}

#[tokio::test]
async fn a_page_that_gives_up_ends_the_ticket_for_the_phone_too() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let mut page = begin(&app).await;
    let phone = app.phone();
    let token = app.scan(&phone, page.ticket(), &person).await;
    let done = page.call("cancel").await;
    assert_eq!((done.status, done.body.as_str()), (StatusCode::NO_CONTENT, ""));
    let form = [("confirm_token", token.as_str()), ("number", page.number())];
    let late = phone.post(&format!("/s/{}/approve", page.ticket()), &form).await;
    assert!(late.location().ends_with("outcome=expired"), "{}", late.location());
    assert_eq!(page.call("redeem").await.status, StatusCode::GONE);
    assert_eq!(page.refresh(None).await.status, StatusCode::GONE);
    let trail = app.app.records.audit_trail(5).await.unwrap();
    assert!(trail.iter().any(|event| event.kind == AuditKind::LoginCancelled));
}

#[tokio::test]
async fn a_browsers_cookies_are_neither_read_nor_replaced() {
    let app = TestApp::start().await;
    let (signed_in, other) = (app.person("小明").await, app.person("小红").await);
    let browser = website(&app);
    app.log_in(&app.desktop(), &signed_in).await;
    let with_session = app.desktop();
    app.log_in(&with_session, &signed_in).await;
    let jar = with_session.cookies.lock().unwrap().clone();
    *browser.cookies.lock().unwrap() = jar.clone();
    browser.cookies.lock().unwrap().insert("mashang_lang".into(), "en".into());
    let page = begin_with(&browser, json!({})).await;
    assert_eq!(page.stage().await, "waiting", "the session answers nothing here");
    assert_eq!(page.told["platform"]["name"], "微信", "nor does the chosen language");
    approve(&app, &page, &other).await;
    let answer = page.call("redeem").await;
    assert!(answer.header("set-cookie").is_empty());
    // The browser's own session is still its own.
    let silent = with_session.get(&app.authorize_path(&[("prompt", "none")])).await;
    assert!(!param(silent.location(), "code").is_empty(), "{}", silent.location());
}

#[tokio::test]
async fn sec_61_the_pages_secret_is_no_cookie_and_the_cookie_is_no_secret_of_a_page() {
    let app = TestApp::start().await;
    let page = begin(&app).await;
    let grant = page.told["grant"].as_str().unwrap();
    let thief = app.desktop();
    thief.cookies.lock().unwrap().insert("mashang_browser".into(), page.secret().to_owned());
    for path in [format!("/login/{grant}"), format!("/login/{grant}/{}", page.ticket())] {
        assert_eq!(thief.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let login = app.open_login(&app.desktop()).await;
    let cookie = login.browser.cookie("mashang_browser").unwrap();
    let bearer = app.desktop().with("authorization", &format!("Bearer {cookie}"));
    let path = format!("/api/browser/logins/{}/{}/status", login.grant, login.ticket);
    assert_eq!(bearer.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn sec_40_whoever_was_switched_off_gets_nothing() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = begin(&app).await;
    approve(&app, &page, &person).await;
    let told = page.call("redeem").await.json();
    let tokens = app.exchange(told["code"].as_str().unwrap()).await.json();
    let sub = claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().to_owned();
    let page = begin(&app).await;
    approve(&app, &page, &person).await;
    app.app.records.set_user_disabled(&sub.parse().unwrap(), Some(app.app.now())).await.unwrap();
    let refused = page.call("redeem").await;
    assert_eq!(
        (refused.status, refused.json()["error"].clone()),
        (StatusCode::FORBIDDEN, json!("person_disabled"))
    );

    let page = begin(&app).await;
    let mut client = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    client.disabled_at = Some(app.app.now());
    app.save_client(client).await;
    for end in ["status", "redeem", "refresh", "cancel"] {
        assert_eq!(page.call(end).await.status, StatusCode::NOT_FOUND, "{end}");
    }
    assert_eq!(ask(&website(&app), json!({})).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn sec_16_starts_refreshes_and_questions_are_counted() {
    let app = TestApp::with_config("[limits]\nstarts_per_minute = 3\npolls_per_minute = 2\n").await;
    let mut page = begin(&app).await;
    page.refresh(None).await;
    page.refresh(None).await;
    page.call("status").await;
    page.call("status").await;
    for answer in [
        page.refresh(None).await,
        ask(&website(&app), json!({})).await,
        page.call("status").await,
        page.call("events").await,
    ] {
        assert_eq!(
            (answer.status, answer.json()["error"].clone()),
            (StatusCode::TOO_MANY_REQUESTS, json!("rate_limited"))
        );
        assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 1);
        assert_eq!(answer.header("access-control-expose-headers"), "retry-after");
    }
}

#[tokio::test]
async fn sec_16_the_ceiling_of_live_tickets_answers_unavailable() {
    let app = TestApp::with_config("[limits]\nlive_tickets = 1\n").await;
    begin(&app).await;
    let full = ask(&website(&app), json!({})).await;
    assert_eq!(
        (full.status, full.json()["error"].clone()),
        (StatusCode::SERVICE_UNAVAILABLE, json!("unavailable"))
    );
    assert!(full.header("retry-after").parse::<u64>().unwrap() >= 1);
    let none = TestApp::without_channels().await;
    assert_eq!(ask(&website(&none), json!({})).await.status, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn sec_90_a_page_gets_no_scope_that_its_website_may_not_have() {
    let app = TestApp::start().await;
    let client = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    let settings = ClientSettings { scopes: ScopeSet::parse("openid"), ..ClientSettings::default() };
    app.save_client(Client { settings, ..client }).await;
    let person = app.person("小明").await;
    let page = begin_with(&website(&app), json!({ "scope": "openid profile wechat_openid phone" })).await;
    approve(&app, &page, &person).await;
    let code = page.call("redeem").await.json()["code"].as_str().unwrap().to_owned();
    let tokens = app.exchange(&code).await.json();
    assert_eq!(tokens["scope"], "openid");
    let info = app.userinfo(tokens["access_token"].as_str().unwrap()).await.json();
    assert_eq!(info.as_object().unwrap().keys().collect::<Vec<_>>(), ["sub"]);
}
