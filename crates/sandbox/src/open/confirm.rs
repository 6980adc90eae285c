//! `/connect/confirm`: what the phone shows after it scanned an Open Platform QR.
//!
//! Opening it is the scan; 允许 and 拒绝 are posts. The script API does the same through [`scan`] and [`answer`].

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::{Value, context};
use serde::Deserialize;

use super::qr_login::{Callback, Refusal, callback_url};
use crate::faults::FaultName;
use crate::hosts::{self, Reached};
use crate::params::{Params, QueryOrForm};
use crate::phone::{self, Holder, PhoneLang};
use crate::state::Sandbox;

/// What the person tapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Answer {
    Allow,
    Deny,
}

impl Answer {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "allow" => Some(Self::Allow),
            "deny" => Some(Self::Deny),
            _ => None,
        }
    }
}

/// A person's phone opened the QR. Returns the name of the app that asks.
pub(crate) fn scan(sandbox: &Sandbox, uuid: &str, person: &str) -> Result<String, Refusal> {
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    let login = world.qr_logins.get_mut(uuid).ok_or(Refusal::Unknown)?;
    login.scan(person, now)?;
    Ok(sandbox.options().app(&login.appid).map(|app| app.name.clone()).unwrap_or_default())
}

/// The scanner allows or denies. Returns the callback URL which the waiting page will open, when it will.
pub(crate) fn answer(
    sandbox: &Sandbox,
    uuid: &str,
    person_id: &str,
    answer: Answer,
) -> Result<Option<String>, Refusal> {
    let now = sandbox.now_ms();
    let mut guard = sandbox.world();
    let world = &mut *guard;
    let login = world.qr_logins.get(uuid).ok_or(Refusal::Unknown)?;
    login.check_answerable(person_id, now)?;
    let (redirect_uri, state, scope) = (login.redirect_uri.clone(), login.state.clone(), login.scope.clone());
    let app = sandbox.options().app(&login.appid).ok_or(Refusal::Unknown)?;
    let person = world.people.get(person_id).cloned().ok_or(Refusal::NotScanned)?;

    let code = match answer {
        Answer::Allow => sandbox.issue_code(world, app, &person, &scope, false),
        Answer::Deny if world.faults.take_browser(FaultName::DenyRedirect, &app.appid).is_some() => None,
        Answer::Deny => {
            world.qr_logins.get_mut(uuid).ok_or(Refusal::Unknown)?.cancel(person_id, now)?;
            return Ok(None);
        }
    };
    let allowed = answer == Answer::Allow;
    let twice = allowed && world.faults.take_browser(FaultName::DuplicateCallback, &app.appid).is_some();
    let redirect = callback_url(&redirect_uri, &state, code.as_deref());
    let callback = Callback { code, twice, allowed };
    world.qr_logins.get_mut(uuid).ok_or(Refusal::Unknown)?.finish(person_id, callback, now)?;
    Ok(Some(redirect))
}

/// The scan by hand.
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    Holder(holder): Holder,
    PhoneLang(lang): PhoneLang,
    params: Params,
) -> Response {
    let uuid = params.get("uuid");
    let here = format!("/{}/connect/confirm?{}", hosts::OPEN, phone::encoded(&[("uuid", uuid)]));
    if reached.is_virtual() {
        return Redirect::temporary(&format!("{}{here}", sandbox.options().public_base())).into_response();
    }
    let Some(person) = holder else { return phone::ask_who(&here) };
    match scan(&sandbox, uuid, &person.id) {
        Ok(app_name) => {
            let page = context! {
                app_name,
                person => phone::shown(&person),
                action => format!("/{}/connect/confirm", hosts::OPEN),
                name => "uuid",
                value => uuid,
            };
            phone::page(&sandbox, lang, "consent.html", page)
        }
        Err(refusal) => notice(&sandbox, lang, refusal_notice(refusal)),
    }
}

/// 允许 or 拒绝 by hand.
pub(super) async fn submit(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    PhoneLang(lang): PhoneLang,
    QueryOrForm(params): QueryOrForm,
) -> Response {
    let uuid = params.get("uuid");
    let Some(person) = holder else {
        return phone::ask_who(phone::HOME);
    };
    let Some(tapped) = Answer::parse(params.get("answer")) else {
        return phone::bad_request("answer is allow or deny");
    };
    match answer(&sandbox, uuid, &person.id, tapped) {
        Ok(_) if tapped == Answer::Allow => notice(&sandbox, lang, "allowed"),
        Ok(_) => notice(&sandbox, lang, "denied"),
        Err(refusal) => notice(&sandbox, lang, refusal_notice(refusal)),
    }
}

fn notice(sandbox: &Sandbox, lang: crate::words::Lang, kind: &str) -> Response {
    phone::page(sandbox, lang, "notice.html", phone::notice(sandbox, lang, kind, Value::UNDEFINED))
}

/// The key of the texts for a refusal.
fn refusal_notice(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Unknown | Refusal::Expired => "expired",
        Refusal::ScannedByOther => "taken",
        Refusal::NotScanned => "not_scanned",
        Refusal::Answered => "answered",
    }
}
