//! The token of a company's app.

use mashang_wechat::wecom::CorpSecret;
use mashang_wechat::{Client, Error, FailureKind, IssuedToken};

use super::{CORP, CORP_SECRET, CORP_TOKEN, assert_malformed, failure, refusal};
use crate::client;
use crate::server::{Reply, Server};

const ISSUED: &str =
    r#"{"errcode":0,"errmsg":"ok","access_token":"wEc0mTokenThatNobodyMaySee","expires_in":7200}"#;

async fn ask(client: Client) -> Result<IssuedToken, Error> {
    client.corp_token(&CORP.parse().expect("a valid corpid"), &CorpSecret::new(CORP_SECRET)).await
}

#[tokio::test]
async fn a_secret_becomes_a_token_by_one_get() {
    let server = Server::start([Reply::text(ISSUED)]).await;
    let issued = ask(client(&server)).await.unwrap();
    assert_eq!((issued.token.expose(), issued.expires_in), (CORP_TOKEN, 7200));
    assert_eq!(
        server.requests(),
        [format!(
            "GET /pretend/qyapi.weixin.qq.com/cgi-bin/gettoken?corpid={CORP}&corpsecret={CORP_SECRET} HTTP/1.1"
        )]
    );
}

#[tokio::test]
async fn a_wrong_secret_is_the_operators_and_not_asked_for_again() {
    for (code, turn) in [
        (40001, FailureKind::BadCredentials),
        (40013, FailureKind::BadCredentials),
        (40091, FailureKind::BadCredentials),
        (2_000_002, FailureKind::BadCredentials),
        (41004, FailureKind::BadCredentials),
        (45009, FailureKind::RateLimited),
    ] {
        let error = failure(&refusal(code, "invalid credential"), ask).await;
        assert_eq!((error.errcode(), error.kind()), (Some(code), turn));
        assert!(error.explanation().is_some(), "{code}");
    }
}

/// SEC-27.
#[tokio::test]
async fn every_mutation_of_an_issued_token_is_malformed() {
    let mutations = [
        ("\"wEc0mTokenThatNobodyMaySee\"", "\"\""),
        ("\"wEc0mTokenThatNobodyMaySee\"", "null"),
        ("\"access_token\"", "\"token\""),
        (":7200", ":0"),
        (":7200", ":\"7200\""),
        (",\"expires_in\":7200", ""),
        ("\"errcode\":0", "\"errcode\":\"0\""),
        ("{\"errcode\"", "{\"access_token\":\"x\",\"errcode\""),
    ];
    assert_malformed(ISSUED, &mutations, ask).await;
}

#[tokio::test]
async fn a_passing_fault_is_tried_once_more() {
    let busy = Reply::text(&refusal(-1, "system busy"));
    for fault in [busy, Reply::HangUp, Reply::http("502 Bad Gateway", "X: y", b"")] {
        let server = Server::start([fault, Reply::text(ISSUED)]).await;
        assert!(ask(client(&server)).await.is_ok());
        assert_eq!(server.requests().len(), 2);
    }
}
