//! A code for a token: what is sent, what is read, and that a code is sent once.

use std::time::Duration;

use mashang_wechat::{AppId, AppSecret, Error, FailureKind, TransportKind};

use crate::server::{Reply, Server};
use crate::{ACCESS_TOKEN, APPID, CODE, OPENID, SECRET, TOKEN, UNIONID, assert_silent, client, exchange};

async fn failure(body: &str) -> Error {
    let server = Server::start([Reply::text(body)]).await;
    let error = exchange(&client(&server)).await.expect_err("a refusal");
    assert_eq!(server.requests().len(), 1, "a code is sent once");
    assert_silent(&error);
    error
}

fn refusal(code: i64, errmsg: &str) -> String {
    format!(r#"{{"errcode":{code},"errmsg":"{errmsg}, rid: 6aac007a-6c02c771-26bf69c4"}}"#)
}

#[tokio::test]
async fn a_code_becomes_a_token_by_one_get() {
    let server = Server::start([Reply::text(TOKEN)]).await;
    let token = exchange(&client(&server)).await.unwrap();
    assert_eq!(token.access_token.expose(), ACCESS_TOKEN);
    assert_eq!(token.expires_in, Duration::from_secs(7200));
    assert_eq!(token.refresh_token.as_ref().unwrap().expose(), "70_B");
    assert_eq!(token.openid.as_str(), OPENID);
    assert_eq!(token.scope, ["snsapi_login"]);
    assert_eq!(token.unionid.as_ref().unwrap().as_str(), UNIONID);
    assert!(!token.is_snapshot_user);
    assert_eq!(
        server.requests(),
        [format!(
            "GET /pretend/api.weixin.qq.com/sns/oauth2/access_token?appid={APPID}&secret={SECRET}&code={CODE}\
             &grant_type=authorization_code HTTP/1.1"
        )]
    );
    let shown = format!("{token:?}");
    assert!(!shown.contains(ACCESS_TOKEN) && !shown.contains("70_B") && !shown.contains(OPENID), "{shown}");
}

#[tokio::test]
async fn a_sparse_token_and_a_snapshot_user_are_understood() {
    let sparse = r#"{"errcode":0,"errmsg":"ok","access_token":"70_A","expires_in":7200,"openid":"o1"}"#;
    let server = Server::start([Reply::text(sparse)]).await;
    let token = exchange(&client(&server)).await.unwrap();
    assert!(token.refresh_token.is_none() && token.unionid.is_none() && token.scope.is_empty());

    let snapshot = TOKEN.replace("{\"access_token\"", "{\"is_snapshotuser\":1,\"access_token\"");
    let server = Server::start([Reply::text(&snapshot)]).await;
    assert!(exchange(&client(&server)).await.unwrap().is_snapshot_user);
}

#[tokio::test]
async fn every_refusal_keeps_its_number_and_meaning() {
    let expected = [
        (40029, "invalid code", FailureKind::CodeInvalid),
        (40163, "code been used", FailureKind::CodeSpent),
        (40125, "invalid appsecret", FailureKind::BadCredentials),
        (40001, "invalid credential", FailureKind::BadCredentials),
        (40013, "invalid appid", FailureKind::BadCredentials),
        (40164, "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist", FailureKind::NotAllowed),
        (45011, "api minute-quota reach limit", FailureKind::RateLimited),
        (50002, "user limited", FailureKind::UserLimited),
    ];
    for (code, errmsg, kind) in expected {
        let error = failure(&refusal(code, errmsg)).await;
        assert_eq!((error.errcode(), error.kind()), (Some(code), kind));
        assert_eq!(error.explanation().unwrap().code, code);
        let Error::Platform(refusal) = error else { panic!("expected a refusal") };
        assert_eq!(refusal.message, errmsg);
        assert_eq!(refusal.rid.as_deref(), Some("6aac007a-6c02c771-26bf69c4"));
        assert_eq!(refusal.call, "sns/oauth2/access_token");
    }
}

#[tokio::test]
async fn a_refusal_that_echoes_our_secrets_is_cleaned() {
    let error = failure(&refusal(40029, &format!("invalid code {CODE} for {SECRET}"))).await;
    assert!(error.to_string().contains("invalid code [redacted] for [redacted]"), "{error}");
}

/// SEC-27: each mutation of a good answer is refused.
#[tokio::test]
async fn every_mutation_of_a_token_is_malformed() {
    let mutations = [
        ("\"access_token\":\"70_AccessTokenThatNobodyMaySee\",", ""),
        ("\"70_AccessTokenThatNobodyMaySee\"", "\"\""),
        ("\"70_AccessTokenThatNobodyMaySee\"", "null"),
        ("\"70_AccessTokenThatNobodyMaySee\"", "{\"a\":1}"),
        (":7200", ":\"7200\""),
        (":7200", ":7200.5"),
        (":7200", ":0"),
        (":7200", ":-1"),
        (":7200", ":99999999999999999999"),
        ("\"expires_in\":7200,", ""),
        ("\"70_B\"", "\"\""),
        ("\"openid\"", "\"open_id\""),
        ("\"oAAAAbbbbCCCCddddEEEEffff012\"", "\"\""),
        ("\"oAAAAbbbbCCCCddddEEEEffff012\"", "123"),
        ("\"oAAAAbbbbCCCCddddEEEEffff012\"", "\"o A\""),
        ("\"oBBBBccccDDDDeeeeFFFFgggg345\"", "\"\""),
        ("\"oBBBBccccDDDDeeeeFFFFgggg345\"", "[\"oB\"]"),
        ("\"snsapi_login\"", "[\"snsapi_login\"]"),
        ("{\"access", "{\"openid\":\"oOther\",\"access"),
        ("{\"access", "{\"is_snapshotuser\":\"1\",\"access"),
        ("{\"access", "{\"is_snapshotuser\":true,\"access"),
        ("{\"access", "{\"is_snapshotuser\":2,\"access"),
        ("{\"access", "{\"errcode\":\"0\",\"access"),
        ("}", ""),
        ("}", "},"),
    ];
    for (from, to) in mutations {
        let body = TOKEN.replace(from, to);
        assert_ne!(body, TOKEN, "{from}");
        let error = failure(&body).await;
        assert_eq!(error.kind(), FailureKind::Malformed, "{from} -> {to}: {error}");
    }
}

#[tokio::test]
async fn a_refusal_wins_over_fields_beside_it() {
    let body = TOKEN.replace("{\"access", "{\"errcode\":40163,\"errmsg\":\"code been used\",\"access");
    assert_eq!(failure(&body).await.kind(), FailureKind::CodeSpent);
    // One of Tencent's samples writes the number as a text.
    assert_eq!(failure(&body.replace("40163", "\"40163\"")).await.kind(), FailureKind::CodeSpent);
}

#[tokio::test]
async fn a_busy_platform_is_asked_once_more() {
    let busy = r#"{"errcode":-1,"errmsg":"system error"}"#;
    let server = Server::start([Reply::text(busy), Reply::text(TOKEN)]).await;
    assert!(exchange(&client(&server)).await.is_ok());
    assert_eq!(server.requests().len(), 2);

    let server = Server::start([Reply::text(busy), Reply::text(busy)]).await;
    assert_eq!(exchange(&client(&server)).await.unwrap_err().kind(), FailureKind::Busy);
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_repetition_that_finds_the_code_spent_says_so() {
    let busy = r#"{"errcode":-1,"errmsg":"system error"}"#;
    let server = Server::start([Reply::text(busy), Reply::text(&refusal(40163, "code been used"))]).await;
    assert_eq!(exchange(&client(&server)).await.unwrap_err().kind(), FailureKind::CodeSpent);
}

#[tokio::test]
async fn a_lost_answer_is_not_asked_for_again() {
    let truncated = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"access_token\":".to_vec();
    let server_error = Reply::http("502 Bad Gateway", "X: y", b"<html>");
    for reply in [Reply::HangUp, Reply::Bytes(truncated), server_error] {
        let server = Server::start([reply]).await;
        let error = exchange(&client(&server)).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Unreachable);
        assert_eq!(server.requests().len(), 1);
        assert_silent(&error);
    }
}

#[tokio::test]
async fn a_code_that_cannot_be_one_is_not_sent() {
    let server = Server::start([]).await;
    let client = client(&server);
    let appid: AppId = APPID.parse().unwrap();
    for code in ["", "a b", "码", "a\r\nb", &"a".repeat(257)] {
        let error = client.exchange_code(&appid, &AppSecret::new(SECRET), code).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::CodeInvalid);
        assert!(!matches!(error, Error::Transport { kind: TransportKind::Http(_), .. }));
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_hostile_code_stays_inside_its_parameter() {
    let server = Server::start([Reply::text(TOKEN)]).await;
    let appid: AppId = APPID.parse().unwrap();
    let code = "x&appid=wxother#f?%2F";
    client(&server).exchange_code(&appid, &AppSecret::new("s&s"), code).await.unwrap();
    assert!(server.requests()[0].contains("&secret=s%26s&code=x%26appid%3Dwxother%23f%3F%252F&grant_type="));
}
