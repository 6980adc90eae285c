//! Open Platform website login.

use http::StatusCode;
use serde_json::json;
use tokio::time::{Duration, Instant};

use crate::bench::{Bench, LONE, OFFICIAL, WEBSITE, code_in, qrconnect, uuid_in};

#[tokio::test]
async fn page_holds_the_qr_the_texts_and_the_ribbon() {
    let bench = Bench::new();
    let page = bench.get(&qrconnect(LONE, "https://login.example.com/cb", "snsapi_login")).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(page.header("content-security-policy").contains("script-src 'self'"));
    assert!(!page.header("content-security-policy").contains("unsafe"));
    let html = page.text();
    assert_eq!(uuid_in(html).len(), 16);
    assert!(html.contains("使用微信扫一扫登录"));
    assert!(html.contains("“严格 &amp; &lt;应用&gt;”"), "the app's name is escaped");
    assert!(html.contains("sandbox · 仿真环境"));
    let link =
        "/phone?app=wechat&amp;open=http%3A//127.0.0.1%3A8930/open.weixin.qq.com/connect/confirm%3Fuuid%3D";
    assert!(html.replace("&#x2f;", "/").contains(link), "a way in beside the QR");
    let english =
        bench.get(&(qrconnect(LONE, "https://login.example.com/cb", "snsapi_login") + "&lang=en")).await;
    assert!(english.text().contains("Scan with WeChat to log in"));
}

#[tokio::test]
async fn errors_are_pages_in_the_real_order() {
    let bench = Bench::new();
    let good = "https://login.example.com/cb";
    for (path, text) in [
        (qrconnect("wxffffffffffffffff", "bad", "bad"), "appid 参数错误"),
        (qrconnect(LONE, "bad", "bad"), "redirect_uri 参数错误"),
        (qrconnect(LONE, "https://example.com/cb", "snsapi_login"), "redirect_uri 参数错误"),
        (qrconnect(LONE, "https://login.example.com:8443/cb", "snsapi_login"), "redirect_uri 参数错误"),
        (qrconnect(LONE, "login.example.com/cb", "snsapi_login"), "redirect_uri 参数错误"),
        (qrconnect(LONE, good, "snsapi_userinfo"), "Scope 参数错误或没有 Scope 权限"),
        (qrconnect(LONE, good, ""), "Scope 参数错误或没有 Scope 权限"),
        (qrconnect(OFFICIAL, good, "snsapi_login"), "Scope 参数错误或没有 Scope 权限"),
    ] {
        let page = bench.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        assert!(page.text().contains(text), "{path}: {}", page.text());
        assert!(page.header("location").is_empty());
        assert!(!page.text().contains("/connect/qrcode/"));
    }
}

#[tokio::test]
async fn parameters_may_come_in_any_order_and_without_response_type() {
    let bench = Bench::new();
    let page = bench
        .get("/open.weixin.qq.com/connect/qrconnect?state=s&scope=snsapi_login&login_type=jssdk&redirect_uri=http%3A%2F%2Flocalhost%3A8080%2F&appid=wx5a9d0b0c0de00001&styletype=&rst=&self_redirect=true")
        .await;
    assert_eq!(uuid_in(page.text()).len(), 16);
}

#[tokio::test]
async fn hostile_parameters_stay_text() {
    let bench = Bench::new();
    let path = qrconnect(WEBSITE, "https://a.example/\"><script>alert(1)</script>", "snsapi_login");
    let page = bench.get(&(path + "&href=javascript:alert(1)&style=%22%3E%3Cb%3E")).await;
    assert!(!page.text().contains("<script>alert") && !page.text().contains("javascript:alert"));
}

#[tokio::test]
async fn qr_image_is_a_jpeg_that_reads_as_the_confirm_link() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    let image = bench.get(&format!("/open.weixin.qq.com/connect/qrcode/{uuid}")).await;
    assert_eq!(image.header("content-type"), "image/jpeg");
    let mut decoder = zune_jpeg::JpegDecoder::new(std::io::Cursor::new(&image.bytes));
    let options =
        decoder.options().jpeg_set_out_colorspace(zune_jpeg::zune_core::colorspace::ColorSpace::Luma);
    decoder.set_options(options);
    let pixels = decoder.decode().unwrap();
    let (width, height) = decoder.dimensions().unwrap();
    let mut grid = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| pixels[y * width + x]);
    let (_, content) = grid.detect_grids()[0].decode().unwrap();
    assert_eq!(content, format!("http://127.0.0.1:8930/open.weixin.qq.com/connect/confirm?uuid={uuid}"));
    assert_eq!(
        bench.get("/open.weixin.qq.com/connect/qrcode/0000000000000000").await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn refresh_hands_out_a_fresh_uuid_as_xml() {
    let bench = Bench::new();
    let path = qrconnect(LONE, "https://login.example.com/cb", "snsapi_login") + "&f=xml&123&_=123";
    let (first, second) = (bench.get(&path).await, bench.get(&path).await);
    assert!(first.header("content-type").contains("xml"));
    assert!(first.text().contains("<uuid>") && first.text() != second.text());
}

#[tokio::test(start_paused = true)]
async fn poll_holds_25_seconds_and_then_says_408() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    let begun = Instant::now();
    assert_eq!(bench.poll(&uuid, "").await, "window.wx_errcode=408;window.wx_code='';");
    assert_eq!(begun.elapsed().as_secs(), 25);
}

#[tokio::test(start_paused = true)]
async fn poll_wakes_on_scan_and_on_allow() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    let begun = Instant::now();
    let scan = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        bench.script("/scan", json!({ "uuid": uuid, "person": "ada" })).await
    };
    let (told, _) = tokio::join!(bench.poll(&uuid, ""), scan);
    assert_eq!((told.as_str(), begun.elapsed().as_secs()), ("window.wx_errcode=404;window.wx_code='';", 3));

    assert!(
        bench.poll(&uuid, "").await.contains("=404;"),
        "a page that has not seen the scan is told at once"
    );
    let allow = async {
        tokio::time::sleep(Duration::from_secs(4)).await;
        bench.script("/allow", json!({ "uuid": uuid, "person": "ada" })).await
    };
    let (told, allowed) = tokio::join!(bench.poll(&uuid, "404"), allow);
    assert_eq!(begun.elapsed().as_secs(), 7);
    let code = code_in(allowed["redirect"].as_str().unwrap());
    assert_eq!(told, format!("window.wx_errcode=405;window.wx_code='{code}';"));
    assert_eq!(allowed["redirect"], format!("https://login.example.com/cb?x=1&code={code}&state=st-1"));
    assert_eq!(bench.poll(&uuid, "404").await, "window.wx_errcode=402;window.wx_code='';", "a used uuid");
}

#[tokio::test(start_paused = true)]
async fn denied_code_can_be_scanned_again() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    bench.script("/scan", json!({ "uuid": uuid, "person": "ada" })).await;
    let denied = bench.script("/deny", json!({ "uuid": uuid, "person": "ada" })).await;
    assert_eq!((&denied["stage"], &denied["redirect"]), (&json!("cancelled"), &json!(null)));
    assert!(bench.poll(&uuid, "404").await.contains("=403;"));
    assert!(bench.poll(&uuid, "403").await.contains("=408;"), "seen already, so held");
    bench.script("/scan", json!({ "uuid": uuid, "person": "xiaoming" })).await;
    assert!(bench.poll(&uuid, "403").await.contains("=404;"));
    bench.script("/allow", json!({ "uuid": uuid, "person": "xiaoming" })).await;
    assert!(bench.poll(&uuid, "404").await.contains("=405;"));
}

#[tokio::test(start_paused = true)]
async fn uuid_ends_after_five_minutes_and_unknown_ones_are_errors() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    bench.advance_ms(299_999);
    assert!(bench.poll(&uuid, "").await.contains("=408;"));
    bench.advance_ms(1);
    assert!(bench.poll(&uuid, "").await.contains("=402;"));
    assert!(bench.poll("0000000000000000", "").await.contains("=500;"));
    let late = bench.post("/scan", json!({ "uuid": uuid, "person": "ada" })).await;
    assert_eq!((late.status, late.json()["error"].clone()), (StatusCode::GONE, json!("expired")));
}

#[tokio::test(start_paused = true)]
async fn poll_of_a_reset_sandbox_wakes() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    let begun = Instant::now();
    let (told, _) = tokio::join!(bench.poll(&uuid, ""), bench.script("/reset", json!({})));
    assert!(told.contains("=500;") && begun.elapsed().as_secs() == 0);
}

#[tokio::test]
async fn phone_confirms_by_hand() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    let confirm = format!("/open.weixin.qq.com/connect/confirm?uuid={uuid}");
    let nobody = bench.get(&confirm).await;
    assert_eq!(nobody.status, StatusCode::SEE_OTHER);
    assert_eq!(
        nobody.header("location"),
        format!("/phone/who?next=%2Fopen.weixin.qq.com%2Fconnect%2Fconfirm%3Fuuid%3D{uuid}")
    );
    let asked = bench.get_as("ada", &confirm).await;
    for text in ["严格 &amp; &lt;应用&gt;", "允许", "拒绝", "Ada", "sandbox · 仿真环境"] {
        assert!(asked.text().contains(text), "{text}");
    }
    assert!(bench.poll(&uuid, "").await.contains("=404;"));
    let other = bench.get_as("xiaoming", &confirm).await;
    assert!(other.text().contains("二维码已被扫描"));
    let action = "/open.weixin.qq.com/connect/confirm";
    let stolen = bench.submit_as("xiaoming", action, &format!("uuid={uuid}&answer=allow")).await;
    assert!(stolen.text().contains("二维码已被扫描"));
    let allowed = bench.submit_as("ada", action, &format!("uuid={uuid}&answer=allow")).await;
    assert!(allowed.text().contains("登录成功"));
    assert!(bench.poll(&uuid, "404").await.contains("=405;"));
    let again = bench.submit_as("ada", action, &format!("uuid={uuid}&answer=allow")).await;
    assert!(again.text().contains("已经处理过了"));
    assert_eq!(bench.submit_as("ada", action, "answer=maybe").await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn phone_denies_by_hand_and_sees_expired_codes() {
    let bench = Bench::new();
    let uuid = bench.qr(LONE).await;
    let confirm = format!("/open.weixin.qq.com/connect/confirm?uuid={uuid}");
    bench.get_as("ada", &confirm).await;
    let denied = bench
        .submit_as("ada", "/open.weixin.qq.com/connect/confirm", &format!("uuid={uuid}&answer=deny"))
        .await;
    assert!(denied.text().contains("已拒绝"));
    assert!(bench.poll(&uuid, "404").await.contains("=403;"));
    bench.advance_ms(300_000);
    assert!(bench.get_as("ada", &confirm).await.text().contains("二维码已失效"));
}

#[tokio::test]
async fn posts_from_other_sites_are_refused() {
    let bench = Bench::new();
    for site in ["cross-site", "same-site"] {
        let request = http::Request::post("/open.weixin.qq.com/connect/confirm")
            .header("sec-fetch-site", site)
            .body(axum::body::Body::empty())
            .unwrap();
        assert_eq!(bench.send(request).await.status, StatusCode::FORBIDDEN);
    }
}

#[tokio::test]
async fn embedding_script_points_at_the_sandbox() {
    let bench = Bench::new();
    let script = bench.get("/res.wx.qq.com/connect/zh_CN/htmledition/js/wxLogin.js").await;
    assert!(script.header("content-type").starts_with("text/javascript"));
    assert!(script.text().contains(r#"var OPEN = "http://127.0.0.1:8930/open.weixin.qq.com";"#));
    let order = [
        "appid=",
        "&scope=",
        "&redirect_uri=",
        "&state=",
        "&login_type=jssdk",
        "&self_redirect=",
        "&styletype=",
    ];
    let at: Vec<_> = order.iter().map(|part| script.text().find(part).unwrap()).collect();
    assert!(at.is_sorted());
}
