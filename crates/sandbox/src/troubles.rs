//! `/sandbox/troubles`: the faults as a page, for hands. Each fault has a form with only what can come due, so that nothing
//! impossible is ordered; what is on stands above, with how often it has happened.

use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use http::{HeaderMap, StatusCode};
use minijinja::{Value, context};
use serde_json::json;

use crate::faults::{Armed, FaultName, FaultOrder, OrderRefusal, Platform, Target};
use crate::params::QueryOrForm;
use crate::phone::{self, PhoneLang};
use crate::state::Sandbox;

const PATH: &str = "/sandbox/troubles";

/// On the sandbox's own origin.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new().route(PATH, get(show).post(submit))
}

async fn show(State(sandbox): State<Sandbox>, lang: PhoneLang) -> Response {
    page(&sandbox, lang, None)
}

/// Switches on what a fault's form says, or off: one of those that are on, or with no fault named, all.
async fn submit(
    State(sandbox): State<Sandbox>,
    lang: PhoneLang,
    headers: HeaderMap,
    QueryOrForm(params): QueryOrForm,
) -> Response {
    // The script API asks for JSON, which no other site's page may send. A form it may.
    if headers.get("sec-fetch-site").is_some_and(|from| from == "cross-site") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let given = |name: &str| Some(params.get(name)).filter(|text| !text.is_empty()).map(str::to_owned);
    let Ok(target) = serde_json::from_value::<Target>(json!(given("target").unwrap_or("all".to_owned())))
    else {
        return phone::bad_request("no such target");
    };
    let (fault, appid) = (given("fault"), given("appid"));
    let on = params.get("do") == "on";
    let named = FaultName::ALL.into_iter().find(|known| Some(known.name()) == fault.as_deref());
    let owner = appid.as_deref().and_then(|appid| sandbox.platform_of(appid));
    let outcome = match named {
        Some(named) if !on => {
            sandbox.world().faults.switch_off(named, target, appid.as_deref());
            Ok(())
        }
        _ => {
            let (ms, code) = (params.get("ms").parse().ok(), params.get("code").parse().ok());
            let remaining = params.get("remaining").parse().ok();
            let order = FaultOrder { fault, on, target, appid, remaining, ms, code };
            sandbox.world().faults.order(order, owner)
        }
    };
    match outcome {
        Ok(()) => Redirect::to(PATH).into_response(),
        Err(refusal) => page(&sandbox, lang, Some(refusal)),
    }
}

fn page(sandbox: &Sandbox, PhoneLang(lang): PhoneLang, refusal: Option<OrderRefusal>) -> Response {
    let status = if refusal.is_some() { StatusCode::BAD_REQUEST } else { StatusCode::OK };
    let (armed, warnings): (Vec<Armed>, Vec<String>) = {
        let world = sandbox.world();
        (world.faults.ordered().to_vec(), world.warnings().cloned().collect())
    };
    let context = context! {
        armed => armed.iter().filter(|one| one.remaining != Some(0)).map(shown).collect::<Vec<_>>(),
        faults => FaultName::ALL.into_iter().map(|fault| form(sandbox, fault)).collect::<Vec<_>>(),
        warnings,
        problem => refusal.map(|refusal| refusal.to_string()).unwrap_or_default(),
        action => PATH,
        home => phone::HOME,
    };
    (status, phone::page(sandbox, lang, "troubles.html", context)).into_response()
}

fn shown(armed: &Armed) -> Value {
    context! {
        fault => armed.fault.name(),
        target => word(armed.target),
        appid => armed.appid.as_deref().unwrap_or_default(),
        remaining => armed.remaining,
        ms => armed.ms,
        code => armed.code,
        fired => armed.fired,
    }
}

/// What a fault's form offers; `ms` and `code` are what its fields begin with.
fn form(sandbox: &Sandbox, fault: FaultName) -> Value {
    let options = sandbox.options();
    let apps = options.apps.iter().map(|app| (Platform::WeChat, app.appid.clone(), app.name.clone()));
    let corps = options.corps.iter().map(|corp| (Platform::WeCom, corp.corpid.clone(), corp.name.clone()));
    let suiting = apps.chain(corps).filter(|(platform, ..)| fault.suits(*platform));
    context! {
        name => fault.name(),
        targets => fault.targets().into_iter().map(word).collect::<Vec<_>>(),
        apps => suiting.map(|(_, appid, name)| context! { appid, name }).collect::<Vec<_>>(),
        ms => matches!(fault, FaultName::Slow | FaultName::SlowBefore).then_some(8000),
        code => match fault {
            FaultName::Errcode => Some(45009),
            FaultName::AuthorizeError => Some(10004),
            _ => None,
        },
    }
}

/// As orders name it.
fn word(target: Target) -> String {
    json!(target).as_str().unwrap_or_default().to_owned()
}
