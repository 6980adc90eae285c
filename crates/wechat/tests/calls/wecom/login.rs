//! A code for a person: who is told apart from whom, and that a code is sent once.

use mashang_wechat::wecom::{CorpLogin, MemberDetail, UserTicket};
use mashang_wechat::{Client, Error, FailureKind};
use serde_json::json;

use super::{
    CORP, CORP_CODE, CORP_TOKEN, MEMBER, TICKET, assert_malformed, assert_silent, corp_token, failure,
    refusal,
};
use crate::client;
use crate::server::{Reply, Server};

async fn login(client: Client) -> Result<CorpLogin, Error> {
    client.corp_login(&corp_token(), CORP_CODE).await
}

async fn answered(body: &str) -> CorpLogin {
    let server = Server::start([Reply::text(body)]).await;
    let login = login(client(&server)).await.expect("a good answer");
    let shown = format!("{login:?}");
    assert!(!shown.contains(MEMBER) && !shown.contains(TICKET), "{shown}");
    login
}

const MEMBER_ANSWER: &str =
    r#"{"userid":"ZhangSan","errcode":0,"errmsg":"ok","user_ticket":"uSeR_tIcKeT-ThatNobodyMaySee"}"#;
const OUTSIDER_ANSWER: &str = r#"{"errcode":0,"errmsg":"ok","openid":"oAAAAbbbbCCCCddddEEEEffff012","external_userid":"wmEAlECwAAHrbWYDOK5u3Af13xlY"}"#;

#[tokio::test]
async fn a_code_becomes_a_member_by_one_get() {
    let server = Server::start([Reply::text(MEMBER_ANSWER)]).await;
    let CorpLogin::Member { id, ticket } = login(client(&server)).await.unwrap() else { panic!("a member") };
    assert_eq!(id.as_str(), MEMBER);
    assert_eq!(ticket.unwrap().expose(), TICKET);
    assert_eq!(
        server.requests(),
        [format!(
            "GET /pretend/qyapi.weixin.qq.com/cgi-bin/auth/getuserinfo?access_token={CORP_TOKEN}&code={CORP_CODE} HTTP/1.1"
        )]
    );
}

#[tokio::test]
async fn both_spellings_of_the_fields_are_read() {
    for body in [
        r#"{"errcode":0,"UserId":"ZhangSan","DeviceId":""}"#,
        r#"{"errcode":0,"userid":"ZhangSan","UserId":"ZhangSan"}"#,
        r#"{"errcode":0,"userid":"ZhangSan","user_ticket":""}"#,
    ] {
        let CorpLogin::Member { id, ticket } = answered(body).await else { panic!("{body}") };
        assert!(id == MEMBER.parse().unwrap() && ticket.is_none(), "{body}");
    }
    for name in ["openid", "OpenId"] {
        let body = OUTSIDER_ANSWER.replace("openid", name);
        let CorpLogin::Outsider { openid, external_userid } = answered(&body).await else { panic!("{body}") };
        assert_eq!(openid.as_str(), "oAAAAbbbbCCCCddddEEEEffff012");
        assert_eq!(external_userid.unwrap().as_str(), "wmEAlECwAAHrbWYDOK5u3Af13xlY");
    }
}

#[tokio::test]
async fn a_linked_companys_member_is_told_from_a_member() {
    let body = format!(r#"{{"errcode":0,"userid":"{CORP}/ZhangSan"}}"#);
    let CorpLogin::LinkedMember { corp, id } = answered(&body).await else { panic!("a linked member") };
    assert_eq!((corp.as_str(), id.as_str()), (CORP, MEMBER));
}

/// SEC-27: an answer that names nobody, two people or a broken id admits nobody.
#[tokio::test]
async fn every_mutation_of_a_login_is_malformed() {
    let member = [
        ("\"userid\"", "\"user_id\""),
        ("\"ZhangSan\"", "\"\""),
        ("\"ZhangSan\"", "null"),
        ("\"ZhangSan\"", "7"),
        ("\"ZhangSan\"", "[\"ZhangSan\"]"),
        ("\"ZhangSan\"", "\"Zhang San\""),
        ("\"ZhangSan\"", "\"/ZhangSan\""),
        ("\"ZhangSan\"", "\"ww7dc5f02540a109d3/\""),
        ("\"ZhangSan\"", "\"ww7dc5f02540a109d3/a/b\""),
        ("\"ZhangSan\"", "\"tj7dc5f02540a109d3/ZhangSan\""),
        ("{\"userid\"", "{\"UserId\":\"LiSi\",\"userid\""),
        ("{\"userid\"", "{\"UserId\":\"zhangsan\",\"userid\""),
        ("{\"userid\"", "{\"userid\":\"LiSi\",\"userid\""),
        ("{\"userid\"", "{\"openid\":\"oA\",\"userid\""),
        ("{\"userid\"", "{\"OpenId\":\"oA\",\"userid\""),
        ("{\"userid\"", "{\"external_userid\":\"wmA\",\"userid\""),
        ("\"uSeR_tIcKeT-ThatNobodyMaySee\"", "1"),
        ("\"errcode\":0", "\"errcode\":null"),
    ];
    assert_malformed(MEMBER_ANSWER, &member, login).await;
    let oversize = format!("\"{}\"", "a".repeat(65));
    assert_malformed(MEMBER_ANSWER, &[("\"ZhangSan\"", &oversize)], login).await;
    let outsider = [
        ("\"openid\"", "\"open_id\""),
        ("\"oAAAAbbbbCCCCddddEEEEffff012\"", "\"\""),
        ("\"oAAAAbbbbCCCCddddEEEEffff012\"", "\"o A\""),
        ("\"wmEAlECwAAHrbWYDOK5u3Af13xlY\"", "\"\""),
        ("\"wmEAlECwAAHrbWYDOK5u3Af13xlY\"", "{}"),
        ("\"wmEAlECwAAHrbWYDOK5u3Af13xlY\"", "\"张三\""),
        ("{\"errcode\"", "{\"OpenId\":\"oB\",\"errcode\""),
    ];
    assert_malformed(OUTSIDER_ANSWER, &outsider, login).await;
}

#[tokio::test]
async fn every_refusal_keeps_its_number_and_meaning() {
    let expected = [
        (40029, "invalid code", FailureKind::CodeInvalid),
        (40014, "invalid access_token", FailureKind::TokenInvalid),
        (42001, "access_token expired", FailureKind::TokenInvalid),
        (40001, "invalid credential", FailureKind::TokenInvalid),
        (50001, "redirect_url not registered", FailureKind::NotAllowed),
        (50003, "app disabled", FailureKind::NotAllowed),
        (50002, "not in scope", FailureKind::OutOfRange),
        (45033, "concurrency limit", FailureKind::RateLimited),
        (99999, "news", FailureKind::Other),
    ];
    for (code, errmsg, kind) in expected {
        let error = failure(&refusal(code, errmsg), login).await;
        assert_eq!((error.errcode(), error.kind()), (Some(code), kind));
        assert_eq!(error.explanation().is_some(), code != 99999);
        assert_eq!(error.refused_address(), None, "{code} is not about the address");
    }
}

#[tokio::test]
async fn an_untrusted_address_is_named() {
    let error = failure(&refusal(60020, "not allow to access from your ip"), login).await;
    assert_eq!(error.kind(), FailureKind::NotAllowed);
    assert_eq!(error.refused_address().unwrap().to_string(), "203.0.113.9");
    assert!(error.explanation().unwrap().zh.remedy.contains("企业可信IP"));
}

#[tokio::test]
async fn a_refusal_wins_over_a_member_beside_it() {
    let body = MEMBER_ANSWER.replace("\"errcode\":0", "\"errcode\":40029");
    assert_eq!(failure(&body, login).await.kind(), FailureKind::CodeInvalid);
}

#[tokio::test]
async fn a_refusal_that_echoes_our_secrets_is_cleaned() {
    let error = failure(&refusal(40029, &format!("invalid code {CORP_CODE} for {CORP_TOKEN}")), login).await;
    assert!(error.to_string().contains("invalid code [redacted] for [redacted]"), "{error}");
}

/// SEC-26: only a platform that says it is busy is asked again.
#[tokio::test]
async fn a_code_is_sent_once() {
    let busy = || Reply::text(&refusal(-1, "system busy"));
    let server = Server::start([busy(), Reply::text(MEMBER_ANSWER)]).await;
    assert!(login(client(&server)).await.is_ok());
    let server = Server::start([busy(), busy(), busy()]).await;
    assert_eq!(login(client(&server)).await.unwrap_err().kind(), FailureKind::Busy);
    assert_eq!(server.requests().len(), 2);

    let truncated = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"userid\":\"Zhang".to_vec();
    for reply in [Reply::HangUp, Reply::Bytes(truncated), Reply::http("502 Bad Gateway", "X: y", b"")] {
        let server = Server::start([reply, Reply::text(MEMBER_ANSWER)]).await;
        let error = login(client(&server)).await.unwrap_err();
        assert_eq!((error.kind(), server.requests().len()), (FailureKind::Unreachable, 1));
        assert_silent(&error);
    }
}

#[tokio::test]
async fn a_code_that_cannot_be_one_is_not_sent() {
    let server = Server::start([]).await;
    for code in ["", "a b", "码", "a\r\nb", &"a".repeat(513)] {
        let error = client(&server).corp_login(&corp_token(), code).await.unwrap_err();
        assert_eq!(error.kind(), FailureKind::CodeInvalid);
    }
    assert!(server.requests().is_empty());
}

const DETAIL: &str = r#"{"errcode":0,"errmsg":"ok","userid":"ZhangSan","gender":"1","avatar":"http://shp.qpic.cn/bizmp/xxx/0","qr_code":"https://open.work.weixin.qq.com/wwopen/userQRCode?vcode=v","mobile":"13800000000","email":"zhangsan@gzdev.com","biz_mail":"zhangsan@qyycs2.wecom.work","address":"广州市海珠区新港中路"}"#;

async fn detail(client: Client) -> Result<MemberDetail, Error> {
    client.member_detail(&corp_token(), &UserTicket::new(TICKET)).await
}

#[tokio::test]
async fn a_ticket_reads_what_was_agreed_to() {
    let server = Server::start([Reply::text(DETAIL)]).await;
    let detail = detail(client(&server)).await.unwrap();
    assert_eq!(detail.id, "zhangsan".parse().unwrap());
    assert_eq!(detail.mobile.as_deref(), Some("13800000000"));
    assert_eq!(detail.email.as_deref(), Some("zhangsan@gzdev.com"));
    assert_eq!(detail.biz_mail.as_deref(), Some("zhangsan@qyycs2.wecom.work"));
    assert_eq!(detail.address.as_deref(), Some("广州市海珠区新港中路"));
    assert_eq!(detail.avatar.as_ref().unwrap().host_str(), Some("shp.qpic.cn"));
    assert!(detail.qr_code.is_some());
    assert!(!format!("{detail:?}").contains("138"), "{detail:?}");
    let request = &server.whole_requests()[0];
    assert_eq!(
        request.line,
        format!(
            "POST /pretend/qyapi.weixin.qq.com/cgi-bin/auth/getuserdetail?access_token={CORP_TOKEN} HTTP/1.1"
        )
    );
    assert_eq!(request.json(), json!({ "user_ticket": TICKET }));
}

#[tokio::test]
async fn a_member_who_agreed_to_nothing_has_no_details() {
    let server =
        Server::start([Reply::text(r#"{"errcode":0,"userid":"ZhangSan","gender":"0","mobile":""}"#)]).await;
    let detail = detail(client(&server)).await.unwrap();
    assert!(detail.mobile.is_none() && detail.email.is_none() && detail.avatar.is_none());
}

#[tokio::test]
async fn a_dead_ticket_means_a_new_login() {
    for code in [84014, 84015] {
        let error = failure(&refusal(code, &format!("invalid ticket {TICKET}")), detail).await;
        assert_eq!(error.kind(), FailureKind::CodeInvalid);
    }
    assert_malformed(DETAIL, &[("\"ZhangSan\"", "\"\""), ("\"userid\"", "\"UserID\"")], detail).await;
}
