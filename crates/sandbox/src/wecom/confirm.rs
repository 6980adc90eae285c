//! `/wwopen/sso/confirm2`: what the phone shows after WeCom scanned a login QR (WeCom fact sheet §2).
//!
//! Opening it is the scan. A refusal ends the attempt: the browser goes back with `state` only.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::{Value, context};
use thiserror::Error;

use super::office::{Office, Scope};
use super::{CONFIRM, callback_url};
use crate::faults::FaultName;
use crate::hosts::{self, Reached};
use crate::open::{Answer, Callback, Refusal};
use crate::params::{Params, QueryOrForm};
use crate::phone::{self, Holder, PhoneApp, PhoneLang};
use crate::state::Sandbox;
use crate::words::Lang;

/// Why the phone may not do that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Declined {
    #[error("{0}")]
    Attempt(#[from] Refusal),
    #[error("this member is outside the app's visible range")]
    OutOfRange,
    #[error("the app has been switched off")]
    SwitchedOff,
}

/// Whether a key is one of ours: the script API has one call for both kinds of QR.
pub(crate) fn knows(sandbox: &Sandbox, key: &str) -> bool {
    sandbox.world().office.logins.get(key).is_some()
}

/// The stage of an attempt in one word, and the corp it is for.
pub(crate) fn stage(sandbox: &Sandbox, key: &str) -> Option<(&'static str, String)> {
    let now = sandbox.now_ms();
    let world = sandbox.world();
    let attempt = &world.office.logins.get(key)?.attempt;
    Some((attempt.stage_name(now), attempt.appid.clone()))
}

/// A person's WeCom opened the QR. Returns the name of the app that asks.
pub(crate) fn scan(sandbox: &Sandbox, key: &str, person: &str) -> Result<String, Declined> {
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    let office = &mut world.office;
    office.logins.get_mut(key).ok_or(Refusal::Unknown)?.attempt.scan(person, now)?;
    in_range(office, key, person)
}

/// A member outside the visible range gets a message on the phone, and nothing returns to the site (§2). Who is no
/// member at all may go on: the site learns an openid.
fn in_range(office: &Office, key: &str, person: &str) -> Result<String, Declined> {
    let login = office.logins.get(key).ok_or(Refusal::Unknown)?;
    let (corp, agent) = office.agent(&login.attempt.appid, login.agentid).ok_or(Refusal::Unknown)?;
    if !agent.enabled {
        return Err(Declined::SwitchedOff);
    }
    if corp.active(person).is_some_and(|member| !corp.sees(agent, member)) {
        return Err(Declined::OutOfRange);
    }
    Ok(agent.name.clone())
}

/// The scanner confirms or refuses. Returns the callback URL which the waiting page will open.
pub(crate) fn answer(sandbox: &Sandbox, key: &str, person: &str, answer: Answer) -> Result<String, Declined> {
    let now = sandbox.now_ms();
    let mut guard = sandbox.world();
    let world = &mut *guard;
    let login = world.office.logins.get(key).ok_or(Refusal::Unknown)?;
    login.attempt.check_answerable(person, now)?;
    let (corpid, agentid) = (login.attempt.appid.clone(), login.agentid);
    let (redirect_uri, state) = (login.attempt.redirect_uri.clone(), login.attempt.state.clone());
    let mut code = None;
    if answer == Answer::Allow {
        in_range(&world.office, key, person)?;
        if world.faults.take_browser(FaultName::CallbackWithoutCode, &corpid).is_none() {
            let issued = (corpid.as_str(), Some(agentid), person, Scope::Base);
            code =
                Some(world.office.issue_code(issued.0, issued.1, issued.2, issued.3, sandbox.entropy(), now));
        }
    }
    let redirect = callback_url(&redirect_uri, &state, code.as_deref());
    let allowed = answer == Answer::Allow;
    let twice = allowed && world.faults.take_browser(FaultName::DuplicateCallback, &corpid).is_some();
    let login = world.office.logins.get_mut(key).ok_or(Refusal::Unknown)?;
    login.attempt.finish(person, Callback { code, twice, allowed }, now)?;
    Ok(redirect)
}

/// The scan by hand.
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    Holder(holder): Holder,
    app: PhoneApp,
    PhoneLang(lang): PhoneLang,
    params: Params,
) -> Response {
    let key = params.get("k");
    let here = format!("/{}{CONFIRM}?{}", hosts::OPEN_WORK, phone::encoded(&[("k", key)]));
    if reached.is_virtual() {
        return Redirect::temporary(&format!("{}{here}", sandbox.options().public_base())).into_response();
    }
    if app != PhoneApp::WeCom {
        return open_in_wecom(&sandbox, lang, &here);
    }
    let Some(person) = holder else { return phone::ask_who(&here) };
    match scan(&sandbox, key, &person.id) {
        Ok(app_name) => {
            let page = context! {
                app_name,
                corp_name => corp_name(&sandbox, key),
                person => phone::shown(&person),
                action => format!("/{}{CONFIRM}", hosts::OPEN_WORK),
                name => "k",
                value => key,
                asks => "login",
            };
            phone::page(&sandbox, lang, "wecom_confirm.html", page)
        }
        Err(declined) => notice(&sandbox, lang, kind(declined)),
    }
}

fn corp_name(sandbox: &Sandbox, key: &str) -> String {
    let world = sandbox.world();
    let corpid = world.office.logins.get(key).map(|login| login.attempt.appid.as_str()).unwrap_or_default();
    world.office.corp(corpid).map(|corp| corp.name.clone()).unwrap_or_default()
}

/// Yes or no by hand.
pub(super) async fn submit(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    PhoneLang(lang): PhoneLang,
    QueryOrForm(params): QueryOrForm,
) -> Response {
    let Some(person) = holder else { return phone::ask_who(phone::HOME) };
    let Some(tapped) = Answer::parse(params.get("answer")) else {
        return phone::bad_request("answer is allow or deny");
    };
    match answer(&sandbox, params.get("k"), &person.id, tapped) {
        Ok(_) if tapped == Answer::Allow => notice(&sandbox, lang, "allowed"),
        Ok(_) => notice(&sandbox, lang, "denied"),
        Err(declined) => notice(&sandbox, lang, kind(declined)),
    }
}

/// The phone has WeChat in front: one tap opens WeCom instead.
pub(super) fn open_in_wecom(sandbox: &Sandbox, lang: Lang, here: &str) -> Response {
    let link = format!("{}?{}", phone::SWITCH_TO_WECOM, phone::encoded(&[("next", here)]));
    let notice = phone::notice(sandbox, lang, "open_in_wecom", Value::from(link));
    phone::page(sandbox, lang, "notice.html", notice)
}

pub(super) fn notice(sandbox: &Sandbox, lang: Lang, kind: &str) -> Response {
    phone::page(sandbox, lang, "notice.html", phone::notice(sandbox, lang, kind, Value::UNDEFINED))
}

/// The key of the texts for a refusal.
fn kind(declined: Declined) -> &'static str {
    match declined {
        Declined::Attempt(Refusal::Unknown | Refusal::Expired) => "expired",
        Declined::Attempt(Refusal::ScannedByOther) => "taken",
        Declined::Attempt(Refusal::NotScanned) => "not_scanned",
        Declined::Attempt(Refusal::Answered) => "answered",
        Declined::OutOfRange => "out_of_range",
        Declined::SwitchedOff => "app_off",
    }
}
