//! The opened mini-program on the phone: a page that runs a small JavaScript runtime, and the calls it makes here.
//!
//! A mini-program's own code cannot run in a browser unchanged, so the page runs the sandbox's demo
//! (`assets/mini.js`) on a runtime (`assets/mini_runtime.js`) with the `wx` functions that a login needs.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use minijinja::{Value, context};
use serde::Deserialize;
use serde_json::json;
use url::Url;

use super::CODES;
use super::launch::{NoLaunch, launch};
use super::login::{phone_code, wx_login};
use crate::api::{Answered, Body, Refused, known_app};
use crate::options::{App, AppKind};
use crate::pages::{ASSETS, Policy};
use crate::params::Params;
use crate::people::Person;
use crate::phone::{self, Holder, PhoneLang};
use crate::state::Sandbox;

/// `wx.request` gives up after this; the real default is a minute.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// `?appid&scene`: scans the code that was last drawn for a scene. For a page that has the picture only, and wants to
/// offer the phone beside it without reading it.
pub(super) async fn of_scene(State(sandbox): State<Sandbox>, params: Params) -> Response {
    let id = sandbox.world().mini.code_of_scene(params.get("appid"), params.get("scene"));
    match id {
        Some(id) => {
            let link = format!("{}{CODES}{id}", sandbox.options().public_base());
            phone::found(&format!("{}?{}", phone::HOME, phone::encoded(&[("open", &link)])))
        }
        None => {
            (StatusCode::NOT_FOUND, "sandbox · 仿真环境: no code was drawn for this scene\n").into_response()
        }
    }
}

/// A drawn code or a ruled link, opened by hand.
pub(super) async fn show(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    PhoneLang(lang): PhoneLang,
    uri: Uri,
) -> Response {
    let here = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let Some(person) = holder else { return phone::ask_who(here) };
    let launched = match launch(&sandbox, here, &person, None) {
        Ok(launched) => launched,
        Err(why) => {
            let kind = match why {
                NoLaunch::Unknown => "mini_unknown",
                NoLaunch::Stranger => "mini_stranger",
                NoLaunch::NotReleased => "mini_unreleased",
                NoLaunch::NoPage => "mini_no_page",
            };
            let notice = phone::notice(&sandbox, lang, kind, Value::UNDEFINED);
            return phone::page(&sandbox, lang, "notice.html", notice);
        }
    };
    let Some(app) = sandbox.options().app(&launched.appid) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let program = sandbox.mini_program(app);
    let settings = json!({
        "launch": launched,
        "language": lang.tag(),
        "apiBase": program.demo_api_base.as_ref().map(|base| base.as_str().trim_end_matches('/')),
        "channel": program.demo_channel,
    });
    let context = context! {
        app_name => &app.name,
        env => launched.env.name(),
        path => &launched.path,
        settings => settings.to_string(),
    };
    sandbox.pages().show("mini.html", lang, Policy::Live, ASSETS, context)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Caller {
    appid: String,
}

/// The mini-program with this appid.
pub(super) fn known_program<'a>(sandbox: &'a Sandbox, appid: &str) -> Result<&'a App, Refused> {
    let app = known_app(sandbox, appid)?;
    if app.kind == AppKind::MiniProgram {
        return Ok(app);
    }
    Err(Refused::new(StatusCode::CONFLICT, "other_kind", "this app is no mini-program"))
}

fn held(holder: Option<Person>) -> Result<Person, Refused> {
    holder.ok_or_else(|| Refused::new(StatusCode::UNAUTHORIZED, "nobody", "nobody holds this phone"))
}

/// `wx.login`
pub(super) async fn login(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    body: Body<Caller>,
) -> Answered {
    let Json(Caller { appid }) = body?;
    let app = known_program(&sandbox, &appid)?;
    Ok(Json(json!({ "code": wx_login(&sandbox, app, &held(holder)?) })))
}

/// getPhoneNumber
pub(super) async fn phone_number(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    body: Body<Caller>,
) -> Answered {
    let Json(Caller { appid }) = body?;
    let app = known_program(&sandbox, &appid)?;
    Ok(Json(json!({ "code": phone_code(&sandbox, app, &held(holder)?) })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Forwarded {
    appid: String,
    url: Url,
    method: String,
    data: Option<serde_json::Value>,
    /// Sent on as Accept-Language.
    #[serde(default)]
    language: String,
}

/// `wx.request`, which no CORS binds: sent on from here, and only to the configured base address.
pub(super) async fn request(
    State(sandbox): State<Sandbox>,
    Holder(holder): Holder,
    body: Body<Forwarded>,
) -> Answered {
    let Json(asked) = body?;
    held(holder)?;
    let app = known_program(&sandbox, &asked.appid)?;
    let allowed = sandbox.mini_program(app).demo_api_base.is_some_and(|base| is_below(&asked.url, &base));
    if !allowed {
        // The real text for a domain that is not in the list.
        return Err(Refused::new(StatusCode::FORBIDDEN, "url_not_in_domain_list", "url not in domain list"));
    }
    let method = match asked.method.as_str() {
        "GET" => reqwest::Method::GET,
        "POST" => reqwest::Method::POST,
        _ => return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", "method is GET or POST")),
    };
    let failed =
        |why: &str| Refused::new(StatusCode::BAD_GATEWAY, "request_failed", format!("request:fail {why}"));
    let client = sandbox.http().ok_or_else(|| failed("no client"))?;
    let mut request = client.request(method, asked.url);
    if let Ok(language) = reqwest::header::HeaderValue::from_str(&asked.language) {
        request = request.header(reqwest::header::ACCEPT_LANGUAGE, language);
    }
    if let Some(data) = &asked.data {
        request = request.json(data);
    }
    let exchange = async {
        let response = request.send().await?;
        Ok::<_, reqwest::Error>((response.status().as_u16(), response.text().await?))
    };
    match tokio::time::timeout(REQUEST_TIMEOUT, exchange).await {
        Err(_) => Err(failed("timeout")),
        Ok(Err(_)) => Err(failed("connection refused")),
        Ok(Ok((status, text))) => {
            // As wx.request does: JSON is parsed, anything else is text.
            let data = serde_json::from_str(&text).unwrap_or(serde_json::Value::String(text));
            Ok(Json(json!({ "statusCode": status, "data": data })))
        }
    }
}

/// Whether a URL is the base or below it.
fn is_below(url: &Url, base: &Url) -> bool {
    let folder = format!("{}/", base.path().trim_end_matches('/'));
    url.origin() == base.origin() && url.path().starts_with(&folder)
}

#[cfg(test)]
mod tests {
    use super::is_below;
    use url::Url;

    #[test]
    fn only_the_configured_base_is_forwarded_to() {
        let base = Url::parse("http://127.0.0.1:8920/login").unwrap();
        let below = |url: &str| is_below(&Url::parse(url).unwrap(), &base);
        assert!(below("http://127.0.0.1:8920/login/api/phone/x/y/scan"));
        for elsewhere in [
            "http://127.0.0.1:8921/login/api",
            "http://127.0.0.1:8920/loginx",
            "http://127.0.0.1:8920/login/../admin",
            "https://127.0.0.1:8920/login/api",
            "http://user@evil.example/login/",
        ] {
            assert!(!below(elsewhere), "{elsewhere}");
        }
    }
}
