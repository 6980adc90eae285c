//! `…/events` as a WebSocket, of the login page and of a website's page: who may open it, what it tells, how it ends.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use http::{Request, StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use serde_json::Value;
use tokio::io::DuplexStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::client::{Response, generate_key};
use tokio_tungstenite::tungstenite::protocol::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::browser::{ORIGIN, Page, approve, begin};
use crate::support::*;

const OURS: &str = "http://127.0.0.1:8080";

struct Socket {
    stream: WebSocketStream<DuplexStream>,
    answer: Response,
}

/// What a page notices.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    News(String),
    Beat,
    Closed(u16),
    Broken,
}

/// A connection to the server without a network, so that a test may stop the time.
fn connection(device: &Device) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let service = TowerToHyperService::new(device.router.clone());
    tokio::spawn(async move {
        let builder = Builder::new(TokioExecutor::new()).http1_only();
        builder.serve_connection_with_upgrades(TokioIo::new(theirs), service).await
    });
    ours
}

fn handshake(device: &Device, path: &str, more: &[(&str, &str)]) -> Request<()> {
    let path = path.strip_prefix(OURS).unwrap_or(path);
    let mut request = Request::get(format!("ws://127.0.0.1:8080{path}"))
        .header("host", "127.0.0.1:8080")
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", generate_key())
        .header("user-agent", device.user_agent);
    let cookies: Vec<String> =
        device.cookies.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect();
    if !cookies.is_empty() {
        request = request.header("cookie", cookies.join("; "));
    }
    for (name, value) in more {
        request = request.header(*name, *value);
    }
    request.body(()).unwrap()
}

/// A browser opens a socket; the refusal's status if it may not.
async fn open(device: &Device, path: &str, more: &[(&str, &str)]) -> Result<Socket, StatusCode> {
    match client_async(handshake(device, path, more), connection(device)).await {
        Ok((stream, answer)) => Ok(Socket { stream, answer }),
        Err(Error::Http(answer)) => Err(answer.status()),
        Err(error) => panic!("neither opened nor refused: {error}"),
    }
}

#[tokio::test]
async fn pages_are_told_where_their_socket_is() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let socket = format!("ws://127.0.0.1:8080{}", page.url("events"));
    assert!(page.html.contains(&socket), "{}", page.html);
    let begun = begin(&app).await;
    assert_eq!(begun.url("socket"), begun.url("events").replacen("http", "ws", 1));
}

async fn of_login(page: &LoginPage) -> Socket {
    open(&page.browser, &page.url("events"), &[("origin", OURS)]).await.unwrap()
}

fn offer(secret: &str) -> String {
    format!("Bearer, {secret}")
}

async fn of_page(page: &Page) -> Socket {
    let offer = offer(page.secret());
    let headers = [("origin", ORIGIN), ("sec-websocket-protocol", offer.as_str())];
    open(&page.browser, &page.url("events"), &headers).await.unwrap()
}

impl Socket {
    async fn hear(&mut self) -> Heard {
        loop {
            return match self.stream.next().await {
                Some(Ok(Message::Text(text))) if text.is_empty() => Heard::Beat,
                Some(Ok(Message::Text(text))) => Heard::News(text.to_string()),
                Some(Ok(Message::Close(frame))) => Heard::Closed(frame.unwrap().code.into()),
                Some(Ok(_)) => continue,
                Some(Err(_)) | None => Heard::Broken,
            };
        }
    }

    async fn news(&mut self) -> Value {
        match self.hear().await {
            Heard::News(text) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?} instead of news"),
        }
    }
}

#[tokio::test]
async fn the_login_pages_socket_tells_each_stage_in_order_and_closes_after_the_last() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let mut socket = of_login(&page).await;
    let first = socket.news().await;
    assert_eq!((&first["status"], &first["version"]), (&"waiting".into(), &0.into()));
    assert_eq!(first.as_object().unwrap().len(), 3, "sec_03: nothing but status, version and time: {first}");
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    let second = socket.news().await;
    assert_eq!((&second["status"], &second["version"]), (&"scanned".into(), &1.into()));
    app.approve(&phone, &page, &token, &page.number).await;
    assert_eq!(socket.news().await["status"], "approved");
    page.redeem().await;
    assert_eq!(socket.news().await["status"], "redeemed");
    assert_eq!(socket.hear().await, Heard::Closed(1000));
}

#[tokio::test]
async fn a_websites_socket_tells_the_same_and_the_secret_is_not_sent_back() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = begin(&app).await;
    let mut socket = of_page(&page).await;
    assert_eq!(socket.answer.headers()["sec-websocket-protocol"], "Bearer");
    assert!(!format!("{:?}", socket.answer).contains(page.secret()), "promise 10");
    assert_eq!(socket.news().await["status"], "waiting");
    approve(&app, &page, &person).await;
    assert_eq!(socket.news().await["status"], "scanned");
    assert_eq!(socket.news().await["status"], "approved");
}

#[tokio::test]
async fn sec_64_a_page_of_another_origin_opens_no_socket_with_our_cookie() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    for origin in
        ["https://evil.example", "null", "http://127.0.0.1:8081", "http://127.0.0.1:8080.evil.example"]
    {
        let refused = open(&page.browser, &page.url("events"), &[("origin", origin)]).await;
        assert_eq!(refused.err(), Some(StatusCode::FORBIDDEN), "{origin}");
    }
    let twice = [("origin", OURS), ("origin", "https://evil.example")];
    assert_eq!(open(&page.browser, &page.url("events"), &twice).await.err(), Some(StatusCode::FORBIDDEN));
    of_login(&page).await;
}

#[tokio::test]
async fn sec_59_a_secret_that_wandered_to_another_origin_opens_no_socket() {
    let app = TestApp::start().await;
    let page = begin(&app).await;
    let offer = offer(page.secret());
    for origin in ["https://evil.example", OURS, "null"] {
        let headers = [("origin", origin), ("sec-websocket-protocol", offer.as_str())];
        let refused = open(&page.browser, &page.url("events"), &headers).await;
        assert_eq!(refused.err(), Some(StatusCode::FORBIDDEN), "{origin}");
    }
}

#[tokio::test]
async fn promise_1_watching_by_a_socket_needs_the_secret_of_the_browser_that_began() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let other = app.open_login(&app.desktop()).await;
    for stranger in [&app.desktop(), &other.browser] {
        let refused = open(stranger, &page.url("events"), &[("origin", OURS)]).await;
        assert_eq!(refused.err(), Some(StatusCode::NOT_FOUND));
    }
    let (page, other) = (begin(&app).await, begin(&app).await);
    for secret in [other.secret(), "", "msw_short"] {
        let offer = offer(secret);
        let headers = [("origin", ORIGIN), ("sec-websocket-protocol", offer.as_str())];
        let refused = open(&page.browser, &page.url("events"), &headers).await;
        assert_eq!(refused.err(), Some(StatusCode::NOT_FOUND), "{secret}");
    }
    let plain = open(&page.browser, &page.url("events"), &[("origin", ORIGIN)]).await;
    assert_eq!(plain.err(), Some(StatusCode::NOT_FOUND), "no secret");
}

#[tokio::test]
async fn a_secret_in_a_protocol_opens_sockets_and_nothing_else() {
    let app = TestApp::start().await;
    let page = begin(&app).await;
    let asking = page.browser.clone().with("sec-websocket-protocol", &offer(page.secret()));
    for end in ["status", "events"] {
        assert_eq!(asking.get(&page.url(end)).await.status, StatusCode::NOT_FOUND, "{end}");
    }
}

#[tokio::test]
async fn promise_4_expiry_is_told_though_nobody_announces_it_and_signs_of_life_come_before() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let mut socket = of_login(&page).await;
    assert_eq!(socket.news().await["status"], "waiting");
    tokio::time::pause();
    for _ in 0..2 {
        assert_eq!(socket.hear().await, Heard::Beat);
    }
    app.pass(Duration::from_secs(121));
    let last = loop {
        match socket.hear().await {
            Heard::Beat => {}
            other => break other,
        }
    };
    assert!(matches!(&last, Heard::News(text) if text.contains("\"expired\"")), "{last:?}");
    assert_eq!(socket.hear().await, Heard::Closed(1000));
}

#[tokio::test]
async fn a_server_that_stops_sends_its_sockets_elsewhere_and_waits_for_them() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let mut socket = of_login(&page).await;
    assert_eq!(socket.news().await["status"], "waiting");
    let stopped = tokio::spawn(mashang_server::background::run(app.app.clone()));
    app.app.stopping.cancel();
    assert_eq!(socket.hear().await, Heard::Closed(1001));
    assert_eq!(socket.hear().await, Heard::Broken, "and the connection ends");
    tokio::time::timeout(Duration::from_secs(5), stopped).await.expect("all are told").unwrap();
}

#[tokio::test]
async fn a_ticket_that_the_server_forgot_is_told_as_gone() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let mut socket = of_login(&page).await;
    assert_eq!(socket.news().await["status"], "waiting");
    tokio::time::pause();
    app.pass(Duration::from_secs(3600));
    let last = loop {
        match socket.hear().await {
            Heard::Beat => {}
            other => break other,
        }
    };
    assert_eq!(last, Heard::News("{\"status\":\"gone\"}".into()));
    assert_eq!(socket.hear().await, Heard::Closed(1000));
}

#[tokio::test]
async fn sec_71_a_page_that_talks_is_hung_up_on() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let mut socket = of_login(&page).await;
    assert_eq!(socket.news().await["status"], "waiting");
    socket.stream.send(Message::text("hello")).await.unwrap();
    assert_eq!(socket.hear().await, Heard::Closed(1008));
    let mut socket = of_login(&page).await;
    assert_eq!(socket.news().await["status"], "waiting");
    // The server may have closed before all of it is written.
    let _ = socket.stream.send(Message::text("x".repeat(40_000))).await;
    assert_eq!(socket.hear().await, Heard::Broken, "not read to its end");
    app.app.limits.streams_ended().await;
}

#[tokio::test]
async fn sec_16_sockets_take_the_places_of_streams_and_give_them_back() {
    let app = TestApp::with_config("[limits]\nstreams = 1\n").await;
    let page = app.open_login(&app.desktop()).await;
    let mut socket = of_login(&page).await;
    assert_eq!(socket.news().await["status"], "waiting");
    let refused = open(&page.browser, &page.url("events"), &[("origin", OURS)]).await;
    assert_eq!(refused.err(), Some(StatusCode::TOO_MANY_REQUESTS));
    drop(socket);
    app.app.limits.streams_ended().await;
    assert_eq!(of_login(&page).await.news().await["status"], "waiting");
}

/// nginx without its `Upgrade` lines drops that header and `Connection`, and keeps the others.
#[tokio::test]
async fn where_a_proxy_takes_the_upgrade_away_the_refusal_is_immediate_and_holds_nothing() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let mut request = page.browser.clone().with("origin", OURS);
    request
        .headers
        .extend([("sec-websocket-key", generate_key()), ("sec-websocket-version", "13".to_owned())]);
    let refused = request.get(&page.url("events")).await;
    assert!(refused.status.is_client_error(), "{}", refused.status);
    assert!(refused.headers.get(header::UPGRADE).is_none());
    app.app.limits.streams_ended().await;
    let begun = begin(&app).await;
    let mut request = begun.browser.clone();
    request.headers.extend([
        ("sec-websocket-protocol", offer(begun.secret())),
        ("sec-websocket-key", generate_key()),
        ("sec-websocket-version", "13".to_owned()),
    ]);
    assert!(request.get(&begun.url("events")).await.status.is_client_error());
    app.app.limits.streams_ended().await;
}
