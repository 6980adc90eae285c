//! Official account web authorization.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::bench::{
    Bench, CHROME, Got, MICRO_MESSENGER, OFFICIAL, STRICT_OFFICIAL, WEBSITE, WXWORK, authorize, code_in,
    encode,
};

const PATH: &str = "/open.weixin.qq.com/connect/oauth2/authorize";

async fn get_with(bench: &Bench, path: &str, agent: &str, cookie: &str) -> Got {
    let request = Request::get(path).header("user-agent", agent).header("cookie", cookie);
    bench.send(request.header("host", "127.0.0.1:8930").body(Body::empty()).unwrap()).await
}

fn consent_in(page: &str) -> String {
    let (_, rest) =
        page.split_once(r#"name="consent" value=""#).unwrap_or_else(|| panic!("no consent in {page}"));
    rest.chars().take_while(|c| *c != '"').collect()
}

#[tokio::test]
async fn silent_scope_redirects_at_once_with_code_and_state() {
    let bench = Bench::new();
    let got = bench.get_as("ada", &authorize(OFFICIAL, "snsapi_base")).await;
    assert_eq!(got.status, StatusCode::FOUND);
    let location = got.header("location");
    assert!(location.starts_with("https://login.example.com/wx?code=0") && location.ends_with("&state=st-1"));
    assert!(bench.exchange(OFFICIAL, &code_in(location)).await.json()["openid"].is_string());
}

#[tokio::test]
async fn userinfo_scope_asks_and_allow_redirects() {
    let bench = Bench::new();
    let page = bench.get_as("ada", &authorize(OFFICIAL, "snsapi_userinfo")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().contains("允许") && page.text().contains("码上登录服务号"));
    assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"));
    let form = format!("consent={}&answer=allow", consent_in(page.text()));
    let stolen = bench.submit_as("xiaoming", PATH, &form).await;
    assert_eq!(stolen.status, StatusCode::OK, "someone else's answer is no answer");
    let allowed = bench.submit_as("ada", PATH, &form).await;
    assert_eq!(allowed.status, StatusCode::FOUND);
    let token = bench.exchange(OFFICIAL, &code_in(allowed.header("location"))).await.json();
    assert_eq!(token["scope"], "snsapi_userinfo");
    assert_eq!(bench.userinfo(&token).await.json()["nickname"], "Ada");
    assert_eq!(bench.submit_as("ada", PATH, &form).await.status, StatusCode::OK, "a consent counts once");
}

/// §3: silent for whoever follows the account, unless the site forces the question.
#[tokio::test]
async fn userinfo_scope_asks_no_follower_but_under_force_popup() {
    let bench = Bench::new();
    let chat = format!("/chats/{OFFICIAL}/ada");
    bench.script(&chat, json!({ "do": "set", "follows": true })).await;
    let asked = authorize(OFFICIAL, "snsapi_userinfo");
    let silent = bench.get_as("ada", &asked).await;
    assert_eq!(silent.status, StatusCode::FOUND);
    let token = bench.exchange(OFFICIAL, &code_in(silent.header("location"))).await.json();
    assert_eq!(bench.userinfo(&token).await.json()["nickname"], "Ada", "and the name is told");
    let forced = bench.get_as("ada", &format!("{asked}&forcePopup=true")).await;
    assert!(forced.status == StatusCode::OK && forced.text().contains("允许"));
    assert_eq!(bench.get_as("xiaoming", &asked).await.status, StatusCode::OK, "who does not follow is asked");
}

#[tokio::test]
async fn deny_closes_the_page_and_by_the_older_rule_returns_the_state() {
    let bench = Bench::new();
    for (older, status) in [(false, StatusCode::OK), (true, StatusCode::FOUND)] {
        if older {
            bench.fault(json!({ "fault": "deny_redirect", "remaining": 1 })).await;
        }
        let page = bench.get_as("ada", &authorize(OFFICIAL, "snsapi_userinfo")).await;
        let form = format!("consent={}&answer=deny", consent_in(page.text()));
        let denied = bench.submit_as("ada", PATH, &form).await;
        assert_eq!(denied.status, status);
        if older {
            assert_eq!(denied.header("location"), "https://login.example.com/wx?state=st-1");
        } else {
            assert!(denied.text().contains("已拒绝"));
        }
    }
}

#[tokio::test]
async fn wrong_parameters_get_numbered_pages() {
    let bench = Bench::new();
    let redirect = encode("https://login.example.com/cb");
    let other = encode("https://example.com/cb");
    let ported = encode("https://login.example.com:8443/cb");
    let good = format!("appid={STRICT_OFFICIAL}&redirect_uri={redirect}&response_type=code");
    let long = "s".repeat(129);
    for (query, text) in [
        (String::new(), "10012"),
        ("appid=wx0".to_owned(), "appid 参数错误"),
        (format!("appid={WEBSITE}"), "10016"),
        (format!("appid={STRICT_OFFICIAL}"), "10011"),
        (format!("appid={STRICT_OFFICIAL}&redirect_uri={other}"), "10003"),
        (format!("appid={STRICT_OFFICIAL}&redirect_uri={ported}"), "10003"),
        (format!("appid={STRICT_OFFICIAL}&redirect_uri={redirect}&response_type=token"), "response_type"),
        (good.clone(), "10010"),
        (format!("{good}&scope=snsapi_login"), "10005"),
        (format!("{good}&scope=snsapi_base&state="), "10013"),
        (format!("{good}&scope=snsapi_base&state={long}"), "state 参数过长"),
    ] {
        let page = bench.get_as("ada", &format!("{PATH}?{query}")).await;
        assert_eq!(page.status, StatusCode::OK, "{query}");
        assert!(page.text().contains(text), "{query}: {}", page.text());
        assert!(page.header("location").is_empty());
    }
    let longest = format!("{PATH}?{good}&scope=snsapi_base&state={}", &long[1..]);
    assert_eq!(bench.get_as("ada", &longest).await.status, StatusCode::FOUND);
    for code in [10004, 10006, 10009, 10015] {
        bench.fault(json!({ "fault": "authorize_error", "code": code, "remaining": 1 })).await;
        let page = bench.get_as("ada", &authorize(OFFICIAL, "snsapi_base")).await;
        assert!(page.text().contains(&code.to_string()));
    }
}

#[tokio::test]
async fn browser_outside_wechat_is_sent_to_the_phone_whoever_holds_it() {
    let bench = Bench::new();
    let path = authorize(OFFICIAL, "snsapi_base");
    for (cookie, agent) in
        [("", CHROME), ("sandbox_person=ada", CHROME), ("sandbox_person=ada; sandbox_app=wechat", WXWORK)]
    {
        let page = get_with(&bench, &path, agent, cookie).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("请在微信客户端打开链接"), "{cookie} {agent}");
        assert!(page.text().replace("&#x2f;", "/").contains("/phone?open=http"));
    }
}

#[tokio::test]
async fn what_the_phone_opens_is_inside_wechat_for_ten_minutes() {
    let bench = Bench::new();
    let path = authorize(OFFICIAL, "snsapi_base");
    let open = format!("/phone?go=1&open={}", encode("https://login.example.com/s/abc"));
    let opened = get_with(&bench, &open, CHROME, "sandbox_person=ada").await;
    let mark = opened.header("set-cookie").split(';').next().unwrap().to_owned();
    assert!(opened.header("set-cookie").contains("; Max-Age=600; HttpOnly"));
    let cookie = format!("sandbox_person=ada; {mark}");
    assert_eq!(get_with(&bench, &path, CHROME, &cookie).await.status, StatusCode::FOUND);
    let forged = format!("sandbox_person=ada; {}", mark.replace("wechat.", "wechat.9"));
    assert_eq!(get_with(&bench, &path, CHROME, &forged).await.status, StatusCode::OK);
    bench.advance_ms(600_000);
    assert_eq!(get_with(&bench, &path, CHROME, &cookie).await.status, StatusCode::OK, "faded");
}

#[tokio::test]
async fn wechat_without_a_person_asks_who_first_and_then_goes_on() {
    let bench = Bench::new();
    let path = authorize(OFFICIAL, "snsapi_base");
    let asked = get_with(&bench, &path, MICRO_MESSENGER, "").await;
    assert_eq!(asked.status, StatusCode::SEE_OTHER);
    assert_eq!(asked.header("location"), format!("/phone/who?next={}", encode(&path)));
    let picked = bench.submit_as("", "/phone/who", &format!("person=ada&next={}", encode(&path))).await;
    assert_eq!((picked.status, picked.header("location")), (StatusCode::SEE_OTHER, path.as_str()));
}

#[tokio::test]
async fn other_order_of_parameters_passes_with_a_warning() {
    let bench = Bench::new();
    bench.get_as("ada", &authorize(OFFICIAL, "snsapi_base")).await;
    assert_eq!(bench.get("/sandbox/api/warnings").await.json()["warnings"], json!([]));
    let redirect = encode("https://login.example.com/cb");
    let path = format!(
        "{PATH}?scope=snsapi_base&appid={OFFICIAL}&redirect_uri={redirect}&response_type=code&state=1"
    );
    assert_eq!(bench.get_as("ada", &path).await.status, StatusCode::FOUND);
    let warnings = bench.get("/sandbox/api/warnings").await.json();
    assert!(warnings["warnings"][0].as_str().unwrap().contains("scope, appid"));
}

#[tokio::test]
async fn state_and_fragment_survive_the_redirect() {
    let bench = Bench::new();
    let redirect = encode("https://login.example.com/app?x=1#/home");
    let path = format!(
        "{PATH}?appid={OFFICIAL}&redirect_uri={redirect}&response_type=code&scope=snsapi_base&state={}",
        encode("a b&c=\r\n<")
    );
    let got = bench.get_as("ada", &path).await;
    let location = got.header("location");
    assert!(location.starts_with("https://login.example.com/app?x=1&code=0"), "{location}");
    assert!(location.ends_with("&state=a+b%26c%3D%0D%0A%3C#/home"), "{location}");
}
