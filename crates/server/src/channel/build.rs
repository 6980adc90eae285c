//! From a configuration's sections to channels: secrets are read, clients are built, addresses of ours are filled in.

use std::sync::Arc;

use mashang_login::ids::ChannelId;
use mashang_wechat::callback::{EncodingAesKey, Inbox, Mode};
use mashang_wechat::mini::code::EnvVersion;
use mashang_wechat::wecom::{AgentId, CorpId, CorpSecret};
use mashang_wechat::{AppId, Client, ClientOptions, Hosts};
use url::Url;

use super::app::OwnApp;
use super::email::Email;
use super::events::Events;
use super::one_time_code::OneTimeCodes;
use super::passkey::Passkey;
use super::password::Password;
use super::relay::Relay;
use super::sms::Sms;
use super::wechat_account::WechatAccount;
use super::wechat_mini::WechatMini;
use super::wechat_official::WechatOfficial;
use super::wechat_open::WechatOpen;
use super::wecom::Wecom;
use super::{Channel, Means};
use crate::config::channel::{
    ChannelSection, EventMode, EventsSection, MiniVersion, OfficialQr, WechatMiniSection,
    WechatOfficialSection, WechatOpenSection, WecomSection,
};
use crate::config::secret::{SecretPlace, secret_of};
use crate::config::sender::SenderSection;
use crate::config::this_device::{EmailSection, SmsSection};
use crate::config::{Config, ConfigError};
use crate::message::Sender;
use crate::message::outbox::Outbox;
use crate::metrics::Metrics;
use crate::platform::config::TokenSourceSection;
use crate::platform::theirs::Theirs;
use crate::platform::{Breaker, Source, calls};
use crate::urls;

/// What the channels of one configuration have in common.
pub(super) struct Workshop {
    hosts: Hosts,
    sandbox: Option<Url>,
    client: Client,
    public_url: String,
    metrics: Arc<Metrics>,
}

impl Workshop {
    pub(super) fn new(config: &Config, metrics: &Arc<Metrics>) -> Result<Self, ConfigError> {
        let sandbox = config.sandbox_url();
        let hosts = sandbox.as_ref().map_or_else(Hosts::default, Hosts::sandbox);
        let client =
            client(&hosts, ClientOptions { no_proxy: sandbox.is_some(), ..ClientOptions::default() })?;
        let public_url = config.server.public_url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { hosts, sandbox, client, public_url, metrics: metrics.clone() })
    }

    pub(super) fn channel(&self, id: &ChannelId, section: &ChannelSection) -> Result<Channel, ConfigError> {
        let (means, events) = match section {
            ChannelSection::WechatOpen(section) => (Means::WechatOpen(self.open(id, section)?), None),
            ChannelSection::WechatOfficial(section) => {
                let official = self.official(id, section)?;
                let events =
                    section.events.as_ref().map(|events| official_events(id, events, &section.appid));
                (Means::WechatOfficial(official), events.transpose()?)
            }
            ChannelSection::WechatMini(section) => (Means::WechatMini(self.mini(id, section)?), None),
            ChannelSection::Wecom(section) => {
                let events = section.events.as_ref().map(|events| wecom_events(id, events, &section.corpid));
                (Means::Wecom(self.wecom(id, section)?), events.transpose()?)
            }
            ChannelSection::App(section) => {
                let app = OwnApp::new(section).map_err(|why| wrong(id, &why))?;
                (Means::App(app), None)
            }
            ChannelSection::Passkey(section) => {
                let passkey = Passkey::new(&self.own_url(id)?, section.rp_id.as_deref());
                (Means::Passkey(passkey.map_err(|why| wrong(id, &why.to_string()))?), None)
            }
            ChannelSection::Password(_) => (Means::Password(Password::default()), None),
            ChannelSection::Email(section) => (Means::Email(self.email(id, section)?), None),
            ChannelSection::Sms(section) => (Means::Sms(self.sms(id, section)?), None),
        };
        if matches!(means, Means::Email(_) | Means::Sms(_)) {
            self.metrics.messages_by(id.as_str());
        }
        let hub = section.token_hub().map(|hub| hub.read_key(&format!("channel.{id}"))).transpose()?;
        Ok(Channel { id: id.clone(), label: section.label().map(str::to_owned), means, events, hub })
    }

    fn open(&self, id: &ChannelId, section: &WechatOpenSection) -> Result<WechatOpen, ConfigError> {
        let secret = secret_of(&section.secret, section.secret_file.as_deref());
        let account = self.account(id, &section.appid, secret, section.open_platform.as_ref())?;
        Ok(WechatOpen { account, embedded: section.embedded })
    }

    fn official(
        &self,
        id: &ChannelId,
        section: &WechatOfficialSection,
    ) -> Result<WechatOfficial, ConfigError> {
        let secret = secret_of(&section.secret, section.secret_file.as_deref());
        let mut account = self.account(id, &section.appid, secret, section.open_platform.as_ref())?;
        account.source = supplied(id, account.source, section.token_source.as_ref())?;
        let parametric = (section.qr == OfficialQr::Parametric).then(Default::default);
        Ok(WechatOfficial { account, parametric })
    }

    fn mini(&self, id: &ChannelId, section: &WechatMiniSection) -> Result<WechatMini, ConfigError> {
        let secret = secret_of(&section.secret, section.secret_file.as_deref());
        let mut account = self.account(id, &section.appid, secret, section.open_platform.as_ref())?;
        account.source = supplied(id, account.source, section.token_source.as_ref())?;
        Ok(WechatMini {
            account,
            qr: section.qr,
            page: section.page.clone(),
            version: match section.version {
                MiniVersion::Release => EnvVersion::Release,
                MiniVersion::Trial => EnvVersion::Trial,
                MiniVersion::Develop => EnvVersion::Develop,
            },
            check_page: section.check_page,
            drawn: Default::default(),
        })
    }

    fn wecom(&self, id: &ChannelId, section: &WecomSection) -> Result<Wecom, ConfigError> {
        let corp: CorpId = section
            .corpid
            .parse()
            .map_err(|_| wrong(id, "corpid: the 企业 ID has 18 characters, such as ww0123456789abcdef"))?;
        let agent = u32::try_from(section.agentid).ok().and_then(|agent| AgentId::try_from(agent).ok());
        let agent = agent.ok_or_else(|| wrong(id, "agentid: the AgentId is a number such as 1000002"))?;
        let secret = secret_of(&section.secret, section.secret_file.as_deref());
        let secret = CorpSecret::new(secret.read(&format!("channel.{id}"), "secret")?);
        let client = match &section.proxy {
            // The sandbox is on this machine or network: no proxy leads there.
            Some(proxy) if self.sandbox.is_none() => {
                client(&self.hosts, ClientOptions { proxy: Some(proxy.clone()), ..ClientOptions::default() })?
            }
            _ => self.client.clone(),
        };
        let breaker = Arc::new(Breaker::new(id.as_str()).counted(self.metrics.clone()));
        let source = Source::wecom(client.clone(), corp.clone(), agent, secret, breaker);
        Ok(Wecom {
            source: supplied(id, source, section.token_source.as_ref())?,
            client,
            corp,
            agent,
            callback: self.callback(id)?,
            qr: section.qr,
            old_page: section.old_page,
            private_info: section.private_info,
            allow_outsiders: section.allow_outsiders,
        })
    }

    fn email(&self, id: &ChannelId, section: &EmailSection) -> Result<Email, ConfigError> {
        let sender = self.sender(id, &section.senders())?;
        Ok(Email { codes: OneTimeCodes::new(sender, section.sign_up, section.ceilings()) })
    }

    fn sms(&self, id: &ChannelId, section: &SmsSection) -> Result<Sms, ConfigError> {
        let sender = self.sender(id, &section.senders())?;
        let codes = OneTimeCodes::new(sender, section.sign_up, section.ceilings());
        Ok(Sms { codes, countries: section.countries.clone() })
    }

    /// Who takes codes to people: in the sandbox its outbox, whatever is configured.
    fn sender(&self, id: &ChannelId, sections: &[SenderSection<'_>]) -> Result<Arc<dyn Sender>, ConfigError> {
        match (&self.sandbox, sections) {
            (Some(sandbox), _) => Ok(Arc::new(Outbox::new(sandbox)?)),
            (None, [section, ..]) => section.build(&format!("channel.{id}")),
            (None, []) => Err(wrong(id, "nobody sends its codes")),
        }
    }

    fn account(
        &self,
        id: &ChannelId,
        appid: &AppId,
        secret: SecretPlace<'_>,
        platform: Option<&String>,
    ) -> Result<WechatAccount, ConfigError> {
        let secret = secret.read_app_secret(&format!("channel.{id}"))?;
        let breaker = Arc::new(Breaker::new(id.as_str()).counted(self.metrics.clone()));
        Ok(WechatAccount {
            source: Source::wechat(self.client.clone(), appid.clone(), secret.clone(), breaker),
            client: self.client.clone(),
            appid: appid.clone(),
            secret,
            callback: self.callback(id)?,
            platform: platform.cloned(),
        })
    }

    fn own_url(&self, id: &ChannelId) -> Result<Url, ConfigError> {
        self.public_url.parse().map_err(|_| wrong(id, "bad public_url"))
    }

    /// Where the platform sends people back.
    fn callback(&self, id: &ChannelId) -> Result<Url, ConfigError> {
        let address = format!("{}{}", self.public_url, urls::of_channel(urls::CHANNEL_CALLBACK, id));
        address.parse().map_err(|_| wrong(id, "bad callback address"))
    }
}

/// The same app, whose token another system of the operator's hands out, if it does.
fn supplied(
    id: &ChannelId,
    source: Source,
    section: Option<&TokenSourceSection>,
) -> Result<Source, ConfigError> {
    let Some(section) = section else { return Ok(source) };
    let key = section.read_key(&format!("channel.{id}"))?;
    let theirs = Theirs::new(section.url.clone(), key).map_err(|error| wrong(id, &error.to_string()))?;
    Ok(source.supplied_by(Arc::new(theirs)))
}

fn client(hosts: &Hosts, options: ClientOptions) -> Result<Client, ConfigError> {
    let options = ClientOptions { observer: Some(Arc::new(calls::Told)), ..options };
    Client::new(hosts.clone(), options).map_err(|error| ConfigError::Malformed(error.to_string()))
}

fn wrong(id: &ChannelId, what: &str) -> ConfigError {
    ConfigError::Wrong(vec![format!("channel.{id}: {what}")])
}

fn official_events(id: &ChannelId, section: &EventsSection, appid: &AppId) -> Result<Events, ConfigError> {
    let mode = match section.mode {
        EventMode::Secure => Mode::Secure(aes_key(id, section)?),
        EventMode::Compatible => Mode::Compatible(aes_key(id, section)?),
        EventMode::Plain => Mode::Plain,
    };
    let inbox = Inbox::official(token(id, section)?, appid.clone(), mode);
    let original = section.original_id.as_ref().ok_or_else(|| wrong(id, "events.original_id is missing"))?;
    Ok(Events::new(inbox.addressed_to(original), relay(id, section)?))
}

fn wecom_events(id: &ChannelId, section: &EventsSection, corpid: &str) -> Result<Events, ConfigError> {
    let inbox = Inbox::wecom(token(id, section)?, aes_key(id, section)?, corpid);
    Ok(Events::new(inbox, relay(id, section)?))
}

fn token(
    id: &ChannelId,
    section: &EventsSection,
) -> Result<mashang_wechat::callback::CallbackToken, ConfigError> {
    let token = secret_of(&section.token, section.token_file.as_deref());
    let token = token.read(&format!("channel.{id}.events"), "token")?;
    token.parse().map_err(|error| wrong(id, &format!("events.token: {error}")))
}

fn aes_key(id: &ChannelId, section: &EventsSection) -> Result<EncodingAesKey, ConfigError> {
    let key = secret_of(&section.aes_key, section.aes_key_file.as_deref());
    let key = key.read(&format!("channel.{id}.events"), "aes_key")?;
    key.parse().map_err(|error| wrong(id, &format!("events.aes_key: {error}")))
}

fn relay(id: &ChannelId, section: &EventsSection) -> Result<Option<Relay>, ConfigError> {
    let Some(url) = &section.relay else { return Ok(None) };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong(id, "events.relay: not an http:// or https:// address"));
    }
    Relay::new(url.clone()).map(Some).map_err(|error| wrong(id, &format!("events.relay: {error}")))
}
