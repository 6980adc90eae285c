//! QR codes with a scene, and followers.

use mashang_wechat::official::follower::Follower;
use mashang_wechat::official::qr::ParametricQr;
use mashang_wechat::{AccessToken, Client, ClientOptions, Error, FailureKind, Hosts, Lang, OpenId};
use serde_json::json;

use crate::server::{Reply, Server};
use crate::{ACCESS_TOKEN, OPENID, UNIONID, assert_silent, client};

/// In the shape of WeChat fact sheet §2.5, escaped slashes included.
const QR: &str = r#"{"ticket":"gQH+8/ab==","expire_seconds":300,"url":"http:\/\/weixin.qq.com\/q\/02abcdefghijklmnopqrst"}"#;

async fn create(client: &Client, scene: &str, life: u32) -> Result<ParametricQr, Error> {
    client.create_login_qr(&AccessToken::new(ACCESS_TOKEN), scene, life).await
}

#[tokio::test]
async fn a_code_is_made_for_a_scene_and_a_time() {
    let server = Server::start([Reply::text(QR)]).await;
    let qr = create(&client(&server), "登录_abc-123", 300).await.unwrap();
    assert_eq!(
        (qr.ticket.as_str(), qr.url.as_str(), qr.expire_seconds),
        ("gQH+8/ab==", "http://weixin.qq.com/q/02abcdefghijklmnopqrst", 300)
    );
    let request = &server.whole_requests()[0];
    assert_eq!(
        request.line,
        format!("POST /pretend/api.weixin.qq.com/cgi-bin/qrcode/create?access_token={ACCESS_TOKEN} HTTP/1.1")
    );
    assert_eq!(
        request.json(),
        json!({
            "expire_seconds": 300,
            "action_name": "QR_STR_SCENE",
            "action_info": { "scene": { "scene_str": "登录_abc-123" } },
        })
    );
    assert!(request.body.contains("登录"), "text is not escaped: {}", request.body);
}

#[test]
fn the_platforms_picture_is_asked_for_with_an_encoded_ticket() {
    let client = Client::new(Hosts::default(), ClientOptions::default()).unwrap();
    assert_eq!(
        client.show_qr_url("gQH+8/ab==").as_str(),
        "https://mp.weixin.qq.com/cgi-bin/showqrcode?ticket=gQH%2B8%2Fab%3D%3D"
    );
}

#[tokio::test]
async fn a_scene_or_life_wechat_would_refuse_is_not_sent() {
    let server = Server::start([]).await;
    let too_long = "场".repeat(65);
    for (scene, life) in
        [("", 300), (too_long.as_str(), 300), ("a\nb", 300), ("a", 0), ("a", 2_592_001), ("a", u32::MAX)]
    {
        let error = create(&client(&server), scene, life).await.unwrap_err();
        assert!(matches!(error, Error::NotSendable { .. }), "{scene} {life}: {error:?}");
    }
    assert!(server.requests().is_empty());

    let server = Server::start([Reply::text(QR)]).await;
    assert!(create(&client(&server), &"场".repeat(64), 2_592_000).await.is_ok());
}

/// SEC-27.
#[tokio::test]
async fn a_code_that_is_not_whole_is_malformed() {
    let mutations = [
        ("\"gQH+8/ab==\"", "\"\""),
        ("\"ticket\":\"gQH+8/ab==\",", ""),
        ("\"gQH+8/ab==\"", "7"),
        (":300", ":0"),
        (":300", ":-1"),
        (":300", ":\"300\""),
        ("\"expire_seconds\":300,", ""),
        ("http:", "javascript:"),
        ("\"http:\\/\\/weixin.qq.com\\/q\\/02abcdefghijklmnopqrst\"", "\"\""),
        ("\"expire_seconds\":300", "\"ticket\":\"x\""),
    ];
    for (from, to) in mutations {
        let body = QR.replace(from, to);
        assert_ne!(body, QR, "{from}");
        let server = Server::start([Reply::text(&body)]).await;
        let error = create(&client(&server), "abc", 300).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Malformed, "{from} -> {to}: {error}");
    }
}

#[tokio::test]
async fn a_refused_token_asks_for_a_new_one() {
    for code in [40001, 40014, 42001] {
        let body = format!(
            r#"{{"errcode":{code},"errmsg":"invalid credential {ACCESS_TOKEN} scene abc rid: 1-2-3"}}"#
        );
        let server = Server::start([Reply::text(&body)]).await;
        let error = create(&client(&server), "abc", 300).await.unwrap_err();
        assert_eq!((error.errcode(), error.kind()), (Some(code), FailureKind::TokenInvalid));
        assert_eq!(server.requests().len(), 1, "the caller gets the new one");
        assert_silent(&error);
    }
    let server = Server::start([Reply::text(r#"{"errcode":48001,"errmsg":"api unauthorized"}"#)]).await;
    assert_eq!(create(&client(&server), "abc", 300).await.unwrap_err().kind(), FailureKind::NotAllowed);
}

async fn follower(body: &str) -> (Result<Follower, Error>, Vec<String>) {
    let server = Server::start([Reply::text(body)]).await;
    let openid: OpenId = OPENID.parse().expect("a valid openid");
    let answer = client(&server).official_user(&AccessToken::new(ACCESS_TOKEN), &openid, Lang::ZhCn).await;
    (answer, server.requests())
}

#[tokio::test]
async fn a_follower_brings_a_unionid_and_a_stranger_nothing() {
    let body = format!(
        r#"{{"subscribe":1,"openid":"{OPENID}","nickname":"","sex":0,"tagid_list":[1],"remark":"张\ud83d","unionid":"{UNIONID}","qr_scene":0,"qr_scene_str":""}}"#
    );
    let (answer, requests) = follower(&body).await;
    let answer = answer.unwrap();
    assert!(answer.subscribed);
    assert_eq!(answer.unionid.unwrap().as_str(), UNIONID);
    assert_eq!(
        requests,
        [format!(
            "GET /pretend/api.weixin.qq.com/cgi-bin/user/info?access_token={ACCESS_TOKEN}&openid={OPENID}&lang=zh_CN HTTP/1.1"
        )]
    );
    let (answer, _) = follower(&format!(r#"{{"subscribe":0,"openid":"{OPENID}"}}"#)).await;
    assert_eq!(answer.unwrap(), Follower { subscribed: false, unionid: None });
}

/// SEC-27.
#[tokio::test]
async fn an_answer_about_another_person_is_malformed() {
    for body in [
        r#"{"subscribe":1,"openid":"oSomebodyElse"}"#.to_owned(),
        r#"{"subscribe":1}"#.to_owned(),
        format!(r#"{{"openid":"{OPENID}"}}"#),
        format!(r#"{{"subscribe":2,"openid":"{OPENID}"}}"#),
        format!(r#"{{"subscribe":true,"openid":"{OPENID}"}}"#),
        format!(r#"{{"subscribe":1,"openid":"{OPENID}","unionid":"a b"}}"#),
        format!(r#"{{"subscribe":1,"openid":"{OPENID}","unionid":7}}"#),
    ] {
        let error = follower(&body).await.0.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Malformed, "{body}");
        assert_silent(&error);
    }
}
