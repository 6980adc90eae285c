//! `[channel.<id>]` of the kinds that the waiting browser itself proves: passkey, password, e-mail and SMS code.

use mashang_login::client::is_loopback;
use mashang_login::ids::ChannelId;
use serde::Deserialize;
use url::Url;

use super::sender::{AliyunSection, SenderSection, SmtpSection, TencentSection, WebhookSection};
use crate::channel::one_time_code::Ceilings;
use crate::channel::sms::country::Country;
use crate::passkey::named_address;
use crate::passkey::party::{NoParty, RelyingParty};

/// `kind = "passkey"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasskeySection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
    /// The domain that keys are bound to, if not the host of `public_url`: a domain above it.
    pub rp_id: Option<String>,
}

impl PasskeySection {
    /// What is wrong about it at `public_url`.
    pub(super) fn check_against(&self, id: &ChannelId, public_url: &Url, wrong: &mut Vec<String>) {
        if let Err(why @ NoParty::ForeignDomain(_)) = RelyingParty::new(public_url, self.rp_id.as_deref()) {
            wrong.push(format!("channel.{id}.rp_id: {why}"));
        }
    }

    /// Why nobody can use it at `public_url`, if so.
    pub(super) fn hint(&self, id: &ChannelId, public_url: &Url) -> Option<String> {
        let why = match RelyingParty::new(public_url, self.rp_id.as_deref()) {
            Err(why @ NoParty::IsAddress(_)) => why.to_string(),
            _ if public_url.scheme() == "http" && !is_loopback(public_url) => {
                "browsers allow passkeys with https only".to_owned()
            }
            _ => return None,
        };
        let instead = named_address(public_url.as_str())
            .map_or_else(String::new, |url| format!("; on this machine public_url = \"{url}\" works"));
        Some(format!("channel.{id} is of no use yet: {why}{instead}"))
    }
}

/// `kind = "password"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
}

/// `kind = "email"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
    /// Whoever reads the code becomes a person here; else only whoever is one already.
    #[serde(default = "yes")]
    pub sign_up: bool,
    /// Most codes sent in a minute, to all people together.
    #[serde(default = "many")]
    pub per_minute: usize,
    /// Most codes sent in 24 hours, to all people together.
    #[serde(default = "many_a_day")]
    pub per_day: usize,
    /// Most codes sent in ten minutes for one network address.
    #[serde(default = "office")]
    pub per_address: usize,
    /// A mail server.
    pub smtp: Option<SmtpSection>,
    /// The operator's own program.
    pub webhook: Option<WebhookSection>,
}

/// `kind = "sms"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmsSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
    /// Whoever reads the code becomes a person here; else only whoever is one already.
    #[serde(default = "yes")]
    pub sign_up: bool,
    /// Most codes sent in a minute, to all people together: each costs money.
    #[serde(default = "some")]
    pub per_minute: usize,
    /// Most codes sent in 24 hours, to all people together: the bill of a day.
    #[serde(default = "some_a_day")]
    pub per_day: usize,
    /// Most codes sent in ten minutes for one network address.
    #[serde(default = "office")]
    pub per_address: usize,
    /// Countries that codes are sent to, by their two letters; the first is meant where nobody types a country code.
    #[serde(default = "china")]
    pub countries: Vec<Country>,
    /// The operator's own program.
    pub webhook: Option<WebhookSection>,
    /// Aliyun SMS.
    pub aliyun: Option<AliyunSection>,
    /// Tencent Cloud SMS.
    pub tencent: Option<TencentSection>,
}

fn yes() -> bool {
    true
}

fn many() -> usize {
    300
}

fn some() -> usize {
    60
}

fn many_a_day() -> usize {
    20_000
}

fn some_a_day() -> usize {
    5_000
}

fn office() -> usize {
    30
}

fn china() -> Vec<Country> {
    vec![Country::CHINA]
}

impl EmailSection {
    /// How many codes are sent.
    pub fn ceilings(&self) -> Ceilings {
        let Self { per_minute, per_day, per_address, .. } = *self;
        Ceilings { per_minute, per_day, per_address }
    }

    /// Who sends.
    pub fn senders(&self) -> Vec<SenderSection<'_>> {
        let smtp = self.smtp.as_ref().map(SenderSection::Smtp);
        let webhook = self.webhook.as_ref().map(SenderSection::Webhook);
        [smtp, webhook].into_iter().flatten().collect()
    }

    /// What is wrong with it, in sentences.
    pub(super) fn check(&self, id: &ChannelId, is_sandbox: bool, wrong: &mut Vec<String>) {
        check_senders(id, &self.senders(), "smtp or webhook", is_sandbox, wrong);
        check_ceilings(id, self.ceilings(), wrong);
    }
}

impl SmsSection {
    /// How many codes are sent.
    pub fn ceilings(&self) -> Ceilings {
        let Self { per_minute, per_day, per_address, .. } = *self;
        Ceilings { per_minute, per_day, per_address }
    }

    /// Who sends.
    pub fn senders(&self) -> Vec<SenderSection<'_>> {
        let webhook = self.webhook.as_ref().map(SenderSection::Webhook);
        let aliyun = self.aliyun.as_ref().map(SenderSection::Aliyun);
        let tencent = self.tencent.as_ref().map(SenderSection::Tencent);
        [webhook, aliyun, tencent].into_iter().flatten().collect()
    }

    /// What is wrong with it, in sentences.
    pub(super) fn check(&self, id: &ChannelId, is_sandbox: bool, wrong: &mut Vec<String>) {
        check_senders(id, &self.senders(), "aliyun, tencent or webhook", is_sandbox, wrong);
        check_ceilings(id, self.ceilings(), wrong);
        if self.countries.is_empty() {
            wrong.push(format!("channel.{id}.countries: name at least one, such as [\"CN\"]"));
        }
    }
}

fn check_senders(
    id: &ChannelId,
    senders: &[SenderSection<'_>],
    names: &str,
    is_sandbox: bool,
    wrong: &mut Vec<String>,
) {
    let place = format!("channel.{id}");
    match senders {
        [] if is_sandbox => {}
        [one] => one.check(&place, wrong),
        [] => wrong.push(format!("{place}: nobody sends its codes; add [{place}.…] for {names}")),
        _ => wrong.push(format!("{place}: one sender is enough; keep one of {names}")),
    }
}

fn check_ceilings(id: &ChannelId, ceilings: Ceilings, wrong: &mut Vec<String>) {
    let Ceilings { per_minute, per_day, per_address } = ceilings;
    for (name, value, most) in [
        ("per_minute", per_minute, 100_000),
        ("per_day", per_day, 10_000_000),
        ("per_address", per_address, 100_000),
    ] {
        if !(1..=most).contains(&value) {
            wrong.push(format!("channel.{id}.{name}: {value} must be between 1 and {most}"));
        }
    }
}
