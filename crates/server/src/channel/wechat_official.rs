//! `wechat-official`: a service account's web authorization (服务号网页授权) behind our own QR. Whoever opens the QR
//! inside WeChat is authorized there and then asked by **our** confirm page, because WeChat may authorize silently
//! (fact sheet §3, SEC-37).

use mashang_wechat::official::{Scope, WebAuthorize};
use url::Url;

use super::wechat_account::WechatAccount;
use crate::web::problem::Problem;

/// A service account.
#[derive(Debug)]
pub struct WechatOfficial {
    /// The app.
    pub account: WechatAccount,
}

impl WechatOfficial {
    /// WeChat's authorization page.
    ///
    /// # Errors
    /// [`Problem::Broken`] if our state were too long, which the tests rule out.
    pub fn page(&self, state: &str) -> Result<Url, Problem> {
        let WechatAccount { appid, callback, client, .. } = &self.account;
        WebAuthorize { appid, redirect_uri: callback, state, scope: Scope::UserInfo, force_popup: false }
            .url(client.hosts())
            .map_err(|error| Problem::Broken(error.to_string()))
    }
}
