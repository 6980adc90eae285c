//! `/sns/userinfo`: nickname, picture, unionid (WeChat fact sheet §2.5).

use serde::Serialize;

use super::answer::{Errcode, Outcome, success};
use super::auth::live_grant;
use crate::hosts;
use crate::params::Params;
use crate::state::Sandbox;

/// The fields in their real order; since 2021 those between nickname and headimgurl are blank.
#[derive(Serialize)]
struct Answer {
    openid: String,
    nickname: String,
    sex: u8,
    language: &'static str,
    city: &'static str,
    province: &'static str,
    country: &'static str,
    headimgurl: String,
    privilege: [&'static str; 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    unionid: Option<String>,
}

/// A snapshot shows a made-up profile; a silent token (snsapi_base) shows none.
pub(super) fn read(sandbox: &Sandbox, params: &Params) -> Outcome {
    let grant = live_grant(sandbox, params)?;
    if grant.subject.scope == "snsapi_base" {
        return Err(Errcode::ApiUnauthorized);
    }
    let (nickname, headimgurl) = if grant.subject.virtual_person.is_some() {
        ("微信用户".to_owned(), avatar_url(sandbox, "/mmopen/vi_32/07000000000000000000000000000000/132"))
    } else {
        let world = sandbox.world();
        let person = world.people.get(&grant.subject.person).ok_or(Errcode::InvalidOpenid)?;
        let picture = person.avatar_path().map(|path| avatar_url(sandbox, &path)).unwrap_or_default();
        (person.nickname(), picture)
    };
    success(&Answer {
        openid: grant.subject.openid(sandbox.options()),
        nickname,
        sex: 0,
        language: "",
        city: "",
        province: "",
        country: "",
        headimgurl,
        privilege: [],
        unionid: grant.subject.unionid(sandbox.options()),
    })
}

fn avatar_url(sandbox: &Sandbox, path: &str) -> String {
    format!("{}/{}{path}", sandbox.options().public_base(), hosts::AVATARS)
}
