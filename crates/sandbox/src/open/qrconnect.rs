//! `/connect/qrconnect`: the page with the QR code, or an error page (WeChat fact sheet §1.1–1.5).
//!
//! What the page does while it waits is in `assets/qrconnect.js`.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use minijinja::context;

use super::{QrLogin, confirm_url};
use crate::hosts::{self, Reached};
use crate::options::{App, AppKind};
use crate::pages::{ASSETS, Policy};
use crate::params::Params;
use crate::state::Sandbox;
use crate::words::Lang;
use crate::{ids, phone};

/// The texts of §1.2. They are Chinese in every language, as the real ones.
const BAD_APPID: &str = "appid 参数错误";
const BAD_REDIRECT: &str = "redirect_uri 参数错误";
const BAD_SCOPE: &str = "Scope 参数错误或没有 Scope 权限";

/// Draws the page, or with `f=xml` only hands out a fresh uuid (§1.3).
pub(super) async fn show(State(sandbox): State<Sandbox>, reached: Reached, params: Params) -> Response {
    let lang = if params.get("lang") == "en" { Lang::En } else { Lang::Zh };
    let open = reached.base(hosts::OPEN);
    let assets = format!("{open}{ASSETS}");
    let app = match check(&sandbox, &params) {
        Ok(app) => app,
        Err(text) => {
            return sandbox.pages().show("error.html", lang, Policy::Embeddable, &assets, context! { text });
        }
    };
    let uuid = start(&sandbox, app, &params);
    if params.get("f") == "xml" {
        let xml = format!("<xml><uuid><![CDATA[{uuid}]]></uuid></xml>");
        return ([(CONTENT_TYPE, "text/xml; charset=utf-8")], xml).into_response();
    }
    let page = context! {
        app_name => &app.name,
        uuid,
        open,
        poll => reached.base(hosts::POLL),
        redirect_uri => params.get("redirect_uri"),
        state => params.get("state"),
        white => params.get("style") == "white",
        embedded => params.get("login_type") == "jssdk",
        color_scheme => one_of(params.get("color_scheme"), &["auto", "dark", "light"]),
        href => style_sheet(params.get("href")),
        confirm_base => confirm_url(sandbox.options(), ""),
        phone => format!("{}{}?app=wechat&open=", sandbox.options().public_base(), phone::HOME),
    };
    sandbox.pages().show("qrconnect.html", lang, Policy::Embeddable, &assets, page)
}

/// In the real order: appid, then the host of redirect_uri, then scope (§1.2).
fn check<'a>(sandbox: &'a Sandbox, params: &Params) -> Result<&'a App, &'static str> {
    let app = sandbox.options().app(params.get("appid")).ok_or(BAD_APPID)?;
    if !sandbox.allows_callback(app, params.get("redirect_uri")) {
        return Err(BAD_REDIRECT);
    }
    // Website apps hold this one scope; an official account's appid ends here too.
    let login_only = params.get("scope").split(',').all(|scope| scope == "snsapi_login");
    if app.kind != AppKind::Website || !login_only {
        return Err(BAD_SCOPE);
    }
    Ok(app)
}

fn start(sandbox: &Sandbox, app: &App, params: &Params) -> String {
    let uuid = ids::qr_uuid(sandbox.entropy());
    let login = QrLogin::new(
        app.appid.clone(),
        params.get("redirect_uri").to_owned(),
        params.get("state").to_owned(),
        "snsapi_login".to_owned(),
        sandbox.now_ms(),
    );
    sandbox.world().qr_logins.insert(uuid.clone(), login);
    uuid
}

/// The style sheet a site may bring: a URL or a base64 `data:` one. (The real page strips the word `javascript:`.)
fn style_sheet(href: &str) -> &str {
    let allowed = ["https://", "http://", "data:text/css;base64,"];
    if allowed.iter().any(|start| href.starts_with(start)) { href } else { "" }
}

fn one_of<'a>(value: &'a str, allowed: &[&str]) -> &'a str {
    if allowed.contains(&value) { value } else { "" }
}
