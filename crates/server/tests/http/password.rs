//! `POST /login/{grant}/{ticket}/password`: name and password.

use std::time::Duration;

use http::StatusCode;
use mashang_login::Clock as _;
use mashang_login::ambient::SystemEntropy;
use mashang_login::audit::AuditKind;
use mashang_login::credentials::{NewPassword, NewUser, PasswordHash, SetPassword, password_key};
use mashang_login::ids::UserId;
use mashang_server::channel::password::{NotSet, Unfit, Wanted, hasher::Hasher, set};
use mashang_server::web::visitor::Visitor;

use crate::support::{Answer, Device, LoginPage, TestApp, claims, param};

const CHANNEL: &str = "[channel.password]\nkind = \"password\"\norder = 3\n";
const RIGHT: &str = "correct horse";

pub async fn start() -> TestApp {
    TestApp::with_config(CHANNEL).await
}

/// A person who signs in by name and password.
pub async fn person(app: &TestApp, name: &str, password: &str) -> UserId {
    let hash = Hasher::default().hash(password, &SystemEntropy).await.unwrap();
    create(app, name, hash).await
}

async fn create(app: &TestApp, name: &str, hash: PasswordHash) -> UserId {
    let user = NewUser { id: UserId::random(&SystemEntropy), nickname: Some("Ada".into()) };
    let new = NewPassword {
        key: password_key(&SystemEntropy),
        user: user.id.clone(),
        channel: "password".parse().unwrap(),
        username: name.parse().unwrap(),
        is_assigned: true,
        hash,
        keep: None,
    };
    let done = app.app.credentials.create_user_with_password(&user, &new, app.clock.now()).await.unwrap();
    assert_eq!(done, SetPassword::Done);
    user.id
}

/// The login page with the tab of passwords open.
async fn open(app: &TestApp, browser: &Device) -> LoginPage {
    app.open_login_with(browser, &[("login_hint", "password")]).await
}

async fn submit(page: &LoginPage, name: &str, password: &str) -> Answer {
    let form = [("username", name), ("password", password)];
    page.browser.post(&(page.url("password") + "?channel=password"), &form).await
}

async fn newest(app: &TestApp) -> AuditKind {
    app.app.records.audit_trail(1).await.unwrap()[0].kind
}

#[tokio::test]
async fn a_name_and_its_password_sign_in_at_the_website() {
    let app = start().await;
    let user = person(&app, "Ada", RIGHT).await;
    let page = open(&app, &app.desktop()).await;
    assert!(
        page.html.contains("data-mode=\"form\"") && page.html.contains("autocomplete=\"current-password\"")
    );
    assert!(!page.html.contains("login.js"), "nothing is watched under a form");
    let answer = submit(&page, " ada ", RIGHT).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    assert!(answer.location().starts_with("http://127.0.0.1:9/callback?"), "{}", answer.location());
    let tokens = app.exchange(&param(answer.location(), "code")).await.json();
    let claims = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(claims["sub"], user.as_str());
    assert_eq!(claims["amr"], serde_json::json!(["password"]));
}

#[tokio::test]
async fn sec_14_a_wrong_password_and_a_name_nobody_has_get_the_same_bytes() {
    let app = start().await;
    let page = open(&app, &app.desktop()).await;
    let unknown = submit(&page, "ada", "wrong horse").await;
    person(&app, "ada", RIGHT).await;
    let wrong = submit(&page, "ada", "wrong horse").await;
    let no_name = submit(&page, "a b!", "wrong horse").await;
    assert_eq!(unknown.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(wrong.status, unknown.status);
    assert_eq!(wrong.body, unknown.body);
    assert_eq!(no_name.body.replace("a b!", "ada"), unknown.body);
    let names = |answer: &Answer| -> Vec<String> { answer.headers.keys().map(ToString::to_string).collect() };
    assert_eq!(names(&wrong), names(&unknown));
    assert_eq!(newest(&app).await, AuditKind::WrongPassword);
}

#[tokio::test]
async fn what_was_wrong_is_said_at_its_field_and_the_name_is_kept() {
    let app = start().await;
    let page = open(&app, &app.desktop()).await;
    let answer = submit(&page, "<ada>", "wrong horse").await;
    assert!(answer.body.contains("value=\"&lt;ada&gt;\""), "{}", answer.body);
    assert!(answer.body.contains("aria-describedby=\"password-complaint\" autofocus"));
    assert!(answer.body.contains("id=\"password-complaint\"") && answer.body.contains("用户名或密码不正确"));
    assert!(!answer.body.contains("wrong horse"), "what was typed as a password is never sent back");
    let answer = submit(&page, "", "x").await;
    assert!(answer.body.contains("aria-describedby=\"username-complaint\" autofocus"));
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn sec_74_after_five_wrong_ones_even_the_right_one_waits_and_is_told_how_long() {
    let app = start().await;
    person(&app, "ada", RIGHT).await;
    let page = open(&app, &app.desktop()).await;
    for _ in 0..5 {
        assert_eq!(submit(&page, "ada", "wrong horse").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let late = submit(&page, "ada", RIGHT).await;
    assert_eq!((late.status, late.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "300"));
    assert!(late.body.contains("请等待 5 分钟"), "{}", late.body);
    let other = submit(&page, "nobody", "wrong horse").await;
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY, "another name has its own");
    app.pass(Duration::from_secs(300));
    assert_eq!(submit(&page, "ada", RIGHT).await.status, StatusCode::SEE_OTHER, "never for good");
}

/// Whoever guesses could use up the rows of an address by something else before.
#[tokio::test]
async fn sec_78_no_other_refusal_hides_a_guess_from_the_trail() {
    let app = start().await;
    let page = open(&app, &app.desktop()).await;
    for _ in 0..40 {
        app.desktop().get("/?openid=oVictim").await;
    }
    assert_eq!(submit(&page, "lily", "wrong horse").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    let trail = app.app.records.audit_trail(100).await.unwrap();
    let of = |kind| trail.iter().filter(|event| event.kind == kind).count();
    assert!((30..40).contains(&of(AuditKind::IdentityInRequestRefused)), "an address has used up its rows");
    assert_eq!(of(AuditKind::WrongPassword), 1);
}

#[tokio::test]
async fn sec_14_names_nobody_has_wait_alike() {
    let app = start().await;
    let page = open(&app, &app.desktop()).await;
    for _ in 0..5 {
        submit(&page, "nobody", "wrong horse").await;
    }
    assert_eq!(submit(&page, "nobody", "wrong horse").await.status, StatusCode::TOO_MANY_REQUESTS);
}

#[tokio::test]
async fn the_form_works_after_the_qr_has_expired_and_after_a_phone_scanned_it() {
    let app = start().await;
    let user = person(&app, "ada", RIGHT).await;
    let page = open(&app, &app.desktop()).await;
    app.pass(Duration::from_secs(121));
    assert_eq!(page.stage().await, "expired");
    assert!(submit(&page, "ada", RIGHT).await.location().contains("code="));

    let page = open(&app, &app.desktop()).await;
    let (phone, stranger) = (app.phone(), app.person("陌生人").await);
    let token = app.scan(&phone, &page.ticket, &stranger).await;
    let answer = submit(&page, "ada", RIGHT).await;
    let tokens = app.exchange(&param(answer.location(), "code")).await.json();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["sub"], user.as_str());
    let late = app.approve(&phone, &page, &token, &page.number).await;
    assert!(
        !late.location().ends_with("outcome=approved"),
        "whoever scanned gets nothing: {}",
        late.location()
    );
}

#[tokio::test]
async fn sec_56_another_browser_cannot_use_the_address() {
    let app = start().await;
    person(&app, "ada", RIGHT).await;
    let mut page = open(&app, &app.desktop()).await;
    page.browser = app.desktop();
    assert_eq!(submit(&page, "ada", RIGHT).await.status, StatusCode::NOT_FOUND);
    open(&app, &page.browser).await;
    assert_eq!(submit(&page, "ada", RIGHT).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_channel_that_the_website_does_not_admit_or_of_another_kind_is_refused() {
    let app = start().await;
    person(&app, "ada", RIGHT).await;
    let mut client = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    client.settings.channels = vec!["wechat".parse().unwrap()];
    app.save_client(client).await;
    let page = app.open_login(&app.desktop()).await;
    assert_eq!(submit(&page, "ada", RIGHT).await.status, StatusCode::BAD_REQUEST);
    let form = [("username", "ada"), ("password", RIGHT)];
    let other = page.browser.post(&(page.url("password") + "?channel=wechat"), &form).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_answered_request_and_a_switched_off_person_are_told_so() {
    let app = start().await;
    let user = person(&app, "ada", RIGHT).await;
    let page = open(&app, &app.desktop()).await;
    assert_eq!(submit(&page, "ada", RIGHT).await.status, StatusCode::SEE_OTHER);
    assert_eq!(submit(&page, "ada", RIGHT).await.status, StatusCode::GONE);
    app.app.records.set_user_disabled(&user, Some(app.clock.now())).await.unwrap();
    let page = open(&app, &app.desktop()).await;
    assert_eq!(submit(&page, "ada", RIGHT).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn sec_74_a_hash_of_less_effort_is_made_stronger_by_the_next_login() {
    let app = start().await;
    let old = "$argon2id$v=19$m=4096,t=2,p=1$c29tZXNhbHQ$jacJHQ+PoBstB/ZoVNk8re3s1yzVABZujceGiwVNJnk";
    let user = create(&app, "ada", PasswordHash::from_phc(old).unwrap()).await;
    for _ in 0..2 {
        let page = open(&app, &app.desktop()).await;
        assert_eq!(submit(&page, "ada", "password").await.status, StatusCode::SEE_OTHER);
        let record = app.app.credentials.password_of(&user).await.unwrap().unwrap();
        assert!(record.hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    }
}

#[tokio::test]
async fn reloading_what_came_back_leads_to_the_page() {
    let app = start().await;
    let page = open(&app, &app.desktop()).await;
    let address = page.url("password") + "?channel=password&lang=en";
    let back = page.browser.get(&address).await;
    assert_eq!(back.location(), format!("/login/{}/{}?channel=password&lang=en", page.grant, page.ticket));
}

#[tokio::test]
async fn the_tab_that_was_chosen_is_open_the_next_time_unless_the_website_says_otherwise() {
    let app = start().await;
    let browser = app.desktop();
    let page = app.open_login(&browser).await;
    assert!(page.html.contains("data-mode=\"qr\""));
    let chosen = browser.get(&(page.path.clone() + "?channel=password")).await;
    assert!(chosen.body.contains("data-mode=\"form\""));
    assert!(app.open_login(&browser).await.html.contains("data-mode=\"form\""));
    let hinted = app.open_login_with(&browser, &[("login_hint", "wechat")]).await;
    assert!(hinted.html.contains("data-mode=\"qr\""));
    browser.cookies.lock().unwrap().insert("mashang_way".into(), "gone".into());
    assert!(app.open_login(&browser).await.html.contains("data-mode=\"qr\""), "a channel that is no more");
}

#[tokio::test]
async fn a_person_sets_a_name_and_password_and_changes_them() {
    let app = start().await;
    let (ada, bob) = (person(&app, "ada", RIGHT).await, person(&app, "bob", RIGHT).await);
    let request = http::Request::get("/account").body(()).unwrap();
    let visitor = Visitor::read(&app.app, &request.into_parts().0);
    let wanted = |username, password| Wanted { user: &bob, username, password, keep: None };
    assert_eq!(
        set(&app.app, &visitor, wanted("Ada", "battery staple")).await.unwrap(),
        Err(NotSet::Unfit(Unfit::NameTaken))
    );
    assert_eq!(
        set(&app.app, &visitor, wanted("bob", "password")).await.unwrap(),
        Err(NotSet::Unfit(Unfit::Common))
    );
    assert_eq!(set(&app.app, &visitor, wanted("bobby", "battery staple")).await.unwrap(), Ok(()));
    assert_eq!(newest(&app).await, AuditKind::PasswordSet);
    let page = open(&app, &app.desktop()).await;
    assert_eq!(submit(&page, "bob", RIGHT).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(submit(&page, "bobby", "battery staple").await.status, StatusCode::SEE_OTHER);
    assert_ne!(ada, bob);
}
