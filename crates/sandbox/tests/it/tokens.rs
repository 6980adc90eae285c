//! `cgi-bin/token`, `cgi-bin/stable_token`, and the counts of calls.

use http::StatusCode;
use serde_json::{Value, json};

use crate::bench::{Bench, MINI, OFFICIAL, WEBSITE, field_order, secret_of};

const TOKEN: &str = "/api.weixin.qq.com/cgi-bin/token";
const STABLE: &str = "/api.weixin.qq.com/cgi-bin/stable_token";
const CALLBACK_IP: &str = "/api.weixin.qq.com/cgi-bin/getcallbackip";

fn plain(appid: &str) -> String {
    format!("{TOKEN}?grant_type=client_credential&appid={appid}&secret={}", secret_of(appid))
}

async fn errcode_of(bench: &Bench, token: &str) -> Value {
    bench.get(&format!("{CALLBACK_IP}?access_token={token}")).await.json()["errcode"].clone()
}

#[tokio::test]
async fn plain_token_is_replaced_by_every_call_and_the_old_one_lives_five_minutes() {
    let bench = Bench::new();
    let got = bench.get(&plain(OFFICIAL)).await;
    assert_eq!(
        (got.status, got.header("content-type")),
        (StatusCode::OK, "application/json; encoding=utf-8")
    );
    assert_eq!(field_order(got.text()), ["access_token", "expires_in"]);
    let old = got.json()["access_token"].as_str().unwrap().to_owned();
    let new = bench.get(&plain(OFFICIAL)).await.json()["access_token"].as_str().unwrap().to_owned();
    assert_ne!(old, new);
    bench.advance_ms(299_999);
    assert_eq!((errcode_of(&bench, &old).await, errcode_of(&bench, &new).await), (Value::Null, Value::Null));
    bench.advance_ms(1);
    assert_eq!(errcode_of(&bench, &old).await, 40001);
    bench.advance_ms(7_200_000);
    assert_eq!(errcode_of(&bench, &new).await, 42001);
}

#[tokio::test]
async fn stable_token_stays_the_same_and_stands_apart_from_the_plain_one() {
    let bench = Bench::new();
    let token = bench.token(MINI).await;
    bench.get(&plain(MINI)).await;
    bench.get(&plain(MINI)).await;
    bench.advance_ms(3_600_000);
    assert_eq!(bench.token(MINI).await, token);
    bench.script(&format!("/apps/{MINI}/token"), json!({ "kill": true, "life_s": 60 })).await;
    assert_eq!(errcode_of(&bench, &token).await, 40001);
    let body = json!({ "grant_type": "client_credential", "appid": MINI, "secret": secret_of(MINI) });
    assert_eq!(bench.post_json(STABLE, &body).await.json()["expires_in"], 60);
}

#[tokio::test]
async fn refusals_name_what_is_wrong_without_a_comma_before_the_rid() {
    let bench = Bench::new();
    let s = secret_of(OFFICIAL);
    for (query, errcode, text) in [
        (String::new(), 41002, "appid missing rid: "),
        ("appid=wx0".to_owned(), 40013, "invalid appid rid: "),
        (
            format!("appid={WEBSITE}&secret={}&grant_type=client_credential", secret_of(WEBSITE)),
            40013,
            "invalid appid rid: ",
        ),
        (
            format!("appid={OFFICIAL}&secret={s}&grant_type=authorization_code"),
            40002,
            "invalid grant_type rid: ",
        ),
        (format!("appid={OFFICIAL}&grant_type=client_credential"), 41004, "appsecret missing rid: "),
        (format!("appid={OFFICIAL}&grant_type=client_credential&secret=0"), 40125, "invalid appsecret rid: "),
    ] {
        let got = bench.get(&format!("{TOKEN}?{query}")).await;
        assert_eq!((got.status, &got.json()["errcode"]), (StatusCode::OK, &json!(errcode)), "{query}");
        assert!(got.json()["errmsg"].as_str().unwrap().starts_with(text), "{}", got.text());
    }
    assert_eq!(bench.get(STABLE).await.json()["errcode"], 43002);
    assert_eq!(bench.post_json(STABLE, &json!("grant_type=x")).await.json()["errcode"], 47001);
    assert_eq!(errcode_of(&bench, "").await, 41001);
    let unknown = bench.get(&format!("{CALLBACK_IP}?access_token=70_x")).await.json();
    assert!(
        unknown["errmsg"]
            .as_str()
            .unwrap()
            .contains("getStableAccessToken, more details at https://mmbizurl.cn/")
    );
}

#[tokio::test]
async fn whitelist_and_any_errcode_are_faults() {
    let bench = Bench::new();
    bench.fault(json!({ "fault": "ip_not_whitelisted", "remaining": 1 })).await;
    let refused = bench.get(&plain(OFFICIAL)).await.json();
    assert_eq!(refused["errcode"], 40164);
    assert!(
        refused["errmsg"]
            .as_str()
            .unwrap()
            .starts_with("invalid ip 127.0.0.1 ipv6 ::ffff:127.0.0.1, not in whitelist rid: ")
    );
    bench.fault(json!({ "fault": "errcode", "code": 45009, "target": "token", "remaining": 1 })).await;
    bench.token(OFFICIAL).await;
    let refused = bench.get(&plain(OFFICIAL)).await.json();
    assert!(refused["errmsg"].as_str().unwrap().starts_with("reach max api daily quota limit rid: "));
    assert!(bench.get(&plain(OFFICIAL)).await.json()["access_token"].is_string());
    assert_eq!(bench.post("/faults", json!({ "fault": "errcode" })).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn calls_are_counted_by_path_and_app() {
    let bench = Bench::new();
    let token = bench.token(OFFICIAL).await;
    bench.token(OFFICIAL).await;
    bench.get(&format!("{CALLBACK_IP}?access_token={token}")).await;
    bench.get(&format!("/api.weixin.qq.com/sns/oauth2/access_token?appid={WEBSITE}")).await;
    let calls = bench.get("/sandbox/api/calls").await.json()["calls"].clone();
    assert_eq!(
        calls,
        json!([
            { "path": "/cgi-bin/getcallbackip", "appid": OFFICIAL, "count": 1 },
            { "path": "/cgi-bin/stable_token", "appid": OFFICIAL, "count": 2 },
            { "path": "/sns/oauth2/access_token", "appid": WEBSITE, "count": 1 },
        ])
    );
}

#[tokio::test]
async fn unknown_api_path_is_answered_by_the_gateway() {
    let bench = Bench::new();
    let got = bench.get("/api.weixin.qq.com/cgi-bin/nothing").await;
    assert_eq!((got.status, &got.json()["errcode"]), (StatusCode::OK, &json!(40066)));
}
