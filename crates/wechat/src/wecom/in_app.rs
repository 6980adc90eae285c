//! Web authorization inside the WeCom app (WeCom fact sheet §5): for pages opened in its own browser, whose user agent
//! contains `wxwork`.
//!
//! Elsewhere WeCom only asks to open the page in its app, so show a QR code of your own page and redirect from there.

use url::Url;

use super::ids::{AgentId, CorpId};
use crate::hosts::Hosts;
use crate::query::Query;

/// Longest `state` in bytes.
pub const STATE_LIMIT: usize = 128;

/// How much is asked of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InAppScope {
    /// `snsapi_base`: who they are, without a question.
    Base,
    /// `snsapi_privateinfo`: a consent page, then a [`UserTicket`](super::UserTicket) for what they agreed to show. A
    /// member outside of the app's visible range is shown an error.
    PrivateInfo,
}

/// The authorization page. It lives on WeChat's host and tells WeCom's apps by their corpid.
#[derive(Clone, Copy, Debug)]
pub struct InAppAuthorize<'a> {
    /// The company.
    pub corp: &'a CorpId,
    /// Its app. Required with `snsapi_privateinfo`, harmless with `snsapi_base`.
    pub agent: AgentId,
    /// Where the browser returns. Its host must be one of the app's 可信域名 (§9), and it has no fragment.
    pub redirect_uri: &'a Url,
    /// Returned unchanged. Random, one-time, bound to the browser; 1 to 128 letters and digits, nothing else.
    pub state: &'a str,
    /// How much is asked of the person.
    pub scope: InAppScope,
}

/// An address that the authorization page would refuse or not return from. Never carries the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// A state protects against a code that somebody else slipped in.
    #[error("state is empty")]
    StateEmpty,
    /// Documented at 128 bytes.
    #[error("state is longer than {STATE_LIMIT} bytes")]
    StateTooLong,
    /// Documented as `[a-zA-Z0-9]`: unlike on every other page, `-` and `_` are not allowed.
    #[error("state holds something other than letters and digits")]
    StateCharacter,
    /// The browser would not come back.
    #[error("redirect_uri has a fragment")]
    Fragment,
}

impl InAppAuthorize<'_> {
    /// The page's address. The closing fragment is required and stands last, so change nothing in it.
    ///
    /// # Errors
    /// When `state` or `redirect_uri` break the rules named at them.
    pub fn url(&self, hosts: &Hosts) -> Result<Url, AddressError> {
        if self.redirect_uri.fragment().is_some() {
            return Err(AddressError::Fragment);
        }
        match self.state.len() {
            0 => return Err(AddressError::StateEmpty),
            1..=STATE_LIMIT => {}
            _ => return Err(AddressError::StateTooLong),
        }
        if !self.state.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(AddressError::StateCharacter);
        }
        let query = Query::new()
            .pair("appid", self.corp.as_str())
            .pair("redirect_uri", self.redirect_uri.as_str())
            .pair("response_type", "code")
            .pair("scope", self.scope.as_str())
            .pair("state", self.state)
            .pair("agentid", &self.agent.to_string());
        let mut url = hosts.open_page("/connect/oauth2/authorize", &query);
        url.set_fragment(Some("wechat_redirect"));
        Ok(url)
    }
}

impl InAppScope {
    /// As WeCom writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "snsapi_base",
            Self::PrivateInfo => "snsapi_privateinfo",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(redirect_uri: &str, state: &str, scope: InAppScope) -> Result<String, AddressError> {
        let corp: CorpId = "ww7dc5f02540a109d3".parse().unwrap();
        let redirect_uri = Url::parse(redirect_uri).unwrap();
        let agent = "1000002".parse().unwrap();
        let page = InAppAuthorize { corp: &corp, agent, redirect_uri: &redirect_uri, state, scope };
        page.url(&Hosts::default()).map(String::from)
    }

    #[test]
    fn parameters_stand_in_the_documented_order_before_the_fragment() {
        for scope in [InAppScope::Base, InAppScope::PrivateInfo] {
            assert_eq!(
                address("https://a.example/cb?x=1", "Abc123", scope).unwrap(),
                format!(
                    "https://open.weixin.qq.com/connect/oauth2/authorize?appid=ww7dc5f02540a109d3\
                     &redirect_uri=https%3A%2F%2Fa.example%2Fcb%3Fx%3D1&response_type=code&scope={}\
                     &state=Abc123&agentid=1000002#wechat_redirect",
                    scope.as_str()
                )
            );
        }
    }

    #[test]
    fn a_state_wecom_would_refuse_is_refused_here() {
        let of = |state: &str| address("https://a.example/cb", state, InAppScope::Base).map(|_| ());
        assert_eq!(of(&"a".repeat(128)), Ok(()));
        assert_eq!(of(&"a".repeat(129)), Err(AddressError::StateTooLong));
        assert_eq!(of(""), Err(AddressError::StateEmpty));
        for state in ["a-b", "a_b", "a.b", "a b", "a#wechat_redirect", "码"] {
            assert_eq!(of(state), Err(AddressError::StateCharacter), "{state}");
        }
    }

    #[test]
    fn a_return_address_with_a_fragment_is_refused() {
        let outcome = address("https://a.example/#/cb", "a", InAppScope::Base);
        assert_eq!(outcome, Err(AddressError::Fragment));
    }
}
