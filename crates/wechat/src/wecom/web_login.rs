//! WeCom's login pages for a desktop browser: a QR code that the person scans with the WeCom app.
//!
//! Both come back the same way: `code` and `state` are added to `redirect_uri`'s query. A person who refuses is sent
//! back with `state` alone; one outside of the app's visible range is told so on the phone and not sent anywhere
//! (WeCom fact sheet §2).

use url::Url;

use super::ids::{AgentId, CorpId};
use crate::hosts::{Hosts, with_query};
use crate::lang::Lang;
use crate::query::Query;

/// The login page of today, which also offers one click in a running desktop app (WeCom fact sheet §2).
#[derive(Clone, Copy, Debug)]
pub struct WebLogin<'a> {
    /// The company.
    pub corp: &'a CorpId,
    /// Its app.
    pub agent: AgentId,
    /// Where the browser returns. Its host, and its port if any, must be exactly the app's 授权回调域 or one of its
    /// 可信域名 (§9).
    pub redirect_uri: &'a Url,
    /// Returned unchanged. Random, one-time, bound to the browser.
    pub state: &'a str,
    /// Language of the page.
    pub lang: Lang,
}

/// The login page of old, still working: for companies whose network or desktop app has trouble with the new one
/// (WeCom fact sheet §3).
#[derive(Clone, Copy, Debug)]
pub struct OldQrConnect<'a> {
    /// As in [`WebLogin::corp`].
    pub corp: &'a CorpId,
    /// As in [`WebLogin::agent`].
    pub agent: AgentId,
    /// As in [`WebLogin::redirect_uri`].
    pub redirect_uri: &'a Url,
    /// As in [`WebLogin::state`].
    pub state: &'a str,
    /// As in [`WebLogin::lang`].
    pub lang: Lang,
}

pub(super) const PATH: &str = "/wwlogin/sso/login";

impl WebLogin<'_> {
    /// The page's address, to redirect the top-level window to.
    #[must_use]
    pub fn url(&self, hosts: &Hosts) -> Url {
        let query = self.common_query().pair("lang", spelled(self.lang));
        with_query(&hosts.login_work, PATH, &query)
    }

    /// What page and panel have in common, in the order of Tencent's examples.
    pub(super) fn common_query(&self) -> Query {
        Query::new()
            .pair("login_type", "CorpApp")
            .pair("appid", self.corp.as_str())
            .pair("agentid", &self.agent.to_string())
            .pair("redirect_uri", self.redirect_uri.as_str())
            .pair("state", self.state)
    }
}

impl OldQrConnect<'_> {
    /// The page's address, to redirect the top-level window to.
    #[must_use]
    pub fn url(&self, hosts: &Hosts) -> Url {
        let query = Query::new()
            .pair("appid", self.corp.as_str())
            .pair("agentid", &self.agent.to_string())
            .pair("redirect_uri", self.redirect_uri.as_str())
            .pair("state", self.state)
            .pair("lang", spelled(self.lang));
        with_query(&hosts.open_work, "/wwopen/sso/qrConnect", &query)
    }
}

/// WeCom's pages know two languages.
pub(super) fn spelled(lang: Lang) -> &'static str {
    match lang {
        Lang::ZhCn | Lang::ZhTw => "zh",
        Lang::En => "en",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REST: &str = "appid=ww7dc5f02540a109d3&agentid=1000002\
        &redirect_uri=https%3A%2F%2Flogin.example.com%3A8443%2Fwecom%2Fcallback%3Fa%3Db%26c&state=kq-3_w9x";

    #[test]
    fn both_pages_have_their_documented_parameters_encoded_once() {
        let corp: CorpId = "ww7dc5f02540a109d3".parse().unwrap();
        let agent: AgentId = "1000002".parse().unwrap();
        let redirect_uri = &Url::parse("https://login.example.com:8443/wecom/callback?a=b&c").unwrap();
        let state = "kq-3_w9x";
        let hosts = Hosts::default();
        let new = WebLogin { corp: &corp, agent, redirect_uri, state, lang: Lang::ZhTw };
        assert_eq!(
            new.url(&hosts).as_str(),
            format!("https://login.work.weixin.qq.com/wwlogin/sso/login?login_type=CorpApp&{REST}&lang=zh")
        );
        let old = OldQrConnect { corp: &corp, agent, redirect_uri, state, lang: Lang::En };
        assert_eq!(
            old.url(&hosts).as_str(),
            format!("https://open.work.weixin.qq.com/wwopen/sso/qrConnect?{REST}&lang=en")
        );
    }
}
