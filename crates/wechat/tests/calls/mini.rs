//! Mini-programs: codes, sessions, phone numbers and link rules.

use mashang_wechat::mini::code::{EnvVersion, MiniCode, Picture, PictureKind};
use mashang_wechat::mini::link_rule::{KeptRule, LinkRule};
use mashang_wechat::mini::phone::PhoneNumber;
use mashang_wechat::mini::session::MiniSession;
use mashang_wechat::{AccessToken, AppId, AppSecret, Error, FailureKind, OpenId};
use serde_json::json;

use crate::server::{Reply, Server};
use crate::{ACCESS_TOKEN, APPID, CODE, OPENID, SECRET, UNIONID, assert_silent, client};

const SESSION_KEY: &str = "tiihtNczf5v6AKRyjwEUhQ==";
const JPEG: &[u8] = b"\xFF\xD8\xFF\xE0 picture";
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n picture";

fn app_token() -> AccessToken {
    AccessToken::new(ACCESS_TOKEN)
}

fn appid() -> AppId {
    APPID.parse().expect("a valid appid")
}

fn a_code(scene: &str) -> MiniCode<'_> {
    MiniCode {
        scene,
        page: Some("pages/confirm/index"),
        env_version: EnvVersion::Release,
        check_path: true,
        width: 430,
    }
}

async fn picture(header: &str, body: &[u8]) -> Result<Picture, Error> {
    let server = Server::start([Reply::http("200 OK", header, body)]).await;
    client(&server).mini_code(&app_token(), &a_code("abc")).await
}

#[tokio::test]
async fn a_code_is_asked_for_as_json_that_leaves_nothing_to_defaults() {
    let server = Server::start([
        Reply::http("200 OK", "Content-Type: image/jpeg", JPEG),
        Reply::http("200 OK", "Content-Type: image/jpeg", JPEG),
    ])
    .await;
    let scene = "!#$&'()*+,/:;=?@-._~09azAZ";
    client(&server).mini_code(&app_token(), &a_code(scene)).await.unwrap();
    let trial =
        MiniCode { page: None, env_version: EnvVersion::Trial, check_path: false, width: 280, ..a_code("a") };
    client(&server).mini_code(&app_token(), &trial).await.unwrap();

    let requests = server.whole_requests();
    assert_eq!(
        requests[0].line,
        format!("POST /pretend/api.weixin.qq.com/wxa/getwxacodeunlimit?access_token={ACCESS_TOKEN} HTTP/1.1")
    );
    assert!(requests[0].headers.contains("content-type: application/json\r\n"));
    // No env_version: an empty one would be refused, and release is what its absence means.
    assert_eq!(
        requests[0].json(),
        json!({ "scene": scene, "page": "pages/confirm/index", "check_path": true, "width": 430 })
    );
    assert_eq!(
        requests[1].json(),
        json!({ "scene": "a", "check_path": false, "env_version": "trial", "width": 280 })
    );
}

#[tokio::test]
async fn a_picture_is_told_from_a_refusal_by_its_bytes() {
    let refusal = br#"{"errcode":41030,"errmsg":"invalid page hint: [abc] rid: 1-2-3"}"#;
    for header in ["Content-Type: image/jpeg", "Content-Type: application/json", "Content-Type: text/plain"] {
        let jpeg = picture(header, JPEG).await.unwrap();
        assert_eq!((jpeg.kind, jpeg.bytes.as_slice()), (PictureKind::Jpeg, JPEG));
        assert_eq!(jpeg.kind.media_type(), "image/jpeg");
        assert_eq!(picture(header, PNG).await.unwrap().kind, PictureKind::Png);
        let error = picture(header, refusal).await.unwrap_err();
        assert_eq!((error.errcode(), error.kind()), (Some(41030), FailureKind::NotAllowed));
        assert!(error.explanation().is_some());
    }
    for body in [b"".as_slice(), b"{}", br#"{"errcode":0}"#, b"GIF89a", b"\xFF", b"<html>"] {
        assert_eq!(picture("X: y", body).await.unwrap_err().kind(), FailureKind::Malformed);
    }
}

#[tokio::test]
async fn a_picture_may_be_larger_than_other_answers_but_not_endless() {
    let large = [JPEG, &vec![0; 300 * 1024]].concat();
    assert_eq!(picture("X: y", &large).await.unwrap().bytes, large);
    let server = Server::start([Reply::Flood]).await;
    let error = client(&server).mini_code(&app_token(), &a_code("abc")).await.unwrap_err();
    assert!(error.to_string().contains("exceeds 524288 bytes"), "{error}");
}

#[tokio::test]
async fn a_code_wechat_would_refuse_is_not_asked_for() {
    let server = Server::start([]).await;
    let too_long = "a".repeat(33);
    let scenes = ["", too_long.as_str(), "a b", "a%20", "场景", "a\"", "a\n"].map(a_code);
    let pages =
        ["", "/pages/index", "pages/index?a=b"].map(|page| MiniCode { page: Some(page), ..a_code("a") });
    let widths = [0, 279, 1281].map(|width| MiniCode { width, ..a_code("a") });
    for code in [scenes.as_slice(), &pages, &widths].concat() {
        let error = client(&server).mini_code(&app_token(), &code).await.unwrap_err();
        assert!(matches!(error, Error::NotSendable { .. }), "{code:?}");
    }
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn refusals_of_codes_are_explained() {
    for (code, kind) in [
        (40001, FailureKind::TokenInvalid),
        (42001, FailureKind::TokenInvalid),
        (40097, FailureKind::Other),
        (40129, FailureKind::Other),
        (40169, FailureKind::Other),
        (45009, FailureKind::RateLimited),
        (48001, FailureKind::NotAllowed),
        (85096, FailureKind::NotAllowed),
    ] {
        let body = format!(r#"{{"errcode":{code},"errmsg":"no {ACCESS_TOKEN} rid: 1-2-3"}}"#);
        let error = picture("X: y", body.as_bytes()).await.unwrap_err();
        assert_eq!((error.errcode(), error.kind()), (Some(code), kind));
        assert!(error.explanation().is_some(), "{code}");
        assert_silent(&error);
    }
}

async fn session(body: &str) -> (Result<MiniSession, Error>, Vec<String>) {
    let server = Server::start([Reply::text(body), Reply::text(body)]).await;
    let answer = client(&server).mini_session(&appid(), &AppSecret::new(SECRET), CODE).await;
    (answer, server.requests())
}

#[tokio::test]
async fn a_code_says_who_the_person_is() {
    let body = format!(r#"{{"session_key":"{SESSION_KEY}","openid":"{OPENID}","unionid":"{UNIONID}"}}"#);
    let (answer, requests) = session(&body).await;
    let answer = answer.unwrap();
    assert_eq!(answer.openid.as_str(), OPENID);
    assert_eq!(answer.unionid.as_ref().unwrap().as_str(), UNIONID);
    assert_eq!(answer.session_key.expose(), SESSION_KEY);
    assert!(!format!("{answer:?}").contains(SESSION_KEY), "SEC-34");
    assert_eq!(
        requests,
        [format!(
            "GET /pretend/api.weixin.qq.com/sns/jscode2session?appid={APPID}&secret={SECRET}&js_code={CODE}&grant_type=authorization_code HTTP/1.1"
        )]
    );
    let unbound = format!(r#"{{"errcode":0,"session_key":"{SESSION_KEY}","openid":"{OPENID}"}}"#);
    assert_eq!(session(&unbound).await.0.unwrap().unionid, None);
}

/// SEC-27.
#[tokio::test]
async fn a_session_that_is_not_whole_is_malformed() {
    let good = format!(r#"{{"session_key":"{SESSION_KEY}","openid":"{OPENID}","unionid":"{UNIONID}"}}"#);
    for (from, to) in [
        (SESSION_KEY, ""),
        (SESSION_KEY, "AAAA"),
        (SESSION_KEY, "no base64"),
        ("session_key", "key"),
        (OPENID, ""),
        (OPENID, "a b"),
        ("openid", "unknown"),
        (UNIONID, ""),
        (UNIONID, "a b"),
        ("unionid", "openid"),
        ("{", "{\"errcode\":\"0\","),
    ] {
        let body = good.replace(from, to);
        assert_ne!(body, good);
        let (answer, requests) = session(&body).await;
        let error = answer.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Malformed, "{from} -> {to}");
        assert_eq!(requests.len(), 1);
        assert!(!format!("{error:?}").contains(SESSION_KEY));
        assert_silent(&error);
    }
}

#[tokio::test]
async fn a_refused_code_is_not_sent_again_unless_wechat_was_busy() {
    for (errcode, kind, requests) in [
        ("40029", FailureKind::CodeInvalid, 1),
        ("\"40029\"", FailureKind::CodeInvalid, 1),
        ("40163", FailureKind::CodeSpent, 1),
        ("40226", FailureKind::UserLimited, 1),
        ("45011", FailureKind::RateLimited, 1),
        ("40001", FailureKind::BadCredentials, 1),
        ("40125", FailureKind::BadCredentials, 1),
        ("-1", FailureKind::Busy, 2),
    ] {
        let body = format!(r#"{{"errcode":{errcode},"errmsg":"no {CODE} {SECRET} rid: 1-2-3"}}"#);
        let (answer, seen) = session(&body).await;
        let error = answer.unwrap_err();
        assert_eq!((error.kind(), seen.len()), (kind, requests), "{errcode}");
        assert!(error.explanation().is_some());
        assert_silent(&error);
    }
    let server = Server::start([Reply::HangUp, Reply::HangUp]).await;
    let error = client(&server).mini_session(&appid(), &AppSecret::new(SECRET), CODE).await.unwrap_err();
    assert_eq!((error.kind(), server.requests().len()), (FailureKind::Unreachable, 1));
    for unusable in ["", "a b", "码"] {
        let error = client(&server).mini_session(&appid(), &AppSecret::new(SECRET), unusable).await;
        assert!(matches!(error, Err(Error::UnusableCode)));
    }
}

fn phone_answer() -> String {
    json!({
        "errcode": 0,
        "errmsg": "ok",
        "phone_info": {
            "phoneNumber": "+8613800000000",
            "purePhoneNumber": "13800000000",
            "countryCode": 86,
            "watermark": { "timestamp": 1_637_744_274, "appid": APPID },
        },
    })
    .to_string()
}

async fn phone(body: &str) -> Result<PhoneNumber, Error> {
    let server = Server::start([Reply::text(body)]).await;
    client(&server).mini_phone(&app_token(), &appid(), CODE, None).await
}

#[tokio::test]
async fn a_phone_number_is_read_in_both_spellings() {
    for country in ["86", "\"86\""] {
        let server = Server::start([Reply::text(
            &phone_answer().replace("\"countryCode\":86", &format!("\"countryCode\":{country}")),
        )])
        .await;
        let openid: OpenId = OPENID.parse().unwrap();
        let number = client(&server).mini_phone(&app_token(), &appid(), CODE, Some(&openid)).await.unwrap();
        assert_eq!(
            (number.full.as_str(), number.bare.as_str(), number.country_code.as_str()),
            ("+8613800000000", "13800000000", "86")
        );
        assert!(!format!("{number:?}").contains("138"));
        let request = &server.whole_requests()[0];
        assert_eq!(
            request.line,
            format!(
                "POST /pretend/api.weixin.qq.com/wxa/business/getuserphonenumber?access_token={ACCESS_TOKEN} HTTP/1.1"
            )
        );
        assert_eq!(request.json(), json!({ "code": CODE, "openid": OPENID }));
    }
}

#[tokio::test]
async fn sec_34_a_number_for_another_app_is_refused() {
    for (from, to) in [
        (APPID, "wx0123456789abcdee"),
        (APPID, ""),
        ("watermark", "mark"),
        ("phone_info", "info"),
        ("\"countryCode\":86", "\"countryCode\":true"),
        ("\"countryCode\":86", "\"countryCode\":-1"),
        ("\"countryCode\":86", "\"phoneNumber\":\"1\""),
        ("+8613800000000", ""),
        ("+8613800000000", "call me"),
        ("purePhoneNumber", "pure"),
    ] {
        let body = phone_answer().replace(from, to);
        assert_ne!(body, phone_answer(), "{from}");
        let error = phone(&body).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Malformed, "{from} -> {to}");
        assert!(!format!("{error:?}").contains("138"));
    }
    let refused = phone(r#"{"errcode":40029,"errmsg":"invalid code hint: [x]"}"#).await.unwrap_err();
    assert_eq!(refused.kind(), FailureKind::CodeInvalid);
}

#[tokio::test]
async fn a_link_rule_is_added_published_and_listed() {
    let ok = || Reply::text(r#"{"errcode":0,"errmsg":"ok"}"#);
    let list = r#"{"errcode":0,"rule_list":[{"prefix":"https://a.b/s/","path":"pages/a","state":2,"open_version":3},{"prefix":"https://a.b/t/","path":"","state":1}],"qrcodejump_open":1,"list_size":2,"qrcodejump_pub_quota":98}"#;
    let file = r#"{"errcode":0,"errmsg":"ok","file_name":"aBc_12.txt","file_content":"d41d8"}"#;
    let server = Server::start([Reply::text(file), ok(), ok(), Reply::text(list)]).await;
    let client = client(&server);
    let token = app_token();

    let file = client.link_rule_file(&token).await.unwrap();
    assert_eq!((file.name.as_str(), file.content.as_str()), ("aBc_12.txt", "d41d8"));
    let rule = LinkRule {
        prefix: "https://a.b/s/",
        path: "pages/a",
        open_version: EnvVersion::Trial,
        test_addresses: &["https://a.b/s/test"],
        exclusive: true,
        edit: false,
    };
    client.add_link_rule(&token, &rule).await.unwrap();
    client.publish_link_rule(&token, "https://a.b/s/").await.unwrap();
    let kept = client.link_rules(&token).await.unwrap();
    assert_eq!((kept.enabled, kept.publications_left), (true, Some(98)));
    assert_eq!(
        kept.rules[0],
        KeptRule { prefix: "https://a.b/s/".into(), path: "pages/a".into(), published: true }
    );
    assert!(!kept.rules[1].published);

    let requests = server.whole_requests();
    let names = ["qrcodejumpdownload", "qrcodejumpadd", "qrcodejumppublish", "qrcodejumpget"];
    let bodies = [
        json!({}),
        json!({
            "prefix": "https://a.b/s/",
            "path": "pages/a",
            "open_version": 2,
            "debug_url": ["https://a.b/s/test"],
            "permit_sub_rule": 2,
            "is_edit": 0,
        }),
        json!({ "prefix": "https://a.b/s/" }),
        json!({}),
    ];
    for ((request, name), body) in requests.iter().zip(names).zip(bodies) {
        assert_eq!(
            request.line,
            format!(
                "POST /pretend/api.weixin.qq.com/cgi-bin/wxopen/{name}?access_token={ACCESS_TOKEN} HTTP/1.1"
            )
        );
        assert_eq!(request.json(), body);
    }
}

#[tokio::test]
async fn a_verification_file_cannot_name_a_place() {
    for name in ["", "../etc/passwd.txt", "a/b.txt", "a.html", ".txt", "a b.txt", "a\\\\b.txt"] {
        let body = format!(r#"{{"errcode":0,"file_name":"{name}","file_content":"x"}}"#);
        let server = Server::start([Reply::text(&body)]).await;
        let error = client(&server).link_rule_file(&app_token()).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::Malformed, "{name}");
    }
}

#[tokio::test]
async fn a_refused_link_rule_says_what_to_do() {
    for code in [85066, 85068, 85069, 85070, 85071, 85072, 85073, 85074, 85075, 85076, 85095, 886_000, 61007]
    {
        let server = Server::start([Reply::text(&format!(r#"{{"errcode":{code},"errmsg":"no"}}"#))]).await;
        let error = client(&server).publish_link_rule(&app_token(), "https://a.b/s/").await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::NotAllowed);
        assert!(error.explanation().is_some(), "{code}");
    }
    let server = Server::start([Reply::text("{}")]).await;
    let error = client(&server).publish_link_rule(&app_token(), "https://a.b/s/").await.unwrap_err();
    assert_eq!(error.kind(), FailureKind::Malformed, "nothing was confirmed");
}
