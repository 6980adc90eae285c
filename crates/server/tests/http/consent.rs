//! `/consent/{grant}`: who asks, what they get, yes or no; and how clients look on our pages.

use std::time::Duration;

use http::{Method, StatusCode};
use mashang_login::client::logo::Logo;
use mashang_login::client::{Client, ClientSettings};
use mashang_login::grant::ScopeSet;

use crate::support::{Answer, Device, LoginPage, SITE, TestApp, form_of, param};

/// A server whose `site` asks for consent.
async fn asking() -> TestApp {
    let app = TestApp::start().await;
    switch(&app, "site", |settings| settings.consent = true).await;
    app
}

async fn switch(app: &TestApp, id: &str, change: impl FnOnce(&mut ClientSettings)) {
    let client = app.app.records.client(&id.parse().unwrap()).await.unwrap().unwrap();
    let mut settings = client.settings.clone();
    change(&mut settings);
    app.save_client(Client { settings, ..client }).await;
}

/// The browser approves on its phone a second after it asked.
async fn approve(app: &TestApp, page: &LoginPage, person: &str) -> String {
    app.pass(Duration::from_secs(1));
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, person).await;
    app.approve(&phone, page, &token, &page.number).await;
    page.redeem().await
}

async fn sign_in(app: &TestApp, browser: &Device, person: &str, changes: &[(&str, &str)]) -> String {
    let page = app.open_login_with(browser, changes).await;
    approve(app, &page, person).await
}

async fn answer(browser: &Device, path: &str, page: &Answer, answer: &str) -> Answer {
    let token = page.between("name=\"token\" value=\"", "\"").to_owned();
    browser.post(path, &[("token", &token), ("answer", answer)]).await
}

/// Shows the page and agrees: where the browser is sent.
async fn agree(browser: &Device, path: &str) -> String {
    let page = browser.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.location());
    answer(browser, path, &page, "agree").await.location().to_owned()
}

#[tokio::test]
async fn a_website_is_answered_only_after_the_person_agreed_and_they_are_asked_once() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小明").await;
    let to = sign_in(&app, &browser, &person, &[]).await;
    assert!(to.starts_with("/consent/"), "{to}");
    let page = browser.get(&to).await;
    assert!(page.body.contains("样例 &lt;Site&gt;") && page.body.contains("小明"), "{}", page.body);
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("frame-ancestors 'none'")
            && policy.contains("form-action 'self' https: http://127.0.0.1:9")
    );
    let website = answer(&browser, &to, &page, "agree").await;
    assert_eq!(website.status, StatusCode::SEE_OTHER);
    assert!(website.location().starts_with(SITE), "{}", website.location());
    assert_eq!(param(website.location(), "state"), "st4te");
    let tokens = app.exchange(&param(website.location(), "code")).await;
    assert_eq!(tokens.status, StatusCode::OK, "{}", tokens.body);

    let again = browser.get(&app.authorize_path(&[])).await;
    assert!(again.location().starts_with(SITE), "agreed before: {}", again.location());
    let fresh = sign_in(&app, &app.desktop(), &person, &[]).await;
    assert!(fresh.starts_with(SITE), "agreed before, in another browser: {fresh}");
    let more = browser.get(&app.authorize_path(&[("scope", "openid profile email")])).await;
    assert!(more.location().starts_with("/consent/"), "more is asked: {}", more.location());
}

#[tokio::test]
async fn whoever_declines_goes_back_without_a_code_and_is_asked_again() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小红").await;
    let to = sign_in(&app, &browser, &person, &[]).await;
    let page = browser.get(&to).await;
    let back = answer(&browser, &to, &page, "decline").await;
    assert!(back.location().starts_with(SITE));
    assert_eq!(
        (param(back.location(), "error").as_str(), param(back.location(), "code").as_str()),
        ("access_denied", "")
    );
    assert_eq!(param(back.location(), "state"), "st4te");
    assert_eq!(browser.get(&to).await.status, StatusCode::GONE, "the request is over");
    let next = browser.get(&app.authorize_path(&[])).await;
    assert!(next.location().starts_with("/consent/"), "{}", next.location());
}

#[tokio::test]
async fn sec_64_the_answer_needs_the_token_of_this_session_and_this_request() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小刚").await;
    let to = sign_in(&app, &browser, &person, &[]).await;
    let page = browser.get(&to).await;
    let other = browser.get(&app.authorize_path(&[("scope", "openid")])).await.location().to_owned();
    assert!(other.starts_with("/consent/"));
    let of_other = browser.get(&other).await.between("name=\"token\" value=\"", "\"").to_owned();
    for token in ["", "x", of_other.as_str()] {
        let refused = browser.post(&to, &[("token", token), ("answer", "agree")]).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{token}");
    }
    let from_elsewhere = browser.clone().with("sec-fetch-site", "cross-site");
    assert_eq!(answer(&from_elsewhere, &to, &page, "agree").await.status, StatusCode::FORBIDDEN);
    for incomplete in [form_of(&[("answer", "agree")]), form_of(&[("token", "x"), ("answer", "perhaps")])] {
        let refused = browser.send(Method::POST, &to, Some(incomplete)).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    }
    assert!(answer(&browser, &to, &page, "agree").await.location().starts_with(SITE), "nothing was spent");
}

#[tokio::test]
async fn sec_56_the_page_is_of_the_browser_that_asked_and_of_whoever_is_signed_in_there() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小芳").await;
    let to = sign_in(&app, &browser, &person, &[]).await;
    assert_eq!(app.desktop().get(&to).await.status, StatusCode::NOT_FOUND);
    assert_eq!(browser.get("/consent/unknown").await.status, StatusCode::NOT_FOUND);
    let page = browser.get(&to).await;
    browser.cookies.lock().unwrap().remove("mashang_session");
    let led = browser.get(&to).await;
    assert!(led.location().starts_with("/login/"), "signed out meanwhile: {}", led.location());
    let led = answer(&browser, &to, &page, "agree").await;
    assert!(led.location().starts_with("/login/"), "{}", led.location());
}

#[tokio::test]
async fn sec_90_the_page_offers_and_remembers_no_more_than_the_website_may_have() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小安").await;
    let asks = [("scope", "openid profile wechat_openid")];
    let to = sign_in(&app, &browser, &person, &asks).await;
    assert!(browser.get(&to).await.body.contains("微信 openid"), "before: {}", browser.get(&to).await.body);
    // The operator names its scopes while the person reads.
    let scopes = |text: &str| ScopeSet::parse(text);
    switch(&app, "site", |settings| settings.scopes = scopes("openid profile")).await;
    let page = browser.get(&to).await;
    assert!(page.body.contains("小安") && !page.body.contains("微信 openid"), "{}", page.body);
    assert!(answer(&browser, &to, &page, "agree").await.location().starts_with(SITE));
    let again = browser.get(&app.authorize_path(&asks)).await;
    assert!(
        again.location().starts_with(SITE),
        "nobody is asked for what is not given: {}",
        again.location()
    );
    switch(&app, "site", |settings| settings.scopes = scopes("")).await;
    let more = browser.get(&app.authorize_path(&asks)).await;
    assert!(more.location().starts_with("/consent/"), "nobody agreed to it: {}", more.location());
}

#[tokio::test]
async fn prompt_none_is_told_that_the_person_must_be_asked() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小李").await;
    let to = sign_in(&app, &browser, &person, &[]).await;
    let silent = browser.get(&app.authorize_path(&[("prompt", "none")])).await;
    assert_eq!(param(silent.location(), "error"), "consent_required");
    agree(&browser, &to).await;
    let silent = browser.get(&app.authorize_path(&[("prompt", "none")])).await;
    assert!(!param(silent.location(), "code").is_empty(), "{}", silent.location());
}

#[tokio::test]
async fn prompt_consent_asks_again_and_needs_no_scan() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小王").await;
    let to = sign_in(&app, &browser, &person, &[]).await;
    agree(&browser, &to).await;
    let again = browser.get(&app.authorize_path(&[("prompt", "consent")])).await;
    assert!(again.location().starts_with("/consent/"), "{}", again.location());
    assert!(agree(&browser, again.location()).await.starts_with(SITE));
}

#[tokio::test]
async fn sec_55_prompt_login_scans_once_and_then_asks() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小赵").await;
    let to = sign_in(&app, &browser, &person, &[]).await;
    agree(&browser, &to).await;
    app.pass(Duration::from_secs(60));
    let to = sign_in(&app, &browser, &person, &[("prompt", "login"), ("scope", "openid email")]).await;
    assert!(to.starts_with("/consent/"), "{to}");
    assert!(agree(&browser, &to).await.starts_with(SITE), "the scan since the request is enough");
}

#[tokio::test]
async fn a_withdrawn_agreement_is_asked_for_anew() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小周").await;
    let to = sign_in(&app, &browser, &person, &[]).await;
    let website = agree(&browser, &to).await;
    let tokens = app.exchange(&param(&website, "code")).await.json();
    let token = tokens["access_token"].as_str().unwrap();
    let sub = app.userinfo(token).await.json()["sub"].as_str().unwrap().to_owned();
    let (user, client) = (sub.parse().unwrap(), "site".parse().unwrap());
    assert!(app.app.consents.withdraw_consent(&user, &client, app.app.now()).await.unwrap());
    assert_eq!(app.userinfo(token).await.status, StatusCode::UNAUTHORIZED, "what it held has ended");
    let again = browser.get(&app.authorize_path(&[])).await;
    assert!(again.location().starts_with("/consent/"), "{}", again.location());
}

#[tokio::test]
async fn sec_40_nobody_who_was_switched_off_meanwhile_is_asked_or_answered() {
    let app = asking().await;
    let browser = app.desktop();
    let person = app.person("小吴").await;
    let to = sign_in(&app, &browser, &person, &[]).await;
    let page = browser.get(&to).await;
    let user = app.app.records.users("小吴", 1).await.unwrap().remove(0);
    app.app.records.set_user_disabled(&user.id, Some(app.app.now())).await.unwrap();
    let led = answer(&browser, &to, &page, "agree").await;
    assert!(led.location().starts_with("/login/"), "{} {}", led.status, led.location());
    let refused = app.phone();
    let again = app.login_page(&browser, led.location()).await;
    let told = app.callback_of(&refused, &again.ticket, &person).await;
    assert!(!told.location().contains("approved"), "{}", told.location());
}

/// The address of a file of `site` that a page names; in pages the slashes are encoded.
fn versioned(html: &str, file: &str) -> String {
    let mark = format!("{file}?v=");
    let version = html.split(&mark).nth(1).unwrap_or_else(|| panic!("no {file} in {html}"));
    format!("/client/site/{mark}{}", version.split('"').next().unwrap())
}

#[tokio::test]
async fn a_logo_and_a_colour_come_from_us_and_are_what_was_registered() {
    let app = TestApp::start().await;
    let plain = app.open_login(&app.desktop()).await;
    assert!(!plain.html.contains("logo?v=") && !plain.html.contains("brand.css"), "nothing registered");
    assert_eq!(app.desktop().get("/client/site/logo").await.status, StatusCode::NOT_FOUND);
    // A picture whose bytes are text: the test's devices read nothing else.
    let picture = "RIFF0000WEBPVP8 ";
    let logo = Logo::read(picture.into()).unwrap();
    switch(&app, "site", |settings| settings.logo = Some(logo)).await;
    let page = app.open_login(&app.desktop()).await;
    let href = versioned(&page.html, "logo");
    let logo = app.desktop().get(&href).await;
    assert_eq!(
        (logo.status, logo.header("content-type"), logo.body.as_str()),
        (StatusCode::OK, "image/webp", picture)
    );
    assert_eq!(logo.header("x-content-type-options"), "nosniff");
    assert!(logo.header("content-security-policy").starts_with("default-src 'none'"));
    let person = app.person("小孙").await;
    let phone = app.phone();
    let back = app.callback_of(&phone, &page.ticket, &person).await;
    assert_eq!(versioned(&phone.get(back.location()).await.body, "logo"), href, "and on the confirm page");
    switch(&app, "site", |settings| settings.brand_color = Some("#07c160".parse().unwrap())).await;
    let page = app.open_login(&app.desktop()).await;
    let href = versioned(&page.html, "brand.css");
    let css = app.desktop().get(&href).await;
    assert_eq!((css.status, css.header("content-type")), (StatusCode::OK, "text/css; charset=utf-8"));
    assert!(css.body.contains("--accent-ink: #000000"), "{}", css.body);
    for missing in ["/client/nobody/brand.css", "/client/a%20b/logo", "/client/spa/brand.css"] {
        assert_eq!(app.desktop().get(missing).await.status, StatusCode::NOT_FOUND, "{missing}");
    }
}
