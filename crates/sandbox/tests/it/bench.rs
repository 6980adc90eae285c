//! A sandbox with a clock that the test turns and chance that repeats, and the few calls everyone makes.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use mashang_sandbox::{
    App, AppKind, DEMO_MINI_APPID, DEMO_MINI_SECRET, DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_SECRET,
    DEMO_WEBSITE_APPID, DEMO_WEBSITE_SECRET, Options, Sandbox, default_apps,
};
use serde_json::{Value, json};
use tower::ServiceExt as _;
use url::Url;

/// 2026-09-17 12:00:00 UTC.
pub(crate) const START_MS: i64 = 1_789_646_400_000;
pub(crate) const WEBSITE: &str = DEMO_WEBSITE_APPID;
pub(crate) const OFFICIAL: &str = DEMO_OFFICIAL_APPID;
pub(crate) const MINI: &str = DEMO_MINI_APPID;
/// A website app with one real domain, bound to no Open Platform account.
pub(crate) const LONE: &str = "wx00000000000000aa";
pub(crate) const LONE_SECRET: &str = "000000000000000000000000000000aa";
/// An official account with one real domain.
pub(crate) const STRICT_OFFICIAL: &str = "wx00000000000000bb";
/// A website app of another Open Platform account.
pub(crate) const FOREIGN: &str = "wx00000000000000cc";
pub(crate) const FOREIGN_SECRET: &str = "000000000000000000000000000000cc";
pub(crate) const MICRO_MESSENGER: &str = "Mozilla/5.0 (iPhone) MicroMessenger/8.0.50";
pub(crate) const WXWORK: &str = "Mozilla/5.0 (iPhone) wxwork/4.1.30 MicroMessenger/7.0.1";
/// A desktop's browser, which also plays the phone.
pub(crate) const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0.0.0";

pub(crate) struct Bench {
    pub(crate) router: Router,
    now_ms: Arc<AtomicI64>,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Got {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Vec<u8>,
}

impl Got {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.bytes).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {:?}", self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Bench {
    pub(crate) fn new() -> Self {
        let app = |appid: &str, secret: &str, kind, platform: &str| App {
            domains: vec!["login.example.com".to_owned()],
            platform: platform.to_owned(),
            ..App::new(appid, secret, kind, "严格 & <应用>")
        };
        let mut apps = default_apps();
        apps.push(app(LONE, LONE_SECRET, AppKind::Website, ""));
        apps.push(app(STRICT_OFFICIAL, LONE_SECRET, AppKind::OfficialAccount, ""));
        apps.push(app(FOREIGN, FOREIGN_SECRET, AppKind::Website, "elsewhere"));
        let now_ms = Arc::new(AtomicI64::new(START_MS));
        let (clock, counter) = (Arc::clone(&now_ms), AtomicU64::new(0x9e37_79b9_7f4a_7c15));
        let sandbox = Sandbox::new(
            Options { apps, ..Options::default() },
            Arc::new(move || clock.load(Ordering::SeqCst)),
            Arc::new(move |bytes| {
                for byte in bytes {
                    let seed = counter.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::SeqCst);
                    *byte = (seed ^ (seed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9).to_be_bytes()[1];
                }
            }),
        );
        Self { router: sandbox.router(), now_ms }
    }

    pub(crate) fn advance_ms(&self, ms: i64) {
        self.now_ms.fetch_add(ms, Ordering::SeqCst);
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Got {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes().to_vec();
        Got { status: parts.status, headers: parts.headers, bytes }
    }

    pub(crate) async fn get(&self, path: &str) -> Got {
        self.send(Request::get(path).header("host", "127.0.0.1:8930").body(Body::empty()).unwrap()).await
    }

    /// As the browser inside WeChat, on a phone held by `person`.
    pub(crate) async fn get_as(&self, person: &str, path: &str) -> Got {
        let request = Request::get(path)
            .header("cookie", format!("a=b; sandbox_person={person}"))
            .header("user-agent", MICRO_MESSENGER);
        self.send(request.header("host", "127.0.0.1:8930").body(Body::empty()).unwrap()).await
    }

    pub(crate) async fn submit_as(&self, person: &str, path: &str, form: &str) -> Got {
        let request = Request::post(path)
            .header("cookie", format!("sandbox_person={person}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(form.to_owned())).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: Value) -> Got {
        let request = Request::post(format!("/sandbox/api{path}")).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// Posts to the script API and expects it to work.
    pub(crate) async fn script(&self, path: &str, body: Value) -> Value {
        let got = self.post(path, body).await;
        assert!(got.status.is_success(), "{path}: {} {}", got.status, got.text());
        got.json()
    }

    pub(crate) async fn fault(&self, order: Value) {
        self.script("/faults", order).await;
    }

    /// Posts JSON to a path as a site's server does.
    pub(crate) async fn post_json(&self, path: &str, body: &Value) -> Got {
        let request = Request::post(path).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    /// A stable token of an app.
    pub(crate) async fn token(&self, appid: &str) -> String {
        let body = json!({ "grant_type": "client_credential", "appid": appid, "secret": secret_of(appid) });
        let got = self.post_json("/api.weixin.qq.com/cgi-bin/stable_token", &body).await.json();
        got["access_token"].as_str().unwrap_or_else(|| panic!("{got}")).to_owned()
    }

    /// Opens the QR page of an app and reads the uuid from it.
    pub(crate) async fn qr(&self, appid: &str) -> String {
        let page = self.get(&qrconnect(appid, "https://login.example.com/cb?x=1", "snsapi_login")).await;
        uuid_in(page.text())
    }

    pub(crate) async fn poll(&self, uuid: &str, last: &str) -> String {
        let last = if last.is_empty() { String::new() } else { format!("&last={last}") };
        let got =
            self.get(&format!("/lp.open.weixin.qq.com/connect/l/qrconnect?uuid={uuid}{last}&_=1")).await;
        assert_eq!((got.status, got.header("content-type")), (StatusCode::OK, "text/javascript"));
        got.text().to_owned()
    }

    /// A code of a website app for a person, by the script API.
    pub(crate) async fn website_code(&self, appid: &str, person: &str) -> String {
        let uuid = self.qr(appid).await;
        self.script("/scan", json!({ "uuid": uuid, "person": person })).await;
        let allowed = self.script("/allow", json!({ "uuid": uuid, "person": person })).await;
        code_in(allowed["redirect"].as_str().unwrap())
    }

    pub(crate) async fn official_code(&self, scope: &str, person: &str) -> String {
        let url = format!("http://127.0.0.1:8930{}", authorize(OFFICIAL, scope));
        let answered =
            self.script("/authorize", json!({ "url": url, "person": person, "answer": "allow" })).await;
        code_in(answered["redirect"].as_str().unwrap())
    }

    pub(crate) async fn exchange(&self, appid: &str, code: &str) -> Got {
        let secret = secret_of(appid);
        let query = format!("appid={appid}&secret={secret}&code={code}&grant_type=authorization_code");
        self.get(&format!("/api.weixin.qq.com/sns/oauth2/access_token?{query}")).await
    }

    pub(crate) async fn userinfo(&self, token: &Value) -> Got {
        let (access_token, openid) =
            (token["access_token"].as_str().unwrap(), token["openid"].as_str().unwrap());
        self.get(&format!(
            "/api.weixin.qq.com/sns/userinfo?access_token={access_token}&openid={openid}&lang=zh_CN"
        ))
        .await
    }
}

pub(crate) fn secret_of(appid: &str) -> &'static str {
    match appid {
        WEBSITE => DEMO_WEBSITE_SECRET,
        OFFICIAL => DEMO_OFFICIAL_SECRET,
        MINI => DEMO_MINI_SECRET,
        FOREIGN => FOREIGN_SECRET,
        _ => LONE_SECRET,
    }
}

pub(crate) fn encode(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub(crate) fn qrconnect(appid: &str, redirect_uri: &str, scope: &str) -> String {
    let redirect_uri = encode(redirect_uri);
    format!(
        "/open.weixin.qq.com/connect/qrconnect?appid={appid}&redirect_uri={redirect_uri}&response_type=code&scope={scope}&state=st-1"
    )
}

pub(crate) fn authorize(appid: &str, scope: &str) -> String {
    let redirect_uri = encode("https://login.example.com/wx");
    format!(
        "/open.weixin.qq.com/connect/oauth2/authorize?appid={appid}&redirect_uri={redirect_uri}&response_type=code&scope={scope}&state=st-1"
    )
}

pub(crate) fn uuid_in(page: &str) -> String {
    let (_, rest) = page.split_once("/connect/qrcode/").unwrap_or_else(|| panic!("no QR in {page}"));
    rest.chars().take_while(|c| c.is_ascii_alphanumeric()).collect()
}

pub(crate) fn code_in(redirect: &str) -> String {
    let url = Url::parse(redirect).unwrap();
    let code = url.query_pairs().find(|(name, _)| name == "code");
    code.unwrap_or_else(|| panic!("no code in {redirect}")).1.into_owned()
}

/// The names of the fields of a flat JSON object, in the order of its text.
pub(crate) fn field_order(json: &str) -> Vec<&str> {
    json.split('"')
        .skip(1)
        .step_by(2)
        .zip(json.split('"').skip(2).step_by(2))
        .filter(|(_, after)| after.starts_with(':'))
        .map(|(name, _)| name)
        .collect()
}
