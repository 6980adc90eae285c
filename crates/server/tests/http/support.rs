//! `TestApp`: a server, a sandbox and as many devices as a test needs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use mashang_login::ambient::{SystemEntropy, TestClock};
use mashang_login::client::{Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::key::SigningAlgorithm;
use mashang_login::secret::ClientSecret;
use mashang_login::{Clock, Entropy};
use mashang_sandbox::{
    DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_SECRET, DEMO_PLATFORM, DEMO_WEBSITE_APPID, DEMO_WEBSITE_SECRET,
    Options, Sandbox,
};
use mashang_server::front::Front;
use mashang_server::open::{self, Surroundings};
use mashang_server::state::App;
use mashang_server::{config, routes};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

pub const SITE: &str = "http://127.0.0.1:9/callback";
pub const WECHAT: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.50 NetType/WIFI Language/zh_CN";
pub const DESKTOP: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
pub const PHONE: &str = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub struct TestApp {
    pub app: App,
    pub router: Front,
    pub clock: Arc<TestClock>,
    pub sandbox: Router,
    pub sandbox_url: String,
    /// The headers of what the server asked of the sandbox.
    pub asked: Arc<Mutex<Vec<HeaderMap>>>,
    pub secret: ClientSecret,
    folder: tempfile::TempDir,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn location(&self) -> &str {
        self.headers.get(header::LOCATION).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|_| panic!("{}: not JSON: {}", self.status, self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The text between two marks of the body.
    pub fn between(&self, start: &str, end: &str) -> &str {
        let from =
            self.body.find(start).unwrap_or_else(|| panic!("no {start:?} in {}", self.body)) + start.len();
        let length = self.body[from..].find(end).unwrap();
        &self.body[from..from + length]
    }
}

/// A browser with its cookies.
#[derive(Clone)]
pub struct Device {
    pub router: Front,
    pub cookies: Arc<Mutex<BTreeMap<String, String>>>,
    pub user_agent: &'static str,
    pub headers: Vec<(&'static str, String)>,
}

impl Device {
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// What it sends as `Cookie`.
    pub fn cookie_header(&self) -> String {
        let jar = self.cookies.lock().unwrap();
        jar.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<String>) -> Answer {
        let path = path.strip_prefix("http://127.0.0.1:8080").unwrap_or(path);
        let mut request = Request::builder().method(method).uri(path).header("user-agent", self.user_agent);
        let cookies: Vec<String> =
            self.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !cookies.is_empty() {
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if body.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let request = request.body(body.map_or(Body::empty(), Body::from)).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            let mut jar = self.cookies.lock().unwrap();
            if cookie.contains("Max-Age=0") {
                jar.remove(name)
            } else {
                jar.insert(name.into(), value.into())
            };
        }
        let body = String::from_utf8(body.collect().await.unwrap().to_bytes().to_vec()).unwrap();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(Method::POST, path, Some(form_of(form))).await
    }

    /// As the page's script asks.
    pub async fn fetch(&self, path: &str) -> Answer {
        self.clone().with("accept", "application/json").send(Method::POST, path, None).await
    }

    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }
}

pub fn form_of(form: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish()
}

/// A login page that is open in a browser.
#[derive(Clone)]
pub struct LoginPage {
    pub browser: Device,
    pub path: String,
    pub grant: String,
    pub ticket: String,
    pub number: String,
    pub html: String,
}

impl LoginPage {
    pub fn url(&self, end: &str) -> String {
        format!("/login/{}/{}/{end}", self.grant, self.ticket)
    }

    pub async fn status(&self) -> Answer {
        self.browser.get(&self.url("status")).await
    }

    pub async fn stage(&self) -> String {
        self.status().await.json()["status"].as_str().unwrap_or("unknown").to_owned()
    }

    pub fn wrong_number(&self) -> &'static str {
        if self.number == "10" { "11" } else { "10" }
    }

    /// Collects the approval: the address of the website with its code.
    pub async fn redeem(&self) -> String {
        let answer = self.browser.fetch(&self.url("redeem")).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.body);
        answer.json()["redirect"].as_str().unwrap().to_owned()
    }
}

impl TestApp {
    pub async fn start() -> Self {
        Self::with_config("").await
    }

    /// Configured for the real WeChat, which is never called in tests.
    pub async fn without_sandbox() -> Self {
        Self::reconfigured(without_sandbox).await
    }

    /// As after the very first start.
    pub async fn without_channels() -> Self {
        Self::reconfigured(|text| text.split("[channel.wechat]").next().unwrap().to_owned()).await
    }

    pub async fn reconfigured(change: impl Fn(String) -> String) -> Self {
        let mut this = Self::start().await;
        let text = change(configuration(this.folder.path(), &this.sandbox_url, ""));
        let surroundings = Surroundings { clock: this.clock.clone(), ..Surroundings::default() };
        this.app = open::app(&config::from_text(&text).unwrap(), surroundings).await.unwrap();
        this.router = routes::service(this.app.clone());
        this
    }

    pub async fn with_config(extra: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::in_folder(folder, extra, Arc::new(TestClock::default())).await
    }

    async fn in_folder(folder: tempfile::TempDir, extra: &str, clock: Arc<TestClock>) -> Self {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let sandbox_url = format!("http://{}", listener.local_addr().unwrap());
        let options = Options { public_url: sandbox_url.parse().unwrap(), ..Options::default() };
        let (sandbox_clock, entropy) = (clock.clone(), SystemEntropy);
        let sandbox = Sandbox::new(
            options,
            Arc::new(move || sandbox_clock.now().as_millisecond()),
            Arc::new(move |bytes: &mut [u8]| entropy.fill(bytes)),
        )
        .router();
        let asked = Arc::<Mutex<Vec<HeaderMap>>>::default();
        let heard = asked.clone();
        let served = sandbox.clone().layer(axum::middleware::map_request(move |request: Request<Body>| {
            heard.lock().unwrap().push(request.headers().clone());
            std::future::ready(request)
        }));
        tokio::spawn(async move { axum::serve(listener, served).await });
        let text = configuration(folder.path(), &sandbox_url, extra);
        let config = config::from_text(&text).unwrap();
        let surroundings = Surroundings {
            clock: clock.clone(),
            entropy: Arc::new(SystemEntropy),
            leaving: CancellationToken::new(),
            stopping: CancellationToken::new(),
        };
        let app = open::app(&config, surroundings).await.unwrap();
        let secret = ClientSecret::random(&SystemEntropy);
        let this = Self {
            router: routes::service(app.clone()),
            app,
            clock,
            sandbox,
            sandbox_url,
            asked,
            secret,
            folder,
        };
        this.register("site", Client::authentication_by(&this.secret)).await;
        this.register("spa", ClientAuthentication::Public).await;
        this
    }

    /// Stops without warning and starts again over the same files, as after `kill -9`: whatever was only in memory is
    /// gone.
    pub async fn crash_and_restart(self) -> Self {
        let Self { app, router, sandbox, folder, clock, secret, .. } = self;
        drop((app, router, sandbox));
        let mut again = Self::in_folder(folder, "", clock).await;
        again.register("site", Client::authentication_by(&secret)).await;
        again.secret = secret;
        again
    }

    /// The same database with other channels, as after a change of the configuration.
    pub async fn reopened(mut self, extra: &str) -> Self {
        let text = configuration(self.folder.path(), &self.sandbox_url, extra);
        let surroundings = Surroundings { clock: self.clock.clone(), ..Surroundings::default() };
        self.app = open::app(&config::from_text(&text).unwrap(), surroundings).await.unwrap();
        self.router = routes::service(self.app.clone());
        self
    }

    pub async fn register(&self, id: &str, authentication: ClientAuthentication) {
        self.save_client(self.client(id, authentication)).await;
    }

    pub fn client(&self, id: &str, authentication: ClientAuthentication) -> Client {
        Client {
            id: id.parse().unwrap(),
            name: "样例 <Site>".into(),
            authentication,
            redirect_uris: vec![SITE.into(), "https://zt.example/index.php?m=sso&f=cb".into()],
            post_logout_redirect_uris: vec!["http://127.0.0.1:9/".into()],
            pkce: PkcePolicy::Required,
            id_token_alg: SigningAlgorithm::Rs256,
            refresh_tokens: true,
            settings: ClientSettings::default(),
            created_at: self.clock.now(),
            disabled_at: None,
        }
    }

    pub async fn save_client(&self, client: Client) {
        self.app.records.save_client(&client).await.unwrap();
    }

    pub fn device(&self, user_agent: &'static str) -> Device {
        Device { router: self.router.clone(), cookies: Arc::default(), user_agent, headers: Vec::new() }
    }

    pub fn desktop(&self) -> Device {
        self.device(DESKTOP)
    }

    pub fn phone(&self) -> Device {
        self.device(WECHAT)
    }

    pub fn pass(&self, time: Duration) {
        self.clock.advance(time);
    }

    pub fn authorize_path(&self, changes: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER.as_bytes()));
        let mut params: BTreeMap<&str, &str> = BTreeMap::from([
            ("response_type", "code"),
            ("client_id", "site"),
            ("redirect_uri", SITE),
            ("scope", "openid profile"),
            ("state", "st4te"),
            ("nonce", "n0nce"),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
        params.extend(changes.iter().copied());
        let pairs: Vec<(&str, &str)> = params.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        format!("/authorize?{}", form_of(&pairs))
    }

    pub async fn open_login(&self, browser: &Device) -> LoginPage {
        self.open_login_with(browser, &[]).await
    }

    pub async fn open_login_with(&self, browser: &Device, changes: &[(&str, &str)]) -> LoginPage {
        let answer = browser.get(&self.authorize_path(changes)).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        self.login_page(browser, answer.location()).await
    }

    pub async fn login_page(&self, browser: &Device, path: &str) -> LoginPage {
        let answer = browser.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.location());
        let mut parts = path.split('?').next().unwrap().rsplit('/');
        let (ticket, grant) = (parts.next().unwrap().to_owned(), parts.next().unwrap().to_owned());
        let code = mashang_login::ids::ScanCode::parse(&ticket).unwrap();
        let stored = self.app.tickets.get(&code, self.clock.now()).await.unwrap().unwrap();
        let number = stored.number.digits();
        let is_inside_wechat = browser.user_agent.contains("MicroMessenger");
        let shows_own_qr = answer.body.contains("class=\"qr\"") || answer.body.contains("data-qr");
        assert!(
            is_inside_wechat || !shows_own_qr || answer.body.contains(&number),
            "the number is in the browser's page"
        );
        LoginPage {
            browser: browser.clone(),
            path: path.to_owned(),
            grant,
            ticket,
            number,
            html: answer.body,
        }
    }

    /// The sandbox's script API.
    pub async fn sandbox(&self, path: &str, body: Value) -> Value {
        let request = Request::post(format!("/sandbox/api/{path}"))
            .header("content-type", "application/json")
            .body(Body::from(body.to_string()))
            .unwrap();
        let response = self.sandbox.clone().oneshot(request).await.unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert!(status.is_success(), "{path}: {status} {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap()
    }

    /// The faults still to come.
    pub async fn faults(&self) -> Vec<Value> {
        let request = Request::get("/sandbox/api/faults").body(Body::empty()).unwrap();
        let response = self.sandbox.clone().oneshot(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let told: Value = serde_json::from_slice(&body).unwrap();
        told["faults"].as_array().unwrap().clone()
    }

    pub async fn fault(&self, body: Value) {
        self.sandbox("faults", body).await;
    }

    pub async fn person(&self, name: &str) -> String {
        self.sandbox("people", json!({ "name": name })).await["id"].as_str().unwrap().to_owned()
    }

    /// The phone opens the QR and is authorized by the platform; the answer of our callback.
    pub async fn callback_of(&self, phone: &Device, ticket: &str, person: &str) -> Answer {
        let back = self.authorize_at_wechat(phone, ticket, person).await;
        phone.get(&back).await
    }

    /// Opens our link inside an app, and taps where we say what it will ask.
    pub async fn set_out(&self, phone: &Device, path: &str) -> Answer {
        let opened = phone.get(path).await;
        if opened.body.contains("data-onward") { phone.get(&onward(&opened.body)).await } else { opened }
    }

    /// As far as the address WeChat sends the phone back to.
    pub async fn authorize_at_wechat(&self, phone: &Device, ticket: &str, person: &str) -> String {
        let opened = self.set_out(phone, &format!("/s/{ticket}")).await;
        assert_eq!(opened.status, StatusCode::SEE_OTHER, "{}", opened.body);
        assert!(opened.location().starts_with(&self.sandbox_url), "{}", opened.location());
        let body = json!({ "url": opened.location(), "person": person, "answer": "allow" });
        self.sandbox("authorize", body).await["redirect"].as_str().unwrap().to_owned()
    }

    /// The phone scans and is on the confirm page; returns its token.
    pub async fn scan(&self, phone: &Device, ticket: &str, person: &str) -> String {
        let answer = self.callback_of(phone, ticket, person).await;
        assert_eq!(answer.location(), format!("/s/{ticket}/confirm"), "{}", answer.body);
        let page = phone.get(answer.location()).await;
        assert_eq!(page.status, StatusCode::OK);
        page.between("name=\"confirm_token\" value=\"", "\"").to_owned()
    }

    pub async fn approve(&self, phone: &Device, page: &LoginPage, token: &str, number: &str) -> Answer {
        phone
            .post(&format!("/s/{}/approve", page.ticket), &[("confirm_token", token), ("number", number)])
            .await
    }

    /// Everything up to the website's address with a code.
    pub async fn log_in(&self, browser: &Device, person: &str) -> String {
        self.log_in_with(browser, person, &[]).await
    }

    pub async fn log_in_with(&self, browser: &Device, person: &str, changes: &[(&str, &str)]) -> String {
        let page = self.open_login_with(browser, changes).await;
        let phone = self.phone();
        let token = self.scan(&phone, &page.ticket, person).await;
        let approved = self.approve(&phone, &page, &token, &page.number).await;
        assert!(approved.location().ends_with("outcome=approved"), "{}", approved.location());
        page.redeem().await
    }

    pub fn basic(&self) -> String {
        use base64::engine::general_purpose::STANDARD;
        format!("Basic {}", STANDARD.encode(format!("site:{}", self.secret.expose())))
    }

    /// The website's server exchanges a code.
    pub async fn exchange(&self, code: &str) -> Answer {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", SITE),
            ("code_verifier", VERIFIER),
        ];
        self.desktop().with("authorization", &self.basic()).post("/token", &form).await
    }

    pub async fn userinfo(&self, access_token: &str) -> Answer {
        self.desktop().with("authorization", &format!("Bearer {access_token}")).get("/userinfo").await
    }
}

/// The sandbox's ids and secrets are refused where it is off.
pub fn without_sandbox(text: String) -> String {
    let own = text.replace("5a9d0b0c0de", "0123456789a").replace("deadbeef", "beefdead");
    own.replace("[sandbox]\nenabled = true", "[sandbox]\nenabled = false")
}

fn configuration(folder: &std::path::Path, sandbox_url: &str, extra: &str) -> String {
    format!(
        r#"
[server]
public_url = "http://127.0.0.1:8080"
[store]
url = "sqlite:{folder}/test.db"
master_key_file = "{folder}/master.key"
[sandbox]
enabled = true
url = "{sandbox_url}"
[channel.wechat]
kind = "wechat-official"
appid = "{DEMO_OFFICIAL_APPID}"
secret = "{DEMO_OFFICIAL_SECRET}"
open_platform = "{DEMO_PLATFORM}"
order = 1
[channel.web]
kind = "wechat-open"
appid = "{DEMO_WEBSITE_APPID}"
secret = "{DEMO_WEBSITE_SECRET}"
open_platform = "{DEMO_PLATFORM}"
order = 2
{extra}
"#,
        folder = folder.display(),
    )
}

pub fn param(address: &str, name: &str) -> String {
    let url: url::Url = address.parse().unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The claims of a JWT, unverified: signatures are the business of `mashang-oidc`'s own tests.
pub fn claims(jwt: &str) -> Value {
    let body = jwt.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap()
}

/// Where the button of the page leads that says what WeChat will ask.
pub fn onward(html: &str) -> String {
    let before = html.split("\" rel=\"nofollow\" data-onward").next().unwrap();
    let (_, href) = before.rsplit_once("href=\"").unwrap_or_else(|| panic!("no button in {html}"));
    href.replace("&#x2f;", "/").replace("&amp;", "&")
}
