//! Passkeys: made on `/account`, asked for by the login page and by the page that a phone's camera opens.

mod key;

use std::time::Duration;

use http::{Method, StatusCode};
use mashang_login::audit::AuditKind;
use mashang_server::config;
use serde_json::{Value, json};

use self::key::Key;
use crate::account::{press_link, sign_in};
use crate::support::{Answer, Device, LoginPage, PHONE, TestApp, claims, param};

/// With a passkey channel, under a name: browsers make no keys for an address of numbers.
async fn app() -> TestApp {
    let passkey = "[channel.key]\nkind = \"passkey\"\norder = 3\n";
    TestApp::reconfigured(|text| text.replace("//127.0.0.1:8080", "//localhost:8080") + passkey).await
}

/// As the page's script posts.
async fn post(browser: &Device, path: &str, body: &Value) -> Answer {
    let script = browser.clone().with("content-type", "application/json").with("accept", "application/json");
    script.send(Method::POST, path, Some(body.to_string())).await
}

/// The token of the form or script that adds a passkey.
async fn add_token(browser: &Device) -> String {
    let page = browser.get("/account").await;
    page.between("data-token=\"", "\"").to_owned()
}

/// Adds `key` to whoever is signed in.
async fn add(browser: &Device, key: &mut Key) -> Answer {
    let token = add_token(browser).await;
    let asked = post(browser, "/account/passkey/options", &json!({ "token": token })).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    let made = json!({ "token": token, "name": "我的电脑", "credential": key.make(&asked.json()) });
    post(browser, "/account/passkey/add", &made).await
}

/// A person with a passkey, and the browser it was added in.
async fn person_with_key(app: &TestApp, name: &str) -> (Device, Key) {
    let (browser, person) = (app.desktop(), app.person(name).await);
    sign_in(app, &browser, &person).await;
    let mut key = Key::new(&format!("key of {name}"));
    let added = add(&browser, &mut key).await;
    assert_eq!(added.json()["redirect"], "/account?notice=passkey_added", "{}", added.body);
    (browser, key)
}

async fn ask(page: &LoginPage) -> Value {
    let asked = post(&page.browser, &page.url("passkey/options"), &json!({})).await;
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
    asked.json()
}

async fn answer(page: &LoginPage, answer: &Value) -> Answer {
    post(&page.browser, &page.url("passkey/verify"), answer).await
}

/// What the login page says of a key's answer; it signs nobody in.
async fn refusal(app: &TestApp, key: &mut Key) -> String {
    let page = app.open_login(&app.desktop()).await;
    let asked = ask(&page).await;
    let told = answer(&page, &key.sign(&asked)).await;
    assert!(told.status.is_client_error(), "{} {}", told.status, told.body);
    assert_eq!(page.stage().await, "waiting", "promise 1");
    assert!(page.browser.cookie("mashang_session").is_none());
    told.json()["error"].as_str().unwrap().to_owned()
}

async fn kinds(app: &TestApp, n: u32) -> Vec<AuditKind> {
    app.app.records.audit_trail(n).await.unwrap().into_iter().map(|event| event.kind).collect()
}

async fn only_user(app: &TestApp) -> mashang_login::ids::UserId {
    let mut users = app.app.records.users("", 10).await.unwrap();
    assert_eq!(users.len(), 1, "nobody new");
    users.remove(0).id
}

#[tokio::test]
async fn a_key_is_added_and_signs_its_person_in_without_a_name() {
    let app = app().await;
    let (browser, mut key) = person_with_key(&app, "小明").await;
    assert!(kinds(&app, 1).await.contains(&AuditKind::PasskeyAdded));
    let page = browser.get("/account").await.body;
    assert!(page.contains("我的电脑") && page.contains("从未"));

    let elsewhere = app.desktop();
    let page = app.open_login(&elsewhere).await;
    let tab = elsewhere.get(&format!("{}?channel=key", page.path)).await.body;
    assert!(
        tab.contains("data-passkey=\"get\"") && !tab.contains("login.js"),
        "under the tab nothing is waited for"
    );
    let told = answer(&page, &key.sign(&ask(&page).await)).await;
    let back = told.json()["redirect"].as_str().unwrap().to_owned();
    let tokens = app.exchange(&param(&back, "code")).await.json();
    let claims = claims(tokens["id_token"].as_str().unwrap());
    assert_eq!(claims["sub"], only_user(&app).await.as_str());
    assert_eq!(claims["amr"], json!(["passkey"]));
    let user = only_user(&app).await;
    let record = app.app.credentials.passkeys_of(&user).await.unwrap().remove(0);
    assert!(record.last_used_at.is_some());
    assert_eq!(elsewhere.cookie("mashang_way").as_deref(), Some("key"), "its tab is open the next time");
    assert!(
        app.app.records.user(&user).await.unwrap().unwrap().nickname.is_some(),
        "a key takes no name away"
    );
}

#[tokio::test]
async fn sec_14_a_question_is_answered_once_and_by_the_browser_that_asked() {
    let app = app().await;
    let (_, mut key) = person_with_key(&app, "小明").await;
    let page = app.open_login(&app.desktop()).await;
    let theirs = app.open_login(&app.desktop()).await;
    let asked = ask(&page).await;

    let stolen = answer(&theirs, &key.sign(&asked)).await;
    assert_eq!(
        (stolen.status, &stolen.json()["error"]),
        (StatusCode::GONE, &json!("late")),
        "another browser's"
    );
    let invented = answer(&page, &key.sign_challenge("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")).await;
    assert_eq!(invented.body, stolen.body, "never asked");
    let elsewhere = post(&page.browser, &theirs.url("passkey/options"), &json!({})).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND, "SEC-56");

    let signed = key.sign(&asked);
    assert_eq!(answer(&page, &signed).await.status, StatusCode::OK);
    let again = app.open_login_with(&page.browser, &[("prompt", "login")]).await;
    let replayed = answer(&again, &signed).await;
    assert_eq!(replayed.body, stolen.body, "answered before");

    let asked = ask(&again).await;
    app.pass(Duration::from_secs(300));
    let late = answer(&again, &key.sign(&asked)).await;
    assert_eq!(late.body, stolen.body, "promise 4: too late");
}

#[tokio::test]
async fn promise_3_of_two_answers_to_one_question_one_counts() {
    let app = app().await;
    let (_, mut key) = person_with_key(&app, "小明").await;
    let page = app.open_login(&app.desktop()).await;
    let asked = ask(&page).await;
    let (one, other) = (key.sign(&asked), key.sign(&asked));
    let (first, second) = tokio::join!(answer(&page, &one), answer(&page, &other));
    let done = [&first, &second].into_iter().filter(|told| told.status == StatusCode::OK).count();
    assert_eq!(done, 1, "{} {}", first.body, second.body);
}

#[tokio::test]
async fn what_a_key_says_at_another_site_or_unasked_counts_for_nothing() {
    let app = app().await;
    let (_, mut key) = person_with_key(&app, "小明").await;
    for origin in [
        "http://localhost:8081",
        "https://localhost:8080",
        "http://evil.localhost:8080",
        "http://127.0.0.1:8080",
    ] {
        key.origin = origin;
        assert_eq!(refusal(&app, &mut key).await, "not_proven", "{origin}");
    }
    key.origin = "http://localhost:8080";
    key.rp_id = "evil.example";
    assert_eq!(refusal(&app, &mut key).await, "not_proven", "another site's key");
    key.rp_id = "localhost";
    key.is_framed = true;
    assert_eq!(refusal(&app, &mut key).await, "not_proven", "in somebody's frame");
    key.is_framed = false;
    key.is_unlocked = false;
    assert_eq!(refusal(&app, &mut key).await, "not_unlocked", "a finger on it is no proof of whose finger");
    key.is_unlocked = true;

    let mut impostor = Key::new("key of 小明");
    impostor.handle.clone_from(&key.handle);
    impostor.counter = 100;
    assert_eq!(refusal(&app, &mut impostor).await, "not_proven", "another key under the same id");
    let handle = std::mem::replace(&mut key.handle, vec![7; 16]);
    assert_eq!(refusal(&app, &mut key).await, "not_proven", "in another person's name");
    key.handle = handle;
    assert_eq!(refusal(&app, &mut Key::new("never seen")).await, "unknown");
    let page = app.open_login(&app.desktop()).await;
    assert_eq!(
        answer(&page, &key.sign(&ask(&page).await)).await.status,
        StatusCode::OK,
        "the key itself is fine"
    );
}

#[tokio::test]
async fn sec_78_a_key_whose_counter_goes_back_is_refused_and_told() {
    let app = app().await;
    let (_, mut key) = person_with_key(&app, "小明").await;
    let page = app.open_login(&app.desktop()).await;
    key.counter = 40;
    assert_eq!(answer(&page, &key.sign(&ask(&page).await)).await.status, StatusCode::OK);
    key.counter = 10;
    assert_eq!(refusal(&app, &mut key).await, "cloned");
    assert!(kinds(&app, 2).await.contains(&AuditKind::SignInRefused));
}

#[tokio::test]
async fn a_removed_key_leads_nowhere_and_what_it_opened_has_ended() {
    let app = app().await;
    let (browser, mut key) = person_with_key(&app, "小明").await;
    let opened = app.desktop();
    let page = app.open_login(&opened).await;
    answer(&page, &key.sign(&ask(&page).await)).await;
    assert_eq!(opened.get("/account").await.status, StatusCode::OK);

    let account = browser.get("/account").await;
    let row = account.between("data-passkey-row", "</li>").replace("&#x2f;", "/");
    let token = row.split("/account/unlink").nth(1).unwrap().split("value=\"").nth(1).unwrap();
    let token = token.split('"').next().unwrap();
    let removed = browser.post("/account/unlink", &[("token", token)]).await;
    assert_eq!(removed.location(), "/account?notice=passkey_removed");
    assert_eq!(refusal(&app, &mut key).await, "unknown");
    assert!(opened.get("/account").await.location().starts_with("/login/"));
    assert_eq!(add(&browser, &mut key).await.status, StatusCode::OK, "it can be added again");
}

#[tokio::test]
async fn a_key_is_one_persons_and_gets_another_name_from_them_only() {
    let app = app().await;
    let (browser, mut key) = person_with_key(&app, "小明").await;
    let other = app.desktop();
    sign_in(&app, &other, &app.person("别人").await).await;
    let told = add(&other, &mut key).await;
    assert_eq!((told.status, &told.json()["error"]), (StatusCode::CONFLICT, &json!("taken")));

    let account = browser.get("/account").await;
    let row = account.between("data-passkey-row", "</li>").replace("&#x2f;", "/");
    let token = row.split("/account/passkey/rename").nth(1).unwrap().split("value=\"").nth(1).unwrap();
    let form = [("token", token.split('"').next().unwrap()), ("name", " 旧\u{202e}手机 ")];
    assert_eq!(other.post("/account/passkey/rename", &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(
        browser.post("/account/passkey/rename", &form).await.location(),
        "/account?notice=passkey_renamed"
    );
    assert!(browser.get("/account").await.body.contains("旧手机"), "SEC-68");
}

#[tokio::test]
async fn sec_38_a_key_is_added_after_a_fresh_approval_only_and_by_the_page_itself() {
    let app = app().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let token = add_token(&browser).await;
    let stranger = app.desktop();
    sign_in(&app, &stranger, &app.person("别人").await).await;
    for (who, token) in [(&stranger, token.as_str()), (&browser, ""), (&browser, "x")] {
        let told = post(who, "/account/passkey/options", &json!({ "token": token })).await;
        assert_eq!(told.status, StatusCode::FORBIDDEN);
    }
    // A question that another session asked is not answered in this one.
    let asked = post(&browser, "/account/passkey/options", &json!({ "token": token })).await.json();
    let theirs = json!({ "token": add_token(&stranger).await, "credential": Key::new("k").make(&asked) });
    let told = post(&stranger, "/account/passkey/add", &theirs).await;
    assert_eq!(told.json()["error"], "late");

    app.pass(Duration::from_secs(300));
    let asked = post(&browser, "/account/passkey/options", &json!({ "token": token })).await;
    assert!(asked.json()["redirect"].as_str().unwrap().starts_with("/login/"), "{}", asked.body);
    let nobody = post(&app.desktop(), "/account/passkey/options", &json!({ "token": token })).await;
    assert_eq!(nobody.json()["redirect"], "/account");
    let mut locked = Key::new("locked");
    locked.is_unlocked = false;
    sign_in(&app, &app.desktop(), &person).await;
    let fresh = app.desktop();
    sign_in(&app, &fresh, &person).await;
    assert_eq!(add(&fresh, &mut locked).await.json()["error"], "not_unlocked");
}

#[tokio::test]
async fn promise_2_on_a_phone_a_key_is_the_scan_and_not_the_answer() {
    let app = app().await;
    let (_, mut key) = person_with_key(&app, "小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.device(PHONE);
    let opened = phone.get(&format!("/s/{}?via=browser", page.ticket)).await;
    assert!(opened.body.contains("data-passkey=\"get\""), "{}", opened.body);
    assert_eq!(page.stage().await, "waiting", "SEC-07: opening changes nothing");

    let asked = post(&phone, &format!("/s/{}/passkey/options", page.ticket), &json!({})).await.json();
    let other_phone = app.device(PHONE);
    let verify = format!("/s/{}/passkey/verify", page.ticket);
    assert_eq!(post(&other_phone, &verify, &key.sign(&asked)).await.json()["error"], "late", "no cookie");
    let told = post(&phone, &verify, &key.sign(&asked)).await;
    assert_eq!(told.json()["redirect"], format!("/s/{}/confirm", page.ticket), "{}", told.body);
    assert_eq!(page.stage().await, "scanned");

    let confirm = phone.get(&format!("/s/{}/confirm", page.ticket)).await;
    assert!(confirm.body.contains("小明") && !confirm.body.contains(&format!(">{}<", page.number)), "SEC-09");
    let token = confirm.between("name=\"confirm_token\" value=\"", "\"").to_owned();
    let approved = app.approve(&phone, &page, &token, &page.number).await;
    assert!(approved.location().ends_with("outcome=approved"));
    assert!(page.redeem().await.contains("code="));
    only_user(&app).await;
    assert!(phone.cookie("mashang_session").is_none(), "the phone is not signed in by it");
}

/// Each question takes one of the places that codes by e-mail and SMS lie in too.
#[tokio::test]
async fn sec_79_one_address_asks_for_no_more_keys_than_an_office_needs() {
    let app = app().await;
    let page = app.open_login(&app.desktop()).await;
    let options = format!("/s/{}/passkey/options", page.ticket);
    let mut asked = 0;
    while post(&app.device(PHONE), &options, &json!({})).await.status == StatusCode::OK {
        asked += 1;
        assert!(asked < 300, "nobody was told to wait");
    }
    assert!(asked >= 90);
    app.open_login(&app.desktop()).await;
}

#[tokio::test]
async fn a_ticket_that_another_phone_took_is_not_taken_over_by_a_key() {
    let app = app().await;
    let (_, mut key) = person_with_key(&app, "小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.device(PHONE);
    let options = format!("/s/{}/passkey/options", page.ticket);
    let asked = post(&phone, &options, &json!({})).await.json();
    app.scan(&app.phone(), &page.ticket, &app.person("别人").await).await;
    let told = post(&phone, &format!("/s/{}/passkey/verify", page.ticket), &key.sign(&asked)).await;
    assert!(told.json()["redirect"].as_str().unwrap().ends_with("outcome=taken"), "{}", told.body);
    let told = post(&phone, &options, &json!({})).await;
    assert!(told.json()["redirect"].as_str().unwrap().ends_with("outcome=taken"));
    let told = post(&phone, "/s/AAAAAAAAAAAAAAAAAAAAAA/passkey/options", &json!({})).await;
    assert!(told.json()["redirect"].as_str().unwrap_or("outcome=expired").ends_with("outcome=expired"));
}

#[tokio::test]
async fn a_question_to_a_phone_is_none_to_a_browser() {
    let app = app().await;
    let (_, mut key) = person_with_key(&app, "小明").await;
    let both = app.device(PHONE);
    let page = app.open_login(&both).await;
    let asked = post(&both, &format!("/s/{}/passkey/options", page.ticket), &json!({})).await.json();
    assert_eq!(answer(&page, &key.sign(&asked)).await.json()["error"], "late");
}

#[tokio::test]
async fn sec_38_a_key_adds_nothing_to_an_account_and_obeys_what_a_website_admits() {
    let app = app().await;
    let (browser, mut key) = person_with_key(&app, "小明").await;
    let linking = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    assert!(!linking.html.contains("?channel=key"));
    let asked = post(&browser, &linking.url("passkey/options"), &json!({})).await;
    assert_eq!(asked.status, StatusCode::BAD_REQUEST);
    let phone = app.device(PHONE);
    let opened = phone.get(&format!("/s/{}?via=browser", linking.ticket)).await;
    assert!(!opened.body.contains("data-passkey"));
    let asked = post(&phone, &format!("/s/{}/passkey/options", linking.ticket), &json!({})).await;
    assert_eq!(asked.status, StatusCode::BAD_REQUEST);

    let page = app.open_login(&app.desktop()).await;
    let asked = ask(&page).await;
    let mut site = app.app.records.client(&"site".parse().unwrap()).await.unwrap().unwrap();
    site.settings.channels = vec!["wechat".parse().unwrap()];
    app.save_client(site).await;
    assert_eq!(answer(&page, &key.sign(&asked)).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(page.stage().await, "waiting");
}

#[tokio::test]
async fn sec_40_a_switched_off_person_is_refused_in_spite_of_their_key() {
    let app = app().await;
    let (_, mut key) = person_with_key(&app, "小明").await;
    app.app.records.set_user_disabled(&only_user(&app).await, Some(app.app.now())).await.unwrap();
    let page = app.open_login(&app.desktop()).await;
    let told = answer(&page, &key.sign(&ask(&page).await)).await;
    assert_eq!((told.status, &told.json()["error"]), (StatusCode::FORBIDDEN, &json!("person_disabled")));
}

#[tokio::test]
async fn nonsense_is_refused_in_json() {
    let app = app().await;
    let page = app.open_login(&app.desktop()).await;
    for body in [
        json!({}),
        json!([]),
        json!({ "id": "x" }),
        json!({ "id": "x", "rawId": "!", "type": "public-key", "response": {} }),
    ] {
        let told = answer(&page, &body).await;
        assert_eq!(
            (told.status, &told.json()["error"]),
            (StatusCode::BAD_REQUEST, &json!("bad_request")),
            "{body}"
        );
    }
    let empty = json!({ "id": "", "rawId": "", "type": "public-key",
        "response": { "clientDataJSON": "AA", "authenticatorData": "", "signature": "", "userHandle": null } });
    assert_eq!(answer(&page, &empty).await.json()["error"], "not_proven");
    let cross = page.browser.clone().with("sec-fetch-site", "cross-site");
    assert_eq!(
        post(&cross, &page.url("passkey/options"), &json!({})).await.status,
        StatusCode::FORBIDDEN,
        "SEC-64"
    );
}

#[tokio::test]
async fn at_an_address_of_numbers_the_tab_says_where_to_go_instead() {
    let app = TestApp::with_config("[channel.key]\nkind = \"passkey\"\norder = 3\n").await;
    let page = app.open_login_with(&app.desktop(), &[("login_hint", "key")]).await;
    assert!(page.html.replace("&#x2f;", "/").contains("http://localhost:8080"), "{}", page.html);
    assert!(!page.html.contains("data-passkey-button"));
    let asked = post(&page.browser, &page.url("passkey/options"), &json!({})).await;
    assert_eq!(asked.status, StatusCode::BAD_REQUEST);
    let config = config::from_text("[channel.key]\nkind = \"passkey\"").unwrap();
    assert!(config.hints().iter().any(|hint| hint.contains("http://localhost:8080")), "{:?}", config.hints());
    let foreign = config::from_text(
        "[server]\npublic_url = \"https://login.example.com\"\n[channel.key]\nkind = \"passkey\"\nrp_id = \"example.org\"",
    );
    assert!(foreign.unwrap_err().to_string().contains("example.org"));
}

// ---- a phone whose browser is signed in ----

async fn signed_in_phone(app: &TestApp, person: &str) -> Device {
    let phone = app.device(PHONE);
    sign_in(app, &phone, person).await;
    phone
}

/// The token of the button that goes on as whoever is signed in.
async fn continue_token(phone: &Device, ticket: &str) -> Option<String> {
    let page = phone.get(&format!("/s/{ticket}?via=browser")).await.body.replace("&#x2f;", "/");
    let form = page.split(&format!("/s/{ticket}/continue")).nth(1)?;
    Some(form.split("name=\"token\" value=\"").nth(1)?.split('"').next()?.to_owned())
}

#[tokio::test]
async fn promise_2_a_signed_in_phone_goes_on_as_its_person_and_is_asked() {
    let app = app().await;
    let person = app.person("小明").await;
    let phone = signed_in_phone(&app, &person).await;
    let began = app.app.now();
    app.pass(Duration::from_secs(3600));
    let page = app.open_login(&app.desktop()).await;
    let token = continue_token(&phone, &page.ticket).await.expect("offered");
    assert_eq!(page.stage().await, "waiting");
    let address = format!("/s/{}/continue", page.ticket);
    for (who, token) in
        [(&phone, "x"), (&signed_in_phone(&app, &app.person("别人").await).await, token.as_str())]
    {
        assert_eq!(who.post(&address, &[("token", token)]).await.status, StatusCode::FORBIDDEN);
    }
    let gone = phone.post(&address, &[("token", &token)]).await;
    assert_eq!(gone.location(), format!("/s/{}/confirm", page.ticket));
    assert_eq!(page.stage().await, "scanned");
    let confirm = phone.get(gone.location()).await;
    let token = confirm.between("name=\"confirm_token\" value=\"", "\"").to_owned();
    app.approve(&phone, &page, &token, &page.number).await;
    let back = page.redeem().await;
    let tokens = app.exchange(&param(&back, "code")).await.json();
    let auth_time = claims(tokens["id_token"].as_str().unwrap())["auth_time"].as_i64().unwrap();
    assert_eq!(auth_time, began.as_second(), "a repeated login is no fresh one");
    let user = app.app.records.users("小明", 1).await.unwrap().remove(0);
    let sessions = app.app.records.sessions_of(&user.id, app.app.now()).await.unwrap();
    let ends: Vec<_> = sessions.iter().map(|session| session.expires_at).collect();
    assert_eq!(ends, [ends[0], ends[0]], "and lasts no longer: sessions do not beget sessions for ever");
}

#[tokio::test]
async fn sec_55_a_session_of_the_phone_is_no_fresh_approval() {
    let app = app().await;
    let person = app.person("小明").await;
    let phone = signed_in_phone(&app, &person).await;
    let fresh = app.open_login_with(&app.desktop(), &[("prompt", "login")]).await;
    assert_eq!(continue_token(&phone, &fresh.ticket).await, None);
    let computer = app.desktop();
    let to_login = computer.get("/account").await.location().to_owned();
    let account = app.login_page(&computer, &to_login).await;
    assert_eq!(continue_token(&phone, &account.ticket).await, None, "it opens no account page");
    app.pass(Duration::from_secs(120));
    let young = app.open_login_with(&app.desktop(), &[("max_age", "60")]).await;
    assert_eq!(continue_token(&phone, &young.ticket).await, None);
    let any = app.open_login(&app.desktop()).await;
    let token = continue_token(&phone, &any.ticket).await.expect("otherwise it is");
    phone.cookies.lock().unwrap().remove("mashang_session");
    let gone = phone.post(&format!("/s/{}/continue", any.ticket), &[("token", &token)]).await;
    assert_eq!(gone.location(), format!("/s/{}?via=browser", any.ticket));
    assert_eq!(any.stage().await, "waiting");
}
