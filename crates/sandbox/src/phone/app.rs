//! Which app the phone has in front: WeChat or WeCom. A cookie, as the person is.

use std::convert::Infallible;

use axum::extract::{FromRequestParts, Path, State};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use http::HeaderMap;
use http::header::SET_COOKIE;
use http::request::Parts;

use super::frame::local_path;
use super::holder::{cookie, cookie_line};
use super::inside::mark;
use crate::params::Params;
use crate::state::Sandbox;

const NAME: &str = "sandbox_app";
/// Opens WeCom; `next` is where the phone goes then.
pub(crate) const SWITCH_TO_WECOM: &str = "/phone/app/wecom";

/// The app that scans and opens links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PhoneApp {
    #[default]
    WeChat,
    WeCom,
}

impl PhoneApp {
    /// As in cookies, addresses and the mark `via` of opened links.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::WeChat => "wechat",
            Self::WeCom => "wecom",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::WeChat, Self::WeCom].into_iter().find(|app| app.name() == text)
    }

    /// The app of the phone that sent this request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        cookie(headers, NAME).and_then(Self::parse).unwrap_or_default()
    }

    /// The `Set-Cookie` that brings it to the front.
    pub(super) fn set_cookie(self, sandbox: &Sandbox) -> String {
        cookie_line(sandbox.options(), NAME, self.name())
    }
}

impl<S: Sync> FromRequestParts<S> for PhoneApp {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

/// `GET /phone/app/{name}`: brings an app to the front, and opens `next` in it.
pub(super) async fn switch(
    State(sandbox): State<Sandbox>,
    Path(name): Path<String>,
    params: Params,
) -> Response {
    let app = PhoneApp::parse(&name).unwrap_or_default();
    let cookies = [(SET_COOKIE, app.set_cookie(&sandbox)), (SET_COOKIE, mark(&sandbox, app))];
    (AppendHeaders(cookies), Redirect::to(&local_path(params.get("next")))).into_response()
}
