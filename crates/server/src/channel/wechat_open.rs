//! `wechat-open`: WeChat Open Platform website login (网站应用). WeChat's page shows the QR and asks for consent; the
//! browser comes back with a code, in its own window or inside our frame (fact sheet §1).

use mashang_wechat::open::{EmbeddedQrConnect, FastLogin, Look, QrConnect, SelfRedirect};
use url::Url;

use super::wechat_account::{WechatAccount, lang};
use crate::web::language::Language;

/// A website app.
#[derive(Debug)]
pub struct WechatOpen {
    /// The app.
    pub account: WechatAccount,
    /// Whether WeChat's QR is shown inside our page.
    pub embedded: bool,
}

impl WechatOpen {
    /// WeChat's page, for the whole window.
    #[must_use]
    pub fn page(&self, state: &str, language: Language) -> Url {
        let WechatAccount { appid, callback, client, .. } = &self.account;
        QrConnect { appid, redirect_uri: callback, state, lang: lang(language), look: Look::default() }
            .url(client.hosts())
    }

    /// WeChat's page for a frame: the parameters of `wxLogin.js`, returning inside the frame. Desktop quick login is
    /// off: it probes local ports and makes browsers ask for permissions (fact sheet §1.7).
    #[must_use]
    pub fn frame(&self, state: &str, language: Language) -> Url {
        let WechatAccount { appid, callback, client, .. } = &self.account;
        EmbeddedQrConnect {
            appid,
            redirect_uri: callback,
            state,
            self_redirect: SelfRedirect::Iframe,
            lang: lang(language),
            look: Look { stylelite: true, fast_login: FastLogin::Off, ..Look::default() },
        }
        .embed_url(client.hosts())
    }
}
