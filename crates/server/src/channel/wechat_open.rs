//! `wechat-open`: WeChat Open Platform website login (网站应用). WeChat's page shows the QR and asks for consent; the
//! browser comes back with a code, in its own window or inside our frame (fact sheet §1).

use mashang_login::identity::{ChannelKind, Proof};
use mashang_login::ids::ChannelId;
use mashang_wechat::Lang;
use mashang_wechat::open::{EmbeddedQrConnect, FastLogin, Look, QrConnect, SelfRedirect};
use url::Url;

use super::wechat_official::proof;
use super::{ChannelFailure, WechatAccount};
use crate::state::App;
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

    pub(super) async fn exchange(
        &self,
        channel: &ChannelId,
        app: &App,
        code: &str,
        language: Language,
    ) -> Result<Proof, ChannelFailure> {
        let account = &self.account;
        let token = account.client.exchange_code(&account.appid, &account.secret, code).await?;
        proof(ChannelKind::WechatOpen, channel, account, app, &token, lang(language)).await
    }
}

/// WeChat's name for a language.
pub(super) fn lang(language: Language) -> Lang {
    match language {
        Language::ZhCn => Lang::ZhCn,
        Language::En => Lang::En,
    }
}
