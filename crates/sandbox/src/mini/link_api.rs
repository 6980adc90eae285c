//! `/cgi-bin/wxopen/qrcodejump…`: the rules for ordinary links (mini-program fact sheet §6).

use std::time::Duration;

use serde::{Deserialize, Serialize};
use url::Url;

use super::rules::{Rule, falls_under};
use super::world::Build;
use crate::cgi::{ApiError, Call, Outcome, error, ok, success};
use crate::ids;
use crate::options::{App, AppKind};
use crate::state::Sandbox;

const ILLEGAL_PREFIX: ApiError = ApiError::new(85066, "illegal prefix");
const BAD_TEST_LINK: ApiError = ApiError::new(85068, "test link is not under the rule");
const FILE_NOT_FOUND: ApiError = ApiError::new(85069, "check confirm file fail");
const ALREADY_ADDED: ApiError = ApiError::new(85071, "already added");
const TAKEN: ApiError = ApiError::new(85072, "taken by others");
const FULL: ApiError = ApiError::new(85073, "rules are full");
const NOT_RELEASED: ApiError = ApiError::new(85074, "mini program is not released");
const PUBLISHED_ENOUGH: ApiError = ApiError::new(886_000, "publish limit of this month");
const MOST_RULES: usize = 100;
const MOST_TEST_LINKS: usize = 5;
const MOST_PUBLISHED: u32 = 100;
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Deserialize)]
struct RuleBody {
    #[serde(default)]
    prefix: String,
    #[serde(default)]
    path: String,
    open_version: Option<u8>,
    permit_sub_rule: Option<u8>,
    #[serde(default)]
    debug_url: Vec<String>,
    #[serde(default)]
    is_edit: u8,
}

#[derive(Serialize)]
struct File {
    errcode: u8,
    errmsg: &'static str,
    file_name: String,
    file_content: String,
}

/// The verification file that must lie in the last directory of a rule.
pub(super) fn download(_: &Sandbox, app: &App, call: &Call) -> Outcome {
    check_kind(app)?;
    let _: serde_json::Value = call.json()?;
    let (file_name, file_content) = file(app);
    success(&File { errcode: 0, errmsg: "ok", file_name, file_content })
}

fn file(app: &App) -> (String, String) {
    (format!("{}.txt", ids::hex_key(&["file", &app.appid], 10)), ids::hex_key(&["file text", &app.appid], 32))
}

fn check_kind(app: &App) -> Result<(), ApiError> {
    if app.kind == AppKind::MiniProgram { Ok(()) } else { Err(error::API_UNAUTHORIZED) }
}

/// Whether the verification file lies where the rule in this call says. Only sites that the operator configured are
/// asked; about others a warning is kept.
pub(super) async fn file_is_there(sandbox: &Sandbox, call: &Call) -> bool {
    let (Ok(app), Ok(body)) = (call.app(sandbox), call.json::<RuleBody>()) else { return true };
    let Ok(prefix) = Url::parse(&body.prefix) else { return true };
    let configured = sandbox.configured_sites();
    if !configured.contains(&prefix.origin()) {
        let warning = "qrcodejumpadd: the verification file was not looked for, as this site is none that the \
                       sandbox was told about";
        sandbox.world().warn(warning.to_owned());
        return true;
    }
    let (name, content) = file(app);
    // Joining replaces what follows the last slash, and drops the query.
    let (Ok(url), Some(client)) = (prefix.join(&name), sandbox.http()) else { return false };
    let fetch = async { client.get(url).send().await?.error_for_status()?.text().await };
    let found = tokio::time::timeout(FETCH_TIMEOUT, fetch).await;
    matches!(found, Ok(Ok(text)) if text.trim() == content)
}

/// Adds a rule as a draft, or edits one.
pub(super) fn add(sandbox: &Sandbox, app: &App, call: &Call, file_is_there: bool) -> Outcome {
    check_kind(app)?;
    let body: RuleBody = call.json()?;
    let rule = checked(sandbox, app, &body)?;
    let mut world = sandbox.world();
    let rules = &mut world.mini.rules;
    if rules.iter().any(|other| other.prefix == rule.prefix && other.appid != app.appid) {
        return Err(TAKEN);
    }
    let own = rules.iter().position(|other| other.prefix == rule.prefix);
    match (own, body.is_edit) {
        (Some(_), 0) => Err(ALREADY_ADDED),
        // A published rule's page stays; the rest may change, as a developer found (§6).
        (Some(at), _) if rules[at].is_published() && rules[at].path != rule.path => Err(error::INVALID_ARGS),
        (Some(at), _) => {
            rules[at] = Rule { state: rules[at].state, ..rule };
            ok()
        }
        (None, _) if rules.iter().filter(|other| other.appid == app.appid).count() >= MOST_RULES => Err(FULL),
        (None, _) if !file_is_there => Err(FILE_NOT_FOUND),
        (None, _) => {
            rules.push(rule);
            ok()
        }
    }
}

fn checked(sandbox: &Sandbox, app: &App, body: &RuleBody) -> Result<Rule, ApiError> {
    let prefix = Url::parse(&body.prefix).map_err(|_| ILLEGAL_PREFIX)?;
    if !matches!(prefix.scheme(), "http" | "https") || prefix.host().is_none() {
        return Err(ILLEGAL_PREFIX);
    }
    let open_version = body.open_version.unwrap_or(3);
    if Build::by_open_version(open_version).is_none() || body.path.is_empty() {
        return Err(error::INVALID_ARGS);
    }
    if sandbox.mini_program(app).pages.is_empty() {
        return Err(NOT_RELEASED);
    }
    let under = |link: &String| Url::parse(link).is_ok_and(|link| falls_under(&link, &body.prefix));
    if body.debug_url.len() > MOST_TEST_LINKS || !body.debug_url.iter().all(under) {
        return Err(BAD_TEST_LINK);
    }
    Ok(Rule {
        appid: app.appid.clone(),
        prefix: body.prefix.clone(),
        path: body.path.trim_start_matches('/').to_owned(),
        state: 1,
        open_version,
        permit_sub_rule: body.permit_sub_rule.unwrap_or(1),
        debug_url: body.debug_url.clone(),
    })
}

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    get_type: u8,
    #[serde(default)]
    prefix_list: Vec<String>,
    page_num: Option<usize>,
    page_size: Option<usize>,
}

#[derive(Serialize)]
struct List {
    errcode: u8,
    errmsg: &'static str,
    rule_list: Vec<Rule>,
    qrcodejump_open: u8,
    list_size: usize,
    qrcodejump_pub_quota: u32,
    total_count: usize,
}

/// All rules of the app; `get_type` 1 those in `prefix_list`, 2 a page of them.
pub(super) fn list(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    check_kind(app)?;
    let query: Query = call.json()?;
    let world = sandbox.world();
    let own: Vec<_> = world.mini.rules.iter().filter(|rule| rule.appid == app.appid).cloned().collect();
    let total_count = own.len();
    let rule_list: Vec<_> = match query.get_type {
        1 => own.into_iter().filter(|rule| query.prefix_list.contains(&rule.prefix)).collect(),
        2 => {
            let size = query.page_size.unwrap_or(20).clamp(1, 200);
            own.into_iter().skip(query.page_num.unwrap_or(1).saturating_sub(1) * size).take(size).collect()
        }
        _ => own,
    };
    let used = world.mini.published.get(&app.appid).copied().unwrap_or_default();
    success(&List {
        errcode: 0,
        errmsg: "ok",
        list_size: rule_list.len(),
        rule_list,
        qrcodejump_open: 1,
        qrcodejump_pub_quota: MOST_PUBLISHED.saturating_sub(used),
        total_count,
    })
}

/// Takes a draft into force.
pub(super) fn publish(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    check_kind(app)?;
    let body: RuleBody = call.json()?;
    let mut world = sandbox.world();
    let mini = &mut world.mini;
    let own = |rule: &&mut Rule| rule.appid == app.appid && rule.prefix == body.prefix;
    let rule = mini.rules.iter_mut().find(own).ok_or(ILLEGAL_PREFIX)?;
    let published = mini.published.entry(app.appid.clone()).or_default();
    if *published >= MOST_PUBLISHED {
        return Err(PUBLISHED_ENOUGH);
    }
    *published += 1;
    rule.state = 2;
    ok()
}

/// Takes a rule out of force and away.
pub(super) fn delete(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    check_kind(app)?;
    let body: RuleBody = call.json()?;
    let rules = &mut sandbox.world().mini.rules;
    let before = rules.len();
    rules.retain(|rule| rule.appid != app.appid || rule.prefix != body.prefix);
    if rules.len() < before { ok() } else { Err(ILLEGAL_PREFIX) }
}
