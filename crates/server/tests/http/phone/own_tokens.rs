//! An app that signs its people in through us: our own access tokens speak for them, if the operator listed its client.

use std::time::Duration;

use http::StatusCode;
use mashang_login::Clock as _;
use mashang_sandbox::{DEMO_CORP_AGENTID, DEMO_CORP_SECRET, DEMO_CORPID};
use serde_json::{Value, json};

use super::{Caller, refusal, refused};
use crate::support::*;

const LISTED: &str = "[channel.myapp]\nkind = \"app\"\naccept_tokens_of = [\"site\"]\norder = 9\n";

/// An access token of a person, issued to the client `site`.
async fn access_token(app: &TestApp, person: &str) -> String {
    let back = app.log_in(&app.desktop(), person).await;
    let tokens = app.exchange(&param(&back, "code")).await.json();
    tokens["access_token"].as_str().unwrap().to_owned()
}

/// That person's app.
async fn app_of<'a>(app: &'a TestApp, person: &str) -> Caller<'a> {
    Caller { app, channel: "myapp", bearer: Some(access_token(app, person).await) }
}

async fn id_token_of(app: &TestApp, back: &str) -> Value {
    let tokens = app.exchange(&param(back, "code")).await.json();
    claims(tokens["id_token"].as_str().unwrap())
}

/// Whether the app's token counts at this login.
async fn counts_at(phone: &Caller<'_>, page: &LoginPage) -> bool {
    let answer = phone.call(&page.ticket, "scan", json!({})).await;
    match answer.status {
        StatusCode::OK => true,
        _ => {
            assert_eq!(refusal(&answer), refused(401, "unauthorized"));
            assert_eq!(page.stage().await, "waiting", "another phone may still answer");
            false
        }
    }
}

async fn sub_of(app: &TestApp, back: &str) -> String {
    id_token_of(app, back).await["sub"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_person_is_the_one_the_token_speaks_for() {
    let app = TestApp::with_config(LISTED).await;
    let person = app.person("小明").await;
    let first = sub_of(&app, &app.log_in(&app.desktop(), &person).await).await;
    let phone = Caller { app: &app, channel: "myapp", bearer: Some(access_token(&app, &person).await) };
    let page = app.open_login(&app.desktop()).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    assert_eq!(phone.approve(&page.ticket, &token, &page.number).await.status, StatusCode::OK);
    assert_eq!(sub_of(&app, &page.redeem().await).await, first);
}

#[tokio::test]
async fn sec_36_a_revoked_token_or_one_of_another_client_approves_nothing() {
    let app = TestApp::with_config(LISTED).await;
    let person = app.person("小明").await;
    let bearer = access_token(&app, &person).await;
    let phone = Caller { app: &app, channel: "myapp", bearer: Some(bearer.clone()) };
    let page = app.open_login(&app.desktop()).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    let revoked =
        app.desktop().with("authorization", &app.basic()).post("/revoke", &[("token", &bearer)]).await;
    assert_eq!(revoked.status, StatusCode::OK);
    let late = phone.approve(&page.ticket, &token, &page.number).await;
    assert_eq!(refusal(&late), refused(401, "unauthorized"));
    let unlisted = TestApp::with_config(&LISTED.replace("\"site\"", "\"spa\"")).await;
    let person = unlisted.person("小明").await;
    let bearer = Some(access_token(&unlisted, &person).await);
    let page = unlisted.open_login(&unlisted.desktop()).await;
    let phone = Caller { app: &unlisted, channel: "myapp", bearer };
    assert_eq!(refusal(&phone.call(&page.ticket, "scan", json!({})).await), refused(401, "unauthorized"));
}

#[tokio::test]
async fn sec_55_a_login_by_an_older_login_says_so_in_amr_and_auth_time() {
    let app = TestApp::with_config(LISTED).await;
    let person = app.person("小明").await;
    let signed_in_at = app.clock.now().as_second();
    let phone = app_of(&app, &person).await;
    app.pass(Duration::from_secs(300));
    let browser = app.desktop();
    let page = app.open_login(&browser).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    assert_eq!(phone.approve(&page.ticket, &token, &page.number).await.status, StatusCode::OK);
    let id = id_token_of(&app, &page.redeem().await).await;
    assert_eq!(id["amr"], json!(["app"]), "nobody asked WeChat");
    assert_eq!(id["auth_time"], json!(signed_in_at));
    let young = browser.get(&app.authorize_path(&[("prompt", "none"), ("max_age", "60")])).await;
    assert!(young.location().contains("error=login_required"), "{}", young.location());
    let old = browser.get(&app.authorize_path(&[("prompt", "none"), ("max_age", "301")])).await;
    assert!(old.location().contains("code="), "{}", old.location());
}

#[tokio::test]
async fn sec_55_an_older_login_is_no_fresh_approval() {
    let app = TestApp::with_config(LISTED).await;
    let person = app.person("小明").await;
    let phone = app_of(&app, &person).await;
    app.pass(Duration::from_secs(300));
    for (changes, counts) in [
        (("prompt", "login"), false),
        (("max_age", "0"), false),
        (("max_age", "60"), false),
        (("max_age", "600"), true),
    ] {
        let page = app.open_login_with(&app.desktop(), &[changes]).await;
        assert_eq!(counts_at(&phone, &page).await, counts, "{changes:?}");
    }
    let page = app.open_login_with(&app.desktop(), &[("prompt", "login")]).await;
    app.pass(Duration::from_secs(1));
    assert!(counts_at(&app_of(&app, &person).await, &page).await, "signed in to the app since the request");
}

#[tokio::test]
async fn sec_55_a_scan_in_time_does_not_make_a_late_approval_fresh() {
    let app = TestApp::with_config(LISTED).await;
    let phone = app_of(&app, &app.person("小明").await).await;
    app.pass(Duration::from_secs(30));
    let page = app.open_login_with(&app.desktop(), &[("max_age", "60")]).await;
    let token = phone.scan(&page.ticket, json!({})).await;
    app.pass(Duration::from_secs(31));
    let late = phone.approve(&page.ticket, &token, &page.number).await;
    assert_eq!(refusal(&late), refused(401, "unauthorized"));
}

#[tokio::test]
async fn sec_38_a_token_of_ours_does_not_open_the_account_page_and_links_nothing() {
    let app = TestApp::with_config(LISTED).await;
    let (person, other) = (app.person("小明").await, app.person("小红").await);
    let browser = app.desktop();
    let to_login = browser.get("/account").await;
    let page = app.login_page(&browser, to_login.location()).await;
    let phone = app_of(&app, &other).await;
    assert!(!counts_at(&phone, &page).await);
    let wechat = app.phone();
    let token = app.scan(&wechat, &page.ticket, &person).await;
    app.approve(&wechat, &page, &token, &page.number).await;
    assert_eq!(page.redeem().await, "/account");
    let html = browser.get("/account").await.body.replace("&#x2f;", "/");
    let (_, form) = html.split_once("action=\"/account/link\"").unwrap();
    let token = form.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let link = browser.post("/account/link", &[("token", token), ("channel", "wechat")]).await;
    let page = app.login_page(&browser, link.location()).await;
    assert!(!counts_at(&phone, &page).await);
}

/// An access token of a member of the sandbox's corp, who came by WeCom's page.
async fn access_token_of_member(app: &TestApp) -> String {
    let page = app.open_login(&app.desktop()).await;
    let start = page.browser.get(&format!("/channel/corp/start/{}/{}", page.grant, page.ticket)).await;
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let html = http.get(start.location()).send().await.unwrap().text().await.unwrap();
    let (_, rest) = html.split_once("data-key=\"").unwrap_or_else(|| panic!("no key in {html}"));
    let key: String = rest.chars().take_while(char::is_ascii_alphanumeric).collect();
    app.sandbox("scan", json!({ "uuid": key, "person": "xiaoming" })).await;
    let allowed = app.sandbox("allow", json!({ "uuid": key, "person": "xiaoming" })).await;
    let back = page.browser.get(allowed["redirect"].as_str().unwrap()).await;
    let tokens = app.exchange(&param(back.location(), "code")).await.json();
    tokens["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn sec_35_a_member_of_a_corp_signs_in_through_wecom_alone() {
    let corp = format!(
        "[channel.corp]\nkind = \"wecom\"\ncorpid = \"{DEMO_CORPID}\"\nagentid = {DEMO_CORP_AGENTID}\nsecret = \"{DEMO_CORP_SECRET}\"\norder = 3\n"
    );
    let app = TestApp::with_config(&format!("{LISTED}{corp}")).await;
    let phone = Caller { app: &app, channel: "myapp", bearer: Some(access_token_of_member(&app).await) };
    assert!(!counts_at(&phone, &app.open_login(&app.desktop()).await).await);
}
