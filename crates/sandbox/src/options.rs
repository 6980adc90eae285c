//! Which apps the pretend WeChat has registered, and where it is reached.
//!
//! Plain data: reading it from a file is the caller's business.

use std::fmt;

use serde::Deserialize;
use url::{Host, Url};

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
}

/// A domain that allows any callback.
pub(crate) const ANY_DOMAIN: &str = "*";

/// Whether the platform would send a browser back to this address when these domains are configured: exact host, no
/// port (WeChat fact sheet §1.2).
pub(crate) fn allow_callback(domains: &[String], redirect_uri: &str) -> bool {
    let Ok(url) = Url::parse(redirect_uri) else { return false };
    let Some(host) = url.host_str() else { return false };
    if !matches!(url.scheme(), "http" | "https") {
        return false;
    }
    domains.iter().any(|domain| {
        domain == ANY_DOMAIN
            || (url.port().is_none() && url.domain().is_some() && domain.eq_ignore_ascii_case(host))
    })
}

/// Why no configuration at WeChat would allow this callback, whatever is configured here. http and https are both fine
/// there (§1.2).
pub(crate) fn unthinkable_callback(redirect_uri: &str) -> Option<String> {
    let url = Url::parse(redirect_uri).ok()?;
    let (host, port) = (url.host()?, url.port());
    let why = match host {
        Host::Ipv4(_) | Host::Ipv6(_) => "is an IP address",
        Host::Domain(name) if !name.contains('.') => "is no public domain",
        Host::Domain(_) if port.is_some() => "has a port",
        Host::Domain(_) => return None,
    };
    let port = port.map(|port| format!(":{port}")).unwrap_or_default();
    Some(format!(
        "the callback's host {host}{port} {why}; as a callback domain WeChat takes a registered domain without a port"
    ))
}

/// Whether the console would take this as a callback domain: a bare host name; or `*`, which only the sandbox has.
pub(crate) fn is_callback_domain(text: &str) -> bool {
    let named = matches!(Host::parse(text), Ok(Host::Domain(host)) if host.eq_ignore_ascii_case(text));
    text == ANY_DOMAIN || named
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

    fn allows(domain: &str, redirect_uri: &str) -> bool {
        allow_callback(&[domain.to_owned()], redirect_uri)
    }

    #[test]
    fn callback_host_matches_exactly_and_without_a_port() {
        assert!(allows("login.example.com", "https://login.example.com/any/path?x=1"));
        assert!(allows("login.example.com", "http://LOGIN.example.com/"));
        for refused in [
            "https://example.com/",
            "https://a.login.example.com/",
            "https://login.example.com:8443/",
            "login.example.com/cb",
            "ftp://login.example.com/",
            "javascript:alert(1)",
            "",
        ] {
            assert!(!allows("login.example.com", refused), "{refused}");
        }
        assert!(!allows("127.0.0.1", "http://127.0.0.1/"), "an address is not a domain");
        assert!(allows("*", "http://127.0.0.1:8080/cb"));
        assert!(!allows("*", "javascript:alert(1)"));
    }

    #[test]
    fn callbacks_that_wechat_never_takes_are_known() {
        for (callback, why) in [
            ("http://127.0.0.1:8080/cb", "127.0.0.1:8080 is an IP address"),
            ("http://[::1]/cb", "[::1] is an IP address"),
            ("https://localhost/cb", "localhost is no public domain"),
            ("https://login.example.com:8443/cb", "login.example.com:8443 has a port"),
        ] {
            let told = unthinkable_callback(callback).unwrap();
            assert!(told.contains(why), "{told}");
        }
        for fine in
            ["https://login.example.com/cb", "http://login.example.com/cb", "https://login.example.com:443/"]
        {
            assert_eq!(unthinkable_callback(fine), None, "{fine}");
        }
    }

    #[test]
    fn callback_domain_is_a_bare_host() {
        for good in ["*", "login.example.com", "LOGIN.example.com"] {
            assert!(is_callback_domain(good), "{good}");
        }
        for bad in [
            "",
            "https://login.example.com",
            "login.example.com/",
            "login.example.com:8443",
            "127.0.0.1",
            "[::1]",
            "*.example.com/x",
        ] {
            assert!(!is_callback_domain(bad), "{bad}");
        }
    }

    #[test]
    fn debug_keeps_the_secret_to_itself() {
        let shown = format!("{:?}", Options::default());
        assert!(shown.contains(DEMO_WEBSITE_APPID) && !shown.contains(DEMO_WEBSITE_SECRET));
    }
}
