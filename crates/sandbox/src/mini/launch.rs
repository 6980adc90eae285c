//! A scanned code or link opens a mini-program, or not (mini-program fact sheet §3, §5, §6).

use serde::Serialize;
use thiserror::Error;
use url::Url;

use super::rules::deciding;
use super::world::{Build, MiniCode};
use super::{CODES, LINK};
use crate::ids;
use crate::options::App;
use crate::people::Person;
use crate::state::Sandbox;

/// The launch scene number of an ordinary QR.
const ORDINARY_QR: u32 = 1011;

/// A mini-program, opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Launch {
    pub(crate) appid: String,
    pub(crate) path: String,
    /// As `onLoad` receives it: values percent-encoded once.
    pub(crate) query: serde_json::Map<String, serde_json::Value>,
    pub(crate) scene: u32,
    pub(crate) env: Build,
}

/// Why it was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum NoLaunch {
    #[error("this code opens no mini-program")]
    Unknown,
    #[error("only project members can open a trial or develop build")]
    Stranger,
    #[error("this mini-program has never been released")]
    NotReleased,
    #[error("the released build has no such page")]
    NoPage,
}

/// What scanning this link would open in a mini-program instead of the browser: the path of our own page.
pub(crate) fn link_target(sandbox: &Sandbox, link: &str, person: Option<&Person>) -> Option<String> {
    let url = Url::parse(link.trim()).ok()?;
    decide(sandbox, &url, person)?;
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("q", url.as_str()).finish();
    Some(format!("{LINK}?{query}"))
}

/// The app and page that a rule gives for this link: a published rule, or for members a test link.
fn decide(sandbox: &Sandbox, link: &Url, person: Option<&Person>) -> Option<(String, String, Build)> {
    let rule = deciding(&sandbox.world().mini.rules, link).cloned()?;
    let app = sandbox.options().app(&rule.appid)?;
    let is_test_link = rule.debug_url.iter().any(|test| test == link.as_str());
    let is_member = person.is_some_and(|person| sandbox.mini_program(app).members.contains(&person.id));
    let opens = rule.is_published() || (is_test_link && is_member);
    opens.then(|| (rule.appid.clone(), rule.path.clone(), rule.build()))
}

/// Opens what a path of ours stands for: a drawn code, or an ordinary link. `build` overrides which build is opened.
pub(crate) fn launch(
    sandbox: &Sandbox,
    path: &str,
    person: &Person,
    build: Option<Build>,
) -> Result<Launch, NoLaunch> {
    let code = if let Some(query) = path.strip_prefix(LINK).and_then(|rest| rest.strip_prefix('?')) {
        by_link(sandbox, query, person)?
    } else {
        let id = path.strip_prefix(CODES).ok_or(NoLaunch::Unknown)?;
        sandbox.world().mini.codes.get(id).cloned().ok_or(NoLaunch::Unknown)?
    };
    let app = sandbox.options().app(&code.appid).ok_or(NoLaunch::Unknown)?;
    let build = build.unwrap_or(code.build);
    let page = permitted(sandbox, app, &code.page, person, build)?;
    let query = code.query.into_iter().map(|(name, value)| (name, value.into())).collect();
    Ok(Launch { appid: code.appid, path: page, query, scene: code.launch_scene, env: build })
}

fn by_link(sandbox: &Sandbox, query: &str, person: &Person) -> Result<MiniCode, NoLaunch> {
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let link = pairs.find(|(name, _)| name == "q").map(|(_, link)| link.into_owned());
    let link = link.and_then(|link| Url::parse(&link).ok()).ok_or(NoLaunch::Unknown)?;
    let (appid, page, build) = decide(sandbox, &link, Some(person)).ok_or(NoLaunch::Unknown)?;
    let query = vec![
        ("q".to_owned(), ids::uri_component(link.as_str())),
        ("scancode_time".to_owned(), (sandbox.now_ms() / 1000).to_string()),
    ];
    Ok(MiniCode { appid, page, query, build, launch_scene: ORDINARY_QR })
}

/// The page to open. Unreleased builds are for members, and have whatever page is asked for.
fn permitted(
    sandbox: &Sandbox,
    app: &App,
    page: &str,
    person: &Person,
    build: Build,
) -> Result<String, NoLaunch> {
    let program = sandbox.mini_program(app);
    let is_member = program.members.contains(&person.id);
    if build != Build::Release {
        return if is_member { Ok(page.to_owned()) } else { Err(NoLaunch::Stranger) };
    }
    let home = program.pages.first().ok_or(NoLaunch::NotReleased)?;
    match page {
        "" => Ok(home.clone()),
        page if program.pages.iter().any(|known| known == page) => Ok(page.to_owned()),
        _ => Err(NoLaunch::NoPage),
    }
}
