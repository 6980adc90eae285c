//! `wecom`: an app of a company on WeCom (企业微信自建应用). On a computer WeCom's own page or panel shows the QR and asks
//! for consent; inside WeCom our link is authorized silently and **our** confirm page asks (SEC-37).
//!
//! A code names a member of the corp, even one whom the app is not visible to, or somebody who is none (WeCom fact sheet
//! §7). Admitted are members whom the directory still shows to this app; others only if the operator said so, under names
//! that no member can have (SEC-35).

use mashang_login::identity::{Attributes, ChannelKind, IdentityKey, Profile, Proof, clean_name};
use mashang_wechat::Client;
use mashang_wechat::wecom::{
    AgentId, CorpId, CorpLogin, InAppAuthorize, InAppScope, Member, MemberId, MemberStatus, OldQrConnect,
    Panel, PanelRedirect, PanelSize, UserTicket, WebLogin,
};
use url::Url;

use super::wechat_account::lang;
use super::{Channel, ChannelFailure, FailureWords};
use crate::config::channel::WecomQr;
use crate::platform::Source;
use crate::state::App;
use crate::web::language::Language;
use crate::web::problem::Problem;

/// An app of a corp.
#[derive(Debug)]
pub struct Wecom {
    /// Speaks to WeCom, through the operator's proxy if there is one, or to the sandbox.
    pub client: Client,
    /// The company.
    pub corp: CorpId,
    /// The app.
    pub agent: AgentId,
    /// The app's token and breaker.
    pub source: Source,
    /// Our callback address.
    pub callback: Url,
    /// What the tab shows.
    pub qr: WecomQr,
    /// The old page instead of the new one.
    pub old_page: bool,
    /// Whether to ask for private fields inside WeCom.
    pub private_info: bool,
    /// Whether people outside the corp may sign in.
    pub allow_outsiders: bool,
}

impl Wecom {
    fn web_login<'a>(&'a self, state: &'a str, language: Language) -> WebLogin<'a> {
        WebLogin {
            corp: &self.corp,
            agent: self.agent,
            redirect_uri: &self.callback,
            state,
            lang: lang(language),
        }
    }

    /// WeCom's page, for the whole window.
    #[must_use]
    pub fn page(&self, state: &str, language: Language) -> Url {
        if self.old_page {
            let WebLogin { corp, agent, redirect_uri, state, lang } = self.web_login(state, language);
            return OldQrConnect { corp, agent, redirect_uri, state, lang }.url(self.client.hosts());
        }
        self.web_login(state, language).url(self.client.hosts())
    }

    /// WeCom's panel for a frame, returning inside the frame; the old page has none.
    #[must_use]
    pub fn panel(&self, state: &str, language: Language) -> Option<Url> {
        let panel = Panel {
            login: self.web_login(state, language),
            redirect: PanelRedirect::Frame,
            size: PanelSize::Small,
            color_scheme: None,
        };
        (!self.old_page).then(|| panel.embed_url(self.client.hosts()))
    }

    /// The host of that page.
    #[must_use]
    pub fn page_host(&self) -> &Url {
        let hosts = self.client.hosts();
        if self.old_page { &hosts.open_work } else { &hosts.login_work }
    }

    /// The authorization page inside WeCom.
    ///
    /// # Errors
    /// [`Problem::Broken`] if our state or address were malformed, which the tests rule out.
    pub fn in_app_page(&self, state: &str) -> Result<Url, Problem> {
        let scope = if self.private_info { InAppScope::PrivateInfo } else { InAppScope::Base };
        InAppAuthorize { corp: &self.corp, agent: self.agent, redirect_uri: &self.callback, state, scope }
            .url(self.client.hosts())
            .map_err(|error| Problem::Broken(error.to_string()))
    }

    /// Exchanges a code, once, and asks the directory about the member: whoever left is refused here.
    ///
    /// # Errors
    /// [`ChannelFailure`]: WeCom refused or failed, or the person is nobody whom this app admits.
    pub async fn prove(&self, app: &App, channel: &Channel, code: &str) -> Result<Proof, ChannelFailure> {
        let login =
            app.tokens.with(&self.source, async |token| self.client.corp_login(&token, code).await).await?;
        let proof = |subject: String, profile, attributes| Proof {
            channel: channel.id.clone(),
            key: IdentityKey { kind: ChannelKind::Wecom, app: self.corp.as_str().to_owned(), subject },
            union: None,
            profile,
            attributes,
            proven_at: app.now(),
            password_set_at: None,
        };
        let stranger = |subject: String| {
            let admitted =
                self.allow_outsiders.then(|| proof(subject, Profile::default(), Attributes::default()));
            admitted.ok_or_else(not_of_this_corp)
        };
        match login {
            CorpLogin::Member { id, ticket } => {
                let member = self.member(app, &id).await?;
                let email = self.private_email(app, channel, &member, ticket).await;
                let attributes = Attributes {
                    member_id: Some(member.id.as_str().to_owned()),
                    departments: member.departments.clone(),
                    phone_number: None,
                    phone_proven_at: None,
                    email: email.or(member.biz_mail).or(member.email),
                };
                let profile = Profile {
                    nickname: member.name.as_deref().and_then(clean_name),
                    picture: member.avatar.filter(|picture| picture.scheme() == "https"),
                };
                Ok(proof(member.id.canonical(), profile, attributes))
            }
            // A member's id has neither colon nor slash (WeCom fact sheet §1), so nobody takes another's place.
            CorpLogin::LinkedMember { corp, id } => {
                stranger(format!("linked:{}/{}", corp.as_str(), id.canonical()))
            }
            CorpLogin::Outsider { openid, .. } => stranger(format!("openid:{}", openid.as_str())),
        }
    }

    /// The member as the directory shows them to this app now.
    async fn member(&self, app: &App, id: &MemberId) -> Result<Member, ChannelFailure> {
        let member =
            app.tokens.with(&self.source, async |token| self.client.member(&token, id).await).await?;
        match member.status {
            None | Some(MemberStatus::Active) => Ok(member),
            Some(_) => Err(ChannelFailure {
                words: FailureWords::Person,
                errcode: None,
                log: "the directory says that this member left, is switched off or not yet activated / 通讯录显示该成员已退出、已禁用或未激活"
                    .into(),
            }),
        }
    }

    /// The address the member agreed to show inside WeCom; none where nothing was asked for. Who signs in is proven without
    /// it, so that a failure here costs no login.
    async fn private_email(
        &self,
        app: &App,
        channel: &Channel,
        member: &Member,
        ticket: Option<UserTicket>,
    ) -> Option<String> {
        let ticket = ticket.filter(|_| self.private_info)?;
        let detail = app
            .tokens
            .with(&self.source, async |token| self.client.member_detail(&token, &ticket).await)
            .await
            .inspect_err(|error| {
                tracing::warn!(channel.id = %channel.id, %error, "the private fields of a member were not told: {error}");
            })
            .ok()?;
        (detail.id == member.id).then(|| detail.biz_mail.or(detail.email))?
    }
}

fn not_of_this_corp() -> ChannelFailure {
    ChannelFailure {
        words: FailureWords::Person,
        errcode: None,
        log: "the person is no active member of this corp, or one whom the app does not show: look at 应用管理 › the app › 可见范围 first. allow_outsiders = true admits such people as accounts of their own, members who left or were switched off among them / 扫码的人不是本企业的在职成员，或不在应用的可见范围内：请先检查 应用管理 › 该应用 › 可见范围。allow_outsiders = true 会把这些人（包括已退出、已禁用的成员）作为单独的账号放进来"
            .into(),
    }
}
