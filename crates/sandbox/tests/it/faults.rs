//! Things that go wrong on purpose.

use http::StatusCode;
use mashang_sandbox::DEMO_CORPID;
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, timeout};

use crate::bench::{Bench, LONE, OFFICIAL, WEBSITE, authorize};

async fn fresh_code(bench: &Bench) -> String {
    bench.website_code(WEBSITE, "ada").await
}

#[tokio::test]
async fn errcode_faults_come_before_any_work() {
    let bench = Bench::new();
    for (fault, errcode) in [("system_error", -1), ("invalid_code", 40029), ("used_code", 40163)] {
        let code = fresh_code(&bench).await;
        bench.fault(json!({ "fault": fault, "remaining": 1 })).await;
        let got = bench.exchange(WEBSITE, &code).await;
        assert_eq!((got.status, &got.json()["errcode"]), (StatusCode::OK, &json!(errcode)));
        assert!(bench.exchange(WEBSITE, &code).await.json()["openid"].is_string(), "the code is still good");
    }
}

#[tokio::test]
async fn body_faults_come_after_the_code_is_spent() {
    let bench = Bench::new();
    for (fault, kind) in
        [("empty_body", "text/html; charset=gbk"), ("html_body", "text/html"), ("garbage_json", "text/plain")]
    {
        let code = fresh_code(&bench).await;
        bench.fault(json!({ "fault": fault, "target": "access_token", "remaining": 1 })).await;
        let got = bench.exchange(WEBSITE, &code).await;
        assert_eq!((got.status, got.header("content-type")), (StatusCode::OK, kind));
        assert!(serde_json::from_slice::<Value>(&got.bytes).is_err(), "{fault}");
        assert_eq!(got.bytes.is_empty(), fault == "empty_body");
        assert_eq!(bench.exchange(WEBSITE, &code).await.json()["errcode"], 40163);
    }
}

#[tokio::test]
async fn fault_meets_only_its_target() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "system_error", "target": "userinfo" })).await;
    let code = fresh_code(&bench).await;
    let token = bench.exchange(WEBSITE, &code).await.json();
    assert!(token["openid"].is_string());
    for _ in 0..2 {
        assert_eq!(bench.userinfo(&token).await.json()["errcode"], -1);
    }
    bench.fault(json!({ "fault": "system_error", "on": false })).await;
    assert_eq!(bench.userinfo(&token).await.json()["nickname"], "Ada");
}

#[tokio::test]
async fn fault_that_could_never_happen_is_refused_and_says_where_it_would() {
    let bench = Bench::new();
    for (order, told) in [
        (json!({ "fault": "used_code", "target": "getuserinfo" }), "access_token, jscode2session only"),
        (json!({ "fault": "deny_redirect", "target": "userinfo" }), "on the phone"),
        (json!({ "fault": "used_code", "appid": DEMO_CORPID }), "WeCom tells"),
        (json!({ "fault": "slow", "ms": 1, "appid": "wx0" }), "no such app"),
        (json!({ "fault": "expired_code" }), "invalid_code"),
        (json!({ "fault": "slwo" }), "garbage_json"),
    ] {
        let refused = bench.post("/faults", order.clone()).await;
        assert_eq!(
            (refused.status, &refused.json()["error"]),
            (StatusCode::BAD_REQUEST, &json!("bad_fault"))
        );
        assert!(refused.json()["message"].as_str().unwrap().contains(told), "{order}: {}", refused.text());
    }
    assert_eq!(bench.get("/sandbox/api/faults").await.json()["faults"], json!([]));
}

#[tokio::test]
async fn fault_of_one_app_leaves_the_others_alone_and_the_list_says_that_it_fired() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "system_error", "appid": OFFICIAL, "remaining": 2 })).await;
    let token = bench.exchange(WEBSITE, &fresh_code(&bench).await).await.json();
    assert!(bench.userinfo(&token).await.json()["openid"].is_string());
    let code = bench.official_code("snsapi_userinfo", "ada").await;
    assert_eq!(bench.exchange(OFFICIAL, &code).await.json()["errcode"], -1);
    let token = bench.exchange(OFFICIAL, &bench.official_code("snsapi_base", "ada").await).await.json();
    assert_eq!(token["errcode"], -1);
    let listed = bench.get("/sandbox/api/faults").await.json();
    let used_up =
        json!([{ "fault": "system_error", "target": "all", "appid": OFFICIAL, "remaining": 0, "fired": 2 }]);
    assert_eq!((&listed["faults"], &listed["used_up"]), (&json!([]), &used_up));
    let token = bench.exchange(OFFICIAL, &code).await.json();
    bench.fault(json!({ "fault": "system_error", "appid": OFFICIAL, "target": "userinfo" })).await;
    assert_eq!(bench.userinfo(&token).await.json()["errcode"], -1, "by its access token too");
}

#[tokio::test]
async fn hand_switches_faults_on_and_off_on_a_page() {
    let bench = Bench::new();
    let path = "/sandbox/troubles";
    assert!(bench.get(path).await.text().contains("没有：一切正常。"));
    let form = format!("do=on&fault=slow&ms=8000&target=userinfo&appid={WEBSITE}&remaining=1");
    let on = bench.submit_as("ada", path, &form).await;
    assert_eq!((on.status, on.header("location")), (StatusCode::SEE_OTHER, path));
    bench.submit_as("ada", path, "do=on&fault=deny_redirect&target=&appid=&remaining=").await;
    let listed = bench.get("/sandbox/api/faults").await.json();
    let slow = json!({ "fault": "slow", "target": "userinfo", "appid": WEBSITE, "remaining": 1, "ms": 8000, "fired": 0 });
    assert_eq!(listed["faults"], json!([slow, { "fault": "deny_redirect", "target": "all", "fired": 0 }]));
    let page = bench.get(path).await;
    assert!(page.text().contains("已发生： 0 · 剩余： 1") && page.text().contains("8000 ms"));

    let refused = bench.submit_as("ada", path, "do=on&fault=used_code&target=getuserinfo").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(refused.text().contains("access_token, jscode2session only"));
    assert_eq!(
        bench.submit_as("ada", path, "do=on&fault=slow&target=x").await.status,
        StatusCode::BAD_REQUEST
    );

    bench.submit_as("ada", path, &format!("do=off&fault=slow&target=userinfo&appid={WEBSITE}")).await;
    assert_eq!(bench.get("/sandbox/api/faults").await.json()["faults"].as_array().unwrap().len(), 1);
    bench.submit_as("ada", path, "do=all_off").await;
    assert_eq!(bench.get("/sandbox/api/faults").await.json()["faults"], json!([]));
}

/// Whatever the page offers is taken.
#[tokio::test]
async fn page_of_faults_offers_only_what_can_happen() {
    let bench = Bench::new();
    let html = bench.get("/sandbox/troubles").await.text().to_owned();
    let values = |form: &str, field: &str| -> Vec<String> {
        let Some((_, select)) = form.split_once(&format!("<select name=\"{field}\">")) else {
            return vec![String::new()];
        };
        let options = select.split("</select>").next().unwrap().split("<option").skip(1);
        let value = |option: &str| match option.strip_prefix(" value=\"") {
            Some(rest) => rest.split('"').next().unwrap().to_owned(),
            None => option[1..].split('<').next().unwrap().to_owned(),
        };
        options.map(value).collect()
    };
    let forms: Vec<_> = html.split("<details").skip(1).collect();
    assert_eq!(forms.len(), 15);
    for form in forms {
        let fault = form.split("name=\"fault\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let fixed = "ms=1&code=10004&remaining=1";
        for target in values(form, "target") {
            let order = format!("do=on&fault={fault}&target={target}&{fixed}");
            assert_eq!(
                bench.submit_as("ada", "/sandbox/troubles", &order).await.status,
                StatusCode::SEE_OTHER,
                "{order}"
            );
        }
        for appid in values(form, "appid") {
            let order = format!("do=on&fault={fault}&appid={appid}&{fixed}");
            assert_eq!(
                bench.submit_as("ada", "/sandbox/troubles", &order).await.status,
                StatusCode::SEE_OTHER,
                "{order}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slow_answer_takes_its_time() {
    let bench = Bench::new();
    for fault in ["slow", "slow_before"] {
        let code = fresh_code(&bench).await;
        bench.fault(json!({ "fault": fault, "ms": 7000, "remaining": 1 })).await;
        let begun = Instant::now();
        assert!(bench.exchange(WEBSITE, &code).await.json()["openid"].is_string());
        assert_eq!(begun.elapsed().as_secs(), 7);
    }
}

/// The commonest way to exchange a code twice: no answer in time, and the same code once more.
#[tokio::test(start_paused = true)]
async fn client_that_gives_up_on_a_slow_answer_has_spent_its_code() {
    let bench = Bench::new();
    for (fault, errcode) in [("slow", json!(40163)), ("slow_before", json!(null))] {
        let code = fresh_code(&bench).await;
        bench.fault(json!({ "fault": fault, "ms": 7000, "remaining": 1 })).await;
        let patience = Duration::from_secs(5);
        assert!(timeout(patience, bench.exchange(WEBSITE, &code)).await.is_err());
        assert_eq!(bench.exchange(WEBSITE, &code).await.json()["errcode"], errcode, "{fault}");
    }
}

#[tokio::test]
async fn no_unionid_leaves_everything_else() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "no_unionid" })).await;
    let code = fresh_code(&bench).await;
    let token = bench.exchange(WEBSITE, &code).await.json();
    assert!(token.get("unionid").is_none() && token["openid"].is_string());
    let user = bench.userinfo(&token).await.json();
    assert!(user.get("unionid").is_none() && user["nickname"].is_string());
}

#[tokio::test]
async fn callback_may_come_without_a_code() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "callback_without_code", "remaining": 2 })).await;
    let uuid = bench.qr(LONE).await;
    bench.script("/scan", json!({ "uuid": uuid, "person": "ada" })).await;
    let allowed = bench.script("/allow", json!({ "uuid": uuid, "person": "ada" })).await;
    assert_eq!(allowed["redirect"], "https://login.example.com/cb?x=1&state=st-1");
    assert_eq!(bench.poll(&uuid, "404").await, "window.wx_errcode=405;window.wx_code='';");
    let got = bench.get_as("ada", &authorize(OFFICIAL, "snsapi_base")).await;
    assert_eq!(got.header("location"), "https://login.example.com/wx?state=st-1");
    let got = bench.get_as("ada", &authorize(OFFICIAL, "snsapi_base")).await;
    assert!(got.header("location").contains("code="), "used up");
}

#[tokio::test]
async fn denied_qr_may_return_with_the_state_as_in_older_times() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "deny_redirect" })).await;
    let uuid = bench.qr(LONE).await;
    bench.script("/scan", json!({ "uuid": uuid, "person": "ada" })).await;
    let denied = bench.script("/deny", json!({ "uuid": uuid, "person": "ada" })).await;
    assert_eq!(denied["redirect"], "https://login.example.com/cb?x=1&state=st-1");
    assert_eq!(denied["stage"], "cancelled");
    assert_eq!(bench.get(&format!("/sandbox/api/scans/{uuid}")).await.json()["stage"], "cancelled");
    assert_eq!(bench.poll(&uuid, "404").await, "window.wx_errcode=405;window.wx_code='';");
}

#[tokio::test]
async fn phone_says_denied_even_where_the_page_returns_to_the_site() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "deny_redirect" })).await;
    let uuid = bench.qr(LONE).await;
    let confirm = "/open.weixin.qq.com/connect/confirm";
    bench.get_as("ada", &format!("{confirm}?uuid={uuid}")).await;
    let tapped = bench.submit_as("ada", confirm, &format!("uuid={uuid}&answer=deny")).await;
    assert!(tapped.text().contains("已拒绝") && !tapped.text().contains("登录成功"));
}

#[tokio::test]
async fn duplicate_callback_tells_the_page_to_request_twice() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "duplicate_callback", "remaining": 2 })).await;
    let uuid = bench.qr(LONE).await;
    bench.script("/scan", json!({ "uuid": uuid, "person": "ada" })).await;
    bench.script("/allow", json!({ "uuid": uuid, "person": "ada" })).await;
    assert!(bench.poll(&uuid, "404").await.ends_with("';window.sandbox_twice=1;"));

    let page = bench.get_as("ada", &authorize(OFFICIAL, "snsapi_base")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.text().replace("&#x2f;", "/").contains(r#"data-url="https://login.example.com/wx?code=0"#));
    assert!(page.text().replace("&#x2f;", "/").contains("/sandbox/assets/twice.js"));
    assert!(page.header("content-security-policy").contains("connect-src http: https:"));
    let script = bench.get("/sandbox/assets/twice.js").await;
    assert!(script.text().contains("fetch(url") && script.text().contains("location.replace(url)"));
}
