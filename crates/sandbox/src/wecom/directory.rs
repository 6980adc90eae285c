//! Members and departments as an app may see them (WeCom fact sheet §8).

use std::net::IpAddr;

use serde_json::{Value, json};

use super::answer::{Errcode, Outcome};
use super::calls::Access;
use super::corp::{Department, Member, MemberStatus};
use super::identity::{add_private, avatar};
use crate::ids;
use crate::params::Params;
use crate::state::Sandbox;

/// §8: at most this many ids in one page of `user/list_id`.
const MOST_IDS: u64 = 10_000;

/// `/cgi-bin/user/get`: 60111 for nobody, 60011 for somebody outside the visible range.
pub(super) fn user(sandbox: &Sandbox, params: &Params, caller: IpAddr) -> Outcome {
    let world = sandbox.world();
    let access = Access::check(&world.office, params.get("access_token"), caller, sandbox.now_ms())?;
    let agent = access.app()?;
    if params.get("userid").is_empty() {
        return Err(Errcode::UseridMissing);
    }
    let member = access.corp.member(params.get("userid")).ok_or(Errcode::NoSuchUser)?;
    if !access.corp.sees(agent, member) {
        return Err(Errcode::NoPrivilege);
    }
    let mut answer = json!({
        "userid": member.userid,
        "name": member.name,
        "department": member.departments,
        "order": vec![0; member.departments.len()],
        "position": member.position,
        "is_leader_in_dept": vec![0; member.departments.len()],
        "direct_leader": [],
        "telephone": "",
        "alias": "",
        "main_department": member.departments.first().copied().unwrap_or(1),
        "extattr": { "attrs": [] },
        "status": member.status.number(),
    });
    if agent.private_fields {
        answer["gender"] = "0".into();
        answer["avatar"] = avatar(sandbox, &world.people, member, true).into();
        answer["thumb_avatar"] = answer["avatar"].clone();
        add_private(&mut answer, member);
    }
    Ok(answer)
}

/// Which of the two department lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// `department/list`: with names; not for the contact-sync secret.
    Full,
    /// `department/simplelist`: ids only.
    Ids,
}

/// The departments in the visible range, all or those below `id`.
pub(super) fn departments(sandbox: &Sandbox, params: &Params, depth: Depth, caller: IpAddr) -> Outcome {
    let world = sandbox.world();
    let access = Access::check(&world.office, params.get("access_token"), caller, sandbox.now_ms())?;
    if depth == Depth::Full {
        access.app()?;
    }
    let seen = |department: &&Department| {
        access.agent.is_none_or(|agent| access.corp.sees_department(agent, department.id))
    };
    let below = below(access.corp, params.get("id"))?;
    let list = access.corp.departments.iter().filter(seen);
    let list = list.filter(|department| below.as_ref().is_none_or(|ids| ids.contains(&department.id)));
    let list: Vec<Value> = list
        .map(|department| match depth {
            Depth::Full => json!({
                "id": department.id, "name": department.name, "name_en": "", "department_leader": [],
                "parentid": department.parentid, "order": 100_000_000 - department.id,
            }),
            Depth::Ids => json!({
                "id": department.id, "parentid": department.parentid, "order": 100_000_000 - department.id,
            }),
        })
        .collect();
    Ok(match depth {
        Depth::Full => json!({ "department": list }),
        Depth::Ids => json!({ "department_id": list }),
    })
}

/// A department and all below it; `None` when no id was asked for.
fn below(corp: &super::corp::Corp, id: &str) -> Result<Option<Vec<u32>>, Errcode> {
    if id.is_empty() {
        return Ok(None);
    }
    let root: u32 = id.parse().map_err(|_| Errcode::BadParameter)?;
    let mut found = vec![root];
    let mut at = 0;
    while let Some(parent) = found.get(at).copied() {
        let children = corp.departments.iter().filter(|department| department.parentid == parent);
        let fresh: Vec<_> =
            children.map(|department| department.id).filter(|id| !found.contains(id)).collect();
        found.extend(fresh);
        at += 1;
    }
    Ok(Some(found))
}

/// `/cgi-bin/user/simplelist`: the members of one department.
pub(super) fn members(sandbox: &Sandbox, params: &Params, caller: IpAddr) -> Outcome {
    let world = sandbox.world();
    let access = Access::check(&world.office, params.get("access_token"), caller, sandbox.now_ms())?;
    let agent = access.app()?;
    let id: u32 = params.get("department_id").parse().map_err(|_| Errcode::BadParameter)?;
    if !access.corp.sees_department(agent, id) {
        return Err(Errcode::NoPrivilege);
    }
    let here = |member: &&Member| member.departments.contains(&id) && member.status != MemberStatus::Left;
    let list: Vec<Value> = access.corp.members.iter().filter(here).map(named).collect();
    Ok(json!({ "userlist": list }))
}

fn named(member: &Member) -> Value {
    json!({ "userid": member.userid, "name": member.name, "department": member.departments })
}

/// `/cgi-bin/user/list_id`: everybody's ids, for the contact-sync secret; the cursor is a position.
pub(super) fn ids_of_all(sandbox: &Sandbox, params: &Params, body: &Value, caller: IpAddr) -> Outcome {
    let world = sandbox.world();
    let access = Access::check(&world.office, params.get("access_token"), caller, sandbox.now_ms())?;
    if access.agent.is_some() {
        return Err(Errcode::ApiForbidden);
    }
    let limit = body["limit"].as_u64().unwrap_or(MOST_IDS);
    let from: usize = body["cursor"]
        .as_str()
        .filter(|cursor| !cursor.is_empty())
        .unwrap_or("0")
        .parse()
        .map_err(|_| Errcode::BadParameter)?;
    if !(1..=MOST_IDS).contains(&limit) {
        return Err(Errcode::BadParameter);
    }
    let there = access.corp.members.iter().filter(|member| member.status != MemberStatus::Left);
    let pairs: Vec<Value> = there
        .flat_map(|member| {
            member.departments.iter().map(|id| json!({ "userid": member.userid, "department": id }))
        })
        .collect();
    let to = pairs.len().min(from.saturating_add(limit as usize));
    let next_cursor = if to < pairs.len() { to.to_string() } else { String::new() };
    Ok(json!({ "next_cursor": next_cursor, "dept_user": pairs.get(from..to).unwrap_or_default() }))
}

/// `/cgi-bin/user/convert_to_openid`: 43004 for a member who never bound WeChat.
pub(super) fn to_openid(sandbox: &Sandbox, params: &Params, body: &Value, caller: IpAddr) -> Outcome {
    let world = sandbox.world();
    let access = Access::check(&world.office, params.get("access_token"), caller, sandbox.now_ms())?;
    let userid = body["userid"].as_str().filter(|userid| !userid.is_empty()).ok_or(Errcode::UseridMissing)?;
    let member = access.corp.member(userid).ok_or(Errcode::NoSuchUser)?;
    if access.agent.is_some_and(|agent| !access.corp.sees(agent, member)) {
        return Err(Errcode::NoPrivilege);
    }
    if member.no_wechat {
        return Err(Errcode::NoWechat);
    }
    Ok(json!({ "openid": openid(sandbox, &access.corp.corpid, member) }))
}

/// `/cgi-bin/user/convert_to_userid`: the reverse.
pub(super) fn to_userid(sandbox: &Sandbox, params: &Params, body: &Value, caller: IpAddr) -> Outcome {
    let world = sandbox.world();
    let access = Access::check(&world.office, params.get("access_token"), caller, sandbox.now_ms())?;
    let wanted = body["openid"].as_str().unwrap_or_default();
    let bound = |member: &&Member| !member.no_wechat && member.status != MemberStatus::Left;
    let mut members = access.corp.members.iter().filter(bound);
    let found = members.find(|member| openid(sandbox, &access.corp.corpid, member) == wanted);
    let member = found.ok_or(Errcode::NoSuchUser)?;
    if access.agent.is_some_and(|agent| !access.corp.sees(agent, member)) {
        return Err(Errcode::NoPrivilege);
    }
    Ok(json!({ "userid": member.userid }))
}

pub(super) fn openid(sandbox: &Sandbox, corpid: &str, member: &Member) -> String {
    ids::openid(&sandbox.options().platform_seed, corpid, &member.person)
}
