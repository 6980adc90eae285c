//! OAuth inside WeCom: `open.weixin.qq.com/connect/oauth2/authorize` with a CorpID (WeCom fact sheet §5).
//!
//! `official::authorize` hands such a request over. snsapi_base is silent, snsapi_privateinfo asks.

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use minijinja::context;

use super::confirm::{notice, open_in_wecom};
use super::corp::{Agent, Corp};
use super::office::{Office, Scope};
use super::{CONSENT, DOMAIN_ERROR, callback_url};
use crate::faults::FaultName;
use crate::hosts::{self, Reached};
use crate::ids;
use crate::official::Opened;
use crate::open::Answer;
use crate::pages::{ASSETS, Policy};
use crate::params::{Params, QueryOrForm};
use crate::people::Person;
use crate::phone::{self, PhoneApp, PhoneLang};
use crate::state::{Sandbox, World};
use crate::words::Lang;

/// §5, in bytes.
const LONGEST_STATE: usize = 128;
/// A consent page that lay open for longer than a code lives is drawn anew.
const CONSENT_MS: i64 = 300_000;

/// A request that passed.
#[derive(Clone, Debug)]
struct Asked {
    corpid: String,
    agentid: Option<u32>,
    scope: Scope,
    /// The person is asked first.
    asks: bool,
    redirect_uri: String,
    state: String,
}

/// A consent page that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Consent {
    person: String,
    asked: Asked,
    expires_ms: i64,
}

/// Why there is an error page instead.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Refused {
    /// §5: a page of its own, at an address of its own.
    Domain,
    Text(&'static str),
}

/// Whether this appid is a company's.
pub(crate) fn is_corp(sandbox: &Sandbox, appid: &str) -> bool {
    sandbox.world().office.corp(appid).is_some()
}

/// The request as a browser makes it.
pub(crate) fn show(
    sandbox: &Sandbox,
    holder: Option<Person>,
    lang: Lang,
    headers: &HeaderMap,
    here: &str,
    params: &Params,
) -> Response {
    if phone::inside(sandbox, headers) != Some(PhoneApp::WeCom) {
        return open_in_wecom(sandbox, lang, here);
    }
    let Some(person) = holder else { return phone::ask_who(here) };
    let asked = match check(&mut sandbox.world(), params, &person.id) {
        Ok(asked) => asked,
        Err(Refused::Domain) => {
            let uri = phone::encoded(&[("err_type", "domain_err"), ("uri", params.get("redirect_uri"))]);
            return phone::found(&format!("/{}{DOMAIN_ERROR}?{uri}", hosts::OPEN_WORK));
        }
        Err(Refused::Text(text)) => return error_page(sandbox, lang, text),
    };
    if !asked.asks {
        return go(sandbox, lang, allow(sandbox, &asked, &person));
    }
    let handle = ids::handle(sandbox.entropy());
    let expires_ms = sandbox.now_ms() + CONSENT_MS;
    let mut world = sandbox.world();
    let (corp_name, app_name) = names(&world.office, &asked);
    world.office.consents.insert(handle.clone(), Consent { person: person.id.clone(), asked, expires_ms });
    drop(world);
    let page = context! {
        app_name,
        corp_name,
        person => phone::shown(&person),
        action => format!("/{}{CONSENT}", hosts::OPEN_WORK),
        name => "consent",
        value => handle,
        asks => "private",
    };
    phone::page(sandbox, lang, "wecom_confirm.html", page)
}

fn names(office: &Office, asked: &Asked) -> (String, String) {
    let corp = office.corp(&asked.corpid);
    let agent = corp.zip(asked.agentid).and_then(|(corp, agentid)| corp.agent(agentid));
    (
        corp.map(|corp| corp.name.clone()).unwrap_or_default(),
        agent.map(|a| a.name.clone()).unwrap_or_default(),
    )
}

/// A whole authorization without a browser, for the script API. `None`: there was nothing to deny.
pub(crate) fn answer_request(
    sandbox: &Sandbox,
    query: &str,
    person: &Person,
    answer: Answer,
) -> Option<Opened> {
    let params = Params::parse(query.as_bytes());
    let asked = match check(&mut sandbox.world(), &params, &person.id) {
        Ok(asked) => asked,
        Err(Refused::Domain) => return Some(Opened::Error(DOMAIN_TEXT)),
        Err(Refused::Text(text)) => return Some(Opened::Error(text)),
    };
    match answer {
        Answer::Deny if !asked.asks => None,
        Answer::Deny => Some(deny(sandbox, &asked)),
        Answer::Allow => Some(allow(sandbox, &asked, person)),
    }
}

/// The consent page's answer. It counts once, and only from the person who was asked.
pub(super) async fn submit(
    State(sandbox): State<Sandbox>,
    phone::Holder(holder): phone::Holder,
    PhoneLang(lang): PhoneLang,
    QueryOrForm(params): QueryOrForm,
) -> Response {
    let Some(answer) = Answer::parse(params.get("answer")) else {
        return phone::bad_request("answer is allow or deny");
    };
    let consent = {
        let mut world = sandbox.world();
        let consents = &mut world.office.consents;
        let asked = consents.get(params.get("consent"));
        let own = asked.zip(holder.as_ref()).is_some_and(|(consent, person)| consent.person == person.id);
        if own { consents.remove(params.get("consent")) } else { None }
    };
    let live = consent.filter(|consent| sandbox.now_ms() < consent.expires_ms);
    let (Some(consent), Some(person)) = (live, holder) else { return notice(&sandbox, lang, "expired") };
    let opened = match answer {
        Answer::Allow => allow(&sandbox, &consent.asked, &person),
        Answer::Deny => deny(&sandbox, &consent.asked),
    };
    go(&sandbox, lang, opened)
}

fn go(sandbox: &Sandbox, lang: Lang, opened: Opened) -> Response {
    match opened {
        Opened::Redirect { url, twice } => phone::back_to_site(sandbox, lang, &url, twice),
        Opened::Closed => notice(sandbox, lang, "denied"),
        Opened::Error(text) => error_page(sandbox, lang, text),
    }
}

fn check(world: &mut World, params: &Params, person: &str) -> Result<Asked, Refused> {
    let refuse = |text| Err(Refused::Text(text));
    let corp = world.office.corp(params.get("appid")).filter(|corp| !corp.dissolved);
    let Some(corp) = corp else { return refuse("appid 参数错误：企业不存在") };
    if params.get("response_type") != "code" {
        return refuse("response_type 参数错误");
    }
    let agentid: Option<u32> = params.get("agentid").parse().ok();
    let agent = agentid.and_then(|agentid| corp.agent(agentid));
    if params.has("agentid") && agent.is_none() {
        return refuse("agentid 参数错误：应用不存在");
    }
    let scope = match params.get("scope") {
        "snsapi_base" => (Scope::Base, false),
        // Silent, as it was before consent was asked for (§5).
        "snsapi_userinfo" => (Scope::Private, false),
        "snsapi_privateinfo" => (Scope::Private, true),
        _ => return refuse("scope 参数错误"),
    };
    // Without an agentid any app of the company may trust the domain, and the consent is not asked for (§5).
    if !trusting(corp, agent).any(|agent| agent.trusts(params.get("redirect_uri"))) {
        return Err(Refused::Domain);
    }
    if agent.is_some_and(|agent| !agent.enabled) {
        return refuse("应用已被停用");
    }
    let (scope, asks) = if agent.is_some() { scope } else { (Scope::Base, false) };
    let seen = |agent: &Agent| corp.active(person).is_none_or(|member| corp.sees(agent, member));
    if asks && !agent.is_some_and(seen) {
        return refuse("你不在该应用的可见范围内，请联系管理员");
    }
    let state = params.get("state");
    if state.len() > LONGEST_STATE {
        return refuse("state 参数过长");
    }
    let asked = Asked {
        corpid: corp.corpid.clone(),
        agentid,
        scope,
        asks,
        redirect_uri: params.get("redirect_uri").to_owned(),
        state: state.to_owned(),
    };
    warn(world, params);
    Ok(asked)
}

fn trusting<'a>(corp: &'a Corp, agent: Option<&'a Agent>) -> impl Iterator<Item = &'a Agent> {
    let all = if agent.is_none() { corp.agents.as_slice() } else { &[] };
    agent.into_iter().chain(all)
}

/// What WeCom documents and clients get away with.
fn warn(world: &mut World, params: &Params) {
    if !params.get("state").bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        world
            .warn("connect/oauth2/authorize of a corp: state has other characters than a-zA-Z0-9".to_owned());
    }
    if params.get("scope") == "snsapi_privateinfo" && !params.has("agentid") {
        world.warn("snsapi_privateinfo without agentid is treated as snsapi_base".to_owned());
    }
}

fn allow(sandbox: &Sandbox, asked: &Asked, person: &Person) -> Opened {
    let mut guard = sandbox.world();
    let world = &mut *guard;
    let mut due = |fault| world.faults.take_browser(fault, &asked.corpid).is_some();
    let (without_code, twice) = (due(FaultName::CallbackWithoutCode), due(FaultName::DuplicateCallback));
    let code = (!without_code).then(|| {
        let (entropy, now) = (sandbox.entropy(), sandbox.now_ms());
        world.office.issue_code(&asked.corpid, asked.agentid, &person.id, asked.scope, entropy, now)
    });
    Opened::Redirect { url: callback_url(&asked.redirect_uri, &asked.state, code.as_deref()), twice }
}

/// The page stays, as WeChat's does; with the fault switch, back with `state` only.
fn deny(sandbox: &Sandbox, asked: &Asked) -> Opened {
    if sandbox.world().faults.take_browser(FaultName::DenyRedirect, &asked.corpid).is_some() {
        let url = callback_url(&asked.redirect_uri, &asked.state, None);
        return Opened::Redirect { url, twice: false };
    }
    Opened::Closed
}

const DOMAIN_TEXT: &str = "redirect_uri 需使用应用可信域名";

/// `/wwopen/uriconfirm?err_type=domain_err`: where a domain that is not trusted ends (§5).
pub(super) async fn domain_error(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    PhoneLang(lang): PhoneLang,
    params: Params,
) -> Response {
    if params.get("err_type") != "domain_err" {
        return http_not_found();
    }
    let assets = format!("{}{ASSETS}", reached.base(hosts::OPEN_WORK));
    let text = format!("{DOMAIN_TEXT}：{}", params.get("uri"));
    sandbox.pages().show("error.html", lang, Policy::Embeddable, &assets, context! { text })
}

fn http_not_found() -> Response {
    use axum::response::IntoResponse as _;
    (StatusCode::NOT_FOUND, "sandbox · 仿真环境: nothing is played here\n").into_response()
}

fn error_page(sandbox: &Sandbox, lang: Lang, text: &str) -> Response {
    let assets = format!("/{}{ASSETS}", hosts::OPEN_WORK);
    sandbox.pages().show("error.html", lang, Policy::Embeddable, &assets, context! { text })
}
