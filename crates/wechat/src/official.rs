//! A service account's (服务号) two ways to know a person: web authorization, and [QR codes with a scene](qr).
//!
//! Web authorization (网页授权) is for pages opened inside WeChat's own browser. Elsewhere WeChat only asks to open the page in WeChat. The address must not be shown as a QR code itself; show a
//! QR code of your own page and redirect from there (WeChat fact sheet §3).

pub mod follower;
pub mod qr;

use url::Url;

use crate::hosts::Hosts;
use crate::ids::AppId;
use crate::query::Query;

/// Longest `state` in bytes; beyond it WeChat shows "state 参数过长" instead of the page.
pub const STATE_LIMIT: usize = 128;

/// How much is asked of the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// `snsapi_base`: openid only, without a question.
    Base,
    /// `snsapi_userinfo`: a consent dialog, then nickname, picture and unionid.
    UserInfo,
}

/// The authorization page (WeChat fact sheet §3).
#[derive(Clone, Copy, Debug)]
pub struct WebAuthorize<'a> {
    /// A verified service account. A website app's id is shown error 10016.
    pub appid: &'a AppId,
    /// Where the browser returns. Its host must be the account's configured 网页授权域名, without a port.
    pub redirect_uri: &'a Url,
    /// Returned unchanged. Random, one-time, bound to the browser; 1 to 128 bytes. The documentation names letters
    /// and digits only.
    pub state: &'a str,
    /// How much is asked of the person.
    pub scope: Scope,
    /// Ask for consent even where WeChat would stay silent, such as for followers.
    pub force_popup: bool,
}

/// A `state` that the authorization page would refuse. Never carries the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StateError {
    /// WeChat shows error 10013.
    #[error("state is empty")]
    Empty,
    /// WeChat shows "state 参数过长".
    #[error("state is longer than {STATE_LIMIT} bytes")]
    TooLong,
}

impl WebAuthorize<'_> {
    /// The page's address. WeChat matches the order of the parameters and the closing fragment, so change nothing
    /// in it.
    ///
    /// # Errors
    /// When `state` is empty or longer than [`STATE_LIMIT`].
    pub fn url(&self, hosts: &Hosts) -> Result<Url, StateError> {
        match self.state.len() {
            0 => return Err(StateError::Empty),
            1..=STATE_LIMIT => {}
            _ => return Err(StateError::TooLong),
        }
        let query = Query::new()
            .pair("appid", self.appid.as_str())
            .pair("redirect_uri", self.redirect_uri.as_str())
            .pair("response_type", "code")
            .pair("scope", self.scope.as_str())
            .pair("state", self.state)
            // Without it WeChat's browser may open the callback twice, and the second code exchange fails.
            .pair("connect_redirect", "1")
            .optional("forcePopup", self.force_popup.then_some("true"));
        let mut url = hosts.open_page("/connect/oauth2/authorize", &query);
        url.set_fragment(Some("wechat_redirect"));
        Ok(url)
    }
}

impl Scope {
    /// As WeChat writes it, in the address and in [`SnsToken::scope`](crate::sns::SnsToken::scope).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "snsapi_base",
            Self::UserInfo => "snsapi_userinfo",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(state: &str, scope: Scope, force_popup: bool) -> Result<String, StateError> {
        let appid: AppId = "wx0123456789abcdef".parse().unwrap();
        let redirect_uri = Url::parse("https://login.example.com/s/x?y=1").unwrap();
        let page = WebAuthorize { appid: &appid, redirect_uri: &redirect_uri, state, scope, force_popup };
        page.url(&Hosts::default()).map(String::from)
    }

    const START: &str = "https://open.weixin.qq.com/connect/oauth2/authorize?appid=wx0123456789abcdef\
        &redirect_uri=https%3A%2F%2Flogin.example.com%2Fs%2Fx%3Fy%3D1&response_type=code";

    #[test]
    fn parameters_stand_in_wechats_strict_order() {
        assert_eq!(
            address("abc123", Scope::Base, false).unwrap(),
            format!("{START}&scope=snsapi_base&state=abc123&connect_redirect=1#wechat_redirect")
        );
        assert_eq!(
            address("abc123", Scope::UserInfo, true).unwrap(),
            format!(
                "{START}&scope=snsapi_userinfo&state=abc123&connect_redirect=1&forcePopup=true#wechat_redirect"
            )
        );
    }

    #[test]
    fn a_state_wechat_would_refuse_is_refused_here() {
        assert!(address(&"a".repeat(128), Scope::Base, false).is_ok());
        assert_eq!(address(&"a".repeat(129), Scope::Base, false), Err(StateError::TooLong));
        assert_eq!(address(&"码".repeat(43), Scope::Base, false), Err(StateError::TooLong));
        assert_eq!(address("", Scope::Base, false), Err(StateError::Empty));
    }
}
