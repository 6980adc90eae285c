//! `/account`: signing in without a website, linking, unlinking.

use std::time::Duration;

use http::StatusCode;
use mashang_login::audit::AuditKind;

use crate::support::{Device, LoginPage, TestApp};

/// What the page's forms carry.
struct Account {
    html: String,
}

impl Account {
    async fn of(browser: &Device) -> Self {
        let page = browser.get("/account").await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.location());
        Self { html: page.body.replace("&#x2f;", "/") }
    }

    /// The hidden token of the `n`th form for `action`.
    fn token(&self, action: &str, n: usize) -> String {
        let form = self.html.split(&format!("action=\"{action}\"")).nth(n + 1).expect("the form is there");
        form.split("name=\"token\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    fn says(&self, words: &str) -> bool {
        self.html.contains(words)
    }
}

/// Approves an open login page on a phone and collects.
async fn approve(app: &TestApp, page: &LoginPage, person: &str) -> String {
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, person).await;
    app.approve(&phone, page, &token, &page.number).await;
    page.redeem().await
}

/// Signs in at the account page.
pub async fn sign_in(app: &TestApp, browser: &Device, person: &str) {
    let to_login = browser.get("/account").await;
    let page = app.login_page(browser, to_login.location()).await;
    assert_eq!(approve(app, &page, person).await, "/account");
}

/// Presses the button that links by `channel`; where it leads.
pub async fn press_link(browser: &Device, channel: &str) -> String {
    let token = Account::of(browser).await.token("/account/link", 0);
    let answer = browser.post("/account/link", &[("token", &token), ("channel", channel)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.location().to_owned()
}

async fn press_unlink(browser: &Device, n: usize) -> String {
    let token = Account::of(browser).await.token("/account/unlink", n);
    let answer = browser.post("/account/unlink", &[("token", &token)]).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
    answer.location().to_owned()
}

async fn identities(app: &TestApp) -> Vec<usize> {
    let mut counts = Vec::new();
    for user in app.app.records.users("", 100).await.unwrap() {
        counts.push(app.app.records.identities_of(&user.id).await.unwrap().len());
    }
    counts.sort_unstable();
    counts
}

async fn newest(app: &TestApp) -> AuditKind {
    app.app.records.audit_trail(1).await.unwrap()[0].kind
}

#[tokio::test]
async fn whoever_is_not_signed_in_scans_and_is_back_without_a_code() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let account = Account::of(&browser).await;
    assert!(account.says("小明") && account.says("微信"));
    assert!(!account.says("/account/unlink"), "the only way to sign in has no button to take it away");
    let user = app.app.records.users("", 1).await.unwrap().remove(0);
    let identity = app.app.records.identities_of(&user.id).await.unwrap().remove(0);
    assert!(!account.says(&identity.key.subject), "promise 10: no whole openid in the page");
    assert_eq!(newest(&app).await, AuditKind::SignedIn);
}

#[tokio::test]
async fn a_session_of_a_website_opens_the_page_and_the_other_way_round() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let answer = browser.get(&app.authorize_path(&[])).await;
    assert!(answer.location().contains("code="), "single sign-on: {}", answer.location());
    let other = app.desktop();
    app.log_in(&other, &person).await;
    assert!(Account::of(&other).await.says("小明"));
}

#[tokio::test]
async fn going_back_without_a_login_does_not_begin_the_next_one() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let to_login = browser.get("/account").await;
    let page = app.login_page(&browser, to_login.location()).await;
    let back = browser.post(&page.url("cancel"), &[]).await;
    assert!(back.location().contains("/account?error=access_denied"), "{}", back.location());
    assert_eq!(browser.get(back.location()).await.location(), "/");
}

#[tokio::test]
async fn sec_38_another_identity_is_linked_and_signs_in_as_the_same_person() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let (person, second) = (app.person("小明").await, app.person("小号").await);
    sign_in(&app, &browser, &person).await;
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    assert!(page.html.contains("绑定到") && page.html.contains("小明 的账号"), "it says what is being done");

    let phone = app.phone();
    let answer = app.callback_of(&phone, &page.ticket, &second).await;
    let confirm = phone.get(answer.location()).await;
    assert!(confirm.body.contains("要绑定到您的账号吗") && confirm.body.contains("小明 的账号"));
    let token = confirm.between("name=\"confirm_token\" value=\"", "\"");
    app.approve(&phone, &page, token, &page.number).await;
    assert_eq!(page.redeem().await, "/account?notice=linked");
    assert_eq!(newest(&app).await, AuditKind::IdentityLinked);
    assert_eq!(identities(&app).await, [2]);
    assert!(browser.get("/account?notice=linked").await.body.contains("绑定成功"));

    let elsewhere = app.desktop();
    sign_in(&app, &elsewhere, &second).await;
    assert_eq!(identities(&app).await, [2], "nobody new");
}

/// A platform's page says "sign in" whatever the grant ends in, so none is offered, and none is reached by hand.
#[tokio::test]
async fn sec_38_a_channel_whose_platform_asks_links_nobody() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let account = Account::of(&browser).await;
    assert!(account.says("value=\"wechat\"") && !account.says("value=\"web\""));
    let token = account.token("/account/link", 0);
    let form = [("token", token.as_str()), ("channel", "web")];
    assert_eq!(browser.post("/account/link", &form).await.status, StatusCode::BAD_REQUEST);

    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    for path in [page.path.clone(), format!("{}?channel=web", page.path)] {
        let shown = browser.get(&path).await.body;
        assert!(
            shown.contains("data-qr") && !shown.contains("<iframe") && !shown.contains("\"?channel=web\""),
            "{path}"
        );
    }
    let start = format!("/channel/web/start/{}/{}", page.grant, page.ticket);
    assert_eq!(browser.get(&start).await.status, StatusCode::NOT_FOUND);
    let again = browser.fetch(&format!("{}?channel=web", page.url("refresh"))).await;
    assert_eq!(again.json()["mode"], "qr");
    let to_sign_in = app.open_login_with(&app.desktop(), &[("prompt", "login")]).await;
    assert!(to_sign_in.html.contains("\"?channel=web\""), "websites still offer it");
}

#[tokio::test]
async fn whoever_comes_back_too_late_is_led_to_their_own_page() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    browser.post(&page.url("cancel"), &[]).await;
    let over = browser.post(&page.url("refresh"), &[]).await;
    assert_eq!(over.status, StatusCode::GONE);
    let html = over.body.replace("&#x2f;", "/");
    assert!(html.contains("href=\"http://127.0.0.1:8080/account\""), "{html}");
}

#[tokio::test]
async fn sec_38_a_stale_session_is_asked_for_a_fresh_scan_first() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let (person, other) = (app.person("小明").await, app.person("别人").await);
    sign_in(&app, &browser, &person).await;
    app.pass(Duration::from_secs(5 * 60));
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    assert_eq!(approve(&app, &page, &other).await, "/account?notice=other_person");
    assert_eq!(identities(&app).await, [1], "nobody was created for it");

    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    assert_eq!(approve(&app, &page, &person).await, "/account?notice=fresh");
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    assert_eq!(approve(&app, &page, &other).await, "/account?notice=linked");
}

#[tokio::test]
async fn sec_38_what_belongs_to_another_account_is_refused_and_nothing_moves() {
    let app = TestApp::start().await;
    let (browser, theirs) = (app.desktop(), app.desktop());
    let (person, other) = (app.person("小明").await, app.person("别人").await);
    sign_in(&app, &theirs, &other).await;
    sign_in(&app, &browser, &person).await;
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    assert_eq!(approve(&app, &page, &other).await, "/account?notice=owned_by_other");
    assert!(browser.get("/account?notice=owned_by_other").await.body.contains("管理员"));
    assert_eq!(newest(&app).await, AuditKind::LinkRefused);
    assert_eq!(identities(&app).await, [1, 1]);
    assert!(Account::of(&theirs).await.says("别人"), "the other one is still signed in");
}

#[tokio::test]
async fn sec_38_linking_ends_with_the_session_it_began_in() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let (person, second) = (app.person("小明").await, app.person("小号").await);
    sign_in(&app, &browser, &person).await;
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    let secret = browser.cookies.lock().unwrap().remove("mashang_session").unwrap();
    assert_eq!(approve(&app, &page, &second).await, "/account?notice=not_fresh");

    browser.cookies.lock().unwrap().insert("mashang_session".into(), secret);
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    // Meanwhile somebody else signs in in this browser.
    let third = app.person("路人").await;
    app.log_in_with(&browser, &third, &[("prompt", "login")]).await;
    assert_eq!(approve(&app, &page, &second).await, "/account?notice=not_fresh");
    assert_eq!(identities(&app).await, [1, 1]);
}

#[tokio::test]
async fn sec_38_a_browser_cannot_use_another_ones_link() {
    let app = TestApp::start().await;
    let (browser, thief) = (app.desktop(), app.desktop());
    let (person, second) = (app.person("小明").await, app.person("小号").await);
    sign_in(&app, &browser, &person).await;
    sign_in(&app, &thief, &second).await;
    let path = press_link(&browser, "wechat").await;
    assert_eq!(thief.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_identity_is_unlinked_and_the_last_one_stays() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let (person, second) = (app.person("小明").await, app.person("小号").await);
    sign_in(&app, &browser, &person).await;
    // The older one comes first on the page.
    app.pass(Duration::from_secs(1));
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    approve(&app, &page, &second).await;
    let elsewhere = app.desktop();
    sign_in(&app, &elsewhere, &second).await;

    let account = Account::of(&browser).await;
    let (first, added) = (account.token("/account/unlink", 0), account.token("/account/unlink", 1));
    assert_eq!(press_unlink(&browser, 1).await, "/account?notice=unlinked");
    assert_eq!(newest(&app).await, AuditKind::IdentityUnlinked);
    let gone = elsewhere.get("/account").await;
    assert!(gone.location().starts_with("/login/"), "what it was signed in to has ended");
    let last = browser.post("/account/unlink", &[("token", &first)]).await;
    assert_eq!(last.location(), "/account?notice=last_one");
    let again = browser.post("/account/unlink", &[("token", &added)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
    assert_eq!(identities(&app).await, [1]);
}

#[tokio::test]
async fn sec_39_an_unlinked_identity_is_not_led_back_by_its_unionid() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    // The older one comes first on the page.
    app.pass(Duration::from_secs(1));
    crate::channel::log_in_on_platform_page(&app, &app.desktop(), &person).await;
    assert_eq!(identities(&app).await, [2], "the website app and the service account know one person");
    assert_eq!(press_unlink(&browser, 1).await, "/account?notice=unlinked_one");
    assert!(browser.get("/account?notice=unlinked_one").await.body.contains("同一个微信号"));

    crate::channel::log_in_on_platform_page(&app, &app.desktop(), &person).await;
    assert_eq!(identities(&app).await, [1, 1], "somebody new");
    let trail = app.app.records.audit_trail(3).await.unwrap();
    assert!(trail.iter().any(|event| event.kind == AuditKind::UnionClash), "and it is told: {trail:?}");
    assert!(Account::of(&browser).await.says("小明"), "what was not unlinked stays signed in");
}

#[tokio::test]
async fn sec_38_unlinking_needs_a_fresh_session_too() {
    let app = TestApp::start().await;
    let browser = app.desktop();
    let (person, second) = (app.person("小明").await, app.person("小号").await);
    sign_in(&app, &browser, &person).await;
    let page = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    approve(&app, &page, &second).await;
    app.pass(Duration::from_secs(5 * 60));
    assert!(press_unlink(&browser, 0).await.starts_with("/login/"));
    assert_eq!(identities(&app).await, [2]);
}

#[tokio::test]
async fn sec_64_only_the_pages_own_forms_change_anything() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    let token = Account::of(&browser).await.token("/account/link", 0);
    let stranger = app.desktop();
    let form = [("token", token.as_str()), ("channel", "wechat")];
    assert_eq!(stranger.post("/account/link", &form).await.location(), "/account", "not signed in");
    sign_in(&app, &stranger, &app.person("别人").await).await;
    assert_eq!(
        stranger.post("/account/link", &form).await.status,
        StatusCode::FORBIDDEN,
        "another session's"
    );
    for form in [[("token", ""), ("channel", "wechat")], [("token", "x"), ("channel", "wechat")]] {
        assert_eq!(browser.post("/account/link", &form).await.status, StatusCode::FORBIDDEN);
        assert_eq!(browser.post("/account/unlink", &form).await.status, StatusCode::FORBIDDEN);
    }
    let cross = browser.clone().with("sec-fetch-site", "cross-site");
    assert_eq!(cross.post("/account/link", &form).await.status, StatusCode::FORBIDDEN);
    for form in [&[][..], &[("token", token.as_str())], &[("token", token.as_str()), ("channel", "nope")]] {
        assert_eq!(browser.post("/account/link", form).await.status, StatusCode::BAD_REQUEST);
    }
    assert_eq!(browser.get("/account/link").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(browser.get("/account?notice=%3Cb%3E&error").await.status, StatusCode::OK);
}

// ---- browsers, websites, recent logins ----

async fn is_signed_in(browser: &Device) -> bool {
    browser.get("/account").await.status == StatusCode::OK
}

#[tokio::test]
async fn another_browser_is_signed_out_by_name_and_this_one_stays() {
    let app = TestApp::start().await;
    let (here, there, person) = (app.desktop(), app.phone(), app.person("小明").await);
    sign_in(&app, &there, &person).await;
    sign_in(&app, &here, &person).await;
    let account = Account::of(&here).await;
    assert!(account.says("data-session=\"here\"") && account.says("微信 · iPhone"));
    let token = account.token("/account/sessions/end", 0);
    let stranger = app.desktop();
    sign_in(&app, &stranger, &app.person("别人").await).await;
    let form = [("token", token.as_str())];
    assert_eq!(stranger.post("/account/sessions/end", &form).await.status, StatusCode::FORBIDDEN);
    assert!(is_signed_in(&there).await);
    let ended = here.post("/account/sessions/end", &form).await;
    assert_eq!(ended.location(), "/account?notice=session_ended");
    assert!(!is_signed_in(&there).await && is_signed_in(&here).await && is_signed_in(&stranger).await);
    assert_eq!(here.post("/account/sessions/end", &form).await.status, StatusCode::FORBIDDEN, "it is over");
    assert!(!Account::of(&here).await.says("/account/sessions/end-others"), "nobody else to sign out");
}

#[tokio::test]
async fn all_other_browsers_are_signed_out_and_their_tokens_end() {
    let app = TestApp::start().await;
    let (here, there, person) = (app.desktop(), app.desktop(), app.person("小明").await);
    let code = crate::support::param(&app.log_in(&there, &person).await, "code");
    let access = app.exchange(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    sign_in(&app, &here, &person).await;
    assert_eq!(app.userinfo(&access).await.status, StatusCode::OK);
    let token = Account::of(&here).await.token("/account/sessions/end-others", 0);
    let ended = here.post("/account/sessions/end-others", &[("token", &token)]).await;
    assert_eq!(ended.location(), "/account?notice=others_ended");
    assert_eq!(newest(&app).await, AuditKind::SessionsEnded);
    assert_eq!(app.userinfo(&access).await.status, StatusCode::UNAUTHORIZED);
    assert!(!is_signed_in(&there).await && is_signed_in(&here).await);
}

#[tokio::test]
async fn whoever_says_this_was_not_me_signs_everybody_else_out() {
    let app = TestApp::start().await;
    let (here, thief, person) = (app.desktop(), app.phone(), app.person("小明").await);
    app.log_in(&thief, &person).await;
    app.pass(Duration::from_secs(60));
    sign_in(&app, &here, &person).await;
    let account = Account::of(&here).await;
    assert!(account.says("样例 &lt;Site&gt;"), "where: escaped");
    let token = account.token("/account/not-me", 1);
    let stranger = app.desktop();
    sign_in(&app, &stranger, &app.person("别人").await).await;
    assert_eq!(stranger.post("/account/not-me", &[("token", &token)]).await.status, StatusCode::FORBIDDEN);
    let gone = here.post("/account/not-me", &[("token", &token)]).await;
    assert_eq!(gone.location(), "/account/not-me");
    assert!(here.get("/account/not-me").await.body.contains("#ways"));
    assert!(!is_signed_in(&thief).await && is_signed_in(&here).await && is_signed_in(&stranger).await);
    let user = app.app.records.users("小明", 1).await.unwrap().remove(0);
    let trail = app.app.records.audit_of(&user.id, &AuditKind::ALL, 1).await.unwrap();
    assert_eq!(trail[0].kind, AuditKind::SessionsEnded);
    assert_eq!(thief.get("/account/not-me").await.location(), "/account", "words for whoever is signed in");
}

#[tokio::test]
async fn sec_38_a_new_way_in_needs_a_fresh_approval() {
    let app = TestApp::with_config("[channel.word]\nkind = \"password\"\norder = 9\n").await;
    let (here, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &here, &person).await;
    app.pass(Duration::from_secs(300));
    let account = Account::of(&here).await;
    assert!(account.says("再确认一次"), "the page says so");
    let token = account.token("/account/password", 0);
    let form = [("token", token.as_str()), ("username", "ming"), ("password", "correct horse battery")];
    let asked = here.post("/account/password", &form).await;
    assert!(asked.location().starts_with("/login/"), "{} {}", asked.status, asked.body);
    assert!(press_link(&here, "wechat").await.starts_with("/login/"));
    let user = app.app.records.users("", 1).await.unwrap().remove(0);
    assert!(app.app.credentials.password_of(&user.id).await.unwrap().is_none());
}

/// Whoever was talked into approving a website's login for a stranger's browser has not given their account away.
#[tokio::test]
async fn sec_38_a_websites_login_does_not_allow_to_change_how_one_signs_in() {
    let app = TestApp::with_config("[channel.word]\nkind = \"password\"\norder = 9\n").await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    app.log_in(&browser, &person).await;
    let token = Account::of(&browser).await.token("/account/password", 0);
    let form = [("token", token.as_str()), ("username", "thief"), ("password", "correct horse battery")];
    let asked = browser.post("/account/password", &form).await;
    let page = app.login_page(&browser, asked.location()).await;
    let link = app.login_page(&browser, &press_link(&browser, "wechat").await).await;
    assert_eq!(
        approve(&app, &link, &person).await,
        "/account?notice=fresh",
        "asked first, nothing linked yet"
    );
    assert_eq!(identities(&app).await, [1]);
    assert_eq!(approve(&app, &page, &app.person("别人").await).await, "/account?notice=other_person");
    let user = app.app.records.users("", 1).await.unwrap().remove(0);
    assert!(app.app.credentials.password_of(&user.id).await.unwrap().is_none());
}

/// What takes access away needs no phone: whoever sees a stranger's login may have none at hand.
#[tokio::test]
async fn a_stale_session_signs_the_others_out_at_once() {
    let app = TestApp::start().await;
    let (here, thief, person) = (app.desktop(), app.phone(), app.person("小明").await);
    sign_in(&app, &here, &person).await;
    app.pass(Duration::from_secs(60));
    app.log_in(&thief, &person).await;
    app.pass(Duration::from_secs(3600));
    let token = Account::of(&here).await.token("/account/not-me", 0);
    assert_eq!(here.post("/account/not-me", &[("token", &token)]).await.location(), "/account/not-me");
    assert!(!is_signed_in(&thief).await && is_signed_in(&here).await);
}

#[tokio::test]
async fn an_agreement_with_a_website_is_taken_back() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    let code = crate::support::param(&app.log_in(&browser, &person).await, "code");
    let access = app.exchange(&code).await.json()["access_token"].as_str().unwrap().to_owned();
    let user = app.app.records.users("", 1).await.unwrap().remove(0).id;
    assert!(!Account::of(&browser).await.says("同意于"));
    let consent = mashang_login::consent::Consent {
        client: "site".parse().unwrap(),
        scope: mashang_login::grant::ScopeSet::parse("openid profile"),
        at: app.app.now(),
    };
    app.app.consents.save_consent(&user, &consent).await.unwrap();
    let account = Account::of(&browser).await;
    assert!(account.says("昵称、头像和账号名") && account.says("样例 &lt;Site&gt;"));
    assert!(account.says("同意于") && account.says("登录于"), "one line for both");
    let token = account.token("/account/websites/withdraw", 0);
    let gone = browser.post("/account/websites/withdraw", &[("token", &token)]).await;
    assert_eq!(gone.location(), "/account?notice=withdrawn");
    assert_eq!(newest(&app).await, AuditKind::ConsentWithdrawn);
    assert!(app.app.consents.consents_of(&user).await.unwrap().is_empty());
    assert_eq!(app.userinfo(&access).await.status, StatusCode::UNAUTHORIZED, "what it held has ended");
    let again = browser.post("/account/websites/withdraw", &[("token", &token)]).await;
    assert_eq!(again.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn sec_90_a_website_that_never_asked_is_listed_with_what_it_was_granted_and_stopped() {
    let app = TestApp::start().await;
    let (browser, person) = (app.desktop(), app.person("小明").await);
    sign_in(&app, &browser, &person).await;
    assert!(!Account::of(&browser).await.says("data-website"), "no website knows them yet");
    let asked = [("scope", "openid profile offline_access wechat_openid")];
    let code = crate::support::param(browser.get(&app.authorize_path(&asked)).await.location(), "code");
    let tokens = app.exchange(&code).await.json();
    let access = tokens["access_token"].as_str().unwrap();
    let account = Account::of(&browser).await;
    assert!(account.says("样例 &lt;Site&gt;") && account.says("微信 openid") && account.says("登录于"));
    assert!(!account.says("同意于"), "nobody asked them");
    let token = account.token("/account/websites/withdraw", 0);
    let stranger = app.desktop();
    sign_in(&app, &stranger, &app.person("别人").await).await;
    let form = [("token", token.as_str())];
    assert_eq!(stranger.post("/account/websites/withdraw", &form).await.status, StatusCode::FORBIDDEN);
    assert_eq!(app.userinfo(access).await.status, StatusCode::OK);
    let gone = browser.post("/account/websites/withdraw", &form).await;
    assert_eq!(gone.location(), "/account?notice=withdrawn");
    assert_eq!(newest(&app).await, AuditKind::ConsentWithdrawn);
    assert_eq!(app.userinfo(access).await.status, StatusCode::UNAUTHORIZED);
    assert!(!Account::of(&browser).await.says("data-website"));
}

#[tokio::test]
async fn a_name_and_password_are_set_and_changed_with_the_present_one() {
    let app = TestApp::with_config("[channel.word]\nkind = \"password\"\norder = 9\n").await;
    let (here, there, person) = (app.desktop(), app.phone(), app.person("小明").await);
    sign_in(&app, &here, &person).await;
    sign_in(&app, &there, &person).await;
    let set = async |name: &str, password: &str, current: &str| {
        let token = Account::of(&here).await.token("/account/password", 0);
        let form =
            [("token", token.as_str()), ("username", name), ("password", password), ("current", current)];
        here.post("/account/password", &form).await
    };
    for (name, password, words) in [
        ("x", "correct horse battery", "用户名"),
        ("ming", "short", "8"),
        ("ming-ming", "ming-ming", "用户名"),
    ] {
        let told = set(name, password, "").await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(told.between("role=\"alert\">", "</p>").contains(words), "{name}");
        assert!(
            told.body.contains(&format!("value=\"{name}\""))
                && !told.body.contains(&format!("value=\"{password}\""))
                || name == password
        );
    }
    assert_eq!(set("ming", "correct horse battery", "").await.location(), "/account?notice=password_set");
    assert!(Account::of(&there).await.says("设置或更改了密码"), "seen from every browser of theirs");
    assert_eq!(newest(&app).await, AuditKind::PasswordSet);
    assert_eq!(identities(&app).await, [2], "one more way to sign in");

    app.pass(Duration::from_secs(300));
    assert!(Account::of(&here).await.says("name=\"current\""));
    let wrong = set("ming", "another horse battery", "not this one").await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("current-complaint"));
    assert!(
        set("ming", "another horse battery", "").await.location().starts_with("/login/"),
        "the phone may answer instead"
    );
    let changed = set("Ming", "another horse battery", "correct horse battery").await;
    assert_eq!(changed.location(), "/account?notice=password_set");
    assert_eq!(here.get("/account/password").await.location(), "/account", "a reload");
}
