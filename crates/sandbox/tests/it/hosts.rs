//! Path prefixes and virtual hosts.

use axum::body::Body;
use http::{Request, StatusCode};

use crate::bench::{Bench, Got, LONE, OFFICIAL, authorize, qrconnect, uuid_in};

async fn at(bench: &Bench, host: &str, path: &str) -> Got {
    bench.send(Request::get(path).header("host", host).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn tencent_host_needs_no_prefix() {
    let bench = Bench::new();
    let path = qrconnect(LONE, "https://login.example.com/cb", "snsapi_login");
    let path = path.strip_prefix("/open.weixin.qq.com").unwrap();
    let page = at(&bench, "open.weixin.qq.com", path).await;
    let uuid = uuid_in(page.text());
    let html = page.text().replace("&#x2f;", "/");
    assert!(html.contains(&format!("//open.weixin.qq.com/connect/qrcode/{uuid}")));
    assert!(html.contains(r#"data-poll="//lp.open.weixin.qq.com""#));
    let style = at(&bench, "open.weixin.qq.com", "/sandbox/assets/qrconnect.css").await;
    assert!(style.header("content-type").starts_with("text/css"));
    for host in ["lp.open.weixin.qq.com", "long.open.weixin.qq.com:443", "LP.open.weixin.qq.com"] {
        bench.get_as("ada", &format!("/open.weixin.qq.com/connect/confirm?uuid={uuid}")).await;
        let told = at(&bench, host, &format!("/connect/l/qrconnect?uuid={uuid}")).await;
        assert!(told.text().contains("wx_errcode=404"), "{host}: {}", told.text());
    }
    for host in ["api.weixin.qq.com", "sh.api.weixin.qq.com"] {
        let refused = at(&bench, host, "/sns/oauth2/access_token").await;
        assert_eq!(refused.json()["errcode"], 41002);
    }
    let script = at(&bench, "res.wx.qq.com:8930", "/connect/zh_CN/htmledition/js/wxLogin.js").await;
    assert!(script.text().contains(r#"OPEN = "//open.weixin.qq.com:8930""#));
}

#[tokio::test]
async fn phone_pages_of_a_tencent_host_move_to_where_the_phone_lives() {
    let bench = Bench::new();
    let path = authorize(OFFICIAL, "snsapi_base");
    let bare = path.strip_prefix("/open.weixin.qq.com").unwrap();
    let moved = at(&bench, "open.weixin.qq.com", bare).await;
    assert_eq!(moved.header("location"), format!("http://127.0.0.1:8930{path}"));
    let moved = at(&bench, "open.weixin.qq.com", "/connect/confirm?uuid=0a").await;
    assert_eq!(moved.header("location"), "http://127.0.0.1:8930/open.weixin.qq.com/connect/confirm?uuid=0a");
}

#[tokio::test]
async fn unknown_paths_and_hosts_are_not_found() {
    let bench = Bench::new();
    for path in ["/nothing", "/open.weixin.qq.com/nothing", "/evil.example/sns/auth", "/sandbox/assets/../x"]
    {
        assert_eq!(bench.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(at(&bench, "evil.example", "/sns/auth").await.status, StatusCode::NOT_FOUND);
    assert_eq!(bench.get("/").await.header("location"), "/phone");
}
