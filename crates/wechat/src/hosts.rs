//! Where WeChat is: the real hosts, or a stand-in that serves them under path prefixes.

use url::Url;

use crate::query::Query;

/// The hosts of WeChat and WeCom. Each may carry a path prefix, which is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// WeChat's pages that a browser opens; `https://open.weixin.qq.com` by default. WeCom's authorization inside its
    /// app lives here too (WeCom fact sheet §5).
    pub open: Url,
    /// Calls from server to WeChat; `https://api.weixin.qq.com` by default.
    pub api: Url,
    /// Pictures of QR codes (WeChat fact sheet §4.4); `https://mp.weixin.qq.com` by default.
    pub mp: Url,
    /// Calls from server to WeCom; `https://qyapi.weixin.qq.com` by default.
    pub qyapi: Url,
    /// WeCom's login page (WeCom fact sheet §2); `https://login.work.weixin.qq.com` by default.
    pub login_work: Url,
    /// WeCom's old login page (WeCom fact sheet §3); `https://open.work.weixin.qq.com` by default.
    pub open_work: Url,
}

impl Default for Hosts {
    /// Tencent's own hosts. By name, never by address: Tencent moves them (WeChat fact sheet §2.1).
    fn default() -> Self {
        Self::each(|name| {
            Url::parse(&format!("https://{name}")).expect("a host name behind https:// is an address")
        })
    }
}

impl Hosts {
    /// A stand-in for Tencent that serves each host under a path of its name, such as `{base}/open.weixin.qq.com`.
    #[must_use]
    pub fn sandbox(base: &Url) -> Self {
        Self::each(|name| join(base, &format!("/{name}")))
    }

    fn each(place: impl Fn(&str) -> Url) -> Self {
        Self {
            open: place("open.weixin.qq.com"),
            api: place("api.weixin.qq.com"),
            mp: place("mp.weixin.qq.com"),
            qyapi: place("qyapi.weixin.qq.com"),
            login_work: place("login.work.weixin.qq.com"),
            open_work: place("open.work.weixin.qq.com"),
        }
    }

    pub(crate) fn open_page(&self, path: &str, query: &Query) -> Url {
        with_query(&self.open, path, query)
    }

    pub(crate) fn mp_page(&self, path: &str, query: &Query) -> Url {
        with_query(&self.mp, path, query)
    }

    /// The address of a call on the host of its platform.
    pub(crate) fn call(&self, platform: Platform, path: &str, query: &Query) -> Url {
        let base = match platform {
            Platform::WeChat => &self.api,
            Platform::WeCom => &self.qyapi,
        };
        with_query(base, path, query)
    }
}

/// Whose call it is. Both number their errors, and the same number can mean different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Platform {
    /// WeChat: website apps, official accounts and mini-programs.
    WeChat,
    /// WeCom, 企业微信.
    WeCom,
}

/// An address on one of the hosts, with this query.
pub(crate) fn with_query(base: &Url, path: &str, query: &Query) -> Url {
    let mut url = join(base, path);
    url.set_query(Some(query.as_str()));
    url
}

/// `base` with `path` behind its own path. `Url::join` would drop the prefix.
fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prefix_survives_with_and_without_a_trailing_slash() {
        for base in ["http://127.0.0.1:9000/pretend", "http://127.0.0.1:9000/pretend/?x=1#y"] {
            let hosts = Hosts::sandbox(&Url::parse(base).unwrap());
            assert_eq!(hosts.open.as_str(), "http://127.0.0.1:9000/pretend/open.weixin.qq.com");
            assert_eq!(
                hosts.call(Platform::WeChat, "/sns/auth", &Query::new().pair("a", "b")).as_str(),
                "http://127.0.0.1:9000/pretend/api.weixin.qq.com/sns/auth?a=b"
            );
            assert_eq!(
                hosts.call(Platform::WeCom, "/cgi-bin/gettoken", &Query::new()).as_str(),
                "http://127.0.0.1:9000/pretend/qyapi.weixin.qq.com/cgi-bin/gettoken?"
            );
        }
    }

    #[test]
    fn the_default_is_tencent() {
        let url = Hosts::default().open_page("/connect/qrconnect", &Query::new().pair("a", "b"));
        assert_eq!(url.as_str(), "https://open.weixin.qq.com/connect/qrconnect?a=b");
        assert_eq!(Hosts::default().login_work.as_str(), "https://login.work.weixin.qq.com/");
    }
}
