//! The parts of a login beside what they are made of, in one process: `cargo run --release -p mashang-server --example parts`.
//!
//! `cargo xtask bench` runs it and reads its lines, `name value`; times in nanoseconds, the middle of several rounds in
//! which yardstick and ours take turns.

use std::hint::black_box;
use std::path::Path;
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::body::{Body, to_bytes};
use fast_qr::convert::svg::SvgBuilder;
use fast_qr::qr::QRBuilder;
use http::{Request, StatusCode, header};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::{Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::ids::{GrantId, ScanCode};
use mashang_login::key::SigningAlgorithm;
use mashang_login::secret::BrowserSecret;
use mashang_login::ticket::{Lifetimes, Origin, Ticket};
use mashang_server::front::Front;
use mashang_server::open::{self, Surroundings};
use mashang_server::state::App;
use mashang_server::web::qr;
use mashang_server::{config, routes};
use serde_json::json;
use tokio::time::Instant;
use tower::ServiceExt as _;

const SITE: &str = "https://site.example/callback";
const AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36";
const FEW: usize = 1_000;
/// Writes that are in flight together.
const TOGETHER: usize = 256;

/// How much to measure.
struct Scale {
    rounds: usize,
    round: Duration,
    many: usize,
}

#[tokio::main]
async fn main() {
    let scale = if std::env::args().any(|word| word == "--quick") {
        Scale { rounds: 3, round: Duration::from_millis(60), many: 100_000 }
    } else {
        Scale { rounds: 7, round: Duration::from_millis(300), many: 1_000_000 }
    };
    // On the disk of the target folder: /tmp may be memory, where a commit costs nothing.
    let program = std::env::current_exe().expect("it runs");
    let folder = tempfile::tempdir_in(program.parent().expect("in a folder")).expect("a folder");
    let app = start(folder.path()).await;
    pictures(&scale, &app);
    signatures(&scale, &app);
    writes(&scale, &app).await;
    tickets(&scale, &app).await;
}

#[expect(clippy::print_stdout, reason = "printing is its purpose")]
fn tell(name: &str, value: f64) {
    println!("{name} {value:.1}");
}

fn pictures(scale: &Scale, app: &App) {
    let text = format!("https://login.example/s/{}", ScanCode::random(&*app.entropy));
    let bare = || {
        let code = QRBuilder::new(text.as_str()).ecl(fast_qr::ECL::M).build().expect("it fits");
        black_box(SvgBuilder::default().to_str(&code));
    };
    let ours = || drop(black_box(qr::svg(&text)));
    let [bare, ours] = in_turns(scale, [&bare, &ours]);
    tell("qr.bare", bare);
    tell("qr.ours", ours);
}

fn signatures(scale: &Scale, app: &App) {
    let claims = json!({
        "iss": "https://login.example", "sub": "Fu5yqZUH9B3EgYXy0GKxAa", "aud": "site", "exp": 1_800_000_300,
        "iat": 1_800_000_000, "auth_time": 1_800_000_000, "nonce": "n-0S6_WzA2Mj", "amr": ["wechat-official"],
        "sid": "Fu5yqZUH9B3EgYXy0GKxAa", "at_hash": "Fu5yqZUH9B3EgYXy0GKxAa", "name": "小明",
    });
    let keys = &app.provider.keys;
    let token = keys.sign(SigningAlgorithm::EdDsa, None, &claims).expect("there is a key");
    let message = token.rsplit_once('.').expect("a signature").0.as_bytes();
    let random = SystemRandom::new();
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let bare = || {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature).expect("a signature");
        black_box(signature);
    };
    let ours = || drop(black_box(keys.sign(SigningAlgorithm::Rs256, None, &claims).expect("a token")));
    let [bare, ours] = in_turns(scale, [&bare, &ours]);
    tell("rs256.bare", bare);
    tell("rs256.ours", ours);
    let pair = Ed25519KeyPair::generate().expect("a key");
    let bare = || drop(black_box(pair.try_sign(message).expect("a signature").as_ref().to_vec()));
    let ours = || drop(black_box(keys.sign(SigningAlgorithm::EdDsa, None, &claims).expect("a token")));
    let [bare, ours] = in_turns(scale, [&bare, &ours]);
    tell("eddsa.bare", bare);
    tell("eddsa.ours", ours);
}

/// One commit for each write, against commits that those in flight share.
async fn writes(scale: &Scale, app: &App) {
    let one = async || {
        let event = AuditEvent::new(app.now(), AuditKind::TicketStarted);
        app.records.record(&event).await.expect("it is written");
    };
    let together = async || {
        futures_util::future::join_all((0..TOGETHER).map(|_| one())).await;
    };
    tell("write.alone", typical(scale, &one).await);
    tell("write.shared", typical(scale, &together).await / TOGETHER as f64);
}

/// What an operation costs with few and with many tickets open, and what each of these takes.
async fn tickets(scale: &Scale, app: &App) {
    let front = routes::service(app.clone());
    let browser = BrowserSecret::random(&*app.entropy);
    let page = begin(&front, &browser).await;
    fill(app, FEW).await;
    let few = operations(scale, &front, &browser, &page).await;
    let before = resident();
    fill(app, scale.many).await;
    let bytes = (resident() - before) / scale.many as f64;
    let many = operations(scale, &front, &browser, &page).await;
    tell("tickets.few", FEW as f64);
    tell("tickets.many", scale.many as f64);
    tell("tickets.bytes", bytes);
    tell("status.few", few[0]);
    tell("status.many", many[0]);
    tell("draw.few", few[1]);
    tell("draw.many", many[1]);
}

async fn start(folder: &Path) -> App {
    let folder = folder.display();
    let text = format!(
        r#"
[server]
public_url = "http://127.0.0.1:8080"
[store]
url = "sqlite:{folder}/parts.db"
master_key_file = "{folder}/master.key"
[limits]
starts_per_minute = 4000000000
polls_per_minute = 4000000000
live_tickets = 4000000
[channel.wechat]
kind = "wechat-official"
appid = "wx0123456789abcdef"
secret = "0123456789abcdef0123456789abcdef"
"#
    );
    let config = config::from_text(&text).expect("the configuration is right");
    let app = open::app(&config, Surroundings::default()).await.expect("it opens");
    let client = Client {
        id: "site".parse().expect("a name"),
        name: "Site".into(),
        authentication: ClientAuthentication::Public,
        redirect_uris: vec![SITE.into()],
        post_logout_redirect_uris: Vec::new(),
        pkce: PkcePolicy::Required,
        id_token_alg: SigningAlgorithm::Rs256,
        refresh_tokens: false,
        settings: ClientSettings::default(),
        created_at: app.now(),
        disabled_at: None,
    };
    app.records.save_client(&client).await.expect("it is saved");
    app
}

/// Tickets of other browsers.
async fn fill(app: &App, count: usize) {
    let browser = BrowserSecret::random(&*app.entropy).hash();
    let lifetimes = Lifetimes { waiting: Duration::from_secs(300), ..Lifetimes::default() };
    for number in 0..count {
        let now = app.now();
        let origin = Origin {
            client: "site".parse().expect("a name"),
            site_name: "Site".into(),
            site_host: "site.example".into(),
            device: ["Chrome · Windows", "Safari · macOS", "Firefox · Linux"][number % 3].into(),
            on_phone: false,
            address: format!("10.{}.{}.{}", number >> 16 & 255, number >> 8 & 255, number & 255),
            at: now,
        };
        let grant = GrantId::random(&*app.entropy);
        let ticket = Ticket::begin(grant, browser, origin, now, &lifetimes, &*app.entropy);
        app.tickets.create(&ticket, now).await.expect("there is room");
    }
}

fn ask(method: &str, path: &str, browser: &BrowserSecret) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::USER_AGENT, AGENT)
        .header(header::ACCEPT, "application/json")
        .header(header::COOKIE, format!("mashang_browser={}", browser.expose()))
        .body(Body::empty())
        .expect("a request")
}

/// The login page of a fresh login.
async fn begin(front: &Front, browser: &BrowserSecret) -> String {
    let path = "/authorize?response_type=code&client_id=site&redirect_uri=https%3A%2F%2Fsite.example%2Fcallback\
                &scope=openid&state=s&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256";
    let answer = front.clone().oneshot(ask("GET", path, browser)).await.expect("it answers");
    let location = answer.headers().get(header::LOCATION).expect("it redirects to the login page");
    location.to_str().expect("an address").to_owned()
}

/// Nanoseconds of a status poll and of a new ticket with its QR, through the whole router.
async fn operations(scale: &Scale, front: &Front, browser: &BrowserSecret, page: &str) -> [f64; 2] {
    let send = async |method: &str, end: &str| {
        let request = ask(method, &format!("{page}/{end}"), browser);
        let answer = front.clone().oneshot(request).await.expect("it answers");
        assert_eq!(answer.status(), StatusCode::OK);
        black_box(to_bytes(answer.into_body(), 64 * 1024).await.expect("a body"));
    };
    let poll = typical(scale, &async || send("GET", "status").await).await;
    let draw = typical(scale, &async || send("POST", "refresh").await).await;
    [poll, draw]
}

/// Nanoseconds of one, done again and again; the middle of the rounds.
async fn typical(scale: &Scale, work: &impl AsyncFn()) -> f64 {
    let mut times = Vec::new();
    for _ in 0..scale.rounds {
        let (begun, mut done) = (Instant::now(), 0_u32);
        while begun.elapsed() < scale.round {
            work().await;
            done += 1;
        }
        times.push(begun.elapsed().as_nanos() as f64 / f64::from(done));
    }
    median(&mut times)
}

/// Nanoseconds of each, taking turns; the middle of the rounds.
fn in_turns<const N: usize>(scale: &Scale, work: [&dyn Fn(); N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..scale.rounds {
        for (work, times) in work.iter().zip(&mut times) {
            let (begun, mut done) = (Instant::now(), 0_u32);
            while begun.elapsed() < scale.round {
                for _ in 0..8 {
                    work();
                }
                done += 8;
            }
            times.push(begun.elapsed().as_nanos() as f64 / f64::from(done));
        }
    }
    times.map(|mut times| median(&mut times))
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// Resident bytes of this process.
fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this needs Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("the kernel says so");
    let kilobytes: f64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes * 1024.0
}
