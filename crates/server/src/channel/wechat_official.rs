//! `wechat-official`: a service account's web authorization (服务号网页授权) behind our own QR. Whoever opens the QR
//! inside WeChat is authorized there and then asked by **our** confirm page, because WeChat may authorize silently
//! (fact sheet §3, SEC-37).

use mashang_login::identity::{ChannelKind, IdentityKey, Profile, Proof, UnionLink, clean_name};
use mashang_login::ids::ChannelId;
use mashang_wechat::Lang;
use mashang_wechat::official::{Scope, WebAuthorize};
use mashang_wechat::sns::SnsToken;
use url::Url;

use super::wechat_open::lang;
use super::{ChannelFailure, WechatAccount};
use crate::state::App;
use crate::web::language::Language;
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

    pub(super) async fn exchange(
        &self,
        channel: &ChannelId,
        app: &App,
        code: &str,
        language: Language,
    ) -> Result<Proof, ChannelFailure> {
        let account = &self.account;
        let token = account.client.exchange_code(&account.appid, &account.secret, code).await?;
        if token.is_snapshot_user {
            // A snapshot page hands out virtual openids and unionids; no account may grow from one (fact sheet §3).
            return Err(ChannelFailure {
                key: "channel_snapshot",
                errcode: None,
                log: "the page was opened as a WeChat snapshot (is_snapshotuser=1); the person must tap 使用完整服务".into(),
            });
        }
        proof(ChannelKind::WechatOfficial, channel, account, app, &token, lang(language)).await
    }
}

/// Turns an exchanged token into a proof, with the profile WeChat gives. The unionid of either answer counts, but two
/// different ones are a contradiction.
pub(super) async fn proof(
    kind: ChannelKind,
    channel: &ChannelId,
    account: &WechatAccount,
    app: &App,
    token: &SnsToken,
    lang: Lang,
) -> Result<Proof, ChannelFailure> {
    let user = account.client.userinfo(token, lang).await?;
    let unionid = match (&token.unionid, &user.unionid) {
        (Some(a), Some(b)) if a != b => {
            return Err(ChannelFailure {
                key: "channel_down",
                errcode: None,
                log: "WeChat answered with two different unionids in one login; refused".into(),
            });
        }
        (a, b) => a.as_ref().or(b.as_ref()),
    };
    let union = match (&account.platform, unionid) {
        (Some(platform), Some(unionid)) => {
            Some(UnionLink { platform: platform.clone(), unionid: unionid.as_str().to_owned() })
        }
        _ => None,
    };
    Ok(Proof {
        channel: channel.clone(),
        key: IdentityKey {
            kind,
            app: account.appid.as_str().to_owned(),
            subject: token.openid.as_str().to_owned(),
        },
        union,
        profile: Profile {
            nickname: clean_name(&user.nickname),
            picture: user.headimgurl.filter(|picture| picture.scheme() == "https"),
        },
        proven_at: app.now(),
    })
}
