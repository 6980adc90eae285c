//! Websites that only people in certain groups may sign in to, by each way that leads to them.

use http::StatusCode;
use mashang_login::audit::AuditKind;
use mashang_login::client::{Client, ClientSettings};

use crate::support::{Device, SITE, TestApp, param};

/// The website is for staff, and who came by the channel `wechat` is: the person of [`TestApp::log_in`].
const STAFF: &str = "[[claims.rule]]\ngroups = [\"staff\"]\nclient = [\"site\"]\nchannels = [\"wechat\"]";
/// The same, but for those who came by another channel.
const OTHERS: &str = "[[claims.rule]]\ngroups = [\"staff\"]\nclient = [\"site\"]\nchannels = [\"web\"]";

async fn for_staff(app: &TestApp) {
    let client = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    let settings = ClientSettings { require_groups: vec!["staff".into()], ..ClientSettings::default() };
    app.save_client(Client { settings, ..client }).await;
}

/// The grant of a login that was approved, and where its page goes on.
async fn approved(app: &TestApp, browser: &Device, person: &str) -> (String, String) {
    let open = app.open_login(browser).await;
    let phone = app.phone();
    let token = app.scan(&phone, &open.ticket, person).await;
    app.approve(&phone, &open, &token, &open.number).await;
    let redeemed = browser.fetch(&open.url("redeem")).await;
    (open.grant, redeemed.json()["redirect"].as_str().unwrap().to_owned())
}

async fn refusals(app: &TestApp) -> usize {
    let trail = app.app.records.audit_trail(50).await.unwrap();
    trail.iter().filter(|event| event.kind == AuditKind::NotAdmitted && event.user.is_some()).count()
}

#[tokio::test]
async fn whoever_is_in_a_required_group_signs_in_as_ever() {
    let app = TestApp::with_config(STAFF).await;
    for_staff(&app).await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    let (grant, onward) = approved(&app, &browser, &person).await;
    assert_eq!(onward, format!("/login/{grant}"), "who they are shows once they are signed in");
    let website = browser.get(&onward).await;
    assert!(website.location().starts_with(SITE), "{}", website.body);
    let tokens = app.exchange(&param(website.location(), "code")).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);
    assert!(browser.get(&app.authorize_path(&[])).await.location().starts_with(SITE), "and by the session");
    assert_eq!(refusals(&app).await, 0);
}

#[tokio::test]
async fn sec_40_whoever_is_in_none_meets_a_page_that_says_whom_to_ask_and_the_website_gets_no_code() {
    let app = TestApp::with_config(OTHERS).await;
    for_staff(&app).await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    let (_, onward) = approved(&app, &browser, &person).await;
    let page = browser.get(&onward).await;
    assert_eq!(page.status, StatusCode::FORBIDDEN, "{}", page.body);
    let user = app.app.records.users("", 10).await.unwrap().pop().unwrap().id;
    for told in ["还不能登录", "管理员", user.as_str(), "as=another"] {
        assert!(page.body.contains(told), "{told}: {}", page.body);
    }
    let by_session = browser.get(&app.authorize_path(&[])).await;
    assert_eq!(by_session.status, StatusCode::FORBIDDEN, "{}", by_session.body);
    let silent = browser.get(&app.authorize_path(&[("prompt", "none")])).await;
    assert_eq!(
        (param(silent.location(), "error").as_str(), param(silent.location(), "code")),
        ("access_denied", String::new())
    );
    assert_eq!(refusals(&app).await, 3);
}

#[tokio::test]
async fn somebody_else_may_sign_in_where_one_was_not_admitted() {
    let app = TestApp::with_config(OTHERS).await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    app.log_in(&browser, &person).await;
    for_staff(&app).await;
    let refused = browser.get(&app.authorize_path(&[])).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let html = refused.body.replace("&#x2f;", "/");
    let link = html.split('"').find(|text| text.ends_with("?as=another")).expect("a link");
    let page = browser.get(link).await;
    assert!(page.location().starts_with(link.trim_end_matches("?as=another")), "{}", page.location());
    let login = browser.get(page.location()).await;
    assert_eq!(login.status, StatusCode::OK, "a QR, not the session that was refused");
}
