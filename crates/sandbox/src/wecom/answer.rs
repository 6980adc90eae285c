//! The bytes of a `qyapi` answer, and the faults that may spoil them.

use std::borrow::Cow;
use std::net::IpAddr;

use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use serde_json::Value;

use crate::cgi::ApiError;
use crate::faults::At;
use crate::state::Sandbox;
use crate::{ids, spoil};

/// The errors of §11 that the sandbox itself gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errcode {
    BadSecret,
    BadCorpid,
    BadToken,
    BadCode,
    BadParameter,
    OtherCorpsSecret,
    TokenMissing,
    CorpidMissing,
    SecretMissing,
    CodeMissing,
    UseridMissing,
    TokenExpired,
    NoWechat,
    ApiForbidden,
    OtherAppsCode,
    AppDisabled,
    NoPrivilege,
    IpNotAllowed,
    NoSuchUser,
    TicketExpired,
    TicketInvalid,
    NoSuchCorp,
}

/// Errcodes that nothing but the fault `errcode` gives here; the texts follow the list's wording (§11).
const ONLY_BY_FAULT: [(i64, &str); 11] = [
    (-1, "system error"),
    (40056, "invalid agentid"),
    (40078, "invalid auth_code"),
    (41011, "missing agentid"),
    (45009, "api freq out of limit"),
    (45033, "api concurrent out of limit"),
    (48006, "api forbidden for too long without use"),
    (50002, "member not in the agent's scope"),
    (81013, "user & party & tag all invalid"),
    (85004, "too many changes of the domain this month"),
    (301_002, "not allow to operate another agent with this accesstoken"),
];

/// The text of an errcode that a script asked for: WeCom's own, as the same number may mean something else at WeChat.
fn text_of(number: i64) -> Cow<'static, str> {
    let given = Errcode::ALL.into_iter().map(Errcode::number_and_text);
    let known = given.chain(ONLY_BY_FAULT).find(|(known, _)| *known == number);
    known.map_or_else(|| ApiError::by_number(number).text, |(_, text)| Cow::Borrowed(text))
}

impl Errcode {
    const ALL: [Self; 22] = [
        Self::BadSecret,
        Self::BadCorpid,
        Self::BadToken,
        Self::BadCode,
        Self::BadParameter,
        Self::OtherCorpsSecret,
        Self::TokenMissing,
        Self::CorpidMissing,
        Self::SecretMissing,
        Self::CodeMissing,
        Self::UseridMissing,
        Self::TokenExpired,
        Self::NoWechat,
        Self::ApiForbidden,
        Self::OtherAppsCode,
        Self::AppDisabled,
        Self::NoPrivilege,
        Self::IpNotAllowed,
        Self::NoSuchUser,
        Self::TicketExpired,
        Self::TicketInvalid,
        Self::NoSuchCorp,
    ];

    /// The texts of 41001, 48002, 60020 and 40029 are those seen in the wild; the others follow the list's wording.
    fn number_and_text(self) -> (i64, &'static str) {
        match self {
            Self::BadSecret => (40001, "invalid credential"),
            Self::BadCorpid => (40013, "invalid corpid"),
            Self::BadToken => (40014, "invalid access_token"),
            Self::BadCode => (40029, "invalid code"),
            Self::BadParameter => (40058, "invalid Request Parameter"),
            Self::OtherCorpsSecret => (40091, "secret is invalid for this corp"),
            Self::TokenMissing => (41001, "access_token missing"),
            Self::CorpidMissing => (41002, "corpid missing"),
            Self::SecretMissing => (41004, "corpsecret missing"),
            Self::CodeMissing => (41008, "missing code"),
            Self::UseridMissing => (41009, "missing userid"),
            Self::TokenExpired => (42001, "access_token expired"),
            Self::NoWechat => (43004, "require contact relationship with wechat"),
            Self::ApiForbidden => (48002, "api forbidden"),
            Self::OtherAppsCode => (50001, "redirect_url is not registered as trusted domain"),
            Self::AppDisabled => (50003, "app disabled"),
            Self::NoPrivilege => (60011, "no privilege to access/modify contact/party/agent"),
            Self::IpNotAllowed => (60020, "not allow to access from your ip"),
            Self::NoSuchUser => (60111, "userid not found"),
            Self::TicketExpired => (84014, "user ticket expired"),
            Self::TicketInvalid => (84015, "invalid user ticket"),
            Self::NoSuchCorp => (2_000_002, "corpid not exist"),
        }
    }
}

/// A finished answer before it becomes bytes: the fields besides `errcode` and `errmsg`, which are put in front.
pub(super) type Outcome = Result<Value, Errcode>;

/// Does the work and sends it, with whatever fault is due for this call.
pub(super) async fn respond(
    sandbox: &Sandbox,
    at: At<'_>,
    caller: IpAddr,
    work: impl FnOnce() -> Outcome,
) -> Response {
    spoil::in_time(sandbox, at, || answered(sandbox, at, caller, work)).await
}

fn answered(sandbox: &Sandbox, at: At<'_>, caller: IpAddr, work: impl FnOnce() -> Outcome) -> Response {
    let json = match spoil::errcode(sandbox, at) {
        Some(number) => failure(sandbox, number, &text_of(number), caller),
        None => match work() {
            Ok(fields) => success(&fields),
            Err(errcode) => {
                let (number, text) = errcode.number_and_text();
                failure(sandbox, number, text, caller)
            }
        },
    };
    spoil::lost(sandbox, at).unwrap_or_else(|| {
        let json = spoil::cut(sandbox, at, json);
        ([(CONTENT_TYPE, "application/json; charset=UTF-8")], json).into_response()
    })
}

fn success(fields: &Value) -> String {
    let rest = fields.to_string();
    let joint = if rest == "{}" { "" } else { "," };
    format!(r#"{{"errcode":0,"errmsg":"ok"{joint}{}"#, &rest[1..])
}

/// §11: text, hint, the caller's address, and where to read more.
fn failure(sandbox: &Sandbox, number: i64, text: &str, caller: IpAddr) -> String {
    let hint = ids::hint(sandbox.entropy(), sandbox.now_ms());
    let more = format!("https://open.work.weixin.qq.com/devtool/query?e={number}");
    format!(
        r#"{{"errcode":{number},"errmsg":"{text}, hint: [{hint}], from ip: {caller}, more info at {more}"}}"#
    )
}
