//! The app's own access token.

use mashang_wechat::{AppId, AppSecret, Client, Error, FailureKind, IssuedToken};
use serde_json::json;

use crate::server::{Reply, Server};
use crate::{APPID, SECRET, assert_silent, client};

const ISSUED: &str = r#"{"access_token":"70_AccessTokenThatNobodyMaySee","expires_in":7200}"#;

async fn stable_token(client: &Client, force: bool) -> Result<IssuedToken, Error> {
    let appid: AppId = APPID.parse().expect("a valid appid");
    client.stable_token(&appid, &AppSecret::new(SECRET), force).await
}

#[tokio::test]
async fn the_secret_travels_in_the_body_only() {
    for force in [false, true] {
        let server = Server::start([Reply::text(ISSUED)]).await;
        let issued = stable_token(&client(&server), force).await.unwrap();
        assert_eq!((issued.token.expose(), issued.expires_in), ("70_AccessTokenThatNobodyMaySee", 7200));
        assert!(!format!("{issued:?}").contains("70_"), "{issued:?}");
        let request = &server.whole_requests()[0];
        assert_eq!(request.line, "POST /pretend/api.weixin.qq.com/cgi-bin/stable_token? HTTP/1.1");
        assert!(request.headers.contains("content-type: application/json\r\n"), "{}", request.headers);
        assert_eq!(
            request.json(),
            json!({
                "grant_type": "client_credential",
                "appid": APPID,
                "secret": SECRET,
                "force_refresh": force,
            })
        );
    }
}

/// SEC-27.
#[tokio::test]
async fn a_token_that_is_not_whole_is_malformed() {
    for body in [
        "",
        "{}",
        "[]",
        r#"{"access_token":"","expires_in":7200}"#,
        r#"{"access_token":7,"expires_in":7200}"#,
        r#"{"access_token":"70_AccessTokenThatNobodyMaySee"}"#,
        r#"{"access_token":"70_AccessTokenThatNobodyMaySee","expires_in":0}"#,
        r#"{"access_token":"70_AccessTokenThatNobodyMaySee","expires_in":-1}"#,
        r#"{"access_token":"70_AccessTokenThatNobodyMaySee","expires_in":"7200"}"#,
        r#"{"access_token":"70_AccessTokenThatNobodyMaySee","expires_in":99999999999}"#,
        r#"{"access_token":"70_A","access_token":"70_AccessTokenThatNobodyMaySee","expires_in":7200}"#,
    ] {
        let server = Server::start([Reply::text(body)]).await;
        let error = stable_token(&client(&server), false).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Malformed, "{body}");
        assert_silent(&error);
    }
}

#[tokio::test]
async fn refusals_say_whose_turn_it_is() {
    let refusals = [
        (40001, "invalid credential", FailureKind::BadCredentials),
        (40125, "invalid appsecret", FailureKind::BadCredentials),
        (40243, "appsecret frozen", FailureKind::BadCredentials),
        (40164, "invalid ip 203.0.113.7 ipv6 ::ffff:203.0.113.7, not in whitelist", FailureKind::NotAllowed),
        (89503, "ip needs confirmation", FailureKind::NotAllowed),
        (50007, "account frozen", FailureKind::NotAllowed),
        (45009, "reach max api daily quota limit", FailureKind::RateLimited),
    ];
    for (code, message, kind) in refusals {
        let body = format!(r#"{{"errcode":{code},"errmsg":"{message} {SECRET} rid: 1-2-3"}}"#);
        let server = Server::start([Reply::text(&body)]).await;
        let error = stable_token(&client(&server), false).await.unwrap_err();
        assert_eq!((error.errcode(), error.kind()), (Some(code), kind));
        assert!(error.explanation().is_some(), "{code}");
        assert_eq!(error.refused_address().is_some(), code == 40164);
        assert_eq!(server.requests().len(), 1);
        assert_silent(&error);
    }
}

#[tokio::test]
async fn a_forced_refresh_is_not_forced_twice() {
    let gateway = || Reply::http("502 Bad Gateway", "X: y", b"");
    let server = Server::start([gateway(), Reply::text(ISSUED)]).await;
    assert!(stable_token(&client(&server), false).await.is_ok());

    let server = Server::start([gateway(), Reply::text(ISSUED)]).await;
    let error = stable_token(&client(&server), true).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Unreachable);
    assert_eq!(server.requests().len(), 1);
}
