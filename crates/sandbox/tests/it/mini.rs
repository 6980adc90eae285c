//! Mini-programs: codes, `wx.login`, rules for ordinary links, and the page on the phone.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::{Value, json};

use crate::bench::{Bench, Got, MINI, OFFICIAL, encode, field_order, secret_of};

async fn call(bench: &Bench, path: &str, body: Value) -> Got {
    let token = bench.token(MINI).await;
    bench.post_json(&format!("/api.weixin.qq.com{path}?access_token={token}"), &body).await
}

/// Draws a code and reads it as a phone's camera does.
async fn drawn(bench: &Bench, body: Value) -> String {
    let got = call(bench, "/wxa/getwxacodeunlimit", body).await;
    assert_eq!(got.header("content-type"), "image/jpeg", "{}", String::from_utf8_lossy(&got.bytes));
    read_jpeg(&got.bytes)
}

fn read_jpeg(bytes: &[u8]) -> String {
    let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(bytes));
    let pixels = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let channels = pixels.len() / (width * height);
    let mut image =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[(y * width + x) * channels]);
    image.detect_grids()[0].decode().unwrap().1
}

async fn launch(bench: &Bench, scan: &str, person: &str) -> Value {
    bench.script("/mini/launch", json!({ "scan": scan, "person": person })).await
}

async fn session(bench: &Bench, appid: &str, code: &str) -> Got {
    let secret = secret_of(appid);
    let query = format!("appid={appid}&secret={secret}&js_code={code}&grant_type=authorization_code");
    bench.get(&format!("/api.weixin.qq.com/sns/jscode2session?{query}")).await
}

#[tokio::test]
async fn scanned_picture_opens_the_page_with_an_encoded_scene() {
    let bench = Bench::new();
    let scene = "a=1&b=2!'()*~-_.:/?@,;+$#";
    let link = drawn(&bench, json!({ "scene": scene, "page": "pages/login/login" })).await;
    assert!(link.starts_with("http://127.0.0.1:8930/mini/"));
    let opened = launch(&bench, &link, "ada").await;
    assert_eq!((&opened["appid"], &opened["path"]), (&json!(MINI), &json!("pages/login/login")));
    assert_eq!((&opened["scene"], &opened["env"]), (&json!(1047), &json!("release")));
    assert_eq!(opened["query"]["scene"], "a%3D1%26b%3D2!'()*~-_.%3A%2F%3F%40%2C%3B%2B%24%23");
    let scanned = bench.script("/scan", json!({ "url": link, "person": "ada" })).await;
    assert_eq!((&scanned["stage"], &scanned["query"]), (&json!("launched"), &opened["query"]));
}

#[tokio::test]
async fn code_is_exchanged_once_for_openid_session_key_and_unionid() {
    let bench = Bench::new();
    let code = bench.script("/mini/login", json!({ "appid": MINI, "person": "ada" })).await["code"].clone();
    let got = session(&bench, MINI, code.as_str().unwrap()).await;
    assert_eq!(got.header("content-type"), "text/plain");
    assert_eq!(field_order(got.text()), ["session_key", "openid", "unionid"]);
    let people = bench.get("/sandbox/api/people").await.json();
    let ada = people["people"].as_array().unwrap().iter().find(|one| one["id"] == "ada").unwrap();
    assert_eq!(
        (&got.json()["openid"], &got.json()["unionid"]),
        (&ada["openids"][MINI], &ada["unionids"]["sandbox"])
    );
    assert_eq!(got.json()["session_key"].as_str().unwrap().len(), 24);
    assert_eq!(session(&bench, MINI, code.as_str().unwrap()).await.json()["errcode"], 40163);
}

#[tokio::test]
async fn code_of_another_app_or_kind_or_time_is_invalid() {
    let bench = Bench::new();
    let fresh = || async {
        let made = bench.script("/mini/login", json!({ "appid": MINI, "person": "ada" })).await;
        made["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(session(&bench, OFFICIAL, &fresh().await).await.json()["errcode"], 40029);
    assert_eq!(bench.exchange(MINI, &fresh().await).await.json()["errcode"], 40029, "no OAuth code");
    let late = fresh().await;
    bench.advance_ms(300_000);
    assert_eq!(session(&bench, MINI, &late).await.json()["errcode"], 40029);
    let refused = session(&bench, MINI, "").await.json();
    assert!(refused["errmsg"].as_str().unwrap().starts_with("missing code, rid: "));
    bench
        .fault(json!({ "fault": "errcode", "code": 40226, "target": "jscode2session", "remaining": 1 }))
        .await;
    assert_eq!(session(&bench, MINI, &fresh().await).await.json()["errcode"], 40226);
}

#[tokio::test]
async fn unlimited_codes_are_validated_as_the_real_ones() {
    let bench = Bench::new();
    let login = json!({ "scene": "s", "page": "pages/login/login" });
    let with = |name: &str, value: Value| {
        let mut body = login.clone();
        body[name] = value;
        body
    };
    for (body, errcode) in [
        (json!({}), 40169),
        (with("scene", json!("x".repeat(33))), 40169),
        (with("scene", json!("a%20")), 40129),
        (with("scene", json!("中文")), 40129),
        (with("env_version", json!("")), 40097),
        (with("page", json!("/pages/login/login")), 41030),
        (with("page", json!("pages/none")), 41030),
        (with("page", json!("pages/login/login?a=1")), 41030),
        (with("page", json!("pages/scancode_time")), 85096),
        (json!("scene=s"), 47001),
    ] {
        let got = call(&bench, "/wxa/getwxacodeunlimit", body.clone()).await;
        assert_eq!(got.json()["errcode"], errcode, "{body}");
        assert_eq!(got.header("content-type"), "application/json; encoding=utf-8");
    }
    let unchecked = json!({ "scene": "s", "page": "pages/none", "check_path": false });
    let link = drawn(&bench, unchecked).await;
    let refused = bench.post("/mini/launch", json!({ "scan": link, "person": "ada" })).await;
    assert_eq!((refused.status.as_u16(), &refused.json()["error"]), (409, &json!("no_page")));
    let official = bench.token(OFFICIAL).await;
    let path = format!("/api.weixin.qq.com/wxa/getwxacodeunlimit?access_token={official}");
    assert_eq!(bench.post_json(&path, &login).await.json()["errcode"], 48001);
}

#[tokio::test]
async fn transparent_code_is_a_png_and_a_small_or_coloured_one_still_scans() {
    let bench = Bench::new();
    let got =
        call(&bench, "/wxa/getwxacodeunlimit", json!({ "scene": "s", "is_hyaline": true, "width": 300 }))
            .await;
    assert_eq!((got.header("content-type"), &got.bytes[..8]), ("image/png", &b"\x89PNG\r\n\x1a\n"[..]));
    assert_eq!(got.bytes[16..24], [0, 0, 1, 44, 0, 0, 1, 44]);
    for body in [
        json!({ "scene": "s", "width": 280 }),
        json!({ "scene": "s", "width": 640, "line_color": { "r": "7", "g": 80, "b": 0 } }),
    ] {
        assert!(drawn(&bench, body).await.contains("/mini/"));
    }
}

#[tokio::test]
async fn limited_codes_carry_a_path_with_its_query() {
    let bench = Bench::new();
    let path = json!({ "path": "pages/login/login?x=1&y=%20" });
    let ring = call(&bench, "/wxa/getwxacode", path.clone()).await;
    let opened = launch(&bench, &read_jpeg(&ring.bytes), "ada").await;
    assert_eq!((&opened["query"], &opened["scene"]), (&json!({ "x": "1", "y": "%20" }), &json!(1047)));
    let square = call(&bench, "/cgi-bin/wxaapp/createwxaqrcode", path).await;
    assert_eq!(launch(&bench, &read_jpeg(&square.bytes), "ada").await["scene"], 1011);
    let long = json!({ "path": "x".repeat(129) });
    assert_eq!(call(&bench, "/cgi-bin/wxaapp/createwxaqrcode", long).await.json()["errcode"], 40159);
}

#[tokio::test]
async fn unreleased_builds_open_for_members_only() {
    let bench = Bench::new();
    let link = drawn(&bench, json!({ "scene": "s", "env_version": "trial" })).await;
    assert_eq!(launch(&bench, &link, "xiaoming").await["env"], "trial");
    let refused = bench.post("/mini/launch", json!({ "scan": link, "person": "ada" })).await;
    assert_eq!((refused.status, &refused.json()["error"]), (StatusCode::FORBIDDEN, &json!("not_a_member")));
    let id = link.rsplit_once('/').unwrap().1;
    assert!(bench.get_as("ada", &format!("/mini/{id}")).await.text().contains("暂无权限"));
    bench.script(&format!("/apps/{MINI}/mini"), json!({ "members": ["ada"], "pages": [] })).await;
    assert_eq!(launch(&bench, &link, "ada").await["env"], "trial");
    let release = json!({ "scan": link, "person": "ada", "env": "release" });
    assert_eq!(bench.post("/mini/launch", release).await.json()["error"], "not_released");
    let never = call(&bench, "/wxa/getwxacodeunlimit", json!({ "scene": "s" })).await;
    assert_eq!(never.json()["errcode"], 41030);
}

#[tokio::test]
async fn phone_number_code_counts_once_for_its_own_person() {
    let bench = Bench::new();
    let made = bench.script("/mini/phone-number", json!({ "appid": MINI, "person": "ada" })).await;
    let got = call(&bench, "/wxa/business/getuserphonenumber", json!({ "code": made["code"] })).await.json();
    assert_eq!(got["phone_info"]["purePhoneNumber"], made["phone_number"]);
    assert_eq!(got["phone_info"]["watermark"]["appid"], MINI);
    for body in [json!({ "code": made["code"] }), json!({ "code": "x" })] {
        assert_eq!(call(&bench, "/wxa/business/getuserphonenumber", body).await.json()["errcode"], 40029);
    }
    let made = bench.script("/mini/phone-number", json!({ "appid": MINI, "person": "ada" })).await;
    let other = json!({ "code": made["code"], "openid": "oSomebodyElse" });
    assert_eq!(call(&bench, "/wxa/business/getuserphonenumber", other).await.json()["errcode"], 40029);
}

#[tokio::test]
async fn session_key_is_checked_and_dies_with_the_next_login() {
    let bench = Bench::new();
    let code = launch_code(&bench).await;
    let session = session(&bench, MINI, &code).await.json();
    let (openid, token) = (session["openid"].as_str().unwrap(), bench.token(MINI).await);
    let check = |signature: &str| {
        format!(
            "/api.weixin.qq.com/wxa/checksession?access_token={token}&openid={openid}&signature={signature}&sig_method=hmac_sha256"
        )
    };
    assert_eq!(bench.get(&check("00")).await.json()["errcode"], 87009);
    let signature = hmac_of_nothing(session["session_key"].as_str().unwrap());
    assert_eq!(bench.get(&check(&signature)).await.json()["errcode"], 0);
    launch_code(&bench).await;
    assert_eq!(bench.get(&check(&signature)).await.json()["errcode"], 87009);
}

async fn launch_code(bench: &Bench) -> String {
    let made = bench.script("/mini/login", json!({ "appid": MINI, "person": "ada" })).await;
    made["code"].as_str().unwrap().to_owned()
}

/// HMAC-SHA256 written out, so that the crate's own is not checked by itself.
fn hmac_of_nothing(key: &str) -> String {
    use sha2::{Digest as _, Sha256};
    let pad =
        |byte: u8| (0..64).map(|at| key.as_bytes().get(at).copied().unwrap_or(0) ^ byte).collect::<Vec<_>>();
    let inner = Sha256::digest(pad(0x36));
    let outer = Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    outer.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A login server: its verification file, and a phone API that records what it is sent.
async fn login_server() -> (String, Arc<Mutex<Vec<String>>>, Arc<Mutex<String>>) {
    let (seen, file) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Mutex::new(String::new())));
    let (record, content) = (Arc::clone(&seen), Arc::clone(&file));
    let app =
        Router::new().route("/s/{file}", get(move || async move { content.lock().unwrap().clone() })).route(
            "/api/phone/wechat-mini/abc/scan",
            post(move |body: String| async move {
                record.lock().unwrap().push(body);
                (StatusCode::BAD_REQUEST, r#"{"error":"code_refused","message":"no"}"#)
            }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    (base, seen, file)
}

#[tokio::test]
async fn ordinary_link_opens_the_mini_program_once_its_rule_is_published() {
    let bench = Bench::new();
    let (base, _, file) = login_server().await;
    bench.script(&format!("/apps/{MINI}/mini"), json!({ "demo_api_base": base })).await;
    let (prefix, link) = (format!("{base}/s/"), format!("{base}/s/abc"));
    let rule = json!({ "prefix": prefix, "path": "pages/login/login", "open_version": 3, "permit_sub_rule": 1, "debug_url": [link], "is_edit": 0 });
    let jump = |name: &str, body: Value| call_jump(&bench, format!("/cgi-bin/wxopen/qrcodejump{name}"), body);
    assert_eq!(jump("add", rule.clone()).await["errcode"], 85069, "the file is not there yet");
    let download = jump("download", json!({})).await;
    assert!(download["file_name"].as_str().unwrap().ends_with(".txt"));
    *file.lock().unwrap() = download["file_content"].as_str().unwrap().to_owned();
    assert_eq!(jump("add", rule.clone()).await["errcode"], 0);
    assert_eq!(jump("add", rule).await["errcode"], 85071);
    let bad = json!({ "prefix": prefix, "path": "p", "debug_url": ["https://elsewhere.example/"] });
    assert_eq!(jump("add", bad).await["errcode"], 85068);
    assert_eq!(jump("add", json!({ "prefix": "weixin://x", "path": "p" })).await["errcode"], 85066);

    let scan = |person: &str| bench.script("/scan", json!({ "url": link, "person": person }));
    assert_eq!(scan("ada").await["open"], format!("{link}?via=wechat"), "a draft opens the web page");
    assert_eq!(scan("xiaoming").await["stage"], "launched", "a member opens a test link");
    assert_eq!(jump("publish", json!({ "prefix": prefix })).await["errcode"], 0);
    let opened = scan("ada").await;
    assert_eq!((&opened["query"]["q"], &opened["scene"]), (&json!(encode(&link)), &json!(1011)));
    assert_eq!(opened["query"]["scancode_time"], "1789646400");
    let by_hand = bench.get_as("ada", &format!("/phone?open={}&go=1", encode(&link))).await;
    assert!(by_hand.header("location").starts_with("/mini/link?q="));
    let tapped = bench.get_as("ada", &format!("/phone?open={}&tapped=1&go=1", encode(&link))).await;
    assert!(tapped.header("location").starts_with(&base), "a tapped link is no scan");

    let list = jump("get", json!({})).await;
    assert_eq!((&list["rule_list"][0]["state"], &list["qrcodejump_pub_quota"]), (&json!(2), &json!(99)));
    assert_eq!(jump("delete", json!({ "prefix": prefix })).await["errcode"], 0);
    assert_eq!(scan("ada").await["open"], format!("{link}?via=wechat"));
}

async fn call_jump(bench: &Bench, path: String, body: Value) -> Value {
    call(bench, &path, body).await.json()
}

#[tokio::test]
async fn page_on_the_phone_logs_in_and_reaches_only_the_configured_server() {
    let bench = Bench::new();
    let link = drawn(&bench, json!({ "scene": "abc", "page": "pages/login/login" })).await;
    let path = link.strip_prefix("http://127.0.0.1:8930").unwrap();
    assert!(bench.get(path).await.header("location").starts_with("/phone/who"));
    let page = bench.get_as("ada", path).await;
    assert!(page.text().contains("mini_runtime.js") && page.text().contains("pages&#x2f;login&#x2f;login"));
    let send = |person: &'static str, path: &'static str, body: Value| {
        let request = http::Request::post(path).header("content-type", "application/json");
        let request = request.header("cookie", format!("sandbox_person={person}"));
        bench.send(request.body(axum::body::Body::from(body.to_string())).unwrap())
    };
    let login = send("ada", "/sandbox/mini/login", json!({ "appid": MINI })).await.json();
    assert_eq!(session(&bench, MINI, login["code"].as_str().unwrap()).await.json()["errcode"], Value::Null);
    let nobody = send("", "/sandbox/mini/login", json!({ "appid": MINI })).await;
    assert_eq!(nobody.status, StatusCode::UNAUTHORIZED);

    let (base, seen, _) = login_server().await;
    let url = format!("{base}/api/phone/wechat-mini/abc/scan");
    let ask = json!({ "appid": MINI, "url": url, "method": "POST", "data": { "code": "0x" } });
    let refused = send("ada", "/sandbox/mini/request", ask.clone()).await;
    assert_eq!(
        (refused.status, &refused.json()["message"]),
        (StatusCode::FORBIDDEN, &json!("url not in domain list"))
    );
    bench.script(&format!("/apps/{MINI}/mini"), json!({ "demo_api_base": base })).await;
    let answered = send("ada", "/sandbox/mini/request", ask).await.json();
    assert_eq!((&answered["statusCode"], &answered["data"]["error"]), (&json!(400), &json!("code_refused")));
    assert_eq!(*seen.lock().unwrap(), [r#"{"code":"0x"}"#]);
}

#[tokio::test]
async fn user_info_is_signed_and_sealed() {
    let bench = Bench::new();
    let who = json!({ "appid": MINI, "person": "ada" });
    assert_eq!(bench.post("/mini/user-info", who.clone()).await.status, StatusCode::CONFLICT);
    bench.script("/mini/login", who.clone()).await;
    let info = bench.script("/mini/user-info", who).await;
    assert_eq!((info["signature"].as_str().unwrap().len(), info["iv"].as_str().unwrap().len()), (40, 24));
    assert!(info["rawData"].as_str().unwrap().contains("微信用户") && info["encryptedData"].is_string());
}

#[tokio::test]
async fn whoever_knows_a_scene_but_not_its_picture_is_led_to_the_code() {
    let bench = Bench::new();
    let link = drawn(&bench, json!({ "scene": "a:b-1" })).await;
    let led = bench.get(&format!("/phone/mini?appid={MINI}&scene=a%3Ab-1")).await;
    assert!(led.header("location").contains(&crate::bench::encode(&link)), "{}", led.header("location"));
    let unknown = bench.get(&format!("/phone/mini?appid={MINI}&scene=other")).await;
    assert_eq!(unknown.status.as_u16(), 404);
}
