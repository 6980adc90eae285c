//! What a scanned text is, and where the phone goes with it.

use http::uri::Authority;
use url::Url;

use super::app::PhoneApp;
use crate::options::Options;
use crate::people::Person;
use crate::state::Sandbox;
use crate::{hosts, mini, wecom};

/// A scanned text, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// A link of the pretend WeChat itself: path and query on this origin.
    Here(String),
    /// A link of somebody else, marked as opened inside WeChat or WeCom.
    Elsewhere(String),
    /// Not an http(s) link. The phone opens nothing else.
    NotALink,
}

/// What the phone opens itself: host and path.
const OWN: [(&str, &str); 3] = [
    (hosts::OPEN, "/connect/confirm"),
    (hosts::OPEN, "/connect/oauth2/authorize"),
    (hosts::OPEN_WORK, wecom::CONFIRM),
];

/// Understands a scanned text. `authority` is how this browser reaches us, which need not be `public_url`.
pub(crate) fn read(text: &str, options: &Options, authority: Option<&Authority>, app: PhoneApp) -> Reading {
    let Ok(mut url) = Url::parse(text.trim()) else { return Reading::NotALink };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Reading::NotALink;
    }
    if let Some(path) = own_path(&url, options, authority) {
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        return Reading::Here(format!("{path}{query}"));
    }
    url.query_pairs_mut().append_pair("via", app.name());
    Reading::Elsewhere(url.into())
}

/// A scan, as [`read`], where WeChat also knows which ordinary links open a mini-program for this person.
pub(crate) fn scanned(
    sandbox: &Sandbox,
    text: &str,
    authority: Option<&Authority>,
    app: PhoneApp,
    person: Option<&Person>,
) -> Reading {
    let reading = read(text, sandbox.options(), authority, app);
    match (&reading, app) {
        (Reading::Elsewhere(_), PhoneApp::WeChat) => {
            mini::link_target(sandbox, text, person).map_or(reading, Reading::Here)
        }
        _ => reading,
    }
}

/// The path on this origin, if this is a link of ours: `/{host}/…` for those of pretend hosts.
fn own_path(url: &Url, options: &Options, authority: Option<&Authority>) -> Option<String> {
    let host = url.host_str()?;
    if hosts::is_played(host) {
        return is_opened(host, url.path()).then(|| format!("/{host}{}", url.path()));
    }
    let public = &options.public_url;
    let is_public =
        url.host() == public.host() && url.port_or_known_default() == public.port_or_known_default();
    let is_host = authority.is_some_and(|authority| {
        let port = authority.port_u16().or(url.port_or_known_default());
        host.eq_ignore_ascii_case(authority.host()) && url.port_or_known_default() == port
    });
    if !is_public && !is_host {
        return None;
    }
    if url.path().starts_with(mini::CODES) {
        return Some(url.path().to_owned());
    }
    let (first, _) = url.path().strip_prefix('/')?.split_once('/')?;
    is_opened(first, &url.path()[1 + first.len()..]).then(|| url.path().to_owned())
}

/// Whether the phone opens this path of a pretend host itself.
fn is_opened(host: &str, path: &str) -> bool {
    OWN.contains(&(host, path)) || (host == hosts::WEIXIN && path.starts_with("/q/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> Reading {
        read(text, &Options::default(), Some(&"192.168.1.5:8930".parse().unwrap()), PhoneApp::WeChat)
    }

    #[test]
    fn own_links_stay_here() {
        let here = |path: &str| Reading::Here(format!("/open.weixin.qq.com{path}"));
        assert_eq!(
            reading(" http://127.0.0.1:8930/open.weixin.qq.com/connect/confirm?uuid=0abc "),
            here("/connect/confirm?uuid=0abc")
        );
        assert_eq!(
            reading("http://192.168.1.5:8930/open.weixin.qq.com/connect/confirm?uuid=0abc"),
            here("/connect/confirm?uuid=0abc")
        );
        let code = Reading::Here("/weixin.qq.com/q/02abc".to_owned());
        assert_eq!(reading("http://weixin.qq.com/q/02abc"), code);
        assert_eq!(reading("http://127.0.0.1:8930/weixin.qq.com/q/02abc"), code);
        assert_eq!(
            reading("https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx1#wechat_redirect"),
            here("/connect/oauth2/authorize?appid=wx1")
        );
    }

    #[test]
    fn other_links_are_marked_before_their_fragment() {
        let elsewhere = |url: &str| Reading::Elsewhere(url.to_owned());
        assert_eq!(
            reading("https://login.example/s/abc"),
            elsewhere("https://login.example/s/abc?via=wechat")
        );
        assert_eq!(reading("http://a.example/?x=%41#f"), elsewhere("http://a.example/?x=%41&via=wechat#f"));
        assert_eq!(
            reading("http://127.0.0.1:9999/open.weixin.qq.com/connect/confirm?uuid=0"),
            elsewhere("http://127.0.0.1:9999/open.weixin.qq.com/connect/confirm?uuid=0&via=wechat"),
            "another port is another site"
        );
    }

    #[test]
    fn anything_else_is_not_opened() {
        for text in
            ["", "hello", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "weixin://dl/scan"]
        {
            assert_eq!(reading(text), Reading::NotALink, "{text}");
        }
    }
}
