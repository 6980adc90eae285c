//! Scan login: the new page, the old one, and the panel that both can be (WeCom fact sheet §2–§4).
//!
//! What the page does while it waits, and what it tells the page around it, is in `assets/wecom_login.js`.

use axum::extract::State;
use axum::response::Response;
use http::HeaderMap;
use http::header::REFERER;
use minijinja::context;

use super::corp::Agent;
use super::office::{Office, WebLogin};
use crate::hosts::{self, Reached};
use crate::open::QrLogin;
use crate::pages::{ASSETS, Policy};
use crate::params::Params;
use crate::state::Sandbox;
use crate::words::Lang;
use crate::{ids, phone};

/// Which page, and with that, on which host and how it speaks as a panel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    /// `/wwlogin/sso/login`, which `@wecom/jssdk` frames.
    New,
    /// `/wwopen/sso/qrConnect`, which the old `WwLogin` frames.
    Old,
}

impl Page {
    fn host(self) -> &'static str {
        match self {
            Self::New => hosts::LOGIN_WORK,
            Self::Old => hosts::OPEN_WORK,
        }
    }
}

/// Why there is no QR. Numbers and texts are those that `@wecom/jssdk` hands to `onLoginFail` (appendix of document
/// 98152, as one working integration quotes it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Problem {
    code: i32,
    text: &'static str,
}

const UNTRUSTED: Problem =
    Problem { code: -31020, text: "redirect_uri 与配置的登录授权回调域名不一致" };
const NO_CORP: Problem = Problem { code: -31027, text: "appid 参数错误" };
const NO_AGENT: Problem = Problem { code: -31028, text: "agentid 参数错误" };
const FOREIGN_PAGE: Problem = Problem { code: -31033, text: "校验请求来源错误" };
const NO_REDIRECT: Problem = Problem { code: -31035, text: "redirect_uri 不能为空" };
const SWITCHED_OFF: Problem = Problem { code: -31037, text: "appid 非登录授权应用" };
const BAD_TYPE: Problem = Problem { code: -31040, text: "login_type 参数错误" };

/// `/wwlogin/sso/login`
pub(super) async fn show_new(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    headers: HeaderMap,
    params: Params,
) -> Response {
    show(&sandbox, &reached, &headers, &params, Page::New)
}

/// `/wwopen/sso/qrConnect`
pub(super) async fn show_old(
    State(sandbox): State<Sandbox>,
    reached: Reached,
    headers: HeaderMap,
    params: Params,
) -> Response {
    show(&sandbox, &reached, &headers, &params, Page::Old)
}

fn show(sandbox: &Sandbox, reached: &Reached, headers: &HeaderMap, params: &Params, page: Page) -> Response {
    // §3: without `lang`, the old page asks the browser.
    let lang = match Lang::parse(params.get("lang")) {
        Some(lang) => lang,
        None if page == Page::Old => Lang::accepted(headers),
        None => Lang::Zh,
    };
    let base = reached.base(page.host());
    let begun = begin(sandbox, params, page, headers);
    let (login, problem) = match begun {
        Ok(login) => (login, None),
        Err(problem) => (Begun::default(), Some(problem)),
    };
    let context = context! {
        app_name => login.app_name,
        key => &login.key,
        base => &base,
        confirm => confirm_url(sandbox, &login.key),
        phone => format!("{}{}?app=wecom&open=", sandbox.options().public_base(), phone::HOME),
        state => params.get("state"),
        panel => panel(params, page),
        redirect_type => redirect_type(params),
        small => params.get("panel_size") == "small",
        href => style_sheet(params.get("href")),
        problem_code => problem.map_or(0, |problem| problem.code),
        problem => problem.map_or("", |problem| problem.text),
    };
    let assets = format!("{base}{ASSETS}");
    sandbox.pages().show("wecom_login.html", lang, Policy::Embeddable, &assets, context)
}

/// What the page around a panel speaks: `@wecom/jssdk` sends its version, the old script `login_type=jssdk`.
fn panel(params: &Params, page: Page) -> &'static str {
    match page {
        Page::New if params.has("version") || params.has("redirect_type") => "jssdk",
        Page::Old if params.get("login_type") == "jssdk" => "wwlogin",
        _ => "",
    }
}

/// §4a: `top` unless something else is asked for.
fn redirect_type(params: &Params) -> &'static str {
    match params.get("redirect_type") {
        "callback" => "callback",
        "self" => "self",
        _ => "top",
    }
}

/// A login that has begun.
#[derive(Default)]
struct Begun {
    key: String,
    app_name: String,
}

fn begin(sandbox: &Sandbox, params: &Params, page: Page, headers: &HeaderMap) -> Result<Begun, Problem> {
    let key = ids::handle(sandbox.entropy());
    let now = sandbox.now_ms();
    let mut world = sandbox.world();
    let agent = check(&world.office, params, page)?;
    // Only a page of a trusted domain may be handed a code (§4a). The SDK's frame says where it is (policy "origin").
    let around = headers.get(REFERER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !panel(params, page).is_empty() && redirect_type(params) == "callback" && !agent.trusts(around) {
        return Err(FOREIGN_PAGE);
    }
    let begun = Begun { key: key.clone(), app_name: agent.name.clone() };
    let agentid = agent.agentid;
    let attempt = QrLogin::new(
        params.get("appid").to_owned(),
        params.get("redirect_uri").to_owned(),
        params.get("state").to_owned(),
        String::new(),
        now,
    );
    world.office.logins.insert(key, WebLogin { attempt, agentid });
    Ok(begun)
}

fn check<'a>(office: &'a Office, params: &Params, page: Page) -> Result<&'a Agent, Problem> {
    // The old page knows no login_type but the panel's; the new one demands it (§2).
    if page == Page::New && params.get("login_type") != "CorpApp" {
        return Err(BAD_TYPE);
    }
    let corp = office.corp(params.get("appid")).filter(|corp| !corp.dissolved).ok_or(NO_CORP)?;
    let agentid = params.get("agentid").parse().map_err(|_| NO_AGENT)?;
    let agent = corp.agent(agentid).ok_or(NO_AGENT)?;
    if params.get("redirect_uri").is_empty() {
        return Err(NO_REDIRECT);
    }
    if !agent.trusts(params.get("redirect_uri")) {
        return Err(UNTRUSTED);
    }
    if !agent.enabled {
        return Err(SWITCHED_OFF);
    }
    Ok(agent)
}

/// What the QR encodes, on the sandbox's own address.
pub(super) fn confirm_url(sandbox: &Sandbox, key: &str) -> String {
    format!("{}/{}{}?k={key}", sandbox.options().public_base(), hosts::OPEN_WORK, super::CONFIRM)
}

/// The style sheet a site may bring (§4b): a URL or a base64 `data:` one.
fn style_sheet(href: &str) -> &str {
    let allowed = ["https://", "http://", "data:text/css;base64,"];
    if allowed.iter().any(|start| href.starts_with(start)) { href } else { "" }
}
