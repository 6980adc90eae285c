//! WeCom: scan login, panel, in-app OAuth, and the calls of `qyapi`.

use axum::body::Body;
use http::{Request, StatusCode};
use mashang_sandbox::{DEMO_CORP_AGENTID, DEMO_CORP_CONTACT_SECRET, DEMO_CORP_SECRET, DEMO_CORPID};
use serde_json::{Value, json};

use crate::bench::{Bench, CHROME, Got, WXWORK, code_in, encode};

const LOGIN: &str = "/login.work.weixin.qq.com/wwlogin/sso/login";
const OLD: &str = "/open.work.weixin.qq.com/wwopen/sso/qrConnect";
const CONFIRM: &str = "/open.work.weixin.qq.com/wwopen/sso/confirm2";
const AUTHORIZE: &str = "/open.weixin.qq.com/connect/oauth2/authorize";

fn login_query() -> String {
    let redirect = encode("https://site.example/cb?x=1");
    format!(
        "login_type=CorpApp&appid={DEMO_CORPID}&agentid={DEMO_CORP_AGENTID}&redirect_uri={redirect}&state=st-1"
    )
}

fn key_in(page: &str) -> String {
    let (_, rest) = page.split_once(r#"data-key=""#).unwrap_or_else(|| panic!("no key in {page}"));
    rest.chars().take_while(char::is_ascii_alphanumeric).collect()
}

async fn key(bench: &Bench) -> String {
    key_in(bench.get(&format!("{LOGIN}?{}", login_query())).await.text())
}

/// A code of a scan login, by the script API.
async fn scan_code(bench: &Bench, person: &str) -> String {
    let key = key(bench).await;
    bench.script("/scan", json!({ "uuid": key, "person": person })).await;
    let allowed = bench.script("/allow", json!({ "uuid": key, "person": person })).await;
    code_in(allowed["redirect"].as_str().unwrap())
}

async fn api(bench: &Bench, call: &str, query: &str) -> Value {
    let got = bench.get(&format!("/qyapi.weixin.qq.com/cgi-bin/{call}?{query}")).await;
    assert_eq!((got.status, got.header("content-type")), (StatusCode::OK, "application/json; charset=UTF-8"));
    got.json()
}

async fn post_api(bench: &Bench, call: &str, token: &str, body: Value) -> Value {
    let request = Request::post(format!("/qyapi.weixin.qq.com/cgi-bin/{call}?access_token={token}"));
    bench.send(request.body(Body::from(body.to_string())).unwrap()).await.json()
}

async fn token_of(bench: &Bench, secret: &str) -> String {
    let got = api(bench, "gettoken", &format!("corpid={DEMO_CORPID}&corpsecret={secret}")).await;
    got["access_token"].as_str().unwrap_or_else(|| panic!("{got}")).to_owned()
}

async fn token(bench: &Bench) -> String {
    token_of(bench, DEMO_CORP_SECRET).await
}

async fn agent(bench: &Bench, change: Value) {
    bench.script(&format!("/wecom/corps/{DEMO_CORPID}/agents/{DEMO_CORP_AGENTID}"), change).await;
}

async fn member(bench: &Bench, userid: &str, change: Value) {
    bench.script(&format!("/wecom/corps/{DEMO_CORPID}/members/{userid}"), change).await;
}

async fn who(bench: &Bench, token: &str, code: &str) -> Value {
    api(bench, "auth/getuserinfo", &format!("access_token={token}&code={code}")).await
}

async fn wecom(bench: &Bench, person: &str, request: http::request::Builder, body: &str) -> Got {
    let cookie = format!("sandbox_person={person}; sandbox_app=wecom");
    let request = request
        .header("cookie", cookie)
        .header("user-agent", WXWORK)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("host", "127.0.0.1:8930");
    bench.send(request.body(Body::from(body.to_owned())).unwrap()).await
}

#[tokio::test]
async fn member_scans_confirms_and_the_site_learns_the_userid_once() {
    let bench = Bench::new();
    let key = key(&bench).await;
    let page = wecom(&bench, "xiaoming", Request::get(format!("{CONFIRM}?k={key}")), "").await;
    assert!(page.text().contains("码上登录") && page.text().contains("仿真有限公司"), "{}", page.text());
    let wait = format!("/login.work.weixin.qq.com/wwopen/sandbox/wait?key={key}");
    assert_eq!(bench.get(&wait).await.json(), json!({ "stage": "scanned" }));
    let tapped = wecom(&bench, "xiaoming", Request::post(CONFIRM), &format!("k={key}&answer=allow")).await;
    assert!(tapped.text().contains("登录成功"));
    let done = bench.get(&format!("{wait}&last=scanned")).await.json();
    let url = done["url"].as_str().unwrap();
    assert!(url.starts_with("https://site.example/cb?x=1&code=") && url.ends_with("&state=st-1"), "{url}");
    let code = code_in(url);
    assert_eq!(code.len(), 43);
    let token = token(&bench).await;
    assert_eq!(
        who(&bench, &token, &code).await,
        json!({ "errcode": 0, "errmsg": "ok", "userid": "XiaoMing" })
    );
    let again = who(&bench, &token, &code).await;
    assert_eq!(again["errcode"], 40029);
    let told = again["errmsg"].as_str().unwrap();
    assert!(told.starts_with("invalid code, hint: [") && told.contains("from ip: 127.0.0.1"), "{told}");
    assert!(told.ends_with("https://open.work.weixin.qq.com/devtool/query?e=40029"), "{told}");
}

#[tokio::test]
async fn refusal_returns_with_state_only() {
    let bench = Bench::new();
    let key = key(&bench).await;
    bench.script("/scan", json!({ "uuid": key, "person": "xiaoming" })).await;
    let denied = bench.script("/deny", json!({ "uuid": key, "person": "xiaoming" })).await;
    assert_eq!(denied["redirect"], "https://site.example/cb?x=1&state=st-1");
    let told = bench.get(&format!("/open.work.weixin.qq.com/wwopen/sandbox/wait?key={key}")).await.json();
    assert_eq!((&told["stage"], &told["code"]), (&json!("done"), &Value::Null));
}

#[tokio::test]
async fn member_out_of_range_gets_a_message_and_the_site_nothing() {
    let bench = Bench::new();
    let key = key(&bench).await;
    let page = wecom(&bench, "xiaohong", Request::get(format!("{CONFIRM}?k={key}")), "").await;
    assert!(page.text().contains("可见范围"));
    let refused = bench.post("/allow", json!({ "uuid": key, "person": "xiaohong" })).await;
    assert_eq!((refused.status, &refused.json()["error"]), (StatusCode::FORBIDDEN, &json!("out_of_range")));
    assert_eq!(bench.get(&format!("/sandbox/api/scans/{key}")).await.json()["stage"], "scanned");
    agent(&bench, json!({ "visible": { "members": ["XIAOHONG"] } })).await;
    let allowed = bench.script("/allow", json!({ "uuid": key, "person": "xiaohong" })).await;
    let (code, token) = (code_in(allowed["redirect"].as_str().unwrap()), token(&bench).await);
    assert_eq!(who(&bench, &token, &code).await["userid"], "xiaohong");
}

#[tokio::test]
async fn who_is_no_active_member_has_an_openid_and_a_customer_an_external_userid() {
    let bench = Bench::new();
    let token = token(&bench).await;
    for (person, customer) in [("ada", false), ("plain", false), ("emoji", true)] {
        let code = scan_code(&bench, person).await;
        let told = who(&bench, &token, &code).await;
        assert!(told["userid"].is_null(), "{person}: {told}");
        assert_eq!(told["openid"].as_str().unwrap().len(), 28);
        assert_eq!(told["external_userid"].is_string(), customer, "{person}: {told}");
    }
    let code = scan_code(&bench, "xiaoming").await;
    member(&bench, "xiaoming", json!({ "status": "left" })).await;
    let told = who(&bench, &token, &code).await;
    assert!(
        told["userid"].is_null() && told["openid"].is_string(),
        "who left between scan and exchange: {told}"
    );
    let gone = api(&bench, "user/get", &format!("access_token={token}&userid=XiaoMing")).await;
    assert_eq!(gone["errcode"], 60111);
}

#[tokio::test]
async fn the_two_getuserinfo_differ_by_letter_case() {
    let bench = Bench::new();
    let token = token(&bench).await;
    let code = scan_code(&bench, "xiaoming").await;
    let told = api(&bench, "user/getuserinfo", &format!("access_token={token}&code={code}")).await;
    assert_eq!(told, json!({ "errcode": 0, "errmsg": "ok", "UserId": "XiaoMing", "DeviceId": "" }));
    let code = scan_code(&bench, "ada").await;
    let told = api(&bench, "user/getuserinfo", &format!("access_token={token}&code={code}")).await;
    assert!(told["OpenId"].is_string() && told["openid"].is_null());
}

#[tokio::test]
async fn wrong_login_requests_get_a_page_with_the_number_that_the_panel_hears() {
    let bench = Bench::new();
    agent(&bench, json!({ "trusted_domains": ["site.example"] })).await;
    let good = login_query();
    for (query, number, text) in [
        (good.replace("CorpApp", "Corp"), -31040, "login_type"),
        (good.replace(DEMO_CORPID, "ww0000000000000000"), -31027, "appid"),
        (good.replace("1000002", "1000009"), -31028, "agentid"),
        (good.replace("1000002", "x"), -31028, "agentid"),
        (good.replace("site.example", "other.example"), -31020, "登录授权回调域名不一致"),
        (good.replace("site.example", "site.example%3A8443"), -31020, "登录授权回调域名不一致"),
    ] {
        let page = bench.get(&format!("{LOGIN}?{query}")).await;
        assert_eq!(page.status, StatusCode::OK);
        assert!(
            page.text().contains(&format!(r#"data-problem-code="{number}""#)),
            "{query}: {}",
            page.text()
        );
        assert!(page.text().contains(text), "{query}");
    }
    for path in [LOGIN.to_owned(), format!("{LOGIN}/"), OLD.to_owned()] {
        let page = bench.get(&format!("{path}?{good}")).await;
        assert!(!key_in(page.text()).is_empty(), "{path}");
    }
    agent(&bench, json!({ "enabled": false })).await;
    assert!(bench.get(&format!("{LOGIN}?{good}")).await.text().contains("-31037"));
}

#[tokio::test]
async fn callback_panel_speaks_to_trusted_pages_only() {
    let bench = Bench::new();
    agent(&bench, json!({ "trusted_domains": ["site.example"] })).await;
    let path = format!("{LOGIN}?{}&redirect_type=callback&version=2.4.4", login_query());
    for (around, drawn) in
        [("https://site.example/", true), ("https://evil.example/", false), ("http://localhost/", false)]
    {
        let request = Request::get(&path).header("referer", around).body(Body::empty()).unwrap();
        let page = bench.send(request).await;
        assert_eq!(page.text().contains("-31033"), !drawn, "{around}");
        assert!(page.header("content-security-policy").contains("frame-ancestors *"));
    }
}

fn authorize(scope: &str, more: &str) -> String {
    let redirect = encode("https://site.example/in");
    format!(
        "{AUTHORIZE}?appid={DEMO_CORPID}&redirect_uri={redirect}&response_type=code&scope={scope}&state=abc{more}"
    )
}

fn with_agent(scope: &str) -> String {
    authorize(scope, &format!("&agentid={DEMO_CORP_AGENTID}"))
}

#[tokio::test]
async fn in_app_base_is_silent_and_private_info_asks_and_gives_a_ticket() {
    let bench = Bench::new();
    let token = token(&bench).await;
    let silent = wecom(&bench, "xiaoming", Request::get(with_agent("snsapi_base")), "").await;
    assert_eq!(silent.status, StatusCode::FOUND);
    let told = who(&bench, &token, &code_in(silent.header("location"))).await;
    assert!(told["userid"] == "XiaoMing" && told["user_ticket"].is_null(), "{told}");

    let page = wecom(&bench, "xiaoming", Request::get(with_agent("snsapi_privateinfo")), "").await;
    let (_, rest) = page.text().split_once(r#"name="consent" value=""#).unwrap();
    let consent: String = rest.chars().take_while(|c| *c != '"').collect();
    let path = "/open.work.weixin.qq.com/wwopen/sandbox/consent";
    let form = format!("consent={consent}&answer=allow");
    let stolen = wecom(&bench, "ada", Request::post(path), &form).await;
    assert_eq!(stolen.status, StatusCode::OK, "someone else's answer is no answer");
    let allowed = wecom(&bench, "xiaoming", Request::post(path), &form).await;
    assert!(allowed.header("location").ends_with("&state=abc"));
    let told = who(&bench, &token, &code_in(allowed.header("location"))).await;
    let ticket = told["user_ticket"].as_str().unwrap();

    let detail = post_api(&bench, "auth/getuserdetail", &token, json!({ "user_ticket": ticket })).await;
    assert_eq!((&detail["userid"], &detail["gender"]), (&json!("XiaoMing"), &json!("0")));
    assert!(detail["mobile"].is_null() && detail["name"].is_null(), "off for every new app: {detail}");
    agent(&bench, json!({ "private_fields": true })).await;
    let detail = post_api(&bench, "auth/getuserdetail", &token, json!({ "user_ticket": ticket })).await;
    assert_eq!(detail["mobile"], "13800000001");
    let wrong = post_api(&bench, "auth/getuserdetail", &token, json!({ "user_ticket": "x" })).await;
    assert_eq!(wrong["errcode"], 84015);
    bench.advance_ms(1_800_000);
    let late = post_api(&bench, "auth/getuserdetail", &token, json!({ "user_ticket": ticket })).await;
    assert_eq!(late["errcode"], 84014);
}

#[tokio::test]
async fn duplicate_callback_and_one_without_a_code_reach_in_app_pages() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "duplicate_callback", "appid": DEMO_CORPID, "remaining": 2 })).await;
    let page = wecom(&bench, "xiaoming", Request::get(with_agent("snsapi_base")), "").await;
    let html = page.text().replace("&#x2f;", "/");
    assert!(html.contains(r#"data-url="https://site.example/in?code="#), "{html}");
    assert!(html.contains("/sandbox/assets/twice.js"));
    let url = format!("http://127.0.0.1:8930{}", with_agent("snsapi_base"));
    let ask = json!({ "url": url, "person": "xiaoming", "answer": "allow" });
    assert_eq!(bench.script("/authorize", ask.clone()).await["twice"], true);
    assert_eq!(bench.script("/authorize", ask.clone()).await["twice"], false, "used up");
    bench.fault(json!({ "fault": "callback_without_code", "remaining": 1 })).await;
    assert_eq!(bench.script("/authorize", ask).await["redirect"], "https://site.example/in?state=abc");
}

#[tokio::test]
async fn private_info_without_agentid_is_silent_and_warned_about() {
    let bench = Bench::new();
    let got = wecom(&bench, "xiaoming", Request::get(authorize("snsapi_privateinfo", "")), "").await;
    let told = who(&bench, &token(&bench).await, &code_in(got.header("location"))).await;
    assert!(told["userid"] == "XiaoMing" && told["user_ticket"].is_null());
    let warnings = bench.get("/sandbox/api/warnings").await.json();
    assert!(warnings["warnings"][0].as_str().unwrap().contains("without agentid"));
}

#[tokio::test]
async fn in_app_pages_refuse_untrusted_domains_other_apps_and_people_out_of_range() {
    let bench = Bench::new();
    agent(&bench, json!({ "trusted_domains": ["other.example"] })).await;
    let sent = wecom(&bench, "xiaoming", Request::get(with_agent("snsapi_base")), "").await;
    let to = sent.header("location");
    assert!(
        to.starts_with("/open.work.weixin.qq.com/wwopen/uriconfirm?err_type=domain_err&uri=https"),
        "{to}"
    );
    assert!(bench.get(to).await.text().contains("可信域名"));
    agent(&bench, json!({ "trusted_domains": ["site.example"] })).await;
    for (path, text) in [
        (with_agent("snsapi_login"), "scope"),
        (authorize("snsapi_base", "&agentid=7"), "agentid"),
        (with_agent("snsapi_base").replace("response_type=code", "response_type=token"), "response_type"),
        (with_agent("snsapi_base").replace("state=abc", &format!("state={}", "a".repeat(129))), "state"),
    ] {
        let page = wecom(&bench, "xiaoming", Request::get(&path), "").await;
        assert!(page.status == StatusCode::OK && page.text().contains(text), "{path}: {}", page.text());
    }
    let page = wecom(&bench, "xiaohong", Request::get(with_agent("snsapi_privateinfo")), "").await;
    assert!(page.text().contains("可见范围"));
    let silent = wecom(&bench, "xiaohong", Request::get(with_agent("snsapi_base")), "").await;
    assert_eq!(silent.status, StatusCode::FOUND, "the silent scope answers for any member");
}

#[tokio::test]
async fn phone_with_wechat_in_front_is_asked_to_open_wecom() {
    let bench = Bench::new();
    for path in [with_agent("snsapi_base"), format!("{CONFIRM}?k=x")] {
        let page = bench.get_as("xiaoming", &path).await;
        assert!(page.text().contains("请在企业微信客户端打开链接"), "{}", page.text());
        assert!(page.text().replace("&#x2f;", "/").contains("/phone/app/wecom?next="));
    }
    let switched = bench.get(&format!("/phone/app/wecom?next={}", encode("/phone?open=x"))).await;
    assert!(switched.header("set-cookie").starts_with("sandbox_app=wecom;"));
    assert_eq!(switched.header("location"), "/phone?open=x");
    let marks: Vec<_> = switched.headers.get_all("set-cookie").iter().collect();
    let mark = marks[1].to_str().unwrap().split(';').next().unwrap();
    for (cookie, status) in [(mark, StatusCode::FOUND), ("sandbox_app=wecom", StatusCode::OK)] {
        let request = Request::get(with_agent("snsapi_base"))
            .header("cookie", format!("sandbox_person=xiaoming; {cookie}"))
            .header("user-agent", CHROME);
        let got = bench.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(got.status, status, "{cookie}");
    }
    let link = format!("/phone?open={}&go=1", encode("https://login.example.com/s/abc"));
    let opened = wecom(&bench, "xiaoming", Request::get(&link), "").await;
    assert_eq!(opened.header("location"), "https://login.example.com/s/abc?via=wecom");
    let marked = bench
        .script("/scan", json!({ "url": "https://login.example.com/s/abc", "person": "ada", "app": "wecom" }))
        .await;
    assert_eq!(marked["open"], "https://login.example.com/s/abc?via=wecom");
}

#[tokio::test]
async fn script_api_answers_in_app_requests_too() {
    let bench = Bench::new();
    let url = format!("http://127.0.0.1:8930{}", with_agent("snsapi_privateinfo"));
    let ask = |answer: &str| json!({ "url": url, "person": "xiaoming", "answer": answer });
    assert_eq!(bench.script("/authorize", ask("deny")).await["redirect"], Value::Null);
    let allowed = bench.script("/authorize", ask("allow")).await;
    let told = who(&bench, &token(&bench).await, &code_in(allowed["redirect"].as_str().unwrap())).await;
    assert!(told["user_ticket"].is_string());
}

#[tokio::test]
async fn gettoken_keeps_its_token_until_killed_or_expired() {
    let bench = Bench::new();
    let first = token(&bench).await;
    assert_eq!(token(&bench).await, first);
    assert_ne!(token_of(&bench, DEMO_CORP_CONTACT_SECRET).await, first);
    let query = format!("access_token={first}&userid=xiaoming");
    assert_eq!(api(&bench, "user/get", &query).await["userid"], "XiaoMing");
    bench.script("/wecom/tokens", json!({ "kill": true })).await;
    assert_eq!(api(&bench, "user/get", &query).await["errcode"], 40014);
    bench.script("/wecom/tokens", json!({ "life_s": 60 })).await;
    let second = token(&bench).await;
    assert_ne!(second, first);
    bench.advance_ms(60_000);
    let query = format!("access_token={second}&userid=xiaoming");
    assert_eq!(api(&bench, "user/get", &query).await["errcode"], 42001);
    let third = token(&bench).await;
    bench.script("/wecom/tokens", json!({ "expire": true })).await;
    let query = format!("access_token={third}&userid=xiaoming");
    assert_eq!(api(&bench, "user/get", &query).await["errcode"], 42001);
    let calls = bench.get("/sandbox/api/calls").await.json();
    let counted = calls["calls"].as_array().unwrap().iter();
    let mut gettoken = counted.filter(|call| call["path"].as_str().unwrap().ends_with("/gettoken"));
    assert_eq!(gettoken.next().unwrap()["count"], 5);
}

#[tokio::test]
async fn gettoken_names_what_is_wrong() {
    let bench = Bench::new();
    for (query, errcode) in [
        (String::new(), 41002),
        (format!("corpid={DEMO_CORPID}"), 41004),
        ("corpid=ww0000000000000000&corpsecret=x".to_owned(), 40013),
        (format!("corpid={DEMO_CORPID}&corpsecret=x"), 40001),
    ] {
        assert_eq!(api(&bench, "gettoken", &query).await["errcode"], errcode, "{query}");
    }
    bench.script(&format!("/wecom/corps/{DEMO_CORPID}"), json!({ "dissolved": true })).await;
    let query = format!("corpid={DEMO_CORPID}&corpsecret={DEMO_CORP_SECRET}");
    assert_eq!(api(&bench, "gettoken", &query).await["errcode"], 2_000_002);
}

#[tokio::test]
async fn trusted_address_matters_to_every_call_but_gettoken() {
    let bench = Bench::new();
    agent(&bench, json!({ "trusted_ips": ["203.0.113.7"] })).await;
    let token = token(&bench).await;
    let code = scan_code(&bench, "xiaoming").await;
    let refused = who(&bench, &token, &code).await;
    assert_eq!(refused["errcode"], 60020);
    assert!(refused["errmsg"].as_str().unwrap().contains("from ip: 127.0.0.1,"));
    agent(&bench, json!({ "trusted_ips": ["127.0.0.1"] })).await;
    assert_eq!(who(&bench, &token, &code).await["userid"], "XiaoMing", "a refused call burns no code");
    agent(&bench, json!({ "enabled": false })).await;
    assert_eq!(who(&bench, &token, &code).await["errcode"], 50003);
}

#[tokio::test]
async fn directory_shows_what_the_app_may_see() {
    let bench = Bench::new();
    let token = token(&bench).await;
    let asked = |userid: &str| format!("access_token={token}&userid={userid}");
    let ming = api(&bench, "user/get", &asked("XIAOMING")).await;
    assert_eq!(
        (&ming["name"], &ming["department"], &ming["status"]),
        (&json!("王小明"), &json!([2]), &json!(1))
    );
    for private in ["mobile", "email", "biz_mail", "avatar", "gender"] {
        assert!(ming[private].is_null(), "{private}");
    }
    for (userid, errcode) in [("", 41009), ("nobody", 60111), ("xiaohong", 60011)] {
        assert_eq!(api(&bench, "user/get", &asked(userid)).await["errcode"], errcode, "{userid}");
    }
    assert_eq!(api(&bench, "user/get", &asked("plain.zhao")).await["status"], 2);
    let list = api(&bench, "department/list", &format!("access_token={token}")).await;
    assert_eq!(list["department"].as_array().unwrap().len(), 1);
    assert_eq!(list["department"][0]["name"], "研发部");
    let list = api(&bench, "user/simplelist", &format!("access_token={token}&department_id=2")).await;
    assert_eq!(list["userlist"].as_array().unwrap().len(), 2);
    let list = api(&bench, "user/simplelist", &format!("access_token={token}&department_id=3")).await;
    assert_eq!(list["errcode"], 60011);
    agent(&bench, json!({ "private_fields": true })).await;
    assert_eq!(api(&bench, "user/get", &asked("xiaoming")).await["mobile"], "13800000001");

    let contact = token_of(&bench, DEMO_CORP_CONTACT_SECRET).await;
    let query = format!("access_token={contact}&userid=xiaoming");
    assert_eq!(api(&bench, "user/get", &query).await["errcode"], 48002);
    assert_eq!(post_api(&bench, "user/list_id", &token, json!({})).await["errcode"], 48002);
    let page = post_api(&bench, "user/list_id", &contact, json!({ "limit": 2 })).await;
    assert_eq!((page["dept_user"].as_array().unwrap().len(), &page["next_cursor"]), (2, &json!("2")));
    let rest = post_api(&bench, "user/list_id", &contact, json!({ "cursor": "2" })).await;
    assert_eq!((rest["dept_user"].as_array().unwrap().len(), &rest["next_cursor"]), (1, &json!("")));
    let ids = api(&bench, "department/simplelist", &format!("access_token={contact}&id=1")).await;
    assert_eq!(ids["department_id"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn userid_and_openid_convert_both_ways() {
    let bench = Bench::new();
    let token = token(&bench).await;
    let openid = post_api(&bench, "user/convert_to_openid", &token, json!({ "userid": "xiaoming" })).await;
    let back =
        post_api(&bench, "user/convert_to_userid", &token, json!({ "openid": openid["openid"] })).await;
    assert_eq!(back["userid"], "XiaoMing");
    member(&bench, "xiaoming", json!({ "no_wechat": true })).await;
    let unbound = post_api(&bench, "user/convert_to_openid", &token, json!({ "userid": "xiaoming" })).await;
    assert_eq!(unbound["errcode"], 43004);
    let broken =
        Request::post(format!("/qyapi.weixin.qq.com/cgi-bin/user/convert_to_openid?access_token={token}"));
    assert_eq!(bench.send(broken.body(Body::from("{")).unwrap()).await.json()["errcode"], 40058);
}

#[tokio::test]
async fn faults_reach_qyapi() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "errcode", "code": 45009, "target": "gettoken", "remaining": 1 })).await;
    let query = format!("corpid={DEMO_CORPID}&corpsecret={DEMO_CORP_SECRET}");
    let limited = api(&bench, "gettoken", &query).await;
    assert_eq!(limited["errcode"], 45009);
    assert!(limited["errmsg"].as_str().unwrap().starts_with("api freq out of limit, hint: ["), "{limited}");
    for (code, text) in
        [(50002, "member not in"), (40001, "invalid credential, hint"), (60020, "not allow to access")]
    {
        bench.fault(json!({ "fault": "errcode", "code": code, "target": "gettoken", "remaining": 1 })).await;
        let told = api(&bench, "gettoken", &query).await;
        assert!(told["errmsg"].as_str().unwrap().starts_with(text), "in WeCom's words: {told}");
    }
    let token = token(&bench).await;
    bench.fault(json!({ "fault": "garbage_json", "target": "user", "remaining": 1 })).await;
    let path = format!("/qyapi.weixin.qq.com/cgi-bin/user/get?access_token={token}&userid=xiaoming");
    assert!(serde_json::from_slice::<Value>(&bench.get(&path).await.bytes).is_err());
    let key = key(&bench).await;
    bench.script("/scan", json!({ "uuid": key, "person": "xiaoming" })).await;
    bench.fault(json!({ "fault": "callback_without_code", "remaining": 1 })).await;
    let allowed = bench.script("/allow", json!({ "uuid": key, "person": "xiaoming" })).await;
    assert_eq!(allowed["redirect"], "https://site.example/cb?x=1&state=st-1");
}

#[tokio::test(start_paused = true)]
async fn client_that_gives_up_on_a_slow_answer_has_spent_its_code() {
    let bench = Bench::new();
    let (token, code) = (token(&bench).await, scan_code(&bench, "xiaoming").await);
    bench.fault(json!({ "fault": "slow", "ms": 7000, "target": "getuserinfo", "remaining": 1 })).await;
    let patience = std::time::Duration::from_secs(5);
    assert!(tokio::time::timeout(patience, who(&bench, &token, &code)).await.is_err());
    assert_eq!(who(&bench, &token, &code).await["errcode"], 40029);
}

#[tokio::test]
async fn members_can_be_added_and_hostile_changes_are_refused() {
    let bench = Bench::new();
    let path = format!("/wecom/corps/{DEMO_CORPID}/members");
    let made = json!({ "userid": "Ada.L", "person": "ada", "name": "Ada", "departments": [2] });
    assert_eq!(bench.post(&path, made.clone()).await.status, StatusCode::CREATED);
    assert_eq!(bench.post(&path, made).await.status, StatusCode::CONFLICT);
    for (change, status) in [
        (json!({ "userid": "-x", "person": "ada", "name": "", "departments": [2] }), StatusCode::BAD_REQUEST),
        (json!({ "userid": "x", "person": "ada", "name": "", "departments": [99] }), StatusCode::BAD_REQUEST),
        (json!({ "userid": "x", "person": "nobody", "name": "", "departments": [2] }), StatusCode::NOT_FOUND),
    ] {
        assert_eq!(bench.post(&path, change.clone()).await.status, status, "{change}");
    }
    let told = who(&bench, &token(&bench).await, &scan_code(&bench, "ada").await).await;
    assert_eq!(told["userid"], "Ada.L");
    assert_eq!(bench.post("/wecom/tokens", json!({ "life_s": 0 })).await.status, StatusCode::BAD_REQUEST);
    bench.script("/reset", json!({})).await;
    let corps = bench.get("/sandbox/api/wecom/corps").await;
    assert_eq!(corps.json()["corps"][0]["members"].as_array().unwrap().len(), 3);
    assert!(!corps.text().contains(DEMO_CORP_SECRET));
}

#[tokio::test]
async fn tencent_hosts_serve_pages_and_scripts_by_name() {
    let bench = Bench::new();
    let at = async |host: &str, path: &str| {
        bench.send(Request::get(path).header("host", host).body(Body::empty()).unwrap()).await
    };
    let page = at("login.work.weixin.qq.com", &format!("/wwlogin/sso/login?{}", login_query())).await;
    let html = page.text().replace("&#x2f;", "/");
    assert!(html.contains("src=\"//login.work.weixin.qq.com/wwopen/sandbox/qr?key="), "{html}");
    assert!(!html.contains("<script>") && !html.contains(" style="));
    let picture = format!("/wwopen/sandbox/qr?key={}", key_in(page.text()));
    assert_eq!(at("login.work.weixin.qq.com", &picture).await.header("content-type"), "image/jpeg");
    assert_eq!(
        at("login.work.weixin.qq.com", "/wwopen/sandbox/qr?key=x").await.status,
        StatusCode::NOT_FOUND
    );
    for (host, path, text) in [
        ("rescdn.qqmail.com", "/node/ww/wwopenmng/js/sso/wwLogin-1.0.0.js", "\"//open.work.weixin.qq.com\""),
        ("wwcdn.weixin.qq.com", "/node/wework/wwopen/js/wwLogin-1.2.7.js", "\"//open.work.weixin.qq.com\""),
        ("wwcdn.weixin.qq.com", "/node/open/js/wecom-jssdk-2.3.4.js", "\"//login.work.weixin.qq.com\""),
    ] {
        let script = at(host, path).await;
        assert!(script.text().contains(text), "{host}{path}: {}", script.text());
    }
    let style = at("login.work.weixin.qq.com", "/sandbox/assets/wecom_login.css").await;
    assert!(style.header("content-type").starts_with("text/css"));
}

/// A corp's own server, as far as the events test needs it: it says to every GET what the test wants said, and keeps
/// what is posted.
async fn corp_server(echo: impl Fn(&str) -> String + Clone + Send + Sync + 'static) -> (String, Posted) {
    use axum::Router;
    use axum::extract::{RawQuery, State};
    use axum::routing::get;
    let posted = Posted::default();
    let keep = async |State(posted): State<Posted>, RawQuery(query): RawQuery, body: String| {
        posted.lock().unwrap().push((query.unwrap_or_default(), body));
    };
    let say = move |RawQuery(query): RawQuery| async move { echo(&query.unwrap_or_default()) };
    let router = Router::new().route("/events", get(say).post(keep)).with_state(Posted::clone(&posted));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/events", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, posted)
}

type Posted = std::sync::Arc<std::sync::Mutex<Vec<(String, String)>>>;

/// The other end of the envelope, written once more from WeCom fact sheet §12.
fn opened(sealed: &str) -> (String, String) {
    use aes::Aes256;
    use base64::Engine as _;
    use cbc::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
    let engine = base64::engine::GeneralPurpose::new(
        &base64::alphabet::STANDARD,
        base64::engine::GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
    );
    let key: [u8; 32] =
        engine.decode(format!("{}=", mashang_sandbox::DEMO_OFFICIAL_AES_KEY)).unwrap().try_into().unwrap();
    let mut plain = engine.decode(sealed).unwrap();
    let iv: [u8; 16] = key[..16].try_into().unwrap();
    let mut cipher = cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into());
    for block in plain.chunks_exact_mut(16) {
        let block: &mut [u8; 16] = block.try_into().unwrap();
        cipher.decrypt_block(block.into());
    }
    plain.truncate(plain.len() - usize::from(*plain.last().unwrap()));
    let length = u32::from_be_bytes(plain[16..20].try_into().unwrap()) as usize;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&plain[20..20 + length]), text(&plain[20 + length..]))
}

fn parameter(query: &str, name: &str) -> String {
    url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).unwrap().1.into_owned()
}

#[tokio::test]
async fn leaver_is_told_to_the_companys_server_signed_and_encrypted() {
    let bench = Bench::new();
    let settings = format!("/wecom/corps/{DEMO_CORPID}/events");
    let (deaf, _) = corp_server(|_| "hello".to_owned()).await;
    let refused = bench.post(&settings, json!({ "url": deaf })).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("url_not_verified"))
    );
    let (url, posted) = corp_server(|query| opened(&parameter(query, "echostr")).0).await;
    bench.script(&settings, json!({ "url": url })).await;

    let path = format!("/wecom/corps/{DEMO_CORPID}/members/xiaoming");
    let left = bench.script(&path, json!({ "status": "left" })).await;
    assert_eq!(left["event"]["statuses"], json!([200]));
    let (query, body) = posted.lock().unwrap().remove(0);
    let sealed = body.split("<Encrypt><![CDATA[").nth(1).unwrap().split("]]>").next().unwrap().to_owned();
    assert!(body.contains(&format!("<ToUserName><![CDATA[{DEMO_CORPID}]]></ToUserName><AgentID>")), "{body}");
    let (timestamp, nonce) = (parameter(&query, "timestamp"), parameter(&query, "nonce"));
    let mut parts =
        [mashang_sandbox::DEMO_OFFICIAL_TOKEN, timestamp.as_str(), nonce.as_str(), sealed.as_str()];
    parts.sort_unstable();
    use sha1::Digest as _;
    let digest: String =
        sha1::Sha1::digest(parts.concat()).iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(parameter(&query, "msg_signature"), digest);
    let (message, receiver) = opened(&sealed);
    assert_eq!(receiver, DEMO_CORPID);
    for element in [
        "<Event><![CDATA[change_contact]]>",
        "<ChangeType><![CDATA[delete_user]]>",
        "<UserID><![CDATA[XiaoMing]]>",
    ] {
        assert!(message.contains(element), "{message}");
    }

    let path = format!("/wecom/corps/{DEMO_CORPID}/members/xiaohong");
    bench.script(&path, json!({ "status": "disabled", "userid": "hong" })).await;
    let (_, body) = posted.lock().unwrap().remove(0);
    let sealed = body.split("<Encrypt><![CDATA[").nth(1).unwrap().split("]]>").next().unwrap().to_owned();
    let message = opened(&sealed).0;
    assert!(
        message.contains("<NewUserID><![CDATA[hong]]>") && message.contains("<Status>2</Status>"),
        "{message}"
    );
    let list = bench.get("/sandbox/api/wecom/deliveries").await.json();
    assert_eq!(list["deliveries"].as_array().unwrap().len(), 2);

    let path = format!("/wecom/corps/{DEMO_CORPID}/members/XiaoMing");
    let renamed = bench.script(&path, json!({ "name": "王明" })).await;
    assert_eq!(renamed["event"], Value::Null, "who left is nobody's news");
    let back = bench.script(&path, json!({ "status": "active" })).await;
    assert_eq!(back["event"]["change"], json!({ "change_type": "create_user", "userid": "XiaoMing" }));
}

#[tokio::test]
async fn forged_broken_and_repeated_directory_events_are_delivered_as_ordered() {
    let bench = Bench::new();
    let order = |more: Value| {
        let mut order = json!({ "corpid": DEMO_CORPID, "change": { "change_type": "delete_user", "userid": "XiaoMing" } });
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order
    };
    let early = bench.post("/wecom/events/deliver", order(json!({}))).await;
    assert_eq!((early.status, &early.json()["error"]), (StatusCode::CONFLICT, &json!("no_event_target")));
    let (url, posted) = corp_server(|query| opened(&parameter(query, "echostr")).0).await;
    bench.script(&format!("/wecom/corps/{DEMO_CORPID}/events"), json!({ "url": url })).await;

    let took = || posted.lock().unwrap().split_off(0);
    let sealed = |body: &str| {
        body.split("<Encrypt><![CDATA[").nth(1).map(|rest| rest.split("]]>").next().unwrap().to_owned())
    };
    let sent = bench.script("/wecom/events/deliver", order(json!({ "times": 2, "replay": true }))).await;
    assert_eq!(sent["deliveries"][1]["statuses"], json!([200]));
    let twice = took();
    assert_eq!(twice[0], twice[1], "the very same bytes");
    bench.script("/wecom/events/deliver", order(json!({ "times": 2 }))).await;
    let fresh = took();
    assert_ne!(fresh[0], fresh[1]);

    let now = crate::bench::START_MS / 1000;
    for (flaw, differs) in [
        ("unsigned", (|query, _| !query.contains("msg_signature")) as fn(&str, &str) -> bool),
        ("stale_timestamp", |query, _| {
            parameter(query, "timestamp") == (crate::bench::START_MS / 1000 - 3600).to_string()
        }),
        ("other_account", |_, body| body.contains("<ToUserName><![CDATA[ww0000000000000000]]>")),
        ("plaintext_only", |_, body| !body.contains("Encrypt") && body.contains("delete_user")),
        ("plaintext_beside_ciphertext", |_, body| body.contains("oForged") && body.contains("Encrypt")),
        ("truncated", |_, body| !body.ends_with("</xml>")),
    ] {
        bench.script("/wecom/events/deliver", order(json!({ "flaw": flaw }))).await;
        let (query, body) = took().remove(0);
        assert!(differs(&query, &body), "{flaw}: {query} {body}");
        assert!(!query.contains("encrypt_type") && !query.contains("&signature="), "{query}");
    }
    bench.script("/wecom/events/deliver", order(json!({ "flaw": "other_appid" }))).await;
    let (query, body) = took().remove(0);
    assert_eq!(opened(&sealed(&body).unwrap()).1, "ww0000000000000000");
    assert_eq!(parameter(&query, "timestamp"), now.to_string());
    let members = bench.get("/sandbox/api/wecom/corps").await.json()["corps"][0]["members"].clone();
    assert_eq!(members[0]["status"], "active", "the directory stays as it is");
}
