//! Members and departments.

use mashang_wechat::wecom::{Department, Member, MemberStatus};
use mashang_wechat::{Client, Error, FailureKind};

use super::{CORP_TOKEN, assert_malformed, corp_token, failure, refusal};
use crate::client;
use crate::server::{Reply, Server};

/// In the shape of WeCom fact sheet §8.
const MEMBER_ANSWER: &str = r#"{"errcode":0,"errmsg":"ok","userid":"zhangsan","name":"张三","department":[1,27],"order":[1,2],"position":"工程师","mobile":"13800000000","gender":"1","email":"zhangsan@gzdev.com","biz_mail":"zhangsan@qyycs2.wecom.work","is_leader_in_dept":[1,0],"direct_leader":["lisi"],"avatar":"http://wx.qlogo.cn/mmopen/x/0","telephone":"020-123456","alias":"jackzhang","main_department":27,"extattr":{"attrs":[{"type":0,"name":"a","text":{"value":"b"}}]},"status":1,"qr_code":"https://open.work.weixin.qq.com/x"}"#;

/// Asked for as `ZhangSan`, answered as `zhangsan`: the same person.
async fn member(client: Client) -> Result<Member, Error> {
    client.member(&corp_token(), &"ZhangSan".parse().expect("a valid userid")).await
}

async fn read(body: &str) -> Member {
    let server = Server::start([Reply::text(body)]).await;
    member(client(&server)).await.expect("a good answer")
}

#[tokio::test]
async fn a_member_is_read_whole() {
    let server = Server::start([Reply::text(MEMBER_ANSWER)]).await;
    let member = member(client(&server)).await.unwrap();
    let shown = format!("{member:?}");
    assert!(!shown.contains("138") && !shown.contains("zhangsan") && !shown.contains('张'), "{shown}");
    assert_eq!(member.id.as_str(), "zhangsan");
    assert_eq!(member.status, Some(MemberStatus::Active));
    assert_eq!(member.name.as_deref(), Some("张三"));
    assert_eq!(member.alias.as_deref(), Some("jackzhang"));
    assert_eq!(member.position.as_deref(), Some("工程师"));
    assert_eq!((member.departments, member.main_department), (vec![1, 27], Some(27)));
    assert_eq!(member.email.as_deref(), Some("zhangsan@gzdev.com"));
    assert_eq!(member.biz_mail.as_deref(), Some("zhangsan@qyycs2.wecom.work"));
    assert_eq!(member.mobile.as_deref(), Some("13800000000"));
    assert_eq!(member.avatar.unwrap().host_str(), Some("wx.qlogo.cn"));
    assert_eq!(
        server.requests(),
        [format!(
            "GET /pretend/qyapi.weixin.qq.com/cgi-bin/user/get?access_token={CORP_TOKEN}&userid=ZhangSan HTTP/1.1"
        )]
    );
}

#[tokio::test]
async fn a_member_of_whom_little_may_be_known_is_still_a_member() {
    let member = read(r#"{"errcode":0,"userid":"ZHANGSAN"}"#).await;
    assert!(member.name.is_none() && member.departments.is_empty() && member.status.is_none());
    let member =
        read(r#"{"errcode":0,"userid":"zhangsan","name":"","email":null,"mobile":7,"avatar":"javascript:a","main_department":0}"#)
            .await;
    assert!(member.name.is_none() && member.email.is_none() && member.mobile.is_none());
    assert!(member.avatar.is_none() && member.main_department.is_none());
}

#[tokio::test]
async fn a_broken_name_keeps_nobody_out() {
    let member = read(&MEMBER_ANSWER.replace("张三", "张\\ud83d")).await;
    assert_eq!(member.name.as_deref(), Some("张\u{FFFD}"));
}

#[tokio::test]
async fn who_left_or_was_switched_off_is_told() {
    for (number, status) in [
        ("2", MemberStatus::Disabled),
        ("4", MemberStatus::NotActivated),
        ("5", MemberStatus::Left),
        ("3", MemberStatus::Other(3)),
    ] {
        let member = read(&MEMBER_ANSWER.replace("\"status\":1", &format!("\"status\":{number}"))).await;
        assert_eq!(member.status, Some(status));
    }
}

/// SEC-27: another member above all.
#[tokio::test]
async fn every_mutation_of_a_member_is_malformed() {
    let mutations = [
        ("\"zhangsan\"", "\"lisi\""),
        ("\"zhangsan\"", "\"\""),
        ("\"userid\"", "\"UserID\""),
        ("\"status\":1", "\"status\":\"1\""),
        ("\"status\":1", "\"status\":null"),
        ("[1,27]", "[1,\"27\"]"),
        ("[1,27]", "[-1]"),
        ("[1,27]", "1"),
        ("[1,27]", "null"),
        (":27", ":-27"),
        (":27", ":\"27\""),
        ("{\"errcode\"", "{\"userid\":\"lisi\",\"errcode\""),
        ("}]}", "}]"),
    ];
    assert_malformed(MEMBER_ANSWER, &mutations, member).await;
}

#[tokio::test]
async fn a_member_out_of_sight_is_told_from_one_who_is_not_there() {
    for (code, kind) in [
        (60011, FailureKind::OutOfRange),
        (60111, FailureKind::UnknownMember),
        (40014, FailureKind::TokenInvalid),
        (48002, FailureKind::NotAllowed),
    ] {
        let error = failure(&refusal(code, "no privilege to access ZhangSan"), member).await;
        assert_eq!((error.errcode(), error.kind()), (Some(code), kind));
        assert!(error.explanation().is_some(), "{code}");
    }
}

#[tokio::test]
async fn a_passing_fault_is_tried_once_more() {
    let server = Server::start([Reply::HangUp, Reply::text(MEMBER_ANSWER)]).await;
    assert!(member(client(&server)).await.is_ok());
}

const DEPARTMENTS: &str = r#"{"errcode":0,"errmsg":"ok","department":[{"id":1,"name":"某公司","parentid":0,"order":1},{"id":27,"name":"研发","name_en":"RD","department_leader":["lisi"],"parentid":1,"order":10},{"id":28,"parentid":27}]}"#;

async fn departments(client: Client) -> Result<Vec<Department>, Error> {
    client.departments(&corp_token()).await
}

#[tokio::test]
async fn departments_are_listed_with_names_or_without() {
    let server = Server::start([Reply::text(DEPARTMENTS)]).await;
    let listed = departments(client(&server)).await.unwrap();
    let expected = [(1, None, Some("某公司")), (27, Some(1), Some("研发")), (28, Some(27), None)]
        .map(|(id, parent, name)| Department { id, parent, name: name.map(str::to_owned) });
    assert_eq!(listed, expected);
    assert_eq!(
        server.requests(),
        [format!(
            "GET /pretend/qyapi.weixin.qq.com/cgi-bin/department/list?access_token={CORP_TOKEN} HTTP/1.1"
        )]
    );
}

#[tokio::test]
async fn a_large_company_fits() {
    let many: Vec<String> = (1..=10_000)
        .map(|id| format!(r#"{{"id":{id},"name":"{}","parentid":1,"order":1}}"#, "某".repeat(16)))
        .collect();
    let body = format!(r#"{{"errcode":0,"department":[{}]}}"#, many.join(","));
    let server = Server::start([Reply::text(&body)]).await;
    assert_eq!(departments(client(&server)).await.unwrap().len(), 10_000);
    let server = Server::start([Reply::Flood]).await;
    assert_eq!(departments(client(&server)).await.unwrap_err().kind(), FailureKind::Malformed);
}

/// SEC-27.
#[tokio::test]
async fn every_mutation_of_a_list_is_malformed() {
    let mutations = [
        ("\"department\":[", "\"departments\":["),
        ("\"id\":27", "\"id\":1"),
        ("\"id\":27", "\"id\":\"27\""),
        ("\"id\":27", "\"id\":0"),
        ("{\"id\":28,\"parentid\":27}", "28"),
        ("{\"id\":28,\"parentid\":27}", "{}"),
    ];
    assert_malformed(DEPARTMENTS, &mutations, departments).await;
}
