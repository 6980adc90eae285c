//! The phone page.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::bench::{Bench, encode};

#[tokio::test]
async fn phone_without_a_person_asks_who_holds_it() {
    let bench = Bench::new();
    assert_eq!(bench.get("/phone").await.header("location"), "/phone/who?next=%2Fphone");
    let picker = bench.get("/phone/who?next=%2Fphone").await;
    for text in ["小明", "Ada", "快照用户", "新建一个人", "sandbox · 仿真环境", r#"lang="zh-CN""#]
    {
        assert!(picker.text().contains(text), "{text}");
    }
    let forgotten = bench.get_as("nobody", "/phone").await;
    assert_eq!(forgotten.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn picked_person_takes_the_phone() {
    let bench = Bench::new();
    let picked = bench.submit_as("", "/phone/who", "person=ada&next=%2Fphone").await;
    assert_eq!(
        picked.header("set-cookie"),
        "sandbox_person=ada; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax"
    );
    let page = bench.get_as("ada", "/phone").await;
    assert!(page.text().contains("Ada") && page.text().contains("扫一扫"));
    assert!(page.text().contains("手机自带的相机"), "says what to do without a camera");
    assert_eq!(bench.submit_as("", "/phone/who", "person=nobody").await.status, StatusCode::BAD_REQUEST);
    let foreign = bench.submit_as("", "/phone/who", "person=ada&next=https%3A%2F%2Fevil.example").await;
    assert_eq!(foreign.header("location"), "/phone");
}

#[tokio::test]
async fn made_person_takes_the_phone_and_a_hostile_name_stays_text() {
    let bench = Bench::new();
    let form = format!(
        "name={}&emoji=&colour=2&snapshot=on&next=%2Fphone",
        encode("<img src=x onerror=alert(1)>\"'")
    );
    let made = bench.submit_as("", "/phone/people", &form).await;
    assert_eq!(made.status, StatusCode::SEE_OTHER);
    let cookie = made.header("set-cookie");
    let id = cookie.strip_prefix("sandbox_person=").unwrap().split(';').next().unwrap().to_owned();
    let page = bench.get_as(&id, "/phone").await;
    assert!(page.text().contains("&lt;img src=x onerror=alert(1)&gt;") && !page.text().contains("<img"));
    let person =
        bench.get("/sandbox/api/people").await.json()["people"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (&person["snapshot"], &person["colour"], &person["no_avatar"]),
        (&json!(true), &json!(2), &json!(false))
    );
    let nameless = bench.submit_as("", "/phone/people", "name=++&next=%2Fphone").await;
    assert!(nameless.text().contains("a name has 1 to 64 characters"));
}

#[tokio::test]
async fn scanned_login_code_is_shown_and_opened_here() {
    let bench = Bench::new();
    let link = "http://127.0.0.1:8930/open.weixin.qq.com/connect/confirm?uuid=0abc";
    let open = format!("/phone?open={}", encode(link));
    let shown = bench.get_as("ada", &open).await;
    assert!(shown.text().contains("扫到了微信登录码") && shown.text().contains("打开，身份： Ada"));
    let opened = bench.get_as("ada", &format!("{open}&go=1")).await;
    assert_eq!(opened.header("location"), "/open.weixin.qq.com/connect/confirm?uuid=0abc");
}

#[tokio::test]
async fn heading_says_what_was_scanned() {
    let bench = Bench::new();
    for (link, heading) in [
        ("http://127.0.0.1:8930/mini/abc", "扫到了小程序码"),
        ("http://weixin.qq.com/q/02abc", "扫到了公众号二维码"),
        ("https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1", "扫到了一个授权链接"),
        ("http://127.0.0.1:8930/open.work.weixin.qq.com/wwopen/sso/confirm2?k=1", "扫到了企业微信登录码"),
        ("https://a.example/mini/1", "扫到了一个链接"),
    ] {
        let page = bench.get_as("ada", &format!("/phone?open={}", encode(link))).await;
        assert!(page.text().contains(heading), "{link}");
    }
}

#[tokio::test]
async fn phone_in_wecom_tells_who_is_who_in_the_company() {
    let bench = Bench::new();
    let ask = async |path: &str, cookie: &str| {
        let request = Request::get(path).header("cookie", format!("sandbox_person=xiaohong; {cookie}"));
        bench.send(request.body(Body::empty()).unwrap()).await.text().to_owned()
    };
    let picker = ask("/phone/who", "sandbox_app=wecom; sandbox_lang=zh-CN").await;
    for tag in ["成员", "不在可见范围", "已停用", "客户", "外部"] {
        assert!(picker.contains(&format!(">{tag}</span>")), "{tag}");
    }
    assert!(picker.contains("<small>xiaohong</small>"), "the id, for scripts");
    assert!(!ask("/phone/who", "").await.contains("data-standing"), "WeChat knows no company");
    let home = ask("/phone", "sandbox_app=wecom; sandbox_lang=en").await;
    assert!(home.contains(">Outside the visible range</span>") && home.contains("· xiaohong"));
}

#[tokio::test]
async fn other_link_is_opened_marked_as_from_wechat() {
    let bench = Bench::new();
    let open = format!("/phone?open={}&go=1", encode("https://login.example.com/s/abc?x=1#y"));
    let opened = bench.get_as("ada", &open).await;
    assert_eq!(opened.status, StatusCode::FOUND);
    assert_eq!(opened.header("location"), "https://login.example.com/s/abc?x=1&via=wechat#y");
    let asked = bench.get(&open).await;
    assert!(
        asked.header("location").starts_with("/phone/who?next=%2Fphone%3Fopen%3Dhttps"),
        "{}",
        asked.header("location")
    );
}

#[tokio::test]
async fn only_http_links_are_opened() {
    let bench = Bench::new();
    for link in ["javascript:alert(1)", "data:text/html,x", "weixin://dl/business", "hello"] {
        let page = bench.get_as("ada", &format!("/phone?go=1&open={}", encode(link))).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(page.text().contains("这不是可以打开的链接") && !page.text().contains("href=\"javascript"));
    }
}

#[tokio::test]
async fn phone_speaks_english_by_header_or_by_its_switch() {
    let bench = Bench::new();
    let ask = |name: &'static str, value: &'static str| {
        Request::get("/phone/who").header(name, value).body(Body::empty()).unwrap()
    };
    assert!(bench.send(ask("accept-language", "en-US,en")).await.text().contains("Who holds this phone?"));
    assert!(bench.send(ask("cookie", "sandbox_lang=en")).await.text().contains("Who holds this phone?"));
    let switch =
        Request::get("/phone/lang/en").header("referer", "http://127.0.0.1:8930/phone?open=http%3A%2F%2Fa");
    let switched = bench.send(switch.body(Body::empty()).unwrap()).await;
    assert_eq!(switched.header("location"), "/phone?open=http%3A%2F%2Fa");
    assert!(switched.header("set-cookie").starts_with("sandbox_lang=en;"));
}

#[tokio::test]
async fn pages_have_no_inline_script_or_style() {
    let bench = Bench::new();
    for path in
        ["/phone", "/phone/who", "/sandbox/api", "/sandbox/troubles", "/phone?open=http%3A%2F%2Fa.example%2F"]
    {
        let page = bench.get_as("ada", path).await;
        let html = page.text();
        assert_eq!(page.status, StatusCode::OK, "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self'"), "{policy}");
        for inline in ["<script>", "<style", " style=", " onclick="] {
            assert!(!html.contains(inline), "{path}: {inline}");
        }
        assert!(html.contains("sandbox · 仿真环境"));
        for file in
            html.split(['"', ' ']).filter(|part| part.replace("&#x2f;", "/").starts_with("/sandbox/assets/"))
        {
            assert_eq!(bench.get(&file.replace("&#x2f;", "/")).await.status, StatusCode::OK, "{file}");
        }
    }
}
