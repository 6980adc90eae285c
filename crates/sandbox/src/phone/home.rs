//! `GET /phone`: the phone's page, and opening what it scanned.

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::header::SET_COOKIE;
use minijinja::{Value, context};

use super::app::PhoneApp;
use super::frame::{PhoneLang, ask_who, encoded, found, page, path_segment, shown_in};
use super::holder::Holder;
use super::inside::mark;
use super::reading::{Reading, read, scanned};
use super::{HOME, WHO};
use crate::hosts::Reached;
use crate::options::{App, AppKind};
use crate::params::Params;
use crate::state::Sandbox;
use crate::{mini, wecom};

/// Without `open`: the page. With it: the scanned link and one button; with `go=1` straight on.
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    Holder(holder): Holder,
    app: PhoneApp,
    PhoneLang(lang): PhoneLang,
    params: Params,
) -> Response {
    // A link beside a QR says which app must scan it.
    if let Some(wanted) = PhoneApp::parse(params.get("app")).filter(|wanted| *wanted != app) {
        let next = format!("{HOME}?{}", encoded(&[("open", params.get("open"))]));
        let switch = format!("{HOME}/app/{}?{}", wanted.name(), encoded(&[("next", &next)]));
        return Redirect::to(&switch).into_response();
    }
    let text = params.get("open").trim();
    // A tapped link is a link; only a scan may open a mini-program by a rule.
    let tapped = params.get("tapped");
    let reading = if tapped == "1" {
        read(text, sandbox.options(), reached.authority.as_ref(), app)
    } else {
        scanned(&sandbox, text, reached.authority.as_ref(), app, holder.as_ref())
    };
    let go_on = format!("{HOME}?{}", encoded(&[("open", text), ("tapped", tapped), ("go", "1")]));
    match (holder, &reading) {
        (None, Reading::NotALink) => ask_who(HOME),
        // Picking a person on the next page is the decision to open; no second tap.
        (None, _) => Redirect::to(&format!("{WHO}?{}", encoded(&[("next", &go_on), ("opening", text)])))
            .into_response(),
        (Some(_), Reading::Here(to) | Reading::Elsewhere(to)) if params.get("go") == "1" => {
            (AppendHeaders([(SET_COOKIE, mark(&sandbox, app))]), found(to)).into_response()
        }
        (Some(person), reading) => {
            let context = context! {
                person => shown_in(&sandbox.world(), app, &person),
                scanned => text,
                is_link => *reading != Reading::NotALink,
                heading => heading(reading),
                app => app.name(),
                accounts => accounts(&sandbox),
                go_on,
                who => WHO,
                home => HOME,
            };
            page(&sandbox, lang, "phone.html", context)
        }
    }
}

/// The key of the text that says what was scanned.
fn heading(reading: &Reading) -> &'static str {
    let Reading::Here(path) = reading else { return "scanned_link" };
    let path = path.split('?').next().unwrap_or_default();
    if path.starts_with(mini::CODES) {
        "scanned_mini"
    } else if path.ends_with(wecom::CONFIRM) {
        "scanned_wecom"
    } else if path.ends_with("/connect/confirm") {
        "scanned_login"
    } else if path.ends_with("/connect/oauth2/authorize") {
        "scanned_authorize"
    } else {
        "scanned_account"
    }
}

/// The official accounts, to follow and write to without a code.
fn accounts(sandbox: &Sandbox) -> Vec<Value> {
    let apps = sandbox.options().apps.iter().filter(|app| app.kind == AppKind::OfficialAccount);
    let entry = |app: &App| {
        let href = format!("{HOME}/chat/{}", path_segment(&app.appid));
        context! { name => &app.name, href }
    };
    apps.map(entry).collect()
}
