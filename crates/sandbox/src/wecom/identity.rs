//! Code → who it is, and user ticket → private fields (WeCom fact sheet §7). Two letter cases, one decision.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::answer::{Errcode, Outcome};
use super::calls::Access;
use super::corp::{Corp, Member};
use super::office::{Scope, UserTicket};
use crate::params::Params;
use crate::people::{People, Person};
use crate::state::Sandbox;
use crate::{hosts, ids};

/// Which of the two `getuserinfo`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Case {
    /// `auth/getuserinfo`: `userid`, `openid`.
    Lower,
    /// `user/getuserinfo`: `UserId`, `OpenId`, `DeviceId`.
    Mixed,
}

/// Spends a code. Any attempt with a live token of the right company burns it.
pub(super) fn by_code(sandbox: &Sandbox, params: &Params, case: Case, caller: IpAddr) -> Outcome {
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    let office = &mut world.office;
    let access = Access::check(office, params.get("access_token"), caller, now)?;
    let (corpid, agentid) = (access.corp.corpid.clone(), access.app()?.agentid);
    if params.get("code").is_empty() {
        return Err(Errcode::CodeMissing);
    }
    let code = office.codes.get_mut(params.get("code")).filter(|code| code.corpid == corpid);
    let code = code.ok_or(Errcode::BadCode)?;
    if !code.spend(now) {
        return Err(Errcode::BadCode);
    }
    let code = code.clone();
    if code.agentid.is_some_and(|of| of != agentid) {
        return Err(Errcode::OtherAppsCode);
    }
    let corp = office.corp(&corpid).ok_or(Errcode::BadToken)?;
    let Some(member) = corp.active(&code.person).cloned() else {
        return Ok(outsider(sandbox, corp, &code.person, case));
    };
    let in_range = corp.agent(agentid).is_some_and(|agent| corp.sees(agent, &member));
    let mut answer = match case {
        Case::Lower => json!({ "userid": member.userid }),
        Case::Mixed => json!({ "UserId": member.userid, "DeviceId": "" }),
    };
    if code.scope == Scope::Private && in_range {
        let (ticket, life) = office.issue_ticket(&corpid, agentid, &member, sandbox.entropy(), now);
        answer["user_ticket"] = ticket.into();
        if case == Case::Mixed {
            answer["expires_in"] = life.into();
        }
    }
    Ok(answer)
}

fn outsider(sandbox: &Sandbox, corp: &Corp, person: &str, case: Case) -> Value {
    let openid = ids::openid(&sandbox.options().platform_seed, &corp.corpid, person);
    let mut answer = match case {
        Case::Lower => json!({ "openid": openid }),
        Case::Mixed => json!({ "OpenId": openid, "DeviceId": "" }),
    };
    if corp.customers.iter().any(|customer| customer == person) {
        answer["external_userid"] = external_userid(sandbox, corp, person).into();
    }
    answer
}

/// The name of a customer: `wm` and 30 characters.
pub(super) fn external_userid(sandbox: &Sandbox, corp: &Corp, person: &str) -> String {
    format!("wm{}", ids::hex_key(&[&sandbox.options().platform_seed, "external", &corp.corpid, person], 30))
}

/// Which of the two `getuserdetail`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Detail {
    /// `auth/getuserdetail`: no name, gender as text.
    Auth,
    /// `user/getuserdetail`: with name and departments, gender as a number.
    User,
}

/// Reads private fields. Without the administrator's opt-in: gender 0 and the default picture, nothing else.
pub(super) fn by_ticket(
    sandbox: &Sandbox,
    params: &Params,
    body: &Value,
    detail: Detail,
    caller: IpAddr,
) -> Outcome {
    let now = sandbox.now_ms();
    let world = sandbox.world();
    let office = &world.office;
    let access = Access::check(office, params.get("access_token"), caller, now)?;
    let agent = access.app()?;
    let ticket = body["user_ticket"].as_str().and_then(|ticket| office.tickets.get(ticket));
    let own = |of: &&UserTicket| of.agentid == agent.agentid && of.corpid == access.corp.corpid;
    let ticket = ticket.filter(own).ok_or(Errcode::TicketInvalid)?;
    if now >= ticket.expires_ms {
        return Err(Errcode::TicketExpired);
    }
    let member = access.corp.member(&ticket.userid).ok_or(Errcode::NoSuchUser)?;
    let mut answer = json!({ "userid": member.userid, "avatar": avatar(sandbox, &world.people, member, agent.private_fields) });
    answer["gender"] = match detail {
        Detail::Auth => "0".into(),
        Detail::User => 0.into(),
    };
    if detail == Detail::User {
        answer["name"] = member.name.as_str().into();
        answer["department"] = json!(member.departments);
        answer["position"] = member.position.as_str().into();
    }
    if agent.private_fields {
        add_private(&mut answer, member);
    }
    Ok(answer)
}

/// Mobile and mail, which most apps never get (§8).
pub(super) fn add_private(answer: &mut Value, member: &Member) {
    for (name, value) in [("mobile", &member.mobile), ("email", &member.email), ("biz_mail", &member.email)] {
        if !value.is_empty() {
            answer[name] = value.as_str().into();
        }
    }
}

/// A member's picture, or the one everybody has who gave none.
pub(super) fn avatar(sandbox: &Sandbox, people: &People, member: &Member, own: bool) -> String {
    let path = people.get(&member.person).and_then(Person::avatar_path).filter(|_| own);
    let path = path.unwrap_or_else(|| "/mmopen/vi_32/07000000000000000000000000000000/0".to_owned());
    format!("{}/{}{path}", sandbox.options().public_base(), hosts::AVATARS)
}
