//! A mini-program's page, whose people are proven by `wx.login` codes that only the server exchanges.

use http::StatusCode;
use mashang_login::audit::AuditKind;
use mashang_login::ids::ScanCode;
use mashang_login::ticket::{Stage, Ticket};
use mashang_sandbox::{DEMO_MINI_APPID, DEMO_MINI_SECRET, DEMO_PLATFORM};
use serde_json::json;

use super::{Caller, recorded, refusal, refused};
use crate::account::{press_link, sign_in};
use crate::support::*;

fn section() -> String {
    format!(
        "[channel.mini]\nkind = \"wechat-mini\"\nappid = \"{DEMO_MINI_APPID}\"\nsecret = \"{DEMO_MINI_SECRET}\"\nopen_platform = \"{DEMO_PLATFORM}\"\nqr = \"link\"\norder = 8\n"
    )
}

async fn house() -> TestApp {
    TestApp::with_config(&section()).await
}

fn caller(app: &TestApp) -> Caller<'_> {
    Caller { app, channel: "mini", bearer: None }
}

/// What `wx.login` gives.
async fn wx_login(app: &TestApp, person: &str) -> String {
    let body = json!({ "appid": DEMO_MINI_APPID, "person": person });
    app.sandbox("mini/login", body).await["code"].as_str().unwrap().to_owned()
}

/// What the phone-number button gives, and the number.
async fn phone_code(app: &TestApp, person: &str) -> (String, String) {
    let told = app.sandbox("mini/phone-number", json!({ "appid": DEMO_MINI_APPID, "person": person })).await;
    let text = |name: &str| told[name].as_str().unwrap().to_owned();
    (text("code"), text("phone_number"))
}

async fn ticket(app: &TestApp, page: &LoginPage) -> Ticket {
    let code = ScanCode::parse(&page.ticket).unwrap();
    app.app.tickets.get(&code, app.app.now()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_person_scans_with_the_mini_program_types_the_number_and_is_signed_in() {
    let app = house().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let token = caller(&app).scan(&page.ticket, json!({ "code": wx_login(&app, &person).await })).await;
    assert_eq!(page.stage().await, "scanned");
    assert_eq!(caller(&app).approve(&page.ticket, &token, &page.number).await.status, StatusCode::OK);
    let by_mini = page.redeem().await;
    let sub = |back: String| {
        let app = &app;
        async move {
            let tokens = app.exchange(&param(&back, "code")).await.json();
            claims(tokens["id_token"].as_str().unwrap())["sub"].clone()
        }
    };
    let by_account = app.log_in(&app.desktop(), &person).await;
    assert_eq!(sub(by_mini).await, sub(by_account).await, "one open-platform account, one person");
}

/// SEC-08, SEC-38: the name of whoever asks is theirs to choose, so it is no part of what we say of the site.
#[tokio::test]
async fn sec_38_a_phone_is_told_whether_it_signs_in_or_is_added_to_an_account() {
    let app = house().await;
    let page = app.open_login(&app.desktop()).await;
    let body = json!({ "code": wx_login(&app, &app.person("小红").await).await });
    let login = caller(&app).call(&page.ticket, "scan", body).await.json()["login"].clone();
    assert_eq!(login["purpose"], "sign_in");
    assert!(login.get("account").is_none());

    let (browser, person) = (app.desktop(), app.person("招商银行").await);
    sign_in(&app, &browser, &person).await;
    let page = app.login_page(&browser, &press_link(&browser, "mini").await).await;
    let body = json!({ "code": wx_login(&app, &app.person("别人").await).await });
    let told = caller(&app).call(&page.ticket, "scan", body).await.json();
    let (login, token) = (&told["login"], told["phone_token"].as_str().unwrap());
    assert_eq!(login["purpose"], "link");
    assert_eq!(login["account"], "招商银行");
    assert_eq!(login["site"], "Linking to an account");
    assert_eq!(login["host"], "127.0.0.1:8080");
    let context = caller(&app).call(&page.ticket, "context", json!({ "phone_token": token })).await.json();
    assert_eq!(context["login"], *login);
    caller(&app).approve(&page.ticket, token, &page.number).await;
    assert_eq!(page.redeem().await, "/account?notice=linked");
}

#[tokio::test]
async fn sec_26_a_code_counts_once_and_a_second_time_nobody_is_asked() {
    let app = house().await;
    let person = app.person("小明").await;
    let code = wx_login(&app, &person).await;
    let first = app.open_login(&app.desktop()).await;
    caller(&app).scan(&first.ticket, json!({ "code": code })).await;
    let second = app.open_login(&app.desktop()).await;
    app.fault(json!({ "fault": "system_error", "target": "jscode2session", "remaining": 1 })).await;
    let replay = caller(&app).call(&second.ticket, "scan", json!({ "code": code })).await;
    assert_eq!(refusal(&replay), refused(400, "code_refused"));
    assert_eq!(app.faults().await.len(), 1, "WeChat was not called");
    assert_eq!(second.stage().await, "waiting");
}

/// Whoever sees the QR knows its scan code, and could cry wolf by any code that they make up.
#[tokio::test]
async fn sec_06_a_second_scan_is_an_alarm_only_of_somebody_who_is_proven() {
    let app = house().await;
    let page = app.open_login(&app.desktop()).await;
    let code = wx_login(&app, &app.person("小明").await).await;
    caller(&app).scan(&page.ticket, json!({ "code": code })).await;
    let alarm = async |code: &str| {
        let answer = caller(&app).call(&page.ticket, "scan", json!({ "code": code })).await;
        (refusal(&answer), recorded(&app, AuditKind::SecondScanRefused).await)
    };
    assert_eq!(alarm("made-up").await, (refused(400, "code_refused"), 0));
    let other = wx_login(&app, &app.person("小红").await).await;
    assert_eq!(alarm(&other).await, (refused(409, "taken"), 1));
    for n in 0..60 {
        alarm(&format!("made-up-{n}")).await;
    }
    let rows = recorded(&app, AuditKind::ChannelFailed).await;
    assert!((30..50).contains(&rows), "sec_78: as many rows as tell something, not {rows}");
}

#[tokio::test]
async fn codes_that_are_made_up_or_of_another_app_are_refused_and_recorded() {
    let app = house().await;
    let page = app.open_login(&app.desktop()).await;
    for code in ["made-up", "0".repeat(32).as_str()] {
        let answer = caller(&app).call(&page.ticket, "scan", json!({ "code": code })).await;
        assert_eq!(refusal(&answer), refused(400, "code_refused"));
    }
    assert_eq!(recorded(&app, AuditKind::ChannelFailed).await, 2);
    assert_eq!(
        refusal(&caller(&app).call(&page.ticket, "scan", json!({})).await),
        refused(400, "bad_request")
    );
    assert_eq!(page.stage().await, "waiting");
}

#[tokio::test]
async fn what_the_platform_says_is_told_as_down_or_as_a_setting() {
    let app = house().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    for (fault, status, name) in [
        (json!({ "fault": "garbage_json" }), 503, "platform_unavailable"),
        (json!({ "fault": "errcode", "code": 45011 }), 503, "platform_unavailable"),
        (json!({ "fault": "errcode", "code": 40125 }), 503, "platform_setup"),
        (json!({ "fault": "errcode", "code": 40226 }), 403, "person_refused"),
        (json!({ "fault": "errcode", "code": 40029 }), 400, "code_refused"),
    ] {
        let mut fault = fault;
        fault["target"] = json!("jscode2session");
        fault["remaining"] = json!(1);
        app.fault(fault.clone()).await;
        let body = json!({ "code": wx_login(&app, &person).await });
        let answer = caller(&app).call(&page.ticket, "scan", body).await;
        assert_eq!(refusal(&answer), refused(status, name), "{fault}");
    }
    assert_eq!(page.stage().await, "waiting");
    caller(&app).scan(&page.ticket, json!({ "code": wx_login(&app, &person).await })).await;
}

#[tokio::test]
async fn sec_34_the_session_key_is_in_no_answer_and_is_not_taken() {
    let app = house().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let body = json!({ "code": wx_login(&app, &person).await });
    let scanned = caller(&app).call(&page.ticket, "scan", body).await;
    assert!(!scanned.body.contains("session") && !scanned.body.contains("openid"), "{}", scanned.body);
    let token = scanned.json()["phone_token"].as_str().unwrap().to_owned();
    for name in ["session_key", "encryptedData", "openid", "phoneNumber"] {
        let body = json!({ "phone_token": token, "code": "c", name: "x" });
        let answer = caller(&app).call(&page.ticket, "phone-number", body).await;
        assert_eq!(refusal(&answer), refused(400, "identity_in_request"), "{name}");
    }
    assert_eq!(recorded(&app, AuditKind::IdentityInRequestRefused).await, 4);
}

#[tokio::test]
async fn sec_24_a_bearer_token_has_no_place_in_a_mini_program() {
    let app = house().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let body = json!({ "code": wx_login(&app, &person).await });
    let with_token = Caller { bearer: Some("x".into()), ..caller(&app) };
    let answer = with_token.call(&page.ticket, "scan", body).await;
    assert_eq!(refusal(&answer), refused(400, "identity_in_request"));
}

#[tokio::test]
async fn a_phone_number_comes_from_the_buttons_code_of_the_same_person() {
    let app = house().await;
    let (person, other) = (app.person("小明").await, app.person("小红").await);
    let page = app.open_login(&app.desktop()).await;
    let token = caller(&app).scan(&page.ticket, json!({ "code": wx_login(&app, &person).await })).await;
    let share = async |code: &str| {
        caller(&app).call(&page.ticket, "phone-number", json!({ "phone_token": token, "code": code })).await
    };
    let (foreign, _) = phone_code(&app, &other).await;
    assert_eq!(refusal(&share(&foreign).await), refused(400, "code_refused"), "another person's number");
    assert_eq!(refusal(&share(&wx_login(&app, &person).await).await), refused(400, "code_refused"));
    let (code, number) = phone_code(&app, &person).await;
    let shared = share(&code).await;
    assert_eq!(shared.json(), json!({ "status": "scanned" }));
    assert!(!shared.body.contains(&number));
    assert_eq!(refusal(&share(&code).await), refused(400, "code_refused"), "once");
    let Stage::Scanned { by, .. } = ticket(&app, &page).await.stage else { panic!("still scanned") };
    assert_eq!(by.attributes.phone_number, Some(format!("+86{number}")));
    assert_eq!(caller(&app).approve(&page.ticket, &token, &page.number).await.status, StatusCode::OK);
    let late = share(&phone_code(&app, &person).await.0).await;
    assert_eq!(refusal(&late), refused(409, "finished"));
}

/// A number may be somebody else's by now: only its own proof keeps it verified.
#[tokio::test]
async fn sec_36_a_token_of_a_later_login_does_not_prove_the_number_anew() {
    let ours = "[channel.myapp]\nkind = \"app\"\naccept_tokens_of = [\"site\"]\norder = 9\n";
    let app = TestApp::with_config(&format!("{}{ours}", section())).await;
    let person = app.person("小明").await;
    let log_in = async |with_number: bool| {
        let page = app.open_login(&app.desktop()).await;
        let token = caller(&app).scan(&page.ticket, json!({ "code": wx_login(&app, &person).await })).await;
        if with_number {
            let body = json!({ "phone_token": token, "code": phone_code(&app, &person).await.0 });
            assert_eq!(caller(&app).call(&page.ticket, "phone-number", body).await.status, StatusCode::OK);
        }
        assert_eq!(caller(&app).approve(&page.ticket, &token, &page.number).await.status, StatusCode::OK);
        let tokens = app.exchange(&param(&page.redeem().await, "code")).await.json();
        tokens["access_token"].as_str().unwrap().to_owned()
    };
    log_in(true).await;
    app.pass(std::time::Duration::from_secs(20 * 86_400));
    let bearer = Some(log_in(false).await);
    let page = app.open_login(&app.desktop()).await;
    Caller { app: &app, channel: "myapp", bearer }.scan(&page.ticket, json!({})).await;
    let Stage::Scanned { by, .. } = ticket(&app, &page).await.stage else { panic!("scanned") };
    assert_eq!(by.attributes.phone_number, None);
}

#[tokio::test]
async fn sec_06_a_login_scanned_through_one_channel_is_unknown_to_the_other() {
    let issuer = super::issuer::Issuer::start().await;
    let mini = format!(
        "{}[channel.mini]\nkind = \"wechat-mini\"\nappid = \"{DEMO_MINI_APPID}\"\nsecret = \"{DEMO_MINI_SECRET}\"\nqr = \"link\"\n",
        issuer.section()
    );
    let app = TestApp::with_config(&mini).await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let token = caller(&app).scan(&page.ticket, json!({ "code": wx_login(&app, &person).await })).await;
    let own = Caller { app: &app, channel: "myapp", bearer: Some(issuer.token("u1")) };
    assert_eq!(refusal(&own.call(&page.ticket, "scan", json!({})).await), refused(409, "taken"));
    let stolen = own.approve(&page.ticket, &token, &page.number).await;
    assert_ne!(stolen.status, StatusCode::OK);
    assert_eq!(page.stage().await, "scanned");
}
