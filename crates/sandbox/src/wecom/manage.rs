//! `/sandbox/api/wecom`: an administrator's console for scripts. Described in `templates/api.md`.

use std::net::IpAddr;

use axum::extract::{Path, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::corp::{Agent, Corp, Member, MemberStatus, Visible};
use super::directory::openid;
use super::identity::external_userid;
use super::news::{self, Change};
use crate::api::{Answered, Body, Refused};
use crate::events::{Batch, EventTarget, Flaw};
use crate::state::Sandbox;

/// The longest life that a script may give an app token, in seconds.
const LONGEST_TOKEN_S: i64 = 7200;

/// Below `/sandbox/api/wecom`.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/corps", get(corps))
        .route("/corps/{corpid}", post(change_corp))
        .route("/corps/{corpid}/agents/{agentid}", post(change_agent))
        .route("/corps/{corpid}/members", post(add_member))
        .route("/corps/{corpid}/members/{userid}", post(change_member))
        .route("/corps/{corpid}/events", post(set_events))
        .route("/deliveries", get(deliveries))
        .route("/events/deliver", post(deliver))
        .route("/tokens", post(tokens))
}

fn unknown(what: &str) -> Refused {
    Refused::new(
        StatusCode::NOT_FOUND,
        "unknown",
        format!("no such {what}; GET /sandbox/api/wecom/corps lists them"),
    )
}

fn bad(message: &str) -> Refused {
    Refused::new(StatusCode::BAD_REQUEST, "bad_request", message)
}

async fn corps(State(sandbox): State<Sandbox>) -> Json<Value> {
    let world = sandbox.world();
    let list: Vec<_> = world.office.corps.iter().map(|corp| described(&sandbox, corp)).collect();
    Json(json!({ "corps": list }))
}

/// A company without its secrets, with the names by which a site knows everybody.
fn described(sandbox: &Sandbox, corp: &Corp) -> Value {
    let members = corp.members.iter().map(|member| {
        let mut shown = json!(member);
        shown["openid"] = openid(sandbox, &corp.corpid, member).into();
        shown
    });
    let customers = corp
        .customers
        .iter()
        .map(|person| json!({ "person": person, "external_userid": external_userid(sandbox, corp, person) }));
    json!({
        "corpid": corp.corpid,
        "name": corp.name,
        "dissolved": corp.dissolved,
        "departments": corp.departments,
        "agents": corp.agents.iter().map(shown_agent).collect::<Vec<_>>(),
        "members": members.collect::<Vec<_>>(),
        "customers": customers.collect::<Vec<_>>(),
    })
}

fn shown_agent(agent: &Agent) -> Value {
    json!({
        "agentid": agent.agentid, "name": agent.name, "enabled": agent.enabled, "visible": agent.visible,
        "private_fields": agent.private_fields, "trusted_domains": agent.trusted_domains,
        "trusted_ips": agent.trusted_ips,
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CorpChange {
    dissolved: bool,
}

async fn change_corp(
    State(sandbox): State<Sandbox>,
    Path(corpid): Path<String>,
    body: Body<CorpChange>,
) -> Answered {
    let Json(change) = body?;
    let mut world = sandbox.world();
    let corp = world.office.corp_mut(&corpid).ok_or_else(|| unknown("corp"))?;
    corp.dissolved = change.dissolved;
    Ok(Json(described(&sandbox, corp)))
}

/// Absent fields stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgentChange {
    enabled: Option<bool>,
    visible: Option<Visible>,
    private_fields: Option<bool>,
    trusted_domains: Option<Vec<String>>,
    trusted_ips: Option<Vec<IpAddr>>,
}

async fn change_agent(
    State(sandbox): State<Sandbox>,
    Path((corpid, agentid)): Path<(String, u32)>,
    body: Body<AgentChange>,
) -> Answered {
    let Json(change) = body?;
    let mut world = sandbox.world();
    let corp = world.office.corp_mut(&corpid).ok_or_else(|| unknown("corp"))?;
    let found = corp.agents.iter_mut().find(|agent| agent.agentid == agentid);
    let agent = found.ok_or_else(|| unknown("agent"))?;
    agent.enabled = change.enabled.unwrap_or(agent.enabled);
    agent.private_fields = change.private_fields.unwrap_or(agent.private_fields);
    if let Some(visible) = change.visible {
        agent.visible = visible;
    }
    if let Some(domains) = change.trusted_domains {
        agent.trusted_domains = domains;
    }
    if let Some(addresses) = change.trusted_ips {
        agent.trusted_ips = addresses;
    }
    Ok(Json(shown_agent(agent)))
}

/// Adds a member, whose id may have been that of somebody who left, and answers when the company's server, if there is one, has
/// been told.
async fn add_member(
    State(sandbox): State<Sandbox>,
    Path(corpid): Path<String>,
    body: Body<Member>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let Json(member) = body?;
    added_member(&sandbox, &corpid, &member)?;
    let change = Change::CreateUser { userid: member.userid.clone() };
    let event = news::tell(&sandbox, &corpid, change).await;
    let mut shown = json!(member);
    shown["event"] = json!(event);
    Ok((StatusCode::CREATED, Json(shown)))
}

fn added_member(sandbox: &Sandbox, corpid: &str, member: &Member) -> Result<(), Refused> {
    let mut world = sandbox.world();
    if world.people.get(&member.person).is_none() {
        return Err(Refused::no_person());
    }
    let corp = world.office.corp_mut(corpid).ok_or_else(|| unknown("corp"))?;
    let is_there = |member: &Member| member.status != MemberStatus::Left;
    check_userid(corp, &member.userid, is_there)?;
    check_departments(corp, &member.departments)?;
    corp.members.retain(|other| is_there(other) || !other.userid.eq_ignore_ascii_case(&member.userid));
    corp.members.push(member.clone());
    Ok(())
}

/// Well formed (§1), and not one of those `others`, whatever the case.
fn check_userid(corp: &Corp, userid: &str, others: impl Fn(&Member) -> bool) -> Result<(), Refused> {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-@.".contains(&byte);
    let first = userid.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric);
    if !first || userid.len() > 64 || !userid.bytes().all(inner) {
        return Err(bad("a userid is 1 to 64 of a-z, A-Z, 0-9, _ - @ ., the first a letter or digit"));
    }
    let taken = |member: &Member| others(member) && member.userid.eq_ignore_ascii_case(userid);
    if corp.members.iter().any(taken) {
        return Err(Refused::new(StatusCode::CONFLICT, "taken", "this userid is taken"));
    }
    Ok(())
}

fn check_departments(corp: &Corp, ids: &[u32]) -> Result<(), Refused> {
    let exists = |id: &u32| corp.departments.iter().any(|department| department.id == *id);
    if ids.is_empty() || !ids.iter().all(exists) {
        return Err(bad("departments names at least one, and only those that exist"));
    }
    Ok(())
}

/// Absent fields stay as they are.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberChange {
    /// WeCom lets it change once; here as often as wanted.
    userid: Option<String>,
    name: Option<String>,
    departments: Option<Vec<u32>>,
    status: Option<MemberStatus>,
    no_wechat: Option<bool>,
}

/// Changes a member, and answers when the company's server, if there is one, has been told.
async fn change_member(
    State(sandbox): State<Sandbox>,
    Path((corpid, userid)): Path<(String, String)>,
    body: Body<MemberChange>,
) -> Answered {
    let Json(change) = body?;
    let (before, after) = changed_member(&sandbox, &corpid, &userid, change)?;
    let event = match Change::between(&before, &after) {
        Some(change) => news::tell(&sandbox, &corpid, change).await,
        None => None,
    };
    let mut shown = json!(after);
    shown["event"] = json!(event);
    Ok(Json(shown))
}

fn changed_member(
    sandbox: &Sandbox,
    corpid: &str,
    userid: &str,
    change: MemberChange,
) -> Result<(Member, Member), Refused> {
    let mut world = sandbox.world();
    let corp = world.office.corp_mut(corpid).ok_or_else(|| unknown("corp"))?;
    if let Some(departments) = &change.departments {
        check_departments(corp, departments)?;
    }
    let same = |member: &Member| member.userid.eq_ignore_ascii_case(userid);
    if let Some(wanted) = &change.userid {
        check_userid(corp, wanted, |member| !same(member))?;
    }
    let member = corp.members.iter_mut().find(|member| same(member)).ok_or_else(|| unknown("member"))?;
    let before = member.clone();
    member.userid = change.userid.unwrap_or_else(|| before.userid.clone());
    member.name = change.name.unwrap_or_else(|| before.name.clone());
    member.departments = change.departments.unwrap_or_else(|| before.departments.clone());
    member.status = change.status.unwrap_or(before.status);
    member.no_wechat = change.no_wechat.unwrap_or(before.no_wechat);
    Ok((before, member.clone()))
}

/// Absent token and key are those of the demo.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    url: Url,
    token: Option<String>,
    aes_key: Option<String>,
}

/// Saves where directory events go, if the address passes verification.
async fn set_events(
    State(sandbox): State<Sandbox>,
    Path(corpid): Path<String>,
    body: Body<Settings>,
) -> Answered {
    let Json(Settings { url, token, aes_key }) = body?;
    let demo = EventTarget::demo(url);
    let target = EventTarget {
        token: token.unwrap_or_else(|| demo.token.clone()),
        aes_key: aes_key.unwrap_or_else(|| demo.aes_key.clone()),
        ..demo
    };
    let refused = |refusal| Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "url_not_verified", refusal);
    news::verify(&sandbox, &target, &corpid).await.map_err(refused)?;
    let mut world = sandbox.world();
    let corp = world.office.corp_mut(&corpid).ok_or_else(|| unknown("corp"))?;
    corp.events = Some(target);
    Ok(Json(json!({ "corpid": corpid, "verified": true })))
}

/// As `/sandbox/api/events/deliver` has it, about a member.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    corpid: String,
    change: Change,
    flaw: Option<Flaw>,
    times: Option<usize>,
    #[serde(default)]
    at_once: bool,
    #[serde(default)]
    replay: bool,
}

/// Sends an event of the script's making, each delivery once. The directory stays as it is.
async fn deliver(State(sandbox): State<Sandbox>, body: Body<Order>) -> Answered {
    let Json(Order { corpid, change, flaw, times, at_once, replay }) = body?;
    if sandbox.world().office.corp(&corpid).is_none() {
        return Err(unknown("corp"));
    }
    let no_target = || {
        let message = "this corp has no server; POST /sandbox/api/wecom/corps/{corpid}/events first";
        Refused::new(StatusCode::CONFLICT, "no_event_target", message)
    };
    let target = news::target(&sandbox, &corpid).ok_or_else(no_target)?;
    let send = |parcel| {
        let (sandbox, target) = (sandbox.clone(), target.clone());
        let (corpid, change) = (corpid.clone(), change.clone());
        async move { news::deliver_once(&sandbox, &target, &corpid, change, &parcel).await }
    };
    let pack = || news::pack(&sandbox, &target, &corpid, &change, flaw);
    let sent = Batch { times, at_once, replay }.send(pack, send).await?;
    Ok(Json(json!({ "deliveries": sent })))
}

async fn deliveries(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({ "deliveries": sandbox.world().office.deliveries }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tokens {
    /// All tokens end now, as if WeCom had withdrawn them: 40014.
    #[serde(default)]
    kill: bool,
    /// All tokens are over as by time: 42001.
    #[serde(default)]
    expire: bool,
    /// The life of tokens issued from now on.
    life_s: Option<i64>,
}

async fn tokens(State(sandbox): State<Sandbox>, body: Body<Tokens>) -> Answered {
    let Json(order) = body?;
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    if let Some(life) = order.life_s {
        if !(1..=LONGEST_TOKEN_S).contains(&life) {
            return Err(bad("life_s is 1 to 7200"));
        }
        world.office.token_ms = life * 1000;
    }
    let live: Vec<String> = world.office.tokens.iter().map(|(text, _)| text.clone()).collect();
    for text in &live {
        if order.kill {
            world.office.tokens.remove(text);
        } else if let Some(token) = world.office.tokens.get_mut(text).filter(|_| order.expire) {
            token.expires_ms = token.expires_ms.min(now);
        }
    }
    Ok(Json(json!({ "tokens": live.len(), "life_s": world.office.token_ms / 1000 })))
}
