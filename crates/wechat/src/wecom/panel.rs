//! WeCom's login page framed in a page of your own, as `createWWLoginPanel` of Tencent's `@wecom/jssdk` does it.
//!
//! Read in that package, version 2.4.4 (the same from 2.2.5 on but for `allow` and `sandbox`, which came with 2.3.3):
//!
//! - **Address**: that of [`WebLogin`], then the panel's own parameters, then `version`. The package interprets none
//!   of them; the framed page does.
//! - **Frame**: its size, [`REFERRER_POLICY`](Panel::REFERRER_POLICY), [`ALLOW`](Panel::ALLOW) and
//!   [`sandbox`](Panel::sandbox). The page around it needs a `frame-src` for the host.
//! - **Messages**: only from the frame's own window and its exact origin, each an object or its JSON, with a `type`:
//!   after the frame's `load` we say `ww-iframe-handle:init`; the frame says `ww-iframe-handle:ready`, and if that has
//!   `supportChannel`, it is handed a `MessagePort` by `ww-iframe-handle:set-port`. Its news are
//!   `{type: "ww-iframe-handle:call", args: {type: "call", name, data}}` (or `payload` for `data`), and where such a
//!   call has a `uid`, it is answered by `{type: "ww-iframe-handle:response", uid, kind: "resolve"}`.
//! - **News**: `onCheckWeComLogin {isWeComLogin}` (a desktop app is running), `onLoginSuccess {code}`, `onLoginFail
//!   {errCode, errMsg}` (explained by [`errcodes`](crate::errcodes)), `onOpenInWecom`.
//!
//! With [`PanelRedirect::Top`] no message is needed and none need be answered: `code` and `state` arrive at
//! `redirect_uri` as from the whole page.

use url::{Origin, Url};

use super::web_login::{PATH, WebLogin, spelled};
use crate::hosts::{Hosts, with_query};
use crate::open::ColorScheme;

/// The version of `@wecom/jssdk` whose addresses these are.
const VERSION: &str = "2.4.4";

/// The login page in an iframe.
#[derive(Clone, Copy, Debug)]
pub struct Panel<'a> {
    /// The page.
    pub login: WebLogin<'a>,
    /// Who is told of the code.
    pub redirect: PanelRedirect,
    /// How large the frame is.
    pub size: PanelSize,
    /// Light or dark page; WeCom's choice if absent.
    pub color_scheme: Option<ColorScheme>,
}

/// What the framed page does with `code` and `state`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PanelRedirect {
    /// Sends the top window to `redirect_uri`.
    #[default]
    Top,
    /// Sends the frame itself to `redirect_uri`, whose page must then allow to be framed.
    Frame,
    /// Sends nobody anywhere: the page around hears `onLoginSuccess` with the code and without the state, which that
    /// page must therefore keep. It must lie on the trusted domain itself.
    Callback,
}

/// How large the frame is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PanelSize {
    /// 480 × 416 px.
    #[default]
    Middle,
    /// 320 × 380 px.
    Small,
}

impl Panel<'_> {
    /// The frame's `referrerpolicy`: WeCom learns the embedding page's origin even where the page says `no-referrer`.
    pub const REFERRER_POLICY: &'static str = "origin";

    /// The frame's `allow`: it looks for the desktop app on the visitor's own machine.
    pub const ALLOW: &'static str = "local-network-access";

    /// The page's address, for the frame's `src`.
    #[must_use]
    pub fn embed_url(&self, hosts: &Hosts) -> Url {
        let query = self
            .login
            .common_query()
            .pair("redirect_type", self.redirect.as_str())
            .pair("panel_size", self.size.as_str())
            .pair("lang", spelled(self.login.lang))
            .optional("color_scheme", self.color_scheme.map(spelled_scheme))
            .pair("version", VERSION);
        with_query(&hosts.login_work, PATH, &query)
    }

    /// The frame's `sandbox`, if it needs one, given the origin of the top window. A browser lets a frame send the top
    /// window to that window's own origin; to another only if the sandbox allows it.
    #[must_use]
    pub fn sandbox(&self, top: &Origin) -> Option<&'static str> {
        (self.redirect == PanelRedirect::Top && self.login.redirect_uri.origin() != *top)
            .then_some("allow-top-navigation allow-scripts allow-same-origin")
    }
}

impl PanelRedirect {
    fn as_str(self) -> &'static str {
        match self {
            Self::Top => "top",
            Self::Frame => "self",
            Self::Callback => "callback",
        }
    }
}

impl PanelSize {
    /// Width and height of the frame in CSS pixels.
    #[must_use]
    pub fn pixels(self) -> (u16, u16) {
        match self {
            Self::Middle => (480, 416),
            Self::Small => (320, 380),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Middle => "middle",
            Self::Small => "small",
        }
    }
}

fn spelled_scheme(scheme: ColorScheme) -> &'static str {
    match scheme {
        ColorScheme::Auto => "auto",
        ColorScheme::Dark => "dark",
        ColorScheme::Light => "light",
    }
}

#[cfg(test)]
mod tests {
    use super::super::ids::CorpId;
    use super::*;
    use crate::lang::Lang;

    fn with_panel<T>(redirect: PanelRedirect, then: impl FnOnce(Panel<'_>) -> T) -> T {
        let corp: CorpId = "ww7dc5f02540a109d3".parse().unwrap();
        let redirect_uri = Url::parse("https://login.example.com/cb").unwrap();
        let login = WebLogin {
            corp: &corp,
            agent: "1000002".parse().unwrap(),
            redirect_uri: &redirect_uri,
            state: "kq3w9x",
            lang: Lang::ZhCn,
        };
        then(Panel { login, redirect, size: PanelSize::Small, color_scheme: Some(ColorScheme::Auto) })
    }

    #[test]
    fn the_address_is_what_the_package_composes() {
        for (redirect, written) in [
            (PanelRedirect::Top, "top"),
            (PanelRedirect::Frame, "self"),
            (PanelRedirect::Callback, "callback"),
        ] {
            assert_eq!(
                with_panel(redirect, |panel| panel.embed_url(&Hosts::default())).as_str(),
                format!(
                    "https://login.work.weixin.qq.com/wwlogin/sso/login?login_type=CorpApp\
                     &appid=ww7dc5f02540a109d3&agentid=1000002\
                     &redirect_uri=https%3A%2F%2Flogin.example.com%2Fcb&state=kq3w9x\
                     &redirect_type={written}&panel_size=small&lang=zh&color_scheme=auto&version=2.4.4"
                )
            );
        }
    }

    #[test]
    fn only_a_frame_that_leads_the_top_window_elsewhere_is_sandboxed() {
        let own = Url::parse("https://login.example.com/login").unwrap().origin();
        let other = Url::parse("https://shop.example").unwrap().origin();
        let sandbox = |redirect, top| with_panel(redirect, |panel| panel.sandbox(top));
        assert_eq!(sandbox(PanelRedirect::Top, &own), None);
        assert!(sandbox(PanelRedirect::Top, &other).unwrap().contains("allow-top-navigation"));
        assert_eq!(sandbox(PanelRedirect::Frame, &other), None);
        assert_eq!(sandbox(PanelRedirect::Callback, &other), None);
    }
}
