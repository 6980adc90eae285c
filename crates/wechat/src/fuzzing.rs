//! Every reader of a platform's answers, for fuzzing: any bytes may come back from a call (SEC-84). Not part of the API.

use std::fmt::Debug;

use crate::callback::Event;
use crate::error::Error;
use crate::ids::{AppId, OpenId};
use crate::mini::{code, link_rule, phone, session};
use crate::official::{follower, qr};
use crate::secret::AccessToken;
use crate::sns::{self, SnsToken};
use crate::wecom::{MemberId, department, detail, login, member};
use crate::{answer, token};

/// The openid of whoever is asked about.
pub const OPENID: &str = "oTestOpenId0000000000000000A";
/// The member who is asked about.
pub const MEMBER: &str = "zhangsan";
/// The mini-program that asks.
pub const APPID: &str = "wx0123456789abcdef";

/// What a reader made of an answer, as its `Debug` shows it.
pub type Outcome = Result<String, Error>;

/// Reads one body as the answer of every call there is, by name of the call.
#[must_use]
pub fn every_reader(body: &[u8]) -> Vec<(&'static str, Outcome)> {
    let openid: OpenId = OPENID.parse().expect("it is an openid");
    let member: MemberId = MEMBER.parse().expect("it is a userid");
    let appid: AppId = APPID.parse().expect("it is an appid");
    vec![
        ("exchange", shown(sns::read_token(body))),
        ("userinfo", shown(sns::read_user(body, &token_of(openid.clone())))),
        ("auth", shown(sns::read_auth(body))),
        ("stable_token", shown(answer::read("token", body).and_then(token::read_issued))),
        ("qrcode", shown(qr::read_qr(body))),
        ("user_info", shown(follower::read_follower(body, &openid))),
        ("jscode2session", shown(session::read_session(body))),
        ("phone_number", shown(phone::read_phone(body, &appid))),
        ("mini_code", shown(code::read_picture(body).map(|picture| (picture.bytes.len(), picture.kind)))),
        ("link_rule_done", shown(link_rule::read_done("link_rule", body))),
        ("link_rule_file", shown(link_rule::read_file(body))),
        ("link_rules", shown(link_rule::read_rules(body))),
        ("corp_login", shown(login::read_login(body))),
        ("member", shown(member::read_member(body, &member))),
        ("member_detail", shown(detail::read_detail(body))),
        ("departments", shown(department::read_departments(body))),
    ]
}

/// An event's names and texts, which otherwise only a name reaches.
pub fn fields(event: &Event) -> impl Iterator<Item = (&str, &str)> {
    event.fields()
}

fn shown<T: Debug>(read: Result<T, Error>) -> Outcome {
    read.map(|answer| format!("{answer:?}"))
}

fn token_of(openid: OpenId) -> SnsToken {
    SnsToken {
        access_token: AccessToken::new("70_TOKEN"),
        expires_in: std::time::Duration::from_secs(7200),
        refresh_token: None,
        openid,
        scope: Vec::new(),
        unionid: None,
        is_snapshot_user: false,
    }
}
