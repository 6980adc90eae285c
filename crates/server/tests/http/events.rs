//! `/channel/{channel}/events` and the one-time link that a scan of a parametric QR is answered with.

mod authorization;

use axum::body::Body;
use http::{Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use mashang_login::Clock as _;
use mashang_sandbox::{
    DEMO_OFFICIAL_AES_KEY, DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_ORIGINAL_ID, DEMO_OFFICIAL_SECRET,
    DEMO_OFFICIAL_TOKEN,
};
use mashang_wechat::callback::{CallbackToken, EncodingAesKey, Event, sign};
use serde_json::json;
use tower::ServiceExt as _;

use crate::account::{press_link, sign_in};
use crate::support::*;

const OPENID: &str = "oTestOpenId0000000000000000A";
const OTHER: &str = "oTestOpenId0000000000000000B";

fn channel(events: &str) -> String {
    format!(
        r#"
[channel.scan]
kind = "wechat-official"
appid = "{DEMO_OFFICIAL_APPID}"
secret = "{DEMO_OFFICIAL_SECRET}"
qr = "parametric"
order = 3
[channel.scan.events]
token = "{DEMO_OFFICIAL_TOKEN}"
aes_key = "{DEMO_OFFICIAL_AES_KEY}"
original_id = "{DEMO_OFFICIAL_ORIGINAL_ID}"
{events}
"#
    )
}

async fn start() -> TestApp {
    TestApp::with_config(&channel("")).await
}

fn key() -> EncodingAesKey {
    DEMO_OFFICIAL_AES_KEY.parse().unwrap()
}

fn token() -> CallbackToken {
    DEMO_OFFICIAL_TOKEN.parse().unwrap()
}

fn event_by(openid: &str, event: &str, event_key: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{DEMO_OFFICIAL_ORIGINAL_ID}]]></ToUserName><FromUserName><![CDATA[{openid}]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[{event}]]></Event><EventKey><![CDATA[{event_key}]]></EventKey></xml>"
    )
}

fn scan_by(openid: &str, page: &LoginPage) -> String {
    event_by(openid, "SCAN", &format!("ms_{}", page.ticket))
}

/// One delivery in secure mode: query and body.
struct Delivery {
    query: String,
    body: String,
}

impl Delivery {
    fn of(app: &TestApp, message: &str) -> Self {
        Self::for_receiver(app, message, DEMO_OFFICIAL_APPID)
    }

    fn for_receiver(app: &TestApp, message: &str, receiver: &str) -> Self {
        let encrypted = key().seal(message, receiver, *b"0123456789abcdef");
        Self::of_ciphertext(app.clock.now().as_second(), &encrypted)
    }

    fn of_ciphertext(timestamp: i64, encrypted: &str) -> Self {
        let at = timestamp.to_string();
        let plain = sign(&token(), &[&at, "nonce"]);
        let signed = sign(&token(), &[&at, "nonce", encrypted]);
        Self {
            query: format!(
                "signature={plain}&timestamp={at}&nonce=nonce&openid={OPENID}&encrypt_type=aes&msg_signature={signed}"
            ),
            body: format!(
                "<xml><ToUserName><![CDATA[{DEMO_OFFICIAL_ORIGINAL_ID}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
            ),
        }
    }

    async fn post(&self, app: &TestApp) -> (StatusCode, String) {
        self.post_to(app, "scan").await
    }

    async fn post_to(&self, app: &TestApp, channel: &str) -> (StatusCode, String) {
        let request = Request::post(format!("/channel/{channel}/events?{}", self.query))
            .header("content-type", "text/xml")
            .body(Body::from(self.body.clone()))
            .unwrap();
        let response = app.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }
}

/// The text of an encrypted reply.
fn text_of(reply: &str) -> String {
    let outer = Event::parse(reply.as_bytes()).unwrap();
    let opened = key().open(outer.get("Encrypt").unwrap()).unwrap();
    Event::parse(opened.message.as_bytes()).unwrap().get("Content").unwrap().to_owned()
}

/// The link inside a reply, as a path.
fn link_in(text: &str) -> String {
    let from =
        text.find("href=\"http://127.0.0.1:8080").expect("a link") + "href=\"http://127.0.0.1:8080".len();
    text[from..].split('"').next().unwrap().to_owned()
}

async fn scanned(app: &TestApp, page: &LoginPage) -> String {
    let (status, reply) = Delivery::of(app, &scan_by(OPENID, page)).post(app).await;
    assert_eq!(status, StatusCode::OK);
    link_in(&text_of(&reply))
}

async fn approve_from_link(app: &TestApp, phone: &Device, page: &LoginPage, link: &str) -> Answer {
    let arrived = phone.post(link, &[]).await;
    assert_eq!(arrived.location(), format!("/s/{}/confirm", page.ticket), "{}", arrived.body);
    let confirm = phone.get(arrived.location()).await;
    let token = confirm.between("name=\"confirm_token\" value=\"", "\"").to_owned();
    app.approve(phone, page, &token, &page.number).await
}

#[tokio::test]
async fn a_parametric_scan_leads_through_the_link_and_our_confirm_page_to_a_login() {
    let app = start().await;
    let page = app.open_login(&app.desktop()).await;
    for event in ["SCAN", "subscribe"] {
        let page = if event == "SCAN" { page.clone() } else { app.open_login(&app.desktop()).await };
        let prefix = if event == "SCAN" { "" } else { "qrscene_" };
        let message = event_by(OPENID, event, &format!("{prefix}ms_{}", page.ticket));
        let (status, reply) = Delivery::of(&app, &message).post(&app).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(page.stage().await, "scanned");
        let phone = app.phone();
        let approved = approve_from_link(&app, &phone, &page, &link_in(&text_of(&reply))).await;
        assert!(approved.location().ends_with("outcome=approved"), "{}", approved.location());
        assert!(page.redeem().await.starts_with(SITE));
    }
}

#[tokio::test]
async fn promise_2_a_scan_event_and_opening_its_link_approve_nothing() {
    let app = start().await;
    let page = app.open_login(&app.desktop()).await;
    let link = scanned(&app, &page).await;
    let crawler = app.desktop();
    for _ in 0..3 {
        assert_eq!(crawler.get(&link).await.status, StatusCode::OK, "looking changes nothing");
    }
    assert_eq!(page.stage().await, "scanned");
    let phone = app.phone();
    let approved = approve_from_link(&app, &phone, &page, &link).await;
    assert!(approved.location().ends_with("outcome=approved"));
}

#[tokio::test]
async fn sec_06_the_link_is_worth_one_phone() {
    let app = start().await;
    let page = app.open_login(&app.desktop()).await;
    let link = scanned(&app, &page).await;
    let (first, second) = (app.phone(), app.phone());
    let arrived = first.post(&link, &[]).await;
    assert!(arrived.location().ends_with("/confirm"));
    let late = second.post(&link, &[]).await;
    assert!(late.location().ends_with("outcome=taken"), "{}", late.location());
    assert!(first.post(&link, &[]).await.location().ends_with("/confirm"), "its own phone may come again");
    let confirm = second.get(&format!("/s/{}/confirm", page.ticket)).await;
    assert!(confirm.location().ends_with("outcome=expired"), "{}", confirm.location());
}

/// WeChat draws a hundred thousand a day for an account, and no more.
#[tokio::test]
async fn sec_79_one_address_has_so_many_codes_drawn_and_then_sees_our_own_link() {
    let app = start().await;
    let refused =
        || app.app.metrics.refused_by_limit.get_or_create_owned(&[("limit", "drawings".into())]).get();
    let mut pages = 0;
    let page = loop {
        let page = app.open_login_with(&app.desktop(), &[("login_hint", "scan")]).await;
        pages += 1;
        if refused() > 0 {
            break page;
        }
        assert!(pages < 300, "nobody stopped it");
    };
    assert!(pages > 60, "an office's pages have theirs");
    assert!(page.html.contains("class=\"qr\""), "{}", page.html);
    let again = page.browser.get(&page.path).await;
    assert_eq!(again.status, StatusCode::OK);
}

#[tokio::test]
async fn a_second_person_and_a_second_scan_are_told_what_to_do() {
    let app = start().await;
    let page = app.open_login(&app.desktop()).await;
    scanned(&app, &page).await;
    let (_, reply) = Delivery::of(&app, &scan_by(OTHER, &page)).post(&app).await;
    assert!(text_of(&reply).contains("另一部手机"), "{}", text_of(&reply));
    let again = scan_by(OPENID, &page).replace("1700000000", "1700000009");
    let (_, reply) = Delivery::of(&app, &again).post(&app).await;
    let link = link_in(&text_of(&reply));
    let phone = app.phone();
    assert!(phone.post(&link, &[]).await.location().ends_with("/confirm"), "a lost message is sent again");
    let late = scan_by(OPENID, &page).replace("1700000000", "1700000019");
    let (_, reply) = Delivery::of(&app, &late).post(&app).await;
    assert!(text_of(&reply).contains("上一条消息"), "{}", text_of(&reply));
    let gone = event_by(OPENID, "SCAN", "ms_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let (_, reply) = Delivery::of(&app, &gone).post(&app).await;
    assert!(text_of(&reply).contains("已过期"), "{}", text_of(&reply));
}

#[tokio::test]
async fn sec_30_a_hundred_deliveries_of_one_event_have_one_effect_and_one_answer() {
    let app = start().await;
    let page = app.open_login(&app.desktop()).await;
    let delivery = Delivery::of(&app, &scan_by(OPENID, &page));
    let deliveries = (0..100).map(|_| delivery.post(&app));
    let answers = futures_util::future::join_all(deliveries).await;
    let (status, first) = &answers[0];
    assert_eq!(*status, StatusCode::OK);
    assert!(answers.iter().all(|(status, body)| *status == StatusCode::OK && body == first));
    let trail = app.app.records.audit_trail(500).await.unwrap();
    let scans = trail.iter().filter(|event| event.kind.as_str() == "ticket_scanned").count();
    assert_eq!(scans, 1);
    let phone = app.phone();
    let approved = approve_from_link(&app, &phone, &page, &link_in(&text_of(first))).await;
    assert!(approved.location().ends_with("outcome=approved"));
}

#[tokio::test]
async fn sec_28_29_32_forged_deliveries_are_refused_and_change_nothing() {
    let app = start().await;
    let page = app.open_login(&app.desktop()).await;
    let message = scan_by(OPENID, &page);
    let now = app.clock.now().as_second();
    let good = Delivery::of(&app, &message);
    let encrypted = key().seal(&message, DEMO_OFFICIAL_APPID, *b"0123456789abcdef");
    let at = now.to_string();
    let plain_query = format!("signature={}&timestamp={at}&nonce=nonce", sign(&token(), &[&at, "nonce"]));
    let with_body = |body: String| Delivery { query: good.query.clone(), body };
    let bomb = format!("<!DOCTYPE x [<!ENTITY a \"{}\">]>{}", "ha".repeat(100), good.body);
    let cases = [
        ("unsigned", Delivery { query: String::new(), body: good.body.clone() }),
        (
            "wrongly signed",
            Delivery {
                query: good.query.replace("msg_signature=", "msg_signature=0"),
                body: good.body.clone(),
            },
        ),
        (
            "plaintext with a good plain signature",
            Delivery { query: plain_query.clone(), body: message.clone() },
        ),
        (
            "plaintext beside somebody's ciphertext",
            with_body(message.replace("</xml>", "<Encrypt><![CDATA[AAAA]]></Encrypt></xml>")),
        ),
        ("stale", Delivery::of_ciphertext(now - 301, &encrypted)),
        ("from the future", Delivery::of_ciphertext(now + 301, &encrypted)),
        ("for another app", Delivery::for_receiver(&app, &message, "wx0000000000000009")),
        (
            "for another account",
            Delivery::of(&app, &message.replace(DEMO_OFFICIAL_ORIGINAL_ID, "gh_000000000009")),
        ),
        ("an entity bomb", with_body(bomb)),
        ("bad base64", Delivery::of_ciphertext(now, "%%%not base64%%%")),
        ("truncated ciphertext", Delivery::of_ciphertext(now, &encrypted[..encrypted.len() - 4])),
        ("truncated", with_body(good.body[..good.body.len() - 9].to_owned())),
        ("empty", with_body(String::new())),
        (
            "a parameter twice",
            Delivery { query: format!("{}&nonce=other", good.query), body: good.body.clone() },
        ),
    ];
    for (name, delivery) in cases {
        let (status, body) = delivery.post(&app).await;
        assert!(status.is_client_error(), "{name}: {status}");
        assert!(!body.contains("xml") && !body.contains(OPENID), "{name}: {body}");
        assert_eq!(page.stage().await, "waiting", "{name}");
    }
    let huge = with_body(format!("{}{}", " ".repeat(64 * 1024 + 1), good.body));
    assert_eq!(huge.post(&app).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(good.post(&app).await.0, StatusCode::OK, "the real one still counts");
    assert_eq!(page.stage().await, "scanned");
}

/// SEC-08, SEC-38: being added to an account is another question than signing in, and the message says whose.
#[tokio::test]
async fn sec_38_the_message_tells_linking_from_signing_in() {
    let app = start().await;
    let (browser, person) = (app.desktop(), app.person("<b>小明").await);
    sign_in(&app, &browser, &person).await;
    let page = app.login_page(&browser, &press_link(&browser, "scan").await).await;
    let (_, reply) = Delivery::of(&app, &scan_by(OPENID, &page)).post(&app).await;
    let text = text_of(&reply);
    for words in ["绑定到“b小明”的账号（127.0.0.1:8080）", "Link your WeChat to the account of “b小明”"]
    {
        assert!(text.contains(words), "{text}");
    }
    assert!(!text.contains("正在登录") && !text.contains("Sign in to"), "{text}");
    let approved = approve_from_link(&app, &app.phone(), &page, &link_in(&text)).await;
    assert!(approved.location().ends_with("outcome=approved"), "{}", approved.location());
    assert_eq!(page.redeem().await, "/account?notice=linked");
}

/// SEC-28: a query that was seen in a log signs nothing but its own ciphertext.
#[tokio::test]
async fn sec_28_a_seen_query_of_compatible_mode_carries_no_other_event() {
    let app = TestApp::with_config(&channel("mode = \"compatible\"")).await;
    let page = app.open_login(&app.desktop()).await;
    let seen = Delivery::of(&app, &event_by(OTHER, "CLICK", "menu_1"));
    assert_eq!(seen.post(&app).await.0, StatusCode::OK);
    let forged = Delivery { query: seen.query.clone(), body: scan_by(OPENID, &page) };
    assert_eq!(forged.post(&app).await.0, StatusCode::FORBIDDEN);
    assert_eq!(page.stage().await, "waiting");
    let (_, reply) = Delivery::of(&app, &scan_by(OPENID, &page)).post(&app).await;
    assert!(text_of(&reply).contains("/from/"), "the link travels encrypted");
}

#[tokio::test]
async fn events_of_the_operator_take_nothing_from_the_logins() {
    let app = start().await;
    let person = app.person("小明").await;
    for n in 0..300 {
        let event = event_by(OPENID, "TEMPLATESENDJOBFINISH", &n.to_string());
        assert_eq!(Delivery::of(&app, &event).post(&app).await.0, StatusCode::OK);
    }
    assert!(format!("{:?}", app.app.handshakes).contains("provider_codes: 0"));
    app.log_in(&app.desktop(), &person).await;
}

#[tokio::test]
async fn an_event_endpoint_exists_only_where_it_is_configured() {
    let app = start().await;
    let delivery = Delivery::of(&app, &event_by(OPENID, "SCAN", "x"));
    assert_eq!(delivery.post_to(&app, "wechat").await.0, StatusCode::NOT_FOUND);
    assert_eq!(delivery.post_to(&app, "nobody").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_console_verifies_our_address() {
    let app = start().await;
    let at = app.clock.now().as_second().to_string();
    let signature = sign(&token(), &[&at, "n"]);
    let path = format!(
        "/channel/scan/events?signature={signature}&timestamp={at}&nonce=n&echostr=5837397576500011341"
    );
    let answer = app.desktop().get(&path).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "5837397576500011341"));
    let forged = app.desktop().get(&path.replace("nonce=n", "nonce=m")).await;
    assert_eq!((forged.status, forged.body.as_str()), (StatusCode::FORBIDDEN, ""));
}

#[tokio::test]
async fn what_is_not_ours_goes_to_the_operators_handler_unchanged_and_its_answer_comes_back() {
    let handler = Handler::start("<xml><Encrypt>theirs</Encrypt></xml>").await;
    let app = TestApp::with_config(&channel(&format!("relay = \"{}/wx?own=1\"", handler.url))).await;
    let page = app.open_login(&app.desktop()).await;
    let theirs = Delivery::of(&app, &event_by(OPENID, "CLICK", "menu_1"));
    let (status, reply) = theirs.post(&app).await;
    assert_eq!((status, reply.as_str()), (StatusCode::OK, "<xml><Encrypt>theirs</Encrypt></xml>"));
    let (query, body) = handler.seen().pop().unwrap();
    assert_eq!(query, format!("own=1&{}", theirs.query), "the platform's signature still verifies");
    assert_eq!(body, theirs.body);
    theirs.post(&app).await;
    assert_eq!(handler.seen().len(), 1, "a repeated delivery is not forwarded again");
    scanned(&app, &page).await;
    assert_eq!(handler.seen().len(), 1, "ours stays with us");
}

#[tokio::test]
async fn a_handler_that_does_not_answer_costs_the_platform_nothing() {
    let handler = Handler::silent().await;
    let app = TestApp::with_config(&channel(&format!("relay = \"{}/wx\"", handler.url))).await;
    // From here on time passes when everybody waits.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    let (status, reply) = Delivery::of(&app, &event_by(OPENID, "CLICK", "menu_1")).post(&app).await;
    assert_eq!((status, reply.as_str()), (StatusCode::OK, "success"));
    assert!(begun.elapsed() < std::time::Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_platform_that_gives_no_code_is_told_of_under_its_own_tab_only() {
    let app = start().await;
    let browser = app.desktop();
    let page = app.open_login(&browser).await;
    app.fault(json!({ "fault": "errcode", "code": 48001, "target": "qrcode_create", "remaining": 1 })).await;
    let tab = browser.get(&format!("{}?channel=scan", page.path)).await;
    assert_eq!(tab.status, StatusCode::OK);
    assert!(tab.body.contains("data-trouble") && tab.body.contains("48001"), "{}", tab.body);
    let other = browser.get(&format!("{}?channel=wechat", page.path)).await;
    assert!(!other.body.contains("data-trouble") && other.body.contains("<svg"));
    let again = browser.get(&format!("{}?channel=scan", page.path)).await;
    assert!(!again.body.contains("data-trouble") && again.body.contains("<svg"), "{}", again.body);
}

/// The operator's own event handler.
struct Handler {
    url: String,
    seen: std::sync::Arc<std::sync::Mutex<Vec<(String, String)>>>,
}

impl Handler {
    async fn start(answer: &'static str) -> Self {
        Self::serve(Some(answer)).await
    }

    async fn silent() -> Self {
        Self::serve(None).await
    }

    async fn serve(answer: Option<&'static str>) -> Self {
        let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
        let told = seen.clone();
        let handle = move |request: Request<Body>| {
            let told = told.clone();
            async move {
                assert_eq!(*request.method(), Method::POST);
                let query = request.uri().query().unwrap_or_default().to_owned();
                let body = request.into_body().collect().await.unwrap().to_bytes();
                told.lock().unwrap().push((query, String::from_utf8(body.to_vec()).unwrap()));
                match answer {
                    Some(answer) => answer,
                    None => std::future::pending().await,
                }
            }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = axum::Router::new().route("/wx", axum::routing::post(handle));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<(String, String)> {
        self.seen.lock().unwrap().clone()
    }
}

#[tokio::test]
async fn a_day_without_codes_left_shows_our_own_link_instead() {
    let app = start().await;
    let browser = app.desktop();
    let page = app.open_login(&browser).await;
    app.fault(json!({ "fault": "errcode", "code": 45009, "target": "qrcode_create" })).await;
    let tab = browser.get(&format!("{}?channel=scan", page.path)).await;
    assert!(!tab.body.contains("data-trouble"), "{}", tab.body);
    assert!(tab.body.contains(&format!("{}%3Fc%3Dscan", page.ticket)), "our link, and for this very channel");
}

#[tokio::test]
async fn promise_9_a_slow_platform_holds_up_neither_its_page_nor_the_other_tabs() {
    let app = start().await;
    let browser = app.desktop();
    let page = app.open_login(&browser).await;
    // Slower than a page waits, quicker than a call is given up.
    app.fault(json!({ "fault": "slow", "ms": 4000, "target": "qrcode_create", "remaining": 1 })).await;
    let path = format!("{}?channel=scan", page.path);
    assert!(browser.get(&path).await.body.contains("data-trouble"));
    let other = browser.get(&format!("{}?channel=wechat", page.path)).await;
    assert!(!other.body.contains("data-trouble") && other.body.contains("<svg"));
    // The drawing went on meanwhile: asking again waits for it and asks the platform nothing.
    assert!(browser.get(&path).await.body.contains("<svg"));
}

#[tokio::test]
async fn each_of_two_channels_of_one_platform_gets_its_own_scans() {
    let app = TestApp::with_config(
        &channel("")
            .replace("qr = \"parametric\"", "qr = \"link\"")
            .replace(DEMO_OFFICIAL_APPID, "wx5a9d0b0c0deffff1"),
    )
    .await;
    let page = app.open_login(&app.desktop()).await;
    let led = |path: String| {
        let phone = app.phone();
        let app = &app;
        async move { param(app.set_out(&phone, &path).await.location(), "appid") }
    };
    assert_eq!(led(format!("/s/{}", page.ticket)).await, DEMO_OFFICIAL_APPID);
    assert_eq!(led(format!("/s/{}?c=scan", page.ticket)).await, "wx5a9d0b0c0deffff1");
    assert_eq!(led(format!("/s/{}?c=web", page.ticket)).await, DEMO_OFFICIAL_APPID, "no channel of our link");
    assert_eq!(led(format!("/s/{}?c=nobody", page.ticket)).await, DEMO_OFFICIAL_APPID);
}

/// SEC-28: the lock behind the configuration's own check.
#[tokio::test]
async fn sec_28_a_forged_scan_on_an_account_without_a_parametric_code_moves_nothing() {
    let handler = Handler::start("theirs").await;
    for mode in ["plain", "secure"] {
        let events = format!("mode = \"{mode}\"\nrelay = \"{}/wx\"", handler.url);
        let linked = channel(&events).replace("qr = \"parametric\"", "qr = \"link\"");
        let app = TestApp::with_config(&linked).await;
        let page = app.open_login(&app.desktop()).await;
        let message = scan_by(OPENID, &page);
        let at = app.clock.now().as_second().to_string();
        let delivery = match mode {
            "plain" => Delivery {
                query: format!("signature={}&timestamp={at}&nonce=n", sign(&token(), &[&at, "n"])),
                body: message,
            },
            _ => Delivery::of(&app, &message),
        };
        let (status, answer) = delivery.post(&app).await;
        assert_eq!((status, answer.as_str()), (StatusCode::OK, "theirs"), "{mode}");
        assert_eq!(page.stage().await, "waiting", "{mode}");
    }
    assert_eq!(handler.seen().len(), 2);
}
