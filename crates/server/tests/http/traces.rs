//! Traces: what an OTLP receiver hears of a login, and what becomes of a login whose receiver is away.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{ConnectInfo, State};
use axum::routing::post;
use http::{HeaderMap, Request, StatusCode};
use mashang_server::config::{LogFormat, LogSection};
use mashang_server::log;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode as Told;
use prost::Message as _;
use serde_json::json;
use tower::ServiceExt as _;

use crate::operations::Lines;
use crate::support::*;

/// A pretend OTLP/HTTP receiver.
#[derive(Clone)]
struct Receiver {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<ExportTraceServiceRequest>>>,
    headers: Arc<Mutex<Vec<HeaderMap>>>,
    status: Arc<Mutex<StatusCode>>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let this = Self {
            address: listener.local_addr().unwrap(),
            heard: Arc::default(),
            headers: Arc::default(),
            status: Arc::default(),
        };
        let router = Router::new().route("/v1/traces", post(Self::take)).with_state(this.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        this
    }

    async fn take(State(this): State<Self>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let status = *this.status.lock().unwrap();
        this.headers.lock().unwrap().push(headers);
        if status.is_success() {
            this.heard.lock().unwrap().push(ExportTraceServiceRequest::decode(body).unwrap());
        }
        status
    }

    fn section(&self, more: &str) -> String {
        format!("[traces]\nendpoint = \"http://{}\"\n{more}\n", self.address)
    }

    /// What was told so far, once the server has sent what it had.
    async fn spans(&self, app: &TestApp) -> Vec<Span> {
        app.app.traces.as_ref().unwrap().flush().await;
        let heard = self.heard.lock().unwrap();
        let scopes = heard.iter().flat_map(|request| &request.resource_spans).flat_map(|of| &of.scope_spans);
        scopes.flat_map(|scope| &scope.spans).cloned().collect()
    }
}

fn of<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a AnyValue> {
    attributes.iter().find(|attribute| attribute.key == key).and_then(|attribute| attribute.value.as_ref())
}

fn text<'a>(span: &'a Span, key: &str) -> &'a str {
    match of(&span.attributes, key).and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => text,
        _ => "",
    }
}

fn number(span: &Span, key: &str) -> i64 {
    match of(&span.attributes, key).and_then(|value| value.value.as_ref()) {
        Some(Any::IntValue(number)) => *number,
        _ => panic!("no number {key} in {span:?}"),
    }
}

fn named<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let names: Vec<&str> = spans.iter().map(|span| &*span.name).collect();
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no {name} in {names:?}"))
}

fn is_error(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code() == Told::Error)
}

fn is_server(span: &Span) -> bool {
    span.kind() == SpanKind::Server
}

/// The span below which this one is.
fn parent<'a>(spans: &'a [Span], child: &Span) -> &'a Span {
    spans
        .iter()
        .find(|span| span.span_id == child.parent_span_id && span.trace_id == child.trace_id)
        .unwrap_or_else(|| panic!("nothing above {child:?}"))
}

/// A request as a proxy at `peer` passes it on.
async fn from(app: &TestApp, peer: &str, path: &str, headers: &[(&str, &str)]) -> http::Response<Body> {
    let peer: SocketAddr = format!("{peer}:1").parse().unwrap();
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    app.router.clone().oneshot(request).await.unwrap()
}

fn trusting(receiver: &Receiver, more: &str) -> impl Fn(String) -> String {
    let section = receiver.section(more);
    move |text| text.replacen("[server]\n", "[server]\ntrusted_proxies = [\"10.0.0.0/8\"]\n", 1) + &section
}

#[tokio::test]
async fn sec_77_a_whole_login_is_told_step_by_step_and_no_secret_with_it() {
    let receiver = Receiver::start().await;
    let app = TestApp::with_config(&receiver.section("service_name = \"login\"")).await;
    let person = app.person("小明").await;
    let (browser, phone) = (app.desktop(), app.phone());
    let page = app.open_login(&browser).await;
    for _ in 0..3 {
        assert_eq!(page.stage().await, "waiting");
    }
    let back = app.authorize_at_wechat(&phone, &page.ticket, &person).await;
    let called_back = phone.get(&back).await;
    let confirm = phone.get(called_back.location()).await;
    let confirm_token = confirm.between("name=\"confirm_token\" value=\"", "\"").to_owned();
    app.approve(&phone, &page, &confirm_token, &page.number).await;
    let website = page.redeem().await;
    let exchanged = app.exchange(&param(&website, "code")).await;
    let tokens = exchanged.json();
    let access_token = tokens["access_token"].as_str().unwrap();
    assert_eq!(app.userinfo(access_token).await.status, StatusCode::OK);

    let spans = receiver.spans(&app).await;
    let routes: Vec<&str> = spans.iter().filter(|span| is_server(span)).map(|span| &*span.name).collect();
    for name in [
        "GET /authorize",
        "GET /login/{grant}/{ticket}",
        "GET /s/{ticket}",
        "GET /channel/{channel}/callback",
        "GET /s/{ticket}/confirm",
        "POST /s/{ticket}/approve",
        "POST /login/{grant}/{ticket}/redeem",
        "POST /token",
        "GET /userinfo",
    ] {
        assert!(routes.contains(&name), "{name}: {routes:?}");
    }
    for span in spans.iter().filter(|span| is_server(span)) {
        assert_eq!(span.name, format!("{} {}", text(span, "http.request.method"), text(span, "http.route")));
        assert!(span.parent_span_id.is_empty(), "nobody asked us to continue a trace");
        assert!((200..400).contains(&number(span, "http.response.status_code")), "{span:?}");
        assert_eq!(text(span, "request_id").len(), 16);
        assert!(!is_error(span), "{span:?}");
        assert!(span.end_time_unix_nano >= span.start_time_unix_nano);
    }
    let redeem = named(&spans, "POST /login/{grant}/{ticket}/redeem");
    assert_eq!(text(redeem, "ticket"), &page.ticket[..6]);
    assert_eq!(text(named(&spans, "GET /authorize"), "ticket"), &page.ticket[..6], "not in its address");
    assert_eq!(
        text(named(&spans, "GET /channel/{channel}/callback"), "request_id"),
        called_back.header("x-request-id")
    );

    let call = named(&spans, "sns/oauth2/access_token");
    assert_eq!(parent(&spans, call).name, "GET /channel/{channel}/callback");
    assert_eq!(call.kind(), SpanKind::Client);
    assert_eq!((text(call, "server.address"), text(call, "upstream.platform")), ("127.0.0.1", "wechat"));
    let stored = named(&spans, "records.fulfil_grant");
    assert_eq!(parent(&spans, stored).name, redeem.name);
    assert_eq!(
        (text(stored, "db.system.name"), text(stored, "db.operation.name")),
        ("sqlite", "fulfil_grant")
    );
    for (stage, route) in [
        ("scanned", "GET /channel/{channel}/callback"),
        ("approved", "POST /s/{ticket}/approve"),
        ("redeemed", "POST /login/{grant}/{ticket}/redeem"),
    ] {
        let moved = named(&spans, &format!("ticket {stage}"));
        assert_eq!(parent(&spans, moved).name, route);
        assert_eq!((text(moved, "ticket.stage"), text(moved, "channel.id")), (stage, "wechat"));
        assert_eq!(text(moved, "ticket"), &page.ticket[..6]);
    }
    let said: Vec<_> = receiver.heard.lock().unwrap().clone();
    let resource = &said[0].resource_spans[0].resource.as_ref().unwrap().attributes;
    assert_eq!(of(resource, "service.name").unwrap().value, Some(Any::StringValue("login".into())));

    let all = format!("{said:?}");
    let mut secrets: Vec<(&str, String)> = vec![
        ("the ticket", page.ticket.clone()),
        ("the grant", page.grant.clone()),
        ("WeChat's code", param(&back, "code")),
        ("the state towards WeChat", param(&back, "state")),
        ("the website's code", param(&website, "code")),
        ("the website's state", "st4te".into()),
        ("the nonce", "n0nce".into()),
        ("the verifier", VERIFIER.into()),
        ("the client secret", app.secret.expose().to_owned()),
        ("the AppSecret", mashang_sandbox::DEMO_OFFICIAL_SECRET.into()),
        ("the access token", access_token.to_owned()),
        ("the ID token", tokens["id_token"].as_str().unwrap().to_owned()),
        ("the confirm token", confirm_token),
        ("the person", "小明".into()),
        ("the person's id", claims(tokens["id_token"].as_str().unwrap())["sub"].as_str().unwrap().to_owned()),
    ];
    let user = app.app.records.users("", 1).await.unwrap().remove(0);
    for identity in app.app.records.identities_of(&user.id).await.unwrap() {
        secrets.push(("the openid", identity.key.subject.to_string()));
        secrets.extend(identity.union.map(|union| ("the unionid", format!("{union:?}"))));
    }
    for device in [&browser, &phone] {
        secrets.extend(device.cookies.lock().unwrap().values().map(|value| ("a cookie", value.clone())));
    }
    for (name, secret) in secrets {
        assert!(secret.len() > 4 && !all.contains(&secret), "{name} was told: {secret}");
    }
    assert!(!all.contains('?') && !all.contains("openid profile"), "no query was told");
}

#[tokio::test]
async fn polls_waiting_assets_health_and_strangers_paths_have_no_span() {
    let receiver = Receiver::start().await;
    let app = TestApp::with_config(&receiver.section("")).await;
    let browser = app.desktop();
    let page = app.open_login(&browser).await;
    let before = receiver.spans(&app).await.len();
    page.status().await;
    let asset = page
        .html
        .replace("&#x2f;", "/")
        .split('"')
        .find(|text| text.starts_with("/assets/"))
        .unwrap()
        .to_owned();
    for path in ["/healthz", "/readyz", &asset, "/sdk", "/no/such/path", "/robots.txt"] {
        browser.get(path).await;
    }
    let mut streaming = Request::get(page.url("events")).header("cookie", browser.cookie_header());
    streaming = streaming.header("accept", "text/event-stream");
    let stream = app.router.clone().oneshot(streaming.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(stream.status(), StatusCode::OK);
    drop(stream);
    assert_eq!(receiver.spans(&app).await.len(), before, "not even a store was told of");
    browser.get("/.well-known/openid-configuration").await;
    assert!(receiver.spans(&app).await.len() > before, "what belongs to a login is told");
}

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[tokio::test]
async fn sec_72_a_trace_is_continued_for_a_trusted_proxy_and_begun_anew_for_anyone_else() {
    let receiver = Receiver::start().await;
    let app = TestApp::reconfigured(trusting(&receiver, "")).await;
    let traced = [("traceparent", CALLER), ("tracestate", "vendor=1")];
    from(&app, "10.0.0.1", "/jwks", &traced).await;
    let spans = receiver.spans(&app).await;
    let span = named(&spans, "GET /jwks");
    assert_eq!(hex(&span.trace_id), "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(hex(&span.parent_span_id), "b7ad6b7169203331");
    receiver.heard.lock().unwrap().clear();
    from(&app, "192.0.2.1", "/jwks", &traced).await;
    from(&app, "10.0.0.1", "/jwks", &[("traceparent", "00-0af7651916cd43dd8448eb211c80319c-0-01")]).await;
    let spans = receiver.spans(&app).await;
    assert_eq!(spans.iter().filter(|span| is_server(span)).count(), 2);
    for span in spans.iter().filter(|span| is_server(span)) {
        assert!(span.parent_span_id.is_empty() && hex(&span.trace_id) != "0af7651916cd43dd8448eb211c80319c");
    }
}

#[tokio::test]
async fn a_trusted_proxy_decides_what_is_traced_and_the_share_decides_the_rest() {
    let receiver = Receiver::start().await;
    let app = TestApp::reconfigured(trusting(&receiver, "sample = 0")).await;
    let unsampled = CALLER.replace("-01", "-00");
    from(&app, "10.0.0.1", "/jwks", &[]).await;
    from(&app, "192.0.2.1", "/jwks", &[("traceparent", CALLER)]).await;
    from(&app, "10.0.0.1", "/jwks", &[("traceparent", &unsampled)]).await;
    assert!(receiver.spans(&app).await.is_empty());
    from(&app, "10.0.0.1", "/jwks", &[("traceparent", CALLER)]).await;
    assert_eq!(named(&receiver.spans(&app).await, "GET /jwks").kind(), SpanKind::Server);
    let app = TestApp::reconfigured(trusting(&receiver, "")).await;
    receiver.heard.lock().unwrap().clear();
    from(&app, "10.0.0.1", "/jwks", &[("traceparent", &unsampled)]).await;
    assert!(receiver.spans(&app).await.is_empty(), "the proxy said no");
    let app = TestApp::reconfigured(trusting(&receiver, "sample = 0.5")).await;
    for _ in 0..64 {
        from(&app, "10.0.0.1", "/jwks", &[]).await;
    }
    let taken = receiver.spans(&app).await.iter().filter(|span| is_server(span)).count();
    assert!((8..=56).contains(&taken), "{taken} of 64");
}

#[tokio::test]
async fn sec_70_a_trace_is_never_named_to_a_platform() {
    let receiver = Receiver::start().await;
    let app = TestApp::with_config(&receiver.section("")).await;
    let person = app.person("小明").await;
    app.log_in(&app.desktop(), &person).await;
    assert!(!receiver.spans(&app).await.is_empty());
    let asked = app.asked.lock().unwrap();
    assert!(!asked.is_empty());
    for headers in &*asked {
        assert!(!headers.contains_key("traceparent") && !headers.contains_key("tracestate"), "{headers:?}");
    }
}

#[tokio::test]
async fn a_platform_that_refuses_is_told_with_its_errcode() {
    let receiver = Receiver::start().await;
    let app = TestApp::with_config(&receiver.section("")).await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    app.fault(json!({ "fault": "invalid_code", "remaining": 1 })).await;
    app.callback_of(&app.phone(), &page.ticket, &person).await;
    app.fault(json!({ "fault": "html_body" })).await;
    let failed = app.callback_of(&app.phone(), &page.ticket, &person).await;
    let spans = receiver.spans(&app).await;
    let calls: Vec<&Span> = spans.iter().filter(|span| span.name == "sns/oauth2/access_token").collect();
    assert_eq!(calls.len(), 2);
    assert!(calls.iter().all(|call| is_error(call)));
    assert_eq!((number(calls[0], "upstream.errcode"), text(calls[0], "error.type")), (40029, "refused"));
    assert_eq!(text(calls[1], "error.type"), "malformed");
    assert_eq!(failed.status, StatusCode::BAD_GATEWAY);
    let request = parent(&spans, calls[1]);
    assert!(is_error(request));
    assert_eq!((number(request, "http.response.status_code"), text(request, "error.type")), (502, "502"));
}

#[tokio::test]
async fn a_code_that_is_sent_while_its_page_waits_has_a_span_below_its_request() {
    let receiver = Receiver::start().await;
    let mail = receiver.section("") + "[channel.mail]\nkind = \"email\"\norder = 3\n";
    let app = TestApp::with_config(&mail).await;
    let page = app.open_login_with(&app.desktop(), &[("login_hint", "mail")]).await;
    page.browser.post(&(page.url("code/send") + "?channel=mail"), &[("to", "ada@example.com")]).await;
    let spans = receiver.spans(&app).await;
    let sent = named(&spans, "send code");
    assert_eq!((sent.kind(), text(sent, "channel.id"), is_error(sent)), (SpanKind::Client, "mail", false));
    assert!(parent(&spans, sent).name.ends_with("/code/send"));
}

#[tokio::test]
async fn a_method_that_http_knows_is_named_and_any_other_is_not() {
    let receiver = Receiver::start().await;
    let app = TestApp::with_config(&receiver.section("")).await;
    for method in ["PUT", "BREW"] {
        app.desktop().send(method.parse().unwrap(), "/token", None).await;
    }
    let spans = receiver.spans(&app).await;
    assert_eq!(text(named(&spans, "PUT /token"), "http.request.method"), "PUT");
    assert_eq!(text(named(&spans, "HTTP /token"), "http.request.method"), "_OTHER");
}

#[tokio::test]
async fn log_lines_name_the_trace() {
    let lines = Lines::default();
    let _logging = logging(&lines, "mashang_server=debug");
    let receiver = Receiver::start().await;
    let app = TestApp::with_config(&receiver.section("")).await;
    tracing::callsite::rebuild_interest_cache();
    let refused = app.desktop().get("/authorize?client_id=nobody").await;
    let spans = receiver.spans(&app).await;
    let span = named(&spans, "GET /authorize");
    let line = told(&lines)
        .into_iter()
        .find(|line| line["span"]["request_id"] == refused.header("x-request-id"))
        .unwrap();
    assert_eq!(line["span"]["trace_id"], hex(&span.trace_id));
    assert_eq!(line["span"]["span_id"], hex(&span.span_id));
}

#[tokio::test]
async fn a_receiver_that_is_away_costs_a_login_nothing_and_is_told_once() {
    let lines = Lines::default();
    let _logging = logging(&lines, "mashang_server=info");
    let gone = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let app = TestApp::with_config(&format!("[traces]\nendpoint = \"http://{gone}/secret-path\"")).await;
    tracing::callsite::rebuild_interest_cache();
    let person = app.person("小明").await;
    for _ in 0..2 {
        app.log_in(&app.desktop(), &person).await;
        app.app.traces.as_ref().unwrap().flush().await;
    }
    let told = warnings(&lines);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(&gone.to_string()) && told[0].contains("traces.endpoint"), "{told:?}");
    assert!(told[0].contains("refused"), "and what the system said: {told:?}");
    assert!(told[0].contains("logins go on") && !told[0].contains("secret-path"), "{told:?}");
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_neither_a_login_nor_the_stop_for_long() {
    let lines = Lines::default();
    let _logging = logging(&lines, "mashang_server=info");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let section = format!("[traces]\nendpoint = \"http://{}\"", listener.local_addr().unwrap());
    let (taken, is_held) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let held = listener.accept().await;
        let _ = taken.send(());
        std::future::pending::<()>().await;
        drop(held);
    });
    let app = TestApp::with_config(&section).await;
    tracing::callsite::rebuild_interest_cache();
    let person = app.person("小明").await;
    app.log_in(&app.desktop(), &person).await;
    let traces = app.app.traces.clone().unwrap();
    let stopping = tokio::spawn(async move { traces.flush().await });
    is_held.await.unwrap();
    // While it hangs, logins go on.
    app.log_in(&app.desktop(), &person).await;
    tokio::time::timeout(Duration::from_secs(20), stopping).await.expect("stopping is bounded").unwrap();
    assert!(warnings(&lines).iter().any(|line| line.contains("did not take the last spans")));
}

#[tokio::test]
async fn the_receivers_key_goes_along_and_a_wrong_one_is_told_without_its_value() {
    let lines = Lines::default();
    let _logging = logging(&lines, "mashang_server=info");
    let receiver = Receiver::start().await;
    let app =
        TestApp::with_config(&receiver.section("headers = { Authorization = \"Bearer hunter2\" }")).await;
    tracing::callsite::rebuild_interest_cache();
    app.desktop().get("/jwks").await;
    assert!(!receiver.spans(&app).await.is_empty());
    let headers = receiver.headers.lock().unwrap()[0].clone();
    assert_eq!(headers["authorization"], "Bearer hunter2");
    assert_eq!(headers["content-type"], "application/x-protobuf");
    assert!(!headers.contains_key("traceparent"));
    *receiver.status.lock().unwrap() = StatusCode::UNAUTHORIZED;
    app.desktop().get("/jwks").await;
    let before = receiver.spans(&app).await.len();
    let told = warnings(&lines);
    assert!(
        told.len() == 1 && told[0].contains("401") && told[0].contains("traces.headers_file"),
        "{told:?}"
    );
    assert!(!told[0].contains("hunter2"));
    *receiver.status.lock().unwrap() = StatusCode::OK;
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60)).await;
    tokio::time::resume();
    app.desktop().get("/jwks").await;
    assert!(receiver.spans(&app).await.len() > before);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains("takes spans again"), "{text}");
}

fn logging(lines: &Lines, filter: &str) -> tracing::dispatcher::DefaultGuard {
    let section = LogSection { format: LogFormat::Json, filter: filter.into() };
    let subscriber = log::subscriber(&section, lines.clone(), false).unwrap();
    tracing::dispatcher::set_default(&tracing::Dispatch::new(subscriber))
}

fn told(lines: &Lines) -> Vec<serde_json::Value> {
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Warnings about traces.
fn warnings(lines: &Lines) -> Vec<String> {
    let of_traces = told(lines).into_iter().filter(|line| line["level"] == "WARN");
    of_traces
        .filter_map(|line| Some(line["message"].as_str()?.to_owned()))
        .filter(|line| line.starts_with("traces:"))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
