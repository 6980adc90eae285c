//! What both kinds of WeChat app share: an account at WeChat, and the exchange of a code for a proof.

use mashang_login::identity::{Attributes, IdentityKey, Profile, Proof, UnionLink, clean_name};
use mashang_wechat::{AppId, AppSecret, Client, Lang, OpenId, UnionId};
use url::Url;

use super::{Channel, ChannelFailure, FailureWords};
use crate::platform::Source;
use crate::state::App;
use crate::web::language::Language;

/// An app registered at WeChat.
#[derive(Debug)]
pub struct WechatAccount {
    /// Speaks to WeChat or to the sandbox.
    pub client: Client,
    /// The app.
    pub appid: AppId,
    /// Its secret.
    pub secret: AppSecret,
    /// Our callback address.
    pub callback: Url,
    /// The open-platform account it is bound to.
    pub platform: Option<String>,
    /// The app's token and breaker.
    pub source: Source,
}

/// WeChat's name for a language.
#[must_use]
pub fn lang(language: Language) -> Lang {
    match language {
        Language::ZhCn => Lang::ZhCn,
        Language::En => Lang::En,
    }
}

impl WechatAccount {
    /// Exchanges a code, once, and asks for the profile.
    ///
    /// # Errors
    /// [`ChannelFailure`]: WeChat refused or failed, the page was a snapshot, or the answers contradict each other.
    pub async fn prove(
        &self,
        channel: &Channel,
        app: &App,
        code: &str,
        language: Language,
    ) -> Result<Proof, ChannelFailure> {
        let breaker = self.source.breaker();
        let exchange = self.client.exchange_code(&self.appid, &self.secret, code);
        let token = breaker.run(&*app.clock, exchange).await?;
        if token.is_snapshot_user {
            // A snapshot page hands out virtual openids and unionids; no account may grow from one (fact sheet §3).
            return Err(ChannelFailure {
                words: FailureWords::Snapshot,
                errcode: None,
                log: "the page was opened as a WeChat snapshot (is_snapshotuser=1); the person must tap 使用完整服务"
                    .into(),
            });
        }
        let user = breaker.run(&*app.clock, self.client.userinfo(&token, lang(language))).await?;
        Ok(Proof {
            channel: channel.id.clone(),
            key: IdentityKey {
                kind: channel.kind(),
                app: self.appid.as_str().to_owned(),
                subject: token.openid.as_str().to_owned(),
            },
            union: self.union(token.unionid.as_ref().or(user.unionid.as_ref())),
            profile: Profile {
                nickname: clean_name(&user.nickname),
                picture: user.headimgurl.filter(|picture| picture.scheme() == "https"),
            },
            attributes: Attributes::default(),
            proven_at: app.now(),
            password_set_at: None,
        })
    }

    /// A unionid as a link, if the operator declared the open-platform account it is valid in (SEC-39).
    #[must_use]
    pub fn union(&self, unionid: Option<&UnionId>) -> Option<UnionLink> {
        let platform = self.platform.clone()?;
        Some(UnionLink { platform, unionid: unionid?.as_str().to_owned() })
    }

    /// Asks for the unionid of somebody who follows this official account, which an event does not tell. `None` without a
    /// call where the operator declared no open-platform account.
    ///
    /// # Errors
    /// [`ChannelFailure`] when WeChat refuses or fails.
    pub async fn union_of_follower(
        &self,
        app: &App,
        openid: &str,
        language: Language,
    ) -> Result<Option<UnionLink>, ChannelFailure> {
        let (Some(_), Ok(openid)) = (&self.platform, openid.parse::<OpenId>()) else { return Ok(None) };
        let follower = app
            .tokens
            .with(&self.source, async |token| {
                self.client.official_user(&token, &openid, lang(language)).await
            })
            .await?;
        Ok(self.union(follower.unionid.as_ref()))
    }
}
