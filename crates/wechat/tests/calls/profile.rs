//! A token for a profile, and whether a token still stands.

use mashang_wechat::{FailureKind, Lang};

use crate::server::{Reply, Server};
use crate::{ACCESS_TOKEN, OPENID, UNIONID, assert_silent, client, token};

/// In the shape of WeChat fact sheet §2.5, escaped slashes included.
const USER: &str = r#"{"openid":"oAAAAbbbbCCCCddddEEEEffff012","nickname":"某人🐼","sex":0,"language":"","city":"","province":"","country":"","headimgurl":"https:\/\/thirdwx.qlogo.cn\/mmopen\/vi_32\/x\/132","privilege":[],"unionid":"oBBBBccccDDDDeeeeFFFFgggg345"}"#;

#[tokio::test]
async fn a_profile_is_read_as_utf8_whatever_the_content_type() {
    let headers = ["Content-Type: text/plain", "Content-Type: text/html; charset=gbk", "X-No-Type: 1"];
    for header in headers {
        let server = Server::start([Reply::http("200 OK", header, USER.as_bytes())]).await;
        let user = client(&server).userinfo(&token().await, Lang::En).await.unwrap();
        assert_eq!(user.nickname, "某人🐼");
        assert_eq!(user.openid.as_str(), OPENID);
        assert_eq!(user.unionid.unwrap().as_str(), UNIONID);
        assert_eq!(user.headimgurl.unwrap().as_str(), "https://thirdwx.qlogo.cn/mmopen/vi_32/x/132");
        assert_eq!(
            server.requests(),
            [format!(
                "GET /pretend/api.weixin.qq.com/sns/userinfo?access_token={ACCESS_TOKEN}&openid={OPENID}&lang=en HTTP/1.1"
            )]
        );
    }
}

#[tokio::test]
async fn raw_control_bytes_in_a_nickname_do_not_lock_its_owner_out() {
    let server = Server::start([Reply::text(&USER.replace("某人", "a\u{8}\nb\\u202e"))]).await;
    let user = client(&server).userinfo(&token().await, Lang::ZhCn).await.unwrap();
    assert_eq!(user.nickname, "a  b\u{202e}🐼");
}

#[tokio::test]
async fn a_person_without_picture_or_unionid_is_still_a_person() {
    let bare = r#"{"openid":"oAAAAbbbbCCCCddddEEEEffff012","nickname":"","headimgurl":""}"#;
    let server = Server::start([Reply::text(bare)]).await;
    let user = client(&server).userinfo(&token().await, Lang::ZhTw).await.unwrap();
    assert_eq!((user.nickname.as_str(), user.headimgurl), ("", None));
    assert_eq!(user.unionid.unwrap().as_str(), UNIONID, "the token's unionid still holds");
}

/// SEC-27: each mutation of a good answer is refused, another person's profile above all.
#[tokio::test]
async fn every_mutation_of_a_profile_is_malformed() {
    let mutations = [
        ("\"oAAAAbbbbCCCCddddEEEEffff012\"", "\"oAAAAbbbbCCCCddddEEEEffff013\""),
        ("\"oAAAAbbbbCCCCddddEEEEffff012\"", "\"OAAAABBBBCCCCDDDDEEEEFFFF012\""),
        ("\"openid\":\"oAAAAbbbbCCCCddddEEEEffff012\",", ""),
        ("\"oBBBBccccDDDDeeeeFFFFgggg345\"", "\"oOther\""),
        ("\"oBBBBccccDDDDeeeeFFFFgggg345\"", "\"\""),
        ("\"nickname\":\"某人🐼\",", ""),
        ("\"某人🐼\"", "null"),
        ("\"某人🐼\"", "[]"),
        ("\"某人🐼\"", "\"\\x\""),
        ("\"sex\":0", "\"nickname\":\"x\""),
    ];
    let token = token().await;
    for (from, to) in mutations {
        let body = USER.replace(from, to);
        assert_ne!(body, USER, "{from}");
        let server = Server::start([Reply::text(&body)]).await;
        let error = client(&server).userinfo(&token, Lang::ZhCn).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Malformed, "{from} -> {to}: {error}");
        assert_eq!(server.requests().len(), 1, "a malformed answer is not asked for again");
        assert_silent(&error);
    }
}

#[tokio::test]
async fn a_broken_nickname_does_not_lock_its_owner_out() {
    let token = token().await;
    for (broken, read) in [
        (b"a\xC4\xE3b".as_slice(), "a\u{FFFD}\u{FFFD}b"),
        (b"a\xF0\x9F", "a\u{FFFD}"),
        (b"a\\ud83d", "a\u{FFFD}"),
        (b"\\ud83d\\udc3c\\udc3c", "🐼\u{FFFD}"),
    ] {
        let body =
            [br#"{"openid":"oAAAAbbbbCCCCddddEEEEffff012","nickname":""#.as_slice(), broken, b"\"}"].concat();
        let server = Server::start([Reply::http("200 OK", "Content-Type: text/plain", &body)]).await;
        let user = client(&server).userinfo(&token, Lang::ZhCn).await.unwrap();
        assert_eq!((user.nickname.as_str(), user.openid.as_str()), (read, OPENID));
    }
}

#[tokio::test]
async fn a_picture_that_is_no_web_address_is_no_picture() {
    let token = token().await;
    for picture in ["\"javascript:alert(1)\"", "\"/132\"", "\"https://\"", "null", "7", "{}"] {
        let body =
            format!(r#"{{"openid":"oAAAAbbbbCCCCddddEEEEffff012","nickname":"a","headimgurl":{picture}}}"#);
        let server = Server::start([Reply::text(&body)]).await;
        let user = client(&server).userinfo(&token, Lang::ZhCn).await.unwrap();
        assert_eq!((user.nickname.as_str(), user.headimgurl), ("a", None), "{picture}");
    }
}

/// A nickname is mended, an id never: another person's profile stays another person's.
#[tokio::test]
async fn a_broken_id_in_a_profile_is_malformed() {
    let token = token().await;
    let openid =
        [br#"{"openid":"oAAAAbbbbCCCCddddEEEEffff01"#.as_slice(), b"\xC4\",\"nickname\":\"\"}"].concat();
    let unionid = USER.replace("oBBBB", "\\ud83d").into_bytes();
    for body in [openid, unionid] {
        let server = Server::start([Reply::http("200 OK", "Content-Type: text/plain", &body)]).await;
        let error = client(&server).userinfo(&token, Lang::ZhCn).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Malformed);
    }
}

#[tokio::test]
async fn a_passing_fault_is_tried_once_more() {
    let busy = || Reply::text(r#"{"errcode":-1,"errmsg":"system error"}"#);
    let gateway = || Reply::http("502 Bad Gateway", "X: y", b"");
    let token = token().await;
    for fault in [busy(), gateway(), Reply::HangUp] {
        let server = Server::start([fault, Reply::text(USER)]).await;
        assert!(client(&server).userinfo(&token, Lang::ZhCn).await.is_ok());
        assert_eq!(server.requests().len(), 2);
    }
    let server = Server::start([gateway(), gateway()]).await;
    let error = client(&server).userinfo(&token, Lang::ZhCn).await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Unreachable);
    assert_eq!(server.requests().len(), 2);
    assert_silent(&error);
}

#[tokio::test]
async fn a_refused_profile_is_not_asked_for_again() {
    let token = token().await;
    let refusals = [
        (40001, FailureKind::TokenInvalid),
        (40003, FailureKind::TokenInvalid),
        (42001, FailureKind::TokenInvalid),
        (48001, FailureKind::NotAllowed),
    ];
    for (code, kind) in refusals {
        let body = format!(r#"{{"errcode":{code},"errmsg":"no {ACCESS_TOKEN}, hints: [ req_id: a.b ]"}}"#);
        let server = Server::start([Reply::text(&body)]).await;
        let error = client(&server).userinfo(&token, Lang::ZhCn).await.unwrap_err();
        assert_eq!((error.errcode(), error.kind()), (Some(code), kind));
        assert_eq!(server.requests().len(), 1);
        assert_silent(&error);
    }
}

#[tokio::test]
async fn a_token_stands_only_if_wechat_says_ok() {
    let token = token().await;
    let server = Server::start([Reply::text(r#"{"errcode":0,"errmsg":"ok"}"#)]).await;
    client(&server).check_token(&token).await.unwrap();
    assert!(server.requests()[0].starts_with("GET /pretend/api.weixin.qq.com/sns/auth?access_token=70_"));

    let answers = [
        (r#"{"errcode":40003,"errmsg":"invalid openid"}"#, FailureKind::TokenInvalid),
        ("{}", FailureKind::Malformed),
    ];
    for (body, kind) in answers {
        let server = Server::start([Reply::text(body)]).await;
        assert_eq!(client(&server).check_token(&token).await.unwrap_err().kind(), kind);
    }
}
