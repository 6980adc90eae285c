//! `/account/erase`: whoever leaves for good, what is left of them, and who comes by the same phone afterwards.

use std::time::Duration;

use http::StatusCode;
use mashang_login::audit::AuditKind;
use mashang_login::user::User;

use crate::account::{press_link, sign_in};
use crate::support::{Answer, Device, TestApp, claims, form_of, param};

const PAGE: &str = "/account/erase";

/// What the form of the page carries.
async fn token(browser: &Device) -> String {
    let page = browser.get(PAGE).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.location());
    page.between("name=\"token\" value=\"", "\"").to_owned()
}

async fn erase(browser: &Device) -> Answer {
    browser.post(PAGE, &[("token", &token(browser).await)]).await
}

async fn people(app: &TestApp) -> Vec<User> {
    app.app.records.users("", 100).await.unwrap()
}

async fn refresh(app: &TestApp, token: &str) -> Answer {
    let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
    app.desktop().with("authorization", &app.basic()).post("/token", &form).await
}

#[tokio::test]
async fn sec_90_a_person_deletes_their_account_and_nothing_of_it_works_any_more() {
    let app = TestApp::start().await;
    let (browser, elsewhere, person) = (app.desktop(), app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let scope = [("scope", "openid profile offline_access")];
    let code = param(&app.log_in_with(&elsewhere, &person, &scope).await, "code");
    let tokens = app.exchange(&code).await.json();
    let unspent = param(elsewhere.get(&app.authorize_path(&[])).await.location(), "code");
    let sub = people(&app).await.remove(0).id;

    let account = browser.get("/account").await;
    assert!(account.body.replace("&#x2f;", "/").contains("href=\"/account/erase\""), "the page leads there");
    let page = browser.get(PAGE).await;
    for said in ["小明", sub.as_str(), "2 个浏览器", "满 400 天", "样例 &lt;Site&gt;"] {
        assert!(page.body.contains(said), "{said}");
    }
    assert_eq!(people(&app).await.len(), 1, "looking deletes nobody");

    let gone = erase(&browser).await;
    assert_eq!(gone.status, StatusCode::OK, "{}", gone.location());
    assert!(gone.body.contains("账号已注销"));
    assert!(people(&app).await.is_empty());
    for browser in [&browser, &elsewhere] {
        assert!(browser.get("/account").await.location().starts_with("/login/"), "signed out");
    }
    assert_eq!(app.userinfo(tokens["access_token"].as_str().unwrap()).await.status, StatusCode::UNAUTHORIZED);
    let refused = refresh(&app, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (StatusCode::BAD_REQUEST, &"invalid_grant".into())
    );
    assert_eq!(app.exchange(&unspent).await.json()["error"], "invalid_grant");

    let trail = app.app.records.audit_trail(100).await.unwrap();
    let told = trail.iter().find(|event| event.kind == AuditKind::PersonErased).unwrap();
    assert_eq!(told.user, Some(sub.clone()));
    assert!(told.address.is_some() && told.device.is_some());
    assert!(trail.iter().any(|event| event.kind == AuditKind::SignedIn && event.user.as_ref() == Some(&sub)));
}

#[tokio::test]
async fn sec_90_the_same_phone_is_a_new_person_with_a_new_sub_afterwards() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    let sub = async |code: &str| {
        let tokens = app.exchange(code).await.json();
        claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().to_owned()
    };
    let former = sub(&param(&app.log_in(&browser, &person).await, "code")).await;
    sign_in(&app, &app.desktop(), &person).await;
    let again = app.desktop();
    sign_in(&app, &again, &person).await;
    assert!(erase(&again).await.body.contains("账号已注销"));
    let new = sub(&param(&app.log_in(&browser, &person).await, "code")).await;
    assert_ne!(new, former);
    assert_eq!(people(&app).await.len(), 1);
}

/// A website's login is not enough, nor is an approval of long ago.
#[tokio::test]
async fn sec_38_an_account_is_deleted_only_after_a_fresh_approval() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    app.log_in(&browser, &person).await;
    assert!(browser.get(PAGE).await.body.contains("再确认一次"), "the page says so");
    let asked = erase(&browser).await;
    let page = app.login_page(&browser, asked.location()).await;
    let phone = app.phone();
    let confirm = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &confirm, &page.number).await;
    assert_eq!(page.redeem().await, "/account?notice=fresh");
    assert_eq!(people(&app).await.len(), 1, "asked first, nothing deleted yet");
    app.pass(Duration::from_secs(300));
    assert!(erase(&browser).await.location().starts_with("/login/"), "five minutes later it is stale");
    assert_eq!(people(&app).await.len(), 1);
    sign_in_again(&app, &browser, &person).await;
    assert!(erase(&browser).await.body.contains("账号已注销"));
}

/// Approves once more, as asked to.
async fn sign_in_again(app: &TestApp, browser: &Device, person: &str) {
    let asked = erase(browser).await;
    let page = app.login_page(browser, asked.location()).await;
    let phone = app.phone();
    let confirm = app.scan(&phone, &page.ticket, person).await;
    app.approve(&phone, &page, &confirm, &page.number).await;
    assert_eq!(page.redeem().await, "/account?notice=fresh");
}

#[tokio::test]
async fn sec_64_nothing_but_the_pages_own_form_deletes_an_account() {
    let app = TestApp::start().await;
    let (browser, other, person) = (app.desktop(), app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    sign_in(&app, &other, &app.person("别人").await).await;
    let foreign = token(&other).await;
    for wrong in ["", "x", foreign.as_str()] {
        let refused = browser.post(PAGE, &[("token", wrong)]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{wrong}");
    }
    assert_eq!(browser.post(PAGE, &[]).await.status, StatusCode::BAD_REQUEST);
    let own = token(&browser).await;
    let crossed = browser.clone().with("sec-fetch-site", "cross-site").post(PAGE, &[("token", &own)]).await;
    assert_eq!(crossed.status, StatusCode::FORBIDDEN);
    assert_eq!(people(&app).await.len(), 2);
}

#[tokio::test]
async fn a_second_click_tells_that_it_is_over_and_begins_no_login() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let (token, cookies) = (token(&browser).await, browser.cookie_header());
    assert_eq!(browser.post(PAGE, &[("token", &token)]).await.status, StatusCode::OK);
    let second = app.desktop().with("cookie", &cookies).post(PAGE, &[("token", &token)]).await;
    assert_eq!(second.status, StatusCode::OK);
    assert!(second.body.contains("已退出"), "{}", second.body);
    assert!(browser.get(PAGE).await.location().starts_with("/account"));
}

#[tokio::test]
async fn where_the_operator_wants_to_be_asked_there_is_no_such_page() {
    let app = TestApp::with_config("[account]\nself_erase = false\n").await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    assert!(!browser.get("/account").await.body.replace("&#x2f;", "/").contains(PAGE));
    assert_eq!(browser.get(PAGE).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.post(PAGE, &[("token", "x")]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(people(&app).await.len(), 1);
}

/// Approved before, collected after: somebody new, who has nothing of the one before.
#[tokio::test]
async fn sec_90_an_approval_that_is_collected_afterwards_is_somebody_new() {
    let app = TestApp::start().await;
    let (browser, waiting, person) = (app.desktop(), app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let former = people(&app).await.remove(0).id;
    let (phone, page) = (app.phone(), app.open_login(&waiting).await);
    let confirm = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &confirm, &page.number).await;
    assert!(erase(&browser).await.body.contains("账号已注销"));
    let code = param(&page.redeem().await, "code");
    let tokens = app.exchange(&code).await.json();
    assert_ne!(claims(tokens["id_token"].as_str().unwrap())["sub"], former.as_str());
    let people = people(&app).await;
    assert!(people.len() == 1 && people[0].id != former);
}

/// What only the person could answer is over: approving once more, and adding a way to sign in.
#[tokio::test]
async fn sec_90_an_approval_for_the_account_that_is_gone_is_refused_clearly() {
    let app = TestApp::start().await;
    let (browser, other, person) = (app.desktop(), app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    sign_in(&app, &other, &person).await;
    let (phone, link) = (app.phone(), app.login_page(&other, &press_link(&other, "wechat").await).await);
    let second = app.person("小号").await;
    let confirm = app.scan(&phone, &link.ticket, &second).await;
    app.approve(&phone, &link, &confirm, &link.number).await;
    assert!(erase(&browser).await.body.contains("账号已注销"));
    let refused = other.fetch(&link.url("redeem")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.body);
    assert!(people(&app).await.is_empty(), "nobody is made by it");
    let page = other.get(&link.path).await;
    assert_eq!(page.status, StatusCode::NOT_FOUND, "{}", page.location());
}

#[tokio::test]
async fn an_id_token_of_somebody_who_is_gone_names_nobody_who_can_sign_in() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    let code = param(&app.log_in(&browser, &person).await, "code");
    let hint = app.exchange(&code).await.json()["id_token"].as_str().unwrap().to_owned();
    let account = app.desktop();
    sign_in(&app, &account, &person).await;
    assert!(erase(&account).await.body.contains("账号已注销"));
    let silent = browser.get(&app.authorize_path(&[("id_token_hint", &hint), ("prompt", "none")])).await;
    assert!(silent.location().contains("error=login_required"), "{} {}", silent.status, silent.location());
    let page = app.open_login_with(&browser, &[("id_token_hint", &hint)]).await;
    let phone = app.phone();
    let confirm = app.scan(&phone, &page.ticket, &person).await;
    app.approve(&phone, &page, &confirm, &page.number).await;
    assert!(page.redeem().await.contains("error=login_required"));
    let logout = browser.get(&format!("/logout?{}", form_of(&[("id_token_hint", &hint)]))).await;
    assert!(logout.status.is_success() || logout.status.is_redirection(), "{}", logout.status);
}
