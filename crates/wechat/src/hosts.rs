//! Where WeChat is: the real hosts, or a stand-in that serves them under path prefixes.

use url::Url;

use crate::query::Query;

/// The two hosts of WeChat's web login. Either may carry a path prefix, which is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    /// Pages that a browser opens; `https://open.weixin.qq.com` by default.
    pub open: Url,
    /// Calls from server to server; `https://api.weixin.qq.com` by default.
    pub api: Url,
}

impl Default for Hosts {
    /// Tencent's own hosts. By name, never by address: Tencent moves them (WeChat fact sheet §2.1).
    fn default() -> Self {
        let parse = |text| Url::parse(text).expect("a literal https address parses");
        Self { open: parse("https://open.weixin.qq.com"), api: parse("https://api.weixin.qq.com") }
    }
}

impl Hosts {
    /// A stand-in for Tencent that serves each host under a path of its name: `{base}/open.weixin.qq.com` and
    /// `{base}/api.weixin.qq.com`.
    #[must_use]
    pub fn sandbox(base: &Url) -> Self {
        Self { open: join(base, "/open.weixin.qq.com"), api: join(base, "/api.weixin.qq.com") }
    }

    pub(crate) fn open_page(&self, path: &str, query: &Query) -> Url {
        with_query(&self.open, path, query)
    }

    pub(crate) fn api_call(&self, path: &str, query: &Query) -> Url {
        with_query(&self.api, path, query)
    }
}

fn with_query(base: &Url, path: &str, query: &Query) -> Url {
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
                hosts.api_call("/sns/auth", &Query::new().pair("a", "b")).as_str(),
                "http://127.0.0.1:9000/pretend/api.weixin.qq.com/sns/auth?a=b"
            );
        }
    }

    #[test]
    fn the_default_is_tencent() {
        let url = Hosts::default().open_page("/connect/qrconnect", &Query::new().pair("a", "b"));
        assert_eq!(url.as_str(), "https://open.weixin.qq.com/connect/qrconnect?a=b");
    }
}
