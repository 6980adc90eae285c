//! `POST /login/{grant}/{ticket}/code/…`: codes by e-mail and SMS, which end in the sandbox's outbox.

use std::time::Duration;

use http::StatusCode;
use mashang_login::Clock as _;
use mashang_login::audit::AuditKind;
use serde_json::{Value, json};

use crate::account;
use crate::support::{Answer, Device, LoginPage, TestApp, claims, param};

const CHANNELS: &str =
    "[channel.mail]\nkind = \"email\"\norder = 3\n[channel.sms]\nkind = \"sms\"\norder = 4\n";
/// Only people who are known may sign in.
const CLOSED: &str = "[channel.mail]\nkind = \"email\"\norder = 3\nsign_up = false\n";
const ADA: &str = "ada@example.com";

async fn start() -> TestApp {
    TestApp::with_config(CHANNELS).await
}

async fn open(app: &TestApp, browser: &Device, channel: &str) -> LoginPage {
    app.open_login_with(browser, &[("login_hint", channel)]).await
}

async fn send(page: &LoginPage, channel: &str, to: &str) -> Answer {
    page.browser.post(&format!("{}?channel={channel}", page.url("code/send")), &[("to", to)]).await
}

async fn verify(page: &LoginPage, channel: &str, code: &str) -> Answer {
    page.browser.post(&format!("{}?channel={channel}", page.url("code/verify")), &[("code", code)]).await
}

/// The page as it is shown now.
async fn shown(page: &LoginPage, channel: &str) -> String {
    page.browser.get(&format!("{}?channel={channel}", page.path.split('?').next().unwrap())).await.body
}

/// What the outbox holds, the newest first.
async fn outbox(app: &TestApp) -> Vec<Value> {
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;
    let request = http::Request::get("/sandbox/api/outbox").body(axum::body::Body::empty()).unwrap();
    let response = app.sandbox.clone().oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let told: Value = serde_json::from_slice(&body).unwrap();
    told["messages"].as_array().unwrap().clone()
}

async fn newest_code(app: &TestApp) -> String {
    outbox(app).await[0]["code"].as_str().unwrap().to_owned()
}

/// The newest code once so many messages are there: where nobody shall notice, they are sent behind the answer.
async fn sent_unseen(app: &TestApp, messages: usize) -> String {
    while outbox(app).await.len() < messages {
        tokio::task::yield_now().await;
    }
    newest_code(app).await
}

/// Another code than this.
fn other(code: &str) -> String {
    format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000)
}

async fn kinds(app: &TestApp) -> Vec<AuditKind> {
    app.app.records.audit_trail(20).await.unwrap().into_iter().map(|event| event.kind).collect()
}

/// Asks for a code and types it; where that leads.
async fn sign_in(app: &TestApp, browser: &Device, channel: &str, to: &str) -> String {
    let page = open(app, browser, channel).await;
    assert_eq!(send(&page, channel, to).await.status, StatusCode::SEE_OTHER);
    let answer = verify(&page, channel, &newest_code(app).await).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.location().to_owned()
}

async fn userinfo(app: &TestApp, location: &str) -> Value {
    let tokens = app.exchange(&param(location, "code")).await.json();
    claims(tokens["id_token"].as_str().unwrap())
}

#[tokio::test]
async fn a_code_by_mail_signs_in_and_the_same_mailbox_is_the_same_person() {
    let app = start().await;
    let page = open(&app, &app.desktop(), "mail").await;
    assert!(page.html.contains("autocomplete=\"email\"") && !page.html.contains("one-time-code"));
    let sent = send(&page, "mail", " Ada@Example.com ").await;
    assert_eq!(sent.location(), format!("/login/{}/{}?channel=mail", page.grant, page.ticket));
    let message = outbox(&app).await.remove(0);
    let code = message["code"].as_str().unwrap();
    assert_eq!((message["to"].as_str(), message["kind"].as_str()), (Some(ADA), Some("email")));
    let text = message["text"].as_str().unwrap();
    assert!(
        text.contains(code) && text.contains("样例 <Site>") && text.contains("请勿把验证码告诉任何人"),
        "{text}"
    );
    assert!(message["subject"].as_str().unwrap().contains(code));
    let step = shown(&page, "mail").await;
    assert!(
        step.contains("autocomplete=\"one-time-code\"") && step.contains("inputmode=\"numeric\""),
        "{step}"
    );
    assert!(!step.contains(code), "the page does not know the code");
    let answer = verify(&page, "mail", &format!(" {} {} ", &code[..3], &code[3..])).await;
    let first = userinfo(&app, answer.location()).await;
    assert_eq!(first["amr"], json!(["email"]));
    let again = sign_in(&app, &app.desktop(), "mail", "ADA@example.com").await;
    assert_eq!(userinfo(&app, &again).await["sub"], first["sub"]);
    assert!(kinds(&app).await.contains(&AuditKind::CodeSent));
}

#[tokio::test]
async fn a_code_by_sms_signs_in_and_proves_the_number() {
    let app = start().await;
    let location = sign_in(&app, &app.device(crate::support::PHONE), "sms", "138 0013 8000").await;
    let sub = userinfo(&app, &location).await["sub"].as_str().unwrap().to_owned();
    assert_eq!(outbox(&app).await[0]["to"], "+8613800138000");
    let identity = app.app.records.identities_of(&sub.parse().unwrap()).await.unwrap().remove(0);
    assert_eq!(identity.attributes.phone_number.as_deref(), Some("+8613800138000"));
    assert_eq!(identity.attributes.phone_proven_at, Some(app.clock.now()));
}

#[tokio::test]
async fn people_read_their_own_language() {
    let app = start().await;
    let browser = app.desktop().with("accept-language", "en");
    sign_in(&app, &browser, "mail", ADA).await;
    let text = outbox(&app).await[0]["text"].as_str().unwrap().to_owned();
    assert!(text.contains("Do not give it to anybody"), "{text}");
}

#[tokio::test]
async fn what_is_no_address_or_number_is_said_at_the_field() {
    let app = start().await;
    let page = open(&app, &app.desktop(), "mail").await;
    let answer = send(&page, "mail", "ada@").await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        answer.body.contains("value=\"ada@\"")
            && answer.body.contains("aria-describedby=\"to-complaint\" autofocus")
    );
    let answer = send(&page, "sms", "010 6552 9988").await;
    assert!(answer.body.contains("请输入正确的手机号码"));
    let abroad = send(&page, "sms", "+1 242 555 0100").await;
    assert!(abroad.body.contains("不能发送到该国家或地区"), "toll fraud");
    assert!(outbox(&app).await.is_empty());
}

#[tokio::test]
async fn sec_09_a_code_has_five_attempts() {
    let app = start().await;
    let page = open(&app, &app.desktop(), "mail").await;
    send(&page, "mail", ADA).await;
    let code = newest_code(&app).await;
    let shape = verify(&page, "mail", "12345").await;
    assert!(shape.body.contains("验证码是 6 位数字"), "no attempt is spent by that");
    for left in (1..5).rev() {
        let answer = verify(&page, "mail", &other(&code)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(answer.body.contains(&format!("还可以尝试 {left} 次")), "{}", answer.body);
        assert!(answer.body.contains("aria-describedby=\"code-complaint\" autofocus"));
    }
    let last = verify(&page, "mail", &other(&code)).await;
    assert!(last.body.contains("验证码已失效") && last.body.contains(&format!("value=\"{ADA}\"")));
    assert_eq!(
        verify(&page, "mail", &code).await.status,
        StatusCode::UNPROCESSABLE_ENTITY,
        "the right one too"
    );
    assert!(kinds(&app).await.contains(&AuditKind::WrongCode));
}

#[tokio::test]
async fn promise_4_a_code_works_ten_minutes() {
    let app = start().await;
    let page = open(&app, &app.desktop(), "mail").await;
    send(&page, "mail", ADA).await;
    app.pass(Duration::from_secs(600));
    assert_eq!(
        verify(&page, "mail", &newest_code(&app).await).await.status,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    send(&page, "mail", ADA).await;
    app.pass(Duration::from_secs(599));
    assert_eq!(verify(&page, "mail", &newest_code(&app).await).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn promise_3_of_two_at_the_same_moment_one_uses_the_code() {
    let app = start().await;
    let page = open(&app, &app.desktop(), "mail").await;
    send(&page, "mail", ADA).await;
    let code = newest_code(&app).await;
    let both = tokio::join!(verify(&page, "mail", &code), verify(&page, "mail", &code));
    let codes = [both.0, both.1].iter().filter(|answer| answer.location().contains("code=")).count();
    assert_eq!(codes, 1);
}

#[tokio::test]
async fn sec_02_a_code_is_of_no_use_in_another_browser_or_for_another_request() {
    let app = start().await;
    let browser = app.desktop();
    let page = open(&app, &browser, "mail").await;
    send(&page, "mail", ADA).await;
    let code = newest_code(&app).await;
    let elsewhere = open(&app, &app.desktop(), "mail").await;
    assert_eq!(verify(&elsewhere, "mail", &code).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let second_tab = open(&app, &browser, "mail").await;
    assert_eq!(verify(&second_tab, "mail", &code).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(verify(&page, "sms", &code).await.status, StatusCode::UNPROCESSABLE_ENTITY, "another channel");
    let mut stolen = page.clone();
    stolen.browser = elsewhere.browser.clone();
    assert_eq!(verify(&stolen, "mail", &code).await.status, StatusCode::NOT_FOUND);
    assert_eq!(
        verify(&page, "mail", &code).await.status,
        StatusCode::SEE_OTHER,
        "and none of it spent an attempt"
    );
}

#[tokio::test]
async fn another_code_can_be_asked_for_after_a_minute_and_kills_the_former() {
    let app = start().await;
    let page = open(&app, &app.desktop(), "mail").await;
    send(&page, "mail", ADA).await;
    let former = newest_code(&app).await;
    let early = send(&page, "mail", ADA).await;
    assert_eq!((early.status, early.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"));
    assert!(early.body.contains("one-time-code"), "the code is still asked for");
    assert!(shown(&page, "mail").await.contains("data-wait=\"60\""));
    app.pass(Duration::from_secs(60));
    assert_eq!(send(&page, "mail", ADA).await.status, StatusCode::SEE_OTHER);
    let code = newest_code(&app).await;
    if former != code {
        assert_eq!(verify(&page, "mail", &former).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    assert_eq!(verify(&page, "mail", &code).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn whoever_mistyped_the_address_sends_to_the_right_one_at_once() {
    let app = start().await;
    let page = open(&app, &app.desktop(), "mail").await;
    send(&page, "mail", "adda@example.com").await;
    assert_eq!(send(&page, "mail", ADA).await.status, StatusCode::SEE_OTHER);
    assert_eq!(outbox(&app).await[0]["to"], ADA);
    assert_eq!(verify(&page, "mail", &newest_code(&app).await).await.status, StatusCode::SEE_OTHER);
}

/// Five guesses at a code, and another code, and five more: they are counted beyond the code.
#[tokio::test]
async fn sec_79_wrong_codes_count_beyond_one_code() {
    let app = start().await;
    for _ in 0..4 {
        let page = open(&app, &app.desktop(), "mail").await;
        send(&page, "mail", ADA).await;
        let code = newest_code(&app).await;
        for _ in 0..5 {
            assert_eq!(verify(&page, "mail", &other(&code)).await.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
    let page = open(&app, &app.desktop(), "mail").await;
    send(&page, "mail", ADA).await;
    let refused = verify(&page, "mail", &newest_code(&app).await).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "the right one too: it may be a guess");
    assert!(refused.body.contains("输错验证码的次数过多"), "{}", refused.body);
    sign_in(&app, &app.desktop(), "mail", "bob@example.com").await;
    app.pass(Duration::from_secs(12 * 3600));
    sign_in(&app, &app.desktop(), "mail", ADA).await;
}

/// One message is five guesses, however often its code is typed after them.
#[tokio::test]
async fn sec_79_a_code_that_was_typed_too_often_uses_up_no_guesses_of_its_owner() {
    let app = start().await;
    let page = open(&app, &app.desktop(), "mail").await;
    send(&page, "mail", ADA).await;
    let code = newest_code(&app).await;
    for _ in 0..40 {
        let answer = verify(&page, "mail", &other(&code)).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "over, and not counted");
    }
    sign_in(&app, &app.desktop(), "mail", ADA).await;
}

#[tokio::test]
async fn sec_79_one_address_gets_five_codes_an_hour() {
    let app = start().await;
    for _ in 0..5 {
        let page = open(&app, &app.desktop(), "mail").await;
        assert_eq!(send(&page, "mail", ADA).await.status, StatusCode::SEE_OTHER);
    }
    let page = open(&app, &app.desktop(), "mail").await;
    let sixth = send(&page, "mail", ADA).await;
    assert_eq!(sixth.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(sixth.body.contains("请等待 60 分钟"), "{}", sixth.body);
    assert_eq!(outbox(&app).await.len(), 5);
}

#[tokio::test]
async fn sec_14_where_only_known_people_may_sign_in_nobody_learns_who_is_known() {
    let app = TestApp::with_config(CHANNELS).await;
    let known = sign_in(&app, &app.desktop(), "mail", ADA).await;
    assert!(known.contains("code="));
    let app = app.reopened(CLOSED).await;
    let browser = app.desktop();
    let page = open(&app, &browser, "mail").await;
    let told = send(&page, "mail", ADA).await;
    let step = shown(&page, "mail").await;
    let code = sent_unseen(&app, 2).await;

    let second = open(&app, &browser, "mail").await;
    let told_unknown = send(&second, "mail", "bob@example.com").await;
    let step_unknown = shown(&second, "mail").await;
    assert_eq!(told_unknown.status, told.status);
    let alike = |text: &str, page: &LoginPage| {
        text.replace(&page.grant, "G").replace(&page.ticket, "T").replace("bob@", "ada@")
    };
    assert_eq!(alike(&step_unknown, &second), alike(&step, &page));
    assert!(step.contains("如果 ada@example.com 可以在这里登录"));
    let wrong = verify(&page, "mail", &other(&code)).await;
    let wrong_unknown = verify(&second, "mail", &other(&code)).await;
    assert_eq!(wrong_unknown.status, wrong.status);
    assert_eq!(alike(&wrong_unknown.body, &second), alike(&wrong.body, &page));
    assert_eq!(outbox(&app).await.len(), 2, "nothing went to whom nobody knows");
    assert!(verify(&page, "mail", &code).await.location().contains("code="));
}

#[tokio::test]
async fn promise_8_a_code_that_was_told_as_sent_is_sent_though_the_server_stops() {
    let app = TestApp::with_config(CHANNELS).await;
    sign_in(&app, &app.desktop(), "mail", ADA).await;
    let app = app.reopened(CLOSED).await;
    let page = open(&app, &app.desktop(), "mail").await;
    assert_eq!(send(&page, "mail", ADA).await.status, StatusCode::SEE_OTHER);
    app.app.stopping.cancel();
    let served = std::future::ready(Ok::<_, std::convert::Infallible>(()));
    app.app.begun.finish_after(served, &app.app.stopping).await.unwrap();
    assert_eq!(outbox(&app).await.len(), 2);
    let sent = kinds(&app).await.into_iter().filter(|kind| *kind == AuditKind::CodeSent);
    assert_eq!(sent.count(), 2, "and the trail has it");
}

#[tokio::test]
async fn promise_9_a_provider_that_refuses_is_told_at_the_field() {
    let app = start().await;
    let page = open(&app, &app.desktop(), "sms").await;
    for (code, status, words) in [
        ("isv.BUSINESS_LIMIT_CONTROL", StatusCode::UNPROCESSABLE_ENTITY, "近期发往这里的验证码过多"),
        ("isv.SMS_SIGNATURE_ILLEGAL", StatusCode::SERVICE_UNAVAILABLE, "审核通过的短信签名"),
        ("LimitExceeded.PhoneNumberDailyLimit", StatusCode::UNPROCESSABLE_ENTITY, "近期发往这里的验证码过多"),
        ("isv.SOMETHING_NEW", StatusCode::SERVICE_UNAVAILABLE, "现在无法发送验证码"),
    ] {
        app.sandbox("outbox", json!({ "refuse": code })).await;
        let answer = send(&page, "sms", "13800138000").await;
        assert_eq!(answer.status, status, "{code}");
        assert!(answer.body.contains(words), "{code}: {}", answer.body);
        assert!(answer.body.contains("value=\"13800138000\""), "what was typed is kept");
        assert!(!answer.body.contains("one-time-code"), "no code is asked for that never went out");
    }
    app.sandbox("outbox", json!({ "refuse": null })).await;
    assert_eq!(send(&page, "sms", "13800138000").await.status, StatusCode::SEE_OTHER, "no failure counted");
}

#[tokio::test]
async fn sec_38_a_mailbox_is_linked_and_signs_in_as_the_same_person() {
    let app = start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    account::sign_in(&app, &browser, &person).await;
    let to_login = account::press_link(&browser, "mail").await;
    let page = app.login_page(&browser, &to_login).await;
    assert!(page.html.contains("绑定到") && page.html.contains("小明 的账号"), "it says what is being done");
    assert_eq!(send(&page, "mail", ADA).await.status, StatusCode::SEE_OTHER);
    let message = outbox(&app).await[0].clone();
    assert!(
        message["text"].as_str().unwrap().contains("用于把这里绑定到 127.0.0.1:8080 上的账号"),
        "{message}"
    );
    assert!(
        !message.to_string().contains("小明"),
        "nobody writes a stranger what they like by calling themselves so"
    );
    let linked = verify(&page, "mail", &newest_code(&app).await).await;
    assert_eq!(linked.location(), "/account?notice=linked", "{}", linked.body);
    let user = app.app.records.users("", 1).await.unwrap().remove(0);
    let location = sign_in(&app, &app.desktop(), "mail", ADA).await;
    assert_eq!(userinfo(&app, &location).await["sub"], user.id.as_str());
}
