//! Which apps the pretend WeChat has registered, and where it is reached.
//!
//! Plain data: reading it from a file is the caller's business.

use std::fmt;

use serde::Deserialize;
use url::Url;

use crate::events::EventTarget;
use crate::ids;
use crate::mini::MiniProgram;
use crate::wecom::{Corp, default_corps};

/// The appid of the website app in [`default_apps`].
pub const DEMO_WEBSITE_APPID: &str = "wx5a9d0b0c0de00001";
/// The secret of the website app in [`default_apps`]. Public knowledge: it opens nothing but the sandbox.
pub const DEMO_WEBSITE_SECRET: &str = "5a9d0b0c0de0000100000000deadbeef";
/// The appid of the official account in [`default_apps`].
pub const DEMO_OFFICIAL_APPID: &str = "wx5a9d0b0c0de00002";
/// The secret of the official account in [`default_apps`]. Public knowledge: it opens nothing but the sandbox.
pub const DEMO_OFFICIAL_SECRET: &str = "5a9d0b0c0de0000200000000deadbeef";
/// The original id of that official account: the `ToUserName` of its events.
pub const DEMO_OFFICIAL_ORIGINAL_ID: &str = "gh_5a9d0b0c0de2";
/// The appid of the mini-program in [`default_apps`].
pub const DEMO_MINI_APPID: &str = "wx5a9d0b0c0de00003";
/// The secret of the mini-program in [`default_apps`]. Public knowledge: it opens nothing but the sandbox.
pub const DEMO_MINI_SECRET: &str = "5a9d0b0c0de0000300000000deadbeef";
/// The Open Platform account which all apps of [`default_apps`] are bound to.
pub const DEMO_PLATFORM: &str = "sandbox";

/// What the sandbox needs to know before it starts.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Where browsers and phones reach the sandbox, for example `http://127.0.0.1:8930`. No path: all pretend hosts
    /// are first path segments below it. This is what the QR codes hold, so a phone must be able to open it.
    pub public_url: Url,
    /// The registered apps.
    pub apps: Vec<App>,
    /// The companies of the pretend WeCom.
    pub corps: Vec<Corp>,
    /// Seed from which openids and unionids are derived: the same seed gives the same people the same ids after a
    /// restart.
    pub platform_seed: String,
}

impl Default for Options {
    fn default() -> Self {
        let public_url = Url::parse("http://127.0.0.1:8930").expect("a literal URL parses");
        Self { public_url, apps: default_apps(), corps: default_corps(), platform_seed: "sandbox".to_owned() }
    }
}

impl Options {
    /// `public_url` as text, without a trailing slash: what paths are appended to.
    pub(crate) fn public_base(&self) -> &str {
        self.public_url.as_str().trim_end_matches('/')
    }

    pub(crate) fn app(&self, appid: &str) -> Option<&App> {
        self.apps.iter().find(|app| app.appid == appid)
    }
}

/// One registered app.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// `wx` and 16 hexadecimal digits.
    pub appid: String,
    /// 32 hexadecimal digits. Not shown by `Debug`.
    pub secret: String,
    /// Which kind of app; each serves only its own start page and calls.
    pub kind: AppKind,
    /// Shown on the QR page and on the phone.
    pub name: String,
    /// Allowed callback hosts, exact and without a port, as WeChat has them. `*` allows any host and port, which
    /// WeChat never would, but localhost needs it.
    #[serde(default)]
    pub domains: Vec<String>,
    /// Name of the Open Platform account this app is bound to. Apps with the same name see the same unionid.
    /// Empty: not bound, no unionid.
    #[serde(default)]
    pub platform: String,
    /// Official account: `gh_` and 12 hexadecimal digits, the `ToUserName` of its events. Empty: derived from the
    /// appid.
    #[serde(default)]
    pub original_id: String,
    /// Official account: where its events are pushed from the start; `POST /sandbox/api/apps/{appid}/events` changes it.
    /// Nothing: pushed nowhere. Unlike there, the address is not verified by a GET first.
    #[serde(default)]
    pub events: Option<EventTarget>,
    /// Mini-program: its pages, members and demo.
    #[serde(default)]
    pub mini: MiniProgram,
}

impl App {
    /// An app with any callback host allowed, bound to no Open Platform account.
    pub fn new(appid: &str, secret: &str, kind: AppKind, name: &str) -> Self {
        Self {
            appid: appid.to_owned(),
            secret: secret.to_owned(),
            kind,
            name: name.to_owned(),
            domains: vec!["*".to_owned()],
            platform: String::new(),
            original_id: String::new(),
            events: None,
            mini: MiniProgram::default(),
        }
    }

    /// The original id, given or derived.
    pub(crate) fn original_id(&self) -> String {
        if self.original_id.is_empty() {
            format!("gh_{}", ids::hex_key(&["original", &self.appid], 12))
        } else {
            self.original_id.clone()
        }
    }

    /// Whether the platform would send a browser back to this address: exact host, no port (WeChat fact sheet §1.2).
    pub(crate) fn allows_callback(&self, redirect_uri: &str) -> bool {
        let Ok(url) = Url::parse(redirect_uri) else { return false };
        let Some(host) = url.host_str() else { return false };
        if !matches!(url.scheme(), "http" | "https") {
            return false;
        }
        self.domains.iter().any(|domain| {
            domain == "*"
                || (url.port().is_none() && url.domain().is_some() && domain.eq_ignore_ascii_case(host))
        })
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("appid", &self.appid)
            .field("kind", &self.kind)
            .field("name", &self.name)
            .field("domains", &self.domains)
            .field("platform", &self.platform)
            .field("events", &self.events)
            .field("mini", &self.mini)
            .finish_non_exhaustive()
    }
}

/// The kinds of app that the sandbox plays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AppKind {
    /// 网站应用 on the Open Platform: QR login in a desktop browser.
    Website,
    /// 服务号: web authorization inside WeChat, parametric QR codes and events.
    OfficialAccount,
    /// 小程序: codes that open it, `wx.login`.
    MiniProgram,
}

impl AppKind {
    /// As in configuration and in the script API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Website => "website",
            Self::OfficialAccount => "official-account",
            Self::MiniProgram => "mini-program",
        }
    }
}

/// A website app, an official account and a mini-program on one Open Platform account, with any callback host allowed.
pub fn default_apps() -> Vec<App> {
    let app = |appid: &str, secret: &str, kind, name: &str| App {
        platform: DEMO_PLATFORM.to_owned(),
        ..App::new(appid, secret, kind, name)
    };
    vec![
        app(DEMO_WEBSITE_APPID, DEMO_WEBSITE_SECRET, AppKind::Website, "码上登录演示"),
        App {
            original_id: DEMO_OFFICIAL_ORIGINAL_ID.to_owned(),
            ..app(DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_SECRET, AppKind::OfficialAccount, "码上登录服务号")
        },
        app(DEMO_MINI_APPID, DEMO_MINI_SECRET, AppKind::MiniProgram, "码上登录小程序"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app_with(domain: &str) -> App {
        App { domains: vec![domain.to_owned()], ..default_apps().remove(0) }
    }

    #[test]
    fn callback_host_matches_exactly_and_without_a_port() {
        let app = app_with("login.example.com");
        assert!(app.allows_callback("https://login.example.com/any/path?x=1"));
        assert!(app.allows_callback("http://LOGIN.example.com/"));
        for refused in [
            "https://example.com/",
            "https://a.login.example.com/",
            "https://login.example.com:8443/",
            "login.example.com/cb",
            "ftp://login.example.com/",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!app.allows_callback(refused), "{refused}");
        }
        assert!(!app_with("127.0.0.1").allows_callback("http://127.0.0.1/"), "an address is not a domain");
        assert!(app_with("*").allows_callback("http://127.0.0.1:8080/cb"));
        assert!(!app_with("*").allows_callback("javascript:alert(1)"));
    }

    #[test]
    fn debug_keeps_the_secret_to_itself() {
        let shown = format!("{:?}", Options::default());
        assert!(shown.contains(DEMO_WEBSITE_APPID) && !shown.contains(DEMO_WEBSITE_SECRET));
    }
}
