//! The script API.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::json;

use crate::bench::{Bench, LONE, MINI, OFFICIAL, WEBSITE, authorize, qrconnect};

#[tokio::test]
async fn people_are_listed_made_and_changed() {
    let bench = Bench::new();
    let made = bench.post("/people", json!({ "id": "eve", "name": "Eve", "no_avatar": true })).await;
    assert_eq!(made.status, StatusCode::CREATED);
    let person = made.json();
    assert_eq!((&person["nickname"], &person["no_avatar"]), (&json!("Eve"), &json!(true)));
    let code = bench.website_code(WEBSITE, "eve").await;
    let token = bench.exchange(WEBSITE, &code).await.json();
    assert_eq!(
        (&person["openids"][WEBSITE], &person["unionids"]["sandbox"]),
        (&token["openid"], &token["unionid"])
    );

    bench.script("/people/eve", json!({ "name": "夏娃", "emoji_nickname": true })).await;
    assert!(bench.userinfo(&token).await.json()["nickname"].as_str().unwrap().starts_with("夏娃🎉"));

    for (path, body, status, error) in [
        ("/people", json!({ "id": "eve", "name": "Eve" }), 409, "taken"),
        ("/people", json!({ "id": "No Spaces", "name": "Eve" }), 400, "bad_person"),
        ("/people", json!({ "name": "" }), 400, "bad_person"),
        ("/people", json!({ "name": "x", "colour": 8 }), 400, "bad_person"),
        ("/people", json!({ "name": "x", "nmae": "y" }), 422, "bad_request"),
        ("/people/nobody", json!({ "name": "x" }), 404, "unknown_person"),
    ] {
        let refused = bench.post(path, body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["error"]),
            (status, &json!(error)),
            "{}",
            refused.text()
        );
    }
}

#[tokio::test]
async fn scan_takes_a_uuid_or_a_link() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    let link = format!("http://127.0.0.1:8930/open.weixin.qq.com/connect/confirm?uuid={uuid}");
    let scanned = bench.script("/scan", json!({ "url": link, "person": "ada" })).await;
    assert_eq!((&scanned["uuid"], &scanned["stage"]), (&json!(uuid), &json!("scanned")));
    let opened = bench.script("/scan", json!({ "url": "https://a.example/s/1", "person": "ada" })).await;
    assert_eq!(opened["open"], "https://a.example/s/1?via=wechat");
    let stage = bench.get(&format!("/sandbox/api/scans/{uuid}")).await.json();
    assert_eq!((&stage["stage"], &stage["appid"]), (&json!("scanned"), &json!(LONE)));

    for (body, status, error) in [
        (json!({ "uuid": uuid, "person": "xiaoming" }), 409, "scanned_by_other"),
        (json!({ "uuid": uuid, "person": "nobody" }), 404, "unknown_person"),
        (json!({ "uuid": "0", "person": "ada" }), 404, "unknown_uuid"),
        (json!({ "person": "ada" }), 400, "bad_request"),
        (json!({ "url": "javascript:x", "person": "ada" }), 400, "not_a_link"),
    ] {
        let refused = bench.post("/scan", body).await;
        assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (status, &json!(error)));
    }
}

#[tokio::test]
async fn answers_need_the_scanner_and_come_once() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    let tap = json!({ "uuid": uuid, "person": "ada" });
    let early = bench.post("/allow", tap.clone()).await;
    assert_eq!((early.status, early.json()["error"].clone()), (StatusCode::CONFLICT, json!("not_scanned")));
    bench.script("/scan", tap.clone()).await;
    bench.script("/allow", tap.clone()).await;
    for path in ["/allow", "/deny", "/scan"] {
        assert_eq!(bench.post(path, tap.clone()).await.json()["error"], "answered");
    }
}

#[tokio::test]
async fn authorize_acts_as_the_phone() {
    let bench = Bench::new();
    let url = |scope: &str| {
        format!("https://open.weixin.qq.com{}#wechat_redirect", &authorize(OFFICIAL, scope)[19..])
    };
    let ask = |scope: &str, answer: &str| json!({ "url": url(scope), "person": "ada", "answer": answer });
    let allowed = bench.script("/authorize", ask("snsapi_userinfo", "allow")).await;
    assert!(allowed["redirect"].as_str().unwrap().starts_with("https://login.example.com/wx?code="));
    let denied = bench.script("/authorize", ask("snsapi_userinfo", "deny")).await;
    assert_eq!(denied["redirect"], json!(null));
    assert_eq!(bench.post("/authorize", ask("snsapi_base", "deny")).await.status, StatusCode::CONFLICT);
    let refused = bench.post("/authorize", ask("snsapi_login", "allow")).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.json()["message"].as_str().unwrap().contains("10005"));
    let elsewhere = json!({ "url": "https://a.example/", "person": "ada", "answer": "allow" });
    assert_eq!(bench.post("/authorize", elsewhere).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn time_moves_on_and_codes_and_waiting_pages_expire() {
    let bench = Bench::new();
    let code = bench.official_code("snsapi_base", "ada").await;
    let (uuid, now) = (bench.qr(LONE).await, bench.get("/sandbox/api/clock").await.json());
    let waiting = bench.poll(&uuid, "");
    let advance = async {
        tokio::task::yield_now().await;
        bench.script("/clock", json!({ "advance_s": 301 })).await
    };
    let (told, moved) = tokio::join!(waiting, advance);
    assert_eq!(told, "window.wx_errcode=402;window.wx_code='';", "woken at once");
    assert_eq!(moved["ahead_s"], 301);
    assert_eq!(moved["now_ms"].as_i64().unwrap() - now["now_ms"].as_i64().unwrap(), 301_000);
    assert_eq!(bench.exchange(OFFICIAL, &code).await.json()["errcode"], 40029);
    for advance_s in [0, -1, 366 * 24 * 3600 + 1] {
        let refused = bench.post("/clock", json!({ "advance_s": advance_s })).await;
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{advance_s}");
    }
    bench.script("/reset", json!({})).await;
    assert_eq!(bench.get("/sandbox/api/clock").await.json()["ahead_s"], 0);
}

#[tokio::test]
async fn callback_domains_of_an_app_can_be_set_and_others_are_refused() {
    let bench = Bench::new();
    let path = authorize(OFFICIAL, "snsapi_base");
    assert_eq!(bench.get_as("ada", &path).await.status, StatusCode::FOUND);
    let set = bench.script(&format!("/apps/{OFFICIAL}"), json!({ "domains": ["other.example.com"] })).await;
    assert_eq!((&set["appid"], &set["domains"]), (&json!(OFFICIAL), &json!(["other.example.com"])));
    assert!(bench.get_as("ada", &path).await.text().contains("10003"));
    bench.script(&format!("/apps/{WEBSITE}"), json!({ "domains": [] })).await;
    let page = bench.get(&qrconnect(WEBSITE, "https://login.example.com/cb", "snsapi_login")).await;
    assert!(page.text().contains("redirect_uri 参数错误"));
    for (appid, domain, status) in [
        (OFFICIAL, "https://a.example", 400),
        (OFFICIAL, "a.example:80", 400),
        (MINI, "a.example", 409),
        ("wx0", "a.example", 404),
    ] {
        let refused = bench.post(&format!("/apps/{appid}"), json!({ "domains": [domain] })).await;
        assert_eq!(refused.status.as_u16(), status, "{appid} {domain}");
    }
    bench.script("/reset", json!({})).await;
    assert_eq!(bench.get_as("ada", &path).await.status, StatusCode::FOUND);
}

#[tokio::test]
async fn callback_that_wechat_would_never_take_passes_with_one_warning() {
    let bench = Bench::new();
    for _ in 0..2 {
        bench.get(&qrconnect(WEBSITE, "http://127.0.0.1:3000/cb", "snsapi_login")).await;
    }
    let warnings = bench.get("/sandbox/api/warnings").await.json()["warnings"].clone();
    assert_eq!(warnings.as_array().unwrap().len(), 1);
    assert!(warnings[0].as_str().unwrap().contains("127.0.0.1:3000 is an IP address"), "{warnings}");
}

#[tokio::test]
async fn reset_begins_anew() {
    let bench = Bench::new();
    let code = bench.website_code(WEBSITE, "ada").await;
    bench.script("/people", json!({ "id": "eve", "name": "Eve" })).await;
    bench.fault(json!({ "fault": "no_unionid" })).await;
    bench.script("/reset", json!({})).await;
    assert_eq!(bench.exchange(WEBSITE, &code).await.json()["errcode"], 40029);
    assert_eq!(bench.get("/sandbox/api/people").await.json()["people"].as_array().unwrap().len(), 6);
    assert_eq!(bench.get("/sandbox/api/faults").await.json()["faults"], json!([]));
}

#[tokio::test]
async fn description_and_apps_tell_no_secret() {
    let bench = Bench::new();
    let page = bench.get("/sandbox/api").await;
    assert!(
        page.text().contains("duplicate_callback") && page.header("content-type").starts_with("text/html")
    );
    let apps = bench.get("/sandbox/api/apps").await;
    assert!(apps.text().contains(WEBSITE) && !apps.text().contains("deadbeef"));
}

#[tokio::test]
async fn garbage_is_a_client_error() {
    let bench = Bench::new();
    for (kind, body) in
        [("application/json", "{"), ("text/plain", "{}"), ("application/json", "[]"), ("", "")]
    {
        for path in ["/people", "/scan", "/allow", "/deny", "/authorize", "/faults"] {
            let request = Request::post(format!("/sandbox/api{path}")).header("content-type", kind);
            let got = bench.send(request.body(Body::from(body)).unwrap()).await;
            assert!(got.status.is_client_error(), "{path} {body:?}: {}", got.status);
            assert!(got.json()["error"].is_string());
        }
    }
}
