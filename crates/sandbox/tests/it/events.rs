//! Parametric codes, the chat they lead to, and events pushed to an account's server.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{RawQuery, State};
use axum::routing::get;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::bench::{Bench, OFFICIAL, encode, field_order};

const CREATE: &str = "/api.weixin.qq.com/cgi-bin/qrcode/create";

/// An account's server: records what it is sent, echoes, and answers as told.
#[derive(Clone, Default)]
struct Account {
    seen: Arc<Mutex<Vec<(Method, String, String)>>>,
    answer: Arc<Mutex<(u16, String)>>,
}

impl Account {
    async fn listen() -> (Self, String) {
        let account = Self::default();
        account.answers(200, "success");
        let app = Router::new().route("/wx", get(receive).post(receive)).with_state(account.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/wx", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
        (account, url)
    }

    fn answers(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    fn posts(&self) -> Vec<(String, String)> {
        let seen = self.seen.lock().unwrap();
        let posts = seen.iter().filter(|(method, _, _)| *method == Method::POST);
        posts.map(|(_, query, body)| (query.clone(), body.clone())).collect()
    }
}

async fn receive(
    State(account): State<Account>,
    method: Method,
    RawQuery(query): RawQuery,
    body: String,
) -> (StatusCode, String) {
    let query = query.unwrap_or_default();
    let echo = value(&query, "echostr");
    account.seen.lock().unwrap().push((method.clone(), query, body));
    if method == Method::GET {
        return (StatusCode::OK, echo);
    }
    let (status, body) = account.answer.lock().unwrap().clone();
    if status == 0 {
        return std::future::pending().await;
    }
    (StatusCode::from_u16(status).unwrap(), body)
}

fn value(query: &str, name: &str) -> String {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

async fn with_server(mode: &str) -> (Bench, Account) {
    let (bench, (account, url)) = (Bench::new(), Account::listen().await);
    bench.script(&format!("/apps/{OFFICIAL}/events"), json!({ "url": url, "mode": mode })).await;
    (bench, account)
}

async fn code(bench: &Bench, scene: &str) -> Value {
    let token = bench.token(OFFICIAL).await;
    let body = json!({
        "expire_seconds": 120,
        "action_name": "QR_STR_SCENE",
        "action_info": { "scene": { "scene_str": scene } },
    });
    let got = bench.post_json(&format!("{CREATE}?access_token={token}"), &body).await;
    assert_eq!(field_order(got.text()), ["ticket", "expire_seconds", "url"], "{}", got.text());
    got.json()
}

async fn scan(bench: &Bench, code: &Value, person: &str) -> Value {
    bench.script("/scan", json!({ "url": code["url"], "person": person })).await
}

fn openid(people: &Value, person: &str) -> String {
    let person = people["people"].as_array().unwrap().iter().find(|one| one["id"] == person).unwrap();
    person["openids"][OFFICIAL].as_str().unwrap().to_owned()
}

fn reply(to: &str, text: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[gh_5a9d0b0c0de2]]></FromUserName>\
         <CreateTime>1</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[{text}]]></Content></xml>"
    )
}

#[tokio::test]
async fn stranger_follows_with_the_scene_and_a_follower_scans() {
    let (bench, account) = with_server("plain").await;
    let made = code(&bench, "login-1").await;
    assert_eq!(made["ticket"].as_str().unwrap().len(), 96);
    let first = scan(&bench, &made, "ada").await;
    assert_eq!(first["delivery"]["event"]["kind"], "subscribe");
    let second = scan(&bench, &made, "ada").await;
    assert_eq!((&second["stage"], &second["delivery"]["event"]["kind"]), (&json!("scanned"), &json!("scan")));
    let posts = account.posts();
    let (query, body) = &posts[0];
    assert!(body.contains("<EventKey><![CDATA[qrscene_login-1]]></EventKey>"), "{body}");
    assert!(body.contains("<Event><![CDATA[subscribe]]></Event>"));
    assert!(posts[1].1.contains("<Event><![CDATA[SCAN]]></Event><EventKey><![CDATA[login-1]]></EventKey>"));
    assert!(posts[1].1.contains(made["ticket"].as_str().unwrap()) && !body.contains("MsgId"));
    let people = bench.get("/sandbox/api/people").await.json();
    assert_eq!(value(query, "openid"), openid(&people, "ada"));
    assert_eq!(value(query, "signature").len(), 40);
}

#[tokio::test]
async fn stranger_who_does_not_follow_is_not_told() {
    let (bench, account) = with_server("secure").await;
    let made = code(&bench, "s").await;
    let body = json!({ "url": made["url"], "person": "ada", "follow": false });
    let scanned = bench.script("/scan", body).await;
    assert_eq!((&scanned["stage"], &scanned["delivery"]), (&json!("asks_to_follow"), &Value::Null));
    assert!(account.posts().is_empty());
    bench.advance_ms(120_000);
    let late = bench.post("/scan", json!({ "url": made["url"], "person": "ada" })).await;
    assert_eq!((late.status, &late.json()["error"]), (StatusCode::GONE, &json!("expired")));
}

#[tokio::test]
async fn reply_shows_in_the_chat_with_its_link() {
    let (bench, account) = with_server("plain").await;
    let people = bench.get("/sandbox/api/people").await.json();
    account.answers(
        200,
        &reply(&openid(&people, "ada"), "<a href=\"https://login.example.com/c/1\">确认登录</a>"),
    );
    let made = code(&bench, "s").await;
    let scanned = scan(&bench, &made, "ada").await;
    assert_eq!(scanned["messages"][0]["links"], json!(["https://login.example.com/c/1"]));
    let page = bench.get_as("ada", &format!("/phone/chat/{OFFICIAL}")).await;
    let html = page.text().replace("&#x2f;", "/").replace("&amp;", "&");
    assert!(
        html.contains(&format!("/phone?open={}&tapped=1&go=1", encode("https://login.example.com/c/1"))),
        "{html}"
    );
    assert!(page.header("content-security-policy").contains("connect-src 'self'"));
}

#[tokio::test]
async fn scan_by_hand_leads_to_the_chat() {
    let (bench, account) = with_server("plain").await;
    let made = code(&bench, "s").await;
    let path = made["url"].as_str().unwrap().strip_prefix("http://127.0.0.1:8930").unwrap().to_owned();
    assert!(bench.get(&path).await.header("location").starts_with("/phone/who?next="));
    let opened = bench.get_as("ada", &path).await;
    let chat = opened.header("location").to_owned();
    assert_eq!(chat, format!("/phone/chat/{OFFICIAL}"));
    assert!(bench.get_as("ada", &chat).await.text().contains("value=\"follow\""));
    bench.submit_as("ada", &chat, "do=follow").await;
    bench.submit_as("ada", &chat, "do=say&text=hello+there").await;
    let bodies: Vec<_> = account.posts().into_iter().map(|(_, body)| body).collect();
    assert!(
        bodies[0].contains("qrscene_s") && bodies[1].contains("<Content><![CDATA[hello there]]></Content>")
    );
    assert!(bodies[1].contains("<MsgId>"));
    bench.submit_as("ada", &chat, "do=unfollow").await;
    assert!(account.posts()[2].1.contains("unsubscribe"));
    let refused = bench.submit_as("ada", &chat, "do=say&text=x").await;
    assert!(refused.text().contains("你还没有关注"));
}

#[tokio::test]
async fn news_of_an_authorization_names_the_person_apart_from_its_sender() {
    let (bench, account) = with_server("plain").await;
    let person = openid(&bench.get("/sandbox/api/people").await.json(), "ada");
    for (event, kind, named) in [
        (json!({ "kind": "authorization_cancelled" }), "user_authorization_cancellation", "OpenID"),
        (json!({ "kind": "authorization_revoked", "revoke": "205" }), "user_authorization_revoke", "OpenID"),
        (json!({ "kind": "profile_modified" }), "user_info_modified", "openid"),
    ] {
        let order = json!({ "appid": OFFICIAL, "person": "ada", "event": event });
        let sent = bench.script("/events/deliver", order).await;
        assert_eq!(sent["deliveries"][0]["event"], event);
        let (_, body) = account.posts().pop().unwrap();
        assert!(body.contains(&format!("<Event><![CDATA[{kind}]]></Event>")), "{body}");
        assert!(body.contains(&format!("<{named}><![CDATA[{person}]]></{named}>")), "{body}");
        assert!(!body.contains(&format!("<FromUserName><![CDATA[{person}]]>")), "{body}");
        assert_eq!(
            body.contains("<RevokeInfo><![CDATA[205]]></RevokeInfo>"),
            kind.ends_with("revoke"),
            "{body}"
        );
    }
}

#[tokio::test]
async fn failing_server_is_tried_three_times_with_the_same_bytes() {
    let (bench, account) = with_server("secure").await;
    account.answers(500, "success");
    let made = code(&bench, "s").await;
    let scanned = scan(&bench, &made, "ada").await;
    assert_eq!(scanned["delivery"]["attempts"].as_array().unwrap().len(), 3);
    let posts = account.posts();
    assert!(posts.len() == 3 && posts.iter().all(|post| *post == posts[0]));
    assert_eq!(scanned["messages"][0]["text"], "该公众号暂时无法提供服务，请稍后再试");
    account.answers(200, "{\"ok\":true}");
    let again = scan(&bench, &made, "ada").await;
    assert_eq!(again["delivery"]["attempts"][0]["outcome"], "wrong_data");
    assert_eq!(account.posts().len(), 4, "a wrong answer is an answer");
}

#[tokio::test]
async fn silent_server_is_given_five_seconds_three_times() {
    let (bench, account) = with_server("secure").await;
    let made = code(&bench, "s").await;
    account.answers(0, "");
    // From here on nothing but the sandbox's own patience moves the clock.
    tokio::time::pause();
    let scanned = scan(&bench, &made, "ada").await;
    let attempts = scanned["delivery"]["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 3);
    for attempt in attempts {
        assert_eq!((&attempt["outcome"], &attempt["status"]), (&json!("timeout"), &Value::Null));
        assert!((5000..5100).contains(&attempt["ms"].as_u64().unwrap()), "{attempt}");
    }
    assert_eq!(scanned["messages"][0]["text"], "该公众号暂时无法提供服务，请稍后再试");
}

#[tokio::test]
async fn settings_are_saved_only_when_the_address_echoes() {
    let (bench, (account, url)) = (Bench::new(), Account::listen().await);
    let settings = format!("/apps/{OFFICIAL}/events");
    let saved = bench.script(&settings, json!({ "url": url })).await;
    assert_eq!((&saved["mode"], &saved["original_id"]), (&json!("secure"), &json!("gh_5a9d0b0c0de2")));
    let (method, query, _) = account.seen.lock().unwrap()[0].clone();
    assert_eq!((method, value(&query, "signature").len()), (Method::GET, 40));
    for (body, error) in [
        (json!({ "url": format!("{url}/nothing") }), "url_not_verified"),
        (json!({ "url": "http://127.0.0.1:1/" }), "url_not_verified"),
        (json!({ "url": "ftp://127.0.0.1/" }), "bad_settings"),
        (json!({ "url": url, "token": "x" }), "bad_settings"),
        (json!({ "url": url, "aes_key": "x" }), "bad_settings"),
    ] {
        let refused = bench.post(&settings, body).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (422, &json!(error)));
    }
    let kept = bench.get(&format!("/sandbox/api{settings}")).await.json();
    assert_eq!(kept["url"], json!(url));
    assert_eq!(
        bench.post("/apps/wx5a9d0b0c0de00001/events", json!({ "url": url })).await.status,
        StatusCode::CONFLICT
    );
}

#[tokio::test]
async fn script_sends_flawed_and_repeated_events() {
    let (bench, account) = with_server("secure").await;
    let order = |more: Value| {
        let mut order =
            json!({ "appid": OFFICIAL, "person": "ada", "event": { "kind": "scan", "scene": "s" } });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order
    };
    let sent = bench.script("/events/deliver", order(json!({ "times": 20, "at_once": true }))).await;
    assert_eq!(sent["deliveries"].as_array().unwrap().len(), 20);
    let posts = account.posts();
    assert!(posts.iter().skip(1).all(|post| post.0 != posts[0].0), "each is freshly signed");
    bench.script("/events/deliver", order(json!({ "times": 2, "replay": true }))).await;
    let posts = account.posts();
    assert_eq!(posts[20], posts[21]);
    bench.script("/events/deliver", order(json!({ "flaw": "unsigned" }))).await;
    let (query, _) = account.posts().pop().unwrap();
    assert_eq!(value(&query, "msg_signature"), "");
    bench.script("/events/deliver", order(json!({ "flaw": "stale_timestamp" }))).await;
    let (query, _) = account.posts().pop().unwrap();
    assert_eq!(value(&query, "timestamp"), "1789642800");
    let listed = bench.get("/sandbox/api/events/deliveries").await.json();
    assert_eq!(listed["deliveries"].as_array().unwrap().len(), 24);
    assert_eq!(bench.post("/events/deliver", order(json!({ "flaw": "nice" }))).await.status.as_u16(), 422);
}

#[tokio::test]
async fn code_is_validated_and_its_picture_needs_the_whole_ticket() {
    let bench = Bench::new();
    let token = bench.token(OFFICIAL).await;
    let scene = |scene: Value| json!({ "action_name": "QR_STR_SCENE", "expire_seconds": 60, "action_info": { "scene": scene } });
    for (body, errcode) in [
        (json!({ "action_name": "QR" }), 40052),
        (json!({ "action_name": "QR_SCENE" }), 40053),
        (scene(json!({ "scene_str": "" })), 40129),
        (scene(json!({ "scene_str": "x".repeat(65) })), 40129),
        (json!({ "action_name": "QR_SCENE", "action_info": { "scene": { "scene_id": 0 } } }), 40129),
        (
            json!({ "action_name": "QR_SCENE", "expire_seconds": 2_592_001, "action_info": { "scene": { "scene_id": 1 } } }),
            40035,
        ),
        (json!("form=1"), 47001),
    ] {
        let got = bench.post_json(&format!("{CREATE}?access_token={token}"), &body).await.json();
        assert_eq!(got["errcode"], errcode, "{body}");
    }
    let mini = bench.token(crate::bench::MINI).await;
    let refused =
        bench.post_json(&format!("{CREATE}?access_token={mini}"), &scene(json!({ "scene_str": "s" }))).await;
    assert_eq!(refused.json()["errcode"], 48001);

    let made = code(&bench, "s").await;
    let ticket = encode(made["ticket"].as_str().unwrap());
    let picture = bench.get(&format!("/mp.weixin.qq.com/cgi-bin/showqrcode?ticket={ticket}")).await;
    assert_eq!((picture.header("content-type"), &picture.bytes[..2]), ("image/jpg", &[0xff, 0xd8][..]));
    let unknown = bench.get("/mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn code_without_the_scene_wrapper_is_accepted_and_carries_zero() {
    let (bench, account) = with_server("plain").await;
    let token = bench.token(OFFICIAL).await;
    let body = json!({ "action_name": "QR_SCENE", "action_info": { "scene_id": 7 } });
    let made = bench.post_json(&format!("{CREATE}?access_token={token}"), &body).await.json();
    assert_eq!(made["expire_seconds"], 60);
    scan(&bench, &made, "ada").await;
    assert!(account.posts()[0].1.contains("<![CDATA[qrscene_0]]>"));
    assert_eq!(bench.get("/sandbox/api/warnings").await.json()["warnings"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn follower_is_described_and_written_to_within_the_minute() {
    let bench = Bench::new();
    let token = bench.token(OFFICIAL).await;
    let openid = openid(&bench.get("/sandbox/api/people").await.json(), "ada");
    let info = format!("/api.weixin.qq.com/cgi-bin/user/info?access_token={token}&openid={openid}");
    assert_eq!(bench.get(&info).await.json()["subscribe"], 0);
    let send = format!("/api.weixin.qq.com/cgi-bin/message/custom/send?access_token={token}");
    let text = json!({ "touser": openid, "msgtype": "text", "text": { "content": "已登录" } });
    assert_eq!(bench.post_json(&send, &text).await.json()["errcode"], 45015);

    scan(&bench, &code(&bench, "s9").await, "ada").await;
    let follower = bench.get(&info).await.json();
    assert_eq!((&follower["subscribe"], &follower["qr_scene_str"]), (&json!(1), &json!("s9")));
    assert_eq!((&follower["nickname"], follower["unionid"].is_string()), (&json!(""), true));
    for errcode in [0, 0, 0, 45047] {
        assert_eq!(bench.post_json(&send, &text).await.json()["errcode"], errcode);
    }
    let chat = bench.get(&format!("/sandbox/api/chats/{OFFICIAL}/ada")).await.json();
    assert_eq!(chat["messages"][2], json!({ "from": "account", "text": "已登录", "links": [] }));
    let stranger = json!({ "touser": "oNobody", "msgtype": "text", "text": { "content": "x" } });
    assert_eq!(bench.post_json(&send, &stranger).await.json()["errcode"], 40003);
}
