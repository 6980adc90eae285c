//! What only operators reach: metrics, readiness, drain, clocks, log lines.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::key::SigningAlgorithm;
use mashang_login::trail;
use mashang_server::audit::keeper::TrailKeeper;
use mashang_server::config::{LogFormat, LogSection};
use mashang_server::{log, operations, serve};
use serde_json::Value;
use tower::ServiceExt as _;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::*;

async fn asked(app: &TestApp, path: &str) -> (StatusCode, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = operations::router(app.app.clone()).oneshot(request).await.unwrap();
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn metrics(app: &TestApp) -> String {
    let (status, text) = asked(app, operations::METRICS).await;
    assert_eq!(status, StatusCode::OK);
    text
}

/// The names of a scrape.
fn names(text: &str) -> BTreeSet<String> {
    let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
    types.map(|line| line.split(' ').next().unwrap().to_owned()).collect()
}

/// A whole login, and what an ordinary one gives no occasion for.
async fn everything_counted() -> (TestApp, String) {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let callback = app.log_in(&app.desktop(), &person).await;
    let code = url::Url::parse(&callback).unwrap();
    let code = code.query_pairs().find(|(name, _)| name == "code").unwrap().1.into_owned();
    let exchanged = app.exchange(&code).await;
    assert_eq!(exchanged.status, StatusCode::OK, "{}", exchanged.body);
    let counted = &app.app.metrics;
    counted.message_sent("mail", Ok(()));
    counted.key_signs_since(SigningAlgorithm::Rs256, app.app.now());
    drop(counted.wait(mashang_server::metrics::Transport::LongPoll));
    counted.clock_skew.get_or_create(&[("engine", "records".into())]).set(0.0);
    counted.refused_by_limit.get_or_create(&[("limit", "polls".into())]).inc();
    let failed =
        [("engine", "records".into()), ("operation", "check".into()), ("error", "unavailable".into())];
    counted.engine_errors.get_or_create(&failed).inc();
    let text = metrics(&app).await;
    (app, text)
}

#[tokio::test]
async fn a_login_is_counted_stage_by_stage() {
    let (_app, text) = everything_counted().await;
    for line in [
        "mashang_logins_begun_total{client=\"site\"} 1",
        "mashang_logins_total{stage=\"scanned\",channel=\"wechat\"} 1",
        "mashang_logins_total{stage=\"approved\",channel=\"wechat\"} 1",
        "mashang_logins_total{stage=\"redeemed\",channel=\"wechat\"} 1",
        "mashang_tokens_issued_total{grant=\"authorization_code\"} 1",
        "mashang_login_stage_seconds_count{stage=\"redeemed\"} 1",
        "mashang_breaker_open{channel=\"wechat\",whom=\"the platform\"} 0",
        "mashang_http_requests_total{route=\"/token\",method=\"POST\",status=\"200\"} 1",
        "mashang_engine_seconds_count{engine=\"records\",operation=\"exchange_code\"} 1",
        "mashang_audit_failures_total 0",
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
    assert!(text.contains(
        "mashang_platform_calls_total{channel=\"wechat\",whom=\"the platform\",outcome=\"ok\",errcode=\"\"}"
    ));
}

#[tokio::test]
async fn whoever_hangs_up_is_counted_as_such() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let waits = app.app.metrics.waiting.get_or_create_owned(&[("transport", "poll".into())]);
    let is_held = async {
        while waits.get() == 0 {
            tokio::task::yield_now().await;
        }
    };
    let url = page.url("status?wait=20&seen=0");
    tokio::select! {
        answer = page.browser.get(&url) => panic!("{}", answer.status),
        () = is_held => {}
    }
    let text = metrics(&app).await;
    let route = "route=\"/login/{grant}/{ticket}/status\"";
    for line in [
        format!("mashang_http_requests_total{{{route},method=\"GET\",status=\"499\"}} 1"),
        format!("mashang_http_request_seconds_count{{{route}}} 0"),
    ] {
        assert!(text.lines().any(|told| told == line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn sec_78_metrics_name_no_person_no_ticket_and_no_address() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    app.scan(&phone, &page.ticket, &person).await;
    app.desktop().get("/no/such/path/made-up").await;
    let text = metrics(&app).await;
    for secret in [&page.ticket[..6], &page.grant, &person, "小明", "0.0.0.0", "127.0.0.1", "made-up"] {
        assert!(!text.contains(secret), "{secret}\n{text}");
    }
    assert!(text.contains("route=\"unmatched\""));
}

/// Whatever the trail tells of.
async fn something_happens(app: &TestApp) {
    app.app.records.record(&AuditEvent::new(app.app.now(), AuditKind::SignedOut)).await.unwrap();
}

#[tokio::test]
async fn sec_78_the_trail_is_covered_from_the_second_look_on_and_trimmed_when_it_is_old() {
    let app = TestApp::start().await;
    something_happens(&app).await;
    let verify = || async { trail::verify(&*app.app.trail, &app.app.sealer, None).await.unwrap() };
    let mut keeper = TrailKeeper::default();
    keeper.look_after(&app.app).await;
    assert_eq!(verify().await.checkpoints, 0, "somebody may still be writing a record of a lower number");
    let there = app.app.trail.newest_record().await.unwrap();
    something_happens(&app).await;
    keeper.look_after(&app.app).await;
    let covered = verify().await;
    assert_eq!((covered.newest.unwrap().last, covered.damage), (there, vec![]));
    assert!(covered.uncovered > 0, "what came since waits for the next look");
    app.pass(Duration::from_secs(399 * 86_400));
    keeper.look_after(&app.app).await;
    assert_eq!(verify().await.trimmed, 0);
    app.pass(Duration::from_secs(2 * 86_400));
    keeper.look_after(&app.app).await;
    assert_eq!(verify().await.trimmed, 0, "a clock that jumped removes nothing at once");
    keeper.look_after(&app.app).await;
    let trimmed = verify().await;
    assert_eq!((trimmed.damage, trimmed.covered, trimmed.uncovered), (vec![], 0, 0), "all of it is old");
    assert!(trimmed.trimmed > there);
}

#[tokio::test]
async fn the_trail_is_kept_for_ever_where_the_operator_says_so() {
    let app = TestApp::with_config("[audit]\nkeep_days = 0").await;
    something_happens(&app).await;
    let mut keeper = TrailKeeper::default();
    for _ in 0..3 {
        keeper.look_after(&app.app).await;
        app.pass(Duration::from_secs(1000 * 86_400));
    }
    let verified = trail::verify(&*app.app.trail, &app.app.sealer, None).await.unwrap();
    assert!(verified.covered > 0 && verified.trimmed == 0, "{verified:?}");
}

#[tokio::test]
async fn every_metric_is_in_the_manual_and_the_manual_names_no_other() {
    let (_app, text) = everything_counted().await;
    let told: BTreeSet<_> = names(&text).into_iter().collect();
    for manual in ["docs/operating.md", "docs/operating.zh-CN.md"] {
        let documented = rows_of(manual);
        assert_eq!(documented, told, "{manual}");
    }
}

fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// Table rows that begin with a metric's name.
fn rows_of(manual: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(repository().join(manual)).unwrap();
    let first = |line: &str| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned());
    let is_metric = |name: &String| name.starts_with("mashang_") || name.starts_with("process_");
    text.lines().filter_map(first).filter(is_metric).collect()
}

#[tokio::test]
async fn dashboard_and_alerts_ask_for_metrics_that_exist() {
    let (_app, text) = everything_counted().await;
    let told = names(&text);
    for file in ["deploy/grafana/mashang.json", "deploy/prometheus/alerts.yml"] {
        let asks = std::fs::read_to_string(repository().join(file)).unwrap();
        if file.ends_with(".json") {
            serde_json::from_str::<Value>(&asks).expect(file);
        }
        let words = asks.split(|c: char| !(c.is_ascii_lowercase() || c == '_'));
        let asked: BTreeSet<_> =
            words.filter(|word| word.starts_with("mashang_") || word.starts_with("process_")).collect();
        assert!(asked.len() > 10, "{file}: {asked:?}");
        for name in asked {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            assert!(told.contains(name) || base.is_some_and(|base| told.contains(base)), "{file}: {name}");
        }
    }
}

#[tokio::test]
async fn the_public_listener_has_no_way_to_metrics() {
    let app = TestApp::start().await;
    assert_eq!(app.desktop().get(operations::METRICS).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn waiting_browsers_are_counted_while_they_wait() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let request = Request::get(page.url("events"))
        .header("cookie", page.browser.cookie_header())
        .body(Body::empty())
        .unwrap();
    let stream = app.router.clone().oneshot(request).await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
    assert!(metrics(&app).await.contains("mashang_waiting_browsers{transport=\"sse\"} 1"));
    drop(stream);
    assert!(metrics(&app).await.contains("mashang_waiting_browsers{transport=\"sse\"} 0"));
}

#[tokio::test]
async fn a_node_that_was_asked_to_stop_is_not_ready_but_serves_until_balancers_have_noticed() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    for question in ["/readyz", "/readyz?records"] {
        assert_eq!(asked(&app, question).await, (StatusCode::OK, "ready\n".into()));
    }
    let request = Request::get(page.url("events"))
        .header("cookie", page.browser.cookie_header())
        .body(Body::empty())
        .unwrap();
    let stream = app.router.clone().oneshot(request).await.unwrap().into_body();
    let told = tokio::spawn(stream.collect());
    let (leaving, stopping) = (app.app.leaving.clone(), app.app.stopping.clone());
    tokio::time::pause();
    let draining = tokio::spawn(serve::drain(leaving.clone(), Duration::from_secs(10), stopping.clone()));
    leaving.cancel();
    assert_eq!(app.desktop().get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(asked(&app, "/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".into()));
    assert_eq!(asked(&app, "/readyz?records").await, (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".into()));
    let text = metrics(&app).await;
    assert!(text.contains("mashang_ready 0\n") && text.contains("mashang_stopping 1\n"), "{text}");
    assert_eq!(asked(&app, "/healthz").await.0, StatusCode::OK, "nobody should kill it for that");
    assert_eq!(page.stage().await, "waiting", "and everything else goes on");
    assert!(!stopping.is_cancelled() && !told.is_finished());
    draining.await.unwrap();
    assert!(stopping.is_cancelled());
    let told = told.await.unwrap().unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&told).contains("\"waiting\""), "the stream ends without a verdict");
    assert_eq!(page.stage().await, "waiting", "the ticket is still the browser's");
}

/// A place for log lines.
#[derive(Clone, Default)]
pub struct Lines(pub Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Lines {
    type Writer = Self;
    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn each_log_line_of_a_request_names_it_and_its_ticket() {
    let lines = Lines::default();
    let section = LogSection { format: LogFormat::Json, filter: "mashang_server=debug".into() };
    let subscriber = log::subscriber(&section, lines.clone(), false).unwrap();
    let _logging = tracing::dispatcher::set_default(&tracing::Dispatch::new(subscriber));
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    // Tests beside this one log to nobody, and what a place in the code is logged for is remembered for the whole process.
    tracing::callsite::rebuild_interest_cache();
    let refused = app.desktop().get(&page.url("status")).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let id = refused.header("x-request-id");
    assert_eq!(id.len(), 16);
    let of_it: Vec<Value> = text
        .lines()
        .filter(|line| line.contains(id))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!of_it.is_empty(), "{text}");
    for line in of_it {
        assert_eq!(line["span"]["request_id"], id);
        assert_eq!(line["span"]["ticket"], page.ticket[..6]);
    }
    assert!(!text.contains(&page.ticket) && !text.contains(&page.grant), "{text}");
}

#[tokio::test]
async fn a_warning_names_its_request_where_only_warnings_are_logged() {
    let lines = Lines::default();
    let section = LogSection { format: LogFormat::Json, filter: "warn".into() };
    let subscriber = log::subscriber(&section, lines.clone(), false).unwrap();
    let _logging = tracing::dispatcher::set_default(&tracing::Dispatch::new(subscriber));
    let app = TestApp::without_channels().await;
    tracing::callsite::rebuild_interest_cache();
    let answer = app.desktop().get(&app.authorize_path(&[])).await;
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    let warning = text.lines().find(|line| line.contains("no channel is configured; see")).expect(&text);
    let warning: Value = serde_json::from_str(warning).unwrap();
    assert_eq!(warning["span"]["request_id"], answer.header("x-request-id"));
}

#[tokio::test]
async fn sec_72_a_request_keeps_its_name_only_from_a_trusted_proxy() {
    let app = TestApp::reconfigured(|text| {
        text.replacen("[server]\n", "[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n", 1)
    })
    .await;
    let named = async |peer: &str, name: &str| {
        let peer: SocketAddr = format!("{peer}:1").parse().unwrap();
        let mut request = Request::get("/healthz").header("x-request-id", name).body(Body::empty()).unwrap();
        request.extensions_mut().insert(ConnectInfo(peer));
        let response = app.router.clone().oneshot(request).await.unwrap();
        response.headers()["x-request-id"].to_str().unwrap().to_owned()
    };
    assert_eq!(named("10.0.0.1", "edge-1.2_3").await, "edge-1.2_3");
    assert_ne!(named("192.0.2.1", "edge-1.2_3").await, "edge-1.2_3");
    assert_ne!(named("10.0.0.1", "a b").await, "a b");
    let long = "a".repeat(65);
    assert_ne!(named("10.0.0.1", &long).await, long);
}
