//! Limits of time, size and route (SEC-85).

use std::time::Duration;

use mashang_wechat::{BuildError, Client, ClientOptions, Error, FailureKind, Hosts, Lang, TransportKind};
use url::Url;

use crate::server::{Reply, Server};
use crate::{TOKEN, assert_silent, client, client_with, exchange, hasty, options, token};

fn transport_kind(error: &Error) -> TransportKind {
    match error {
        Error::Transport { kind, .. } => *kind,
        other => panic!("expected a transport failure, got {other:?}"),
    }
}

#[tokio::test]
async fn bodies_that_are_no_answer_are_malformed() {
    let html = b"<!DOCTYPE html><html><body>70_AccessTokenThatNobodyMaySee</body></html>";
    for body in [b"".as_slice(), html] {
        let server =
            Server::start([Reply::http("200 OK", "Content-Type: text/html; charset=gbk", body)]).await;
        let error = exchange(&client(&server)).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Malformed);
        assert_eq!(error.explanation(), None);
        assert_silent(&error);
    }
}

#[tokio::test]
async fn an_endless_answer_is_cut_at_the_limit() {
    let server = Server::start([Reply::Flood]).await;
    let error = exchange(&client(&server)).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Malformed);
    assert!(error.to_string().contains("exceeds 65536 bytes"), "{error}");
}

/// 70,000 times `x`, compressed.
const GZIPPED: &[u8] =
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\xda\x8b\x6f\x09\x4f\
    \xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\xb7\x01\x28\
    \x48\x61\xc5\x70\x11\x01\x00";

#[tokio::test]
async fn a_compressed_answer_is_measured_as_it_unfolds() {
    let server = Server::start([Reply::http("200 OK", "Content-Encoding: gzip", GZIPPED)]).await;
    let error = exchange(&client(&server)).await.unwrap_err();
    assert!(error.to_string().contains("exceeds 65536 bytes"), "{error}");
}

#[tokio::test]
async fn an_answer_may_fill_the_limit_but_not_exceed_it() {
    for (body_limit, fits) in [(TOKEN.len(), true), (TOKEN.len() - 1, false)] {
        let server = Server::start([Reply::text(TOKEN)]).await;
        let client = client_with(&server, ClientOptions { body_limit, ..options() });
        assert_eq!(exchange(&client).await.is_ok(), fits);
    }
}

#[tokio::test]
async fn an_answer_that_never_comes_ends_in_time() {
    let server = Server::start([Reply::Silence]).await;
    let error = exchange(&client_with(&server, hasty())).await.unwrap_err();
    assert_eq!(transport_kind(&error), TransportKind::Timeout);
    assert_eq!(error.kind(), FailureKind::Unreachable);
    assert_eq!(server.requests().len(), 1);
    assert_silent(&error);
}

#[tokio::test]
async fn the_time_limit_includes_the_repetition() {
    let token = token().await;
    let server = Server::start([Reply::HangUp, Reply::Silence]).await;
    let limits = ClientOptions { total_timeout: Duration::from_millis(600), ..options() };
    let error = client_with(&server, limits).userinfo(&token, Lang::ZhCn).await.unwrap_err();
    assert_eq!(transport_kind(&error), TransportKind::Timeout);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let elsewhere = Server::start([Reply::text(TOKEN)]).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect"] {
        let header = format!("Location: {}", elsewhere.base());
        let server = Server::start([Reply::http(status, &header, TOKEN.as_bytes())]).await;
        let error = exchange(&client(&server)).await.unwrap_err();
        assert!(matches!(transport_kind(&error), TransportKind::Http(301 | 302 | 307)));
        assert_silent(&error);
    }
    assert!(elsewhere.requests().is_empty());
}

#[tokio::test]
async fn only_status_200_is_an_answer() {
    for (status, number) in [("201 Created", 201), ("204 No Content", 204), ("403 Forbidden", 403)] {
        let server = Server::start([Reply::http(status, "X: y", TOKEN.as_bytes())]).await;
        let error = exchange(&client(&server)).await.unwrap_err();
        assert_eq!(transport_kind(&error), TransportKind::Http(number));
    }
}

#[tokio::test]
async fn what_does_not_speak_http_is_a_transport_failure() {
    let server = Server::start([Reply::Bytes(b"220 mail.example.com ESMTP\r\n".to_vec())]).await;
    let error = exchange(&client(&server)).await.unwrap_err();
    assert_eq!(transport_kind(&error), TransportKind::Body);
    assert_silent(&error);
}

#[tokio::test]
async fn a_refused_connection_is_told_from_a_lost_answer() {
    // Port 0 is never connectable, so no other process can be listening there.
    let nowhere = Hosts::sandbox(&Url::parse("http://127.0.0.1:0").unwrap());
    let error = exchange(&Client::new(nowhere, options()).unwrap()).await.unwrap_err();
    assert_eq!(transport_kind(&error), TransportKind::Connect);
    assert_silent(&error);
}

#[tokio::test]
async fn a_configured_proxy_carries_the_call() {
    let proxy = Server::start([Reply::text(TOKEN)]).await;
    let route =
        ClientOptions { no_proxy: false, proxy: Some(proxy.base().clone()), ..ClientOptions::default() };
    let hosts = Hosts::sandbox(&Url::parse("http://wechat.invalid").unwrap());
    assert!(exchange(&Client::new(hosts, route).unwrap()).await.is_ok());
    assert!(
        proxy.requests()[0]
            .starts_with("GET http://wechat.invalid/api.weixin.qq.com/sns/oauth2/access_token?")
    );
}

#[test]
fn contradictory_or_unusable_proxies_are_refused() {
    let with = |no_proxy, address: &str| {
        let proxy = Some(Url::parse(address).unwrap());
        Client::new(Hosts::default(), ClientOptions { no_proxy, proxy, ..ClientOptions::default() })
    };
    assert!(matches!(with(true, "http://proxy.example.com:3128"), Err(BuildError::ProxyConflict)));
    for address in ["mailto:user:pa55word@proxy.example.com", "ftp://user:pa55word@proxy.example.com"] {
        let error = with(false, address).unwrap_err();
        assert!(matches!(error, BuildError::Proxy));
        assert!(!format!("{error:?} {error}").contains("pa55word"), "{error:?}");
    }
}

#[test]
fn a_proxys_password_is_never_shown() {
    let proxy = Some(Url::parse("http://user:pa55word@proxy.example.com:3128").unwrap());
    let route = ClientOptions { proxy, ..ClientOptions::default() };
    let client = Client::new(Hosts::default(), route.clone()).unwrap();
    assert!(!format!("{route:?} {client:?}").contains("pa55word"));
}
