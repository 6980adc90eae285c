//! The three calls that draw a code: getwxacodeunlimit, getwxacode, createwxaqrcode (mini-program fact sheet §3, §4).

use serde::Deserialize;
use serde_json::Value;

use super::picture::{Frame, Look, draw};
use super::world::{Build, MiniCode};
use crate::cgi::{ApiError, Call, Outcome, error};
use crate::ids;
use crate::options::{App, AppKind};
use crate::state::Sandbox;

/// §4: interfaces A and C together, for life.
const LIMITED_CODES: u32 = 100_000;
const LONGEST_SCENE: usize = 32;
/// Interface A; the newer text says characters, the older 128 bytes.
const LONGEST_PATH: usize = 1024;
/// Interface C.
const LONGEST_QR_PATH: usize = 128;
/// Everything that a scene may hold beside letters and digits.
const SCENE_MARKS: &str = "!#$&'()*+,/:;=?@-._~";
const SCANNED_CODE: u32 = 1047;
const SCANNED_QR: u32 = 1011;

#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    scene: String,
    #[serde(default)]
    page: String,
    #[serde(default)]
    path: String,
    check_path: Option<bool>,
    env_version: Option<String>,
    width: Option<i64>,
    #[serde(default)]
    auto_color: bool,
    line_color: Option<LineColour>,
    #[serde(default)]
    is_hyaline: bool,
}

/// Documents and clients send numbers or texts of digits.
#[derive(Deserialize)]
struct LineColour {
    #[serde(default)]
    r: Value,
    #[serde(default)]
    g: Value,
    #[serde(default)]
    b: Value,
}

impl LineColour {
    fn rgb(&self) -> [u8; 3] {
        [&self.r, &self.g, &self.b].map(|value| {
            let number = value.as_u64().or_else(|| value.as_str()?.parse().ok());
            number.and_then(|number| u8::try_from(number).ok()).unwrap_or_default()
        })
    }
}

/// Interface B: unlimited, by scene.
pub(super) fn unlimited(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    let body = body(app, call)?;
    check_scene(&body.scene)?;
    let build = build(&body)?;
    let page = checked_page(sandbox, app, &body)?;
    let query = vec![("scene".to_owned(), ids::uri_component(&body.scene))];
    let code = MiniCode { appid: app.appid.clone(), page, query, build, launch_scene: SCANNED_CODE };
    keep_and_draw(sandbox, code, look(&body, Frame::Ring))
}

/// Interface A: limited, by path with query.
pub(super) fn limited(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    let body = body(app, call)?;
    let build = build(&body)?;
    let code = code_of_path(sandbox, app, &body.path, LONGEST_PATH, build, SCANNED_CODE)?;
    keep_and_draw(sandbox, code, look(&body, Frame::Ring))
}

/// Interface C: limited, a square QR.
pub(super) fn square(sandbox: &Sandbox, app: &App, call: &Call) -> Outcome {
    let body = body(app, call)?;
    let code = code_of_path(sandbox, app, &body.path, LONGEST_QR_PATH, Build::Release, SCANNED_QR)?;
    keep_and_draw(sandbox, code, look(&body, Frame::Plain))
}

fn body(app: &App, call: &Call) -> Result<Body, ApiError> {
    if app.kind != AppKind::MiniProgram {
        return Err(error::API_UNAUTHORIZED);
    }
    call.json()
}

/// Two errors: one for the length, one for the characters; `%` is none of them.
fn check_scene(scene: &str) -> Result<(), ApiError> {
    if !(1..=LONGEST_SCENE).contains(&scene.chars().count()) {
        return Err(error::INVALID_SCENE_LENGTH);
    }
    let fits = |c: char| c.is_ascii_alphanumeric() || SCENE_MARKS.contains(c);
    if scene.chars().all(fits) { Ok(()) } else { Err(error::INVALID_SCENE) }
}

/// An empty text is refused, an absent field is the release.
fn build(body: &Body) -> Result<Build, ApiError> {
    match body.env_version.as_deref() {
        None => Ok(Build::Release),
        Some(text) => Build::parse(text).ok_or(error::INVALID_ARGS),
    }
}

/// With check_path, as is the default, the page must be in the *released* build, whatever build is asked for.
fn checked_page(sandbox: &Sandbox, app: &App, body: &Body) -> Result<String, ApiError> {
    if body.page.contains("scancode_time") {
        return Err(error::RESERVED_FIELD);
    }
    if body.page.starts_with('/') || body.page.contains('?') {
        return Err(error::INVALID_PAGE);
    }
    let released = sandbox.mini_program(app).pages;
    let page = if body.page.is_empty() { released.first() } else { Some(&body.page) };
    let checked = body.check_path.unwrap_or(true);
    match page {
        Some(page) if !checked || released.contains(page) => Ok(page.clone()),
        None if !checked => Ok(String::new()),
        _ => Err(error::INVALID_PAGE),
    }
}

fn code_of_path(
    sandbox: &Sandbox,
    app: &App,
    path: &str,
    longest: usize,
    build: Build,
    launch_scene: u32,
) -> Result<MiniCode, ApiError> {
    if !(1..=longest).contains(&path.chars().count()) {
        return Err(error::INVALID_PATH_LENGTH);
    }
    if path.contains("scancode_time") {
        return Err(error::RESERVED_FIELD);
    }
    let mut world = sandbox.world();
    let drawn = world.mini.limited_drawn.entry(app.appid.clone()).or_default();
    if *drawn >= LIMITED_CODES {
        return Err(error::CODES_USED_UP);
    }
    *drawn += 1;
    let (page, query) = path.split_once('?').unwrap_or((path, ""));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    };
    let query = query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect();
    Ok(MiniCode { appid: app.appid.clone(), page: page.to_owned(), query, build, launch_scene })
}

/// §3: 280 to 1280 pixels, 430 if nothing is said. What the real one does beyond these is open; they are cut off here.
fn look(body: &Body, frame: Frame) -> Look {
    let side = body.width.unwrap_or(430).clamp(280, 1280);
    // The "automatic" colour is WeChat's green.
    let automatic = body.auto_color.then_some([0x07, 0xc1, 0x60]);
    let given = body.line_color.as_ref().map(LineColour::rgb);
    Look {
        side: u16::try_from(side).unwrap_or(430),
        colour: automatic.or(given).unwrap_or_default(),
        transparent: body.is_hyaline,
        frame,
    }
}

fn keep_and_draw(sandbox: &Sandbox, code: MiniCode, look: Look) -> Outcome {
    let id = ids::handle(sandbox.entropy());
    let link = format!("{}{}{id}", sandbox.options().public_base(), super::CODES);
    sandbox.world().mini.codes.insert(id, code);
    // Only a public_url of some hundred characters does not fit.
    draw(&link, look).ok_or(error::SYSTEM_ERROR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scene_has_two_different_refusals() {
        assert_eq!(check_scene("aZ09!#$&'()*+,/:;=?@-._~"), Ok(()));
        assert_eq!(check_scene(&"x".repeat(32)), Ok(()));
        for long in [String::new(), "x".repeat(33)] {
            assert_eq!(check_scene(&long), Err(error::INVALID_SCENE_LENGTH));
        }
        for odd in ["a%20b", "a b", "中文", "a\"b", "a|b"] {
            assert_eq!(check_scene(odd), Err(error::INVALID_SCENE), "{odd}");
        }
    }
}
