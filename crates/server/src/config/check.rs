//! Everything that is wrong with a configuration, or probably not meant, in sentences that say what to type where.

use std::net::SocketAddr;

use ipnet::IpNet;
use mashang_login::client::is_loopback;
use mashang_store::tickets::{TicketsAddress, is_postgres};
use url::{Host, Url};

use super::channel::ChannelSection;
use super::{Config, ConfigError};

/// In days, whichever months they are.
const HALF_A_YEAR: u32 = 184;

/// Whether a network has more addresses than somebody keeps proxies in.
fn is_wide(network: &IpNet) -> bool {
    network.max_prefix_len() - network.prefix_len() > if network.addr().is_ipv4() { 8 } else { 64 }
}

impl Config {
    /// Everything that is wrong, in sentences that say what to type where.
    ///
    /// # Errors
    /// [`ConfigError::Wrong`] with one sentence per problem.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut wrong = Vec::new();
        self.check_public_url(&mut wrong);
        self.check_verification_files(&mut wrong);
        self.check_tickets(&mut wrong);
        if let Err(error) = mashang_store::sql::check_address(&self.store.url) {
            wrong.push(format!("store.url: {error}"));
        }
        self.check_login(&mut wrong);
        self.check_operations(&mut wrong);
        self.legal.check(self, &mut wrong);
        self.traces.check(&mut wrong);
        if let Err(sentence) = crate::log::filter(&self.log.filter) {
            wrong.push(sentence);
        }
        self.check_sandbox(&mut wrong);
        self.claims.check(&self.channel, &mut wrong);
        for (id, channel) in &self.channel {
            channel.check(id, &mut wrong);
            match channel {
                ChannelSection::Passkey(section) => {
                    section.check_against(id, &self.server.public_url, &mut wrong);
                }
                ChannelSection::Email(section) => section.check(id, self.sandbox.enabled, &mut wrong),
                ChannelSection::Sms(section) => section.check(id, self.sandbox.enabled, &mut wrong),
                _ => {}
            }
        }
        if wrong.is_empty() { Ok(()) } else { Err(ConfigError::Wrong(wrong)) }
    }

    fn check_public_url(&self, wrong: &mut Vec<String>) {
        let url = &self.server.public_url;
        if url.query().is_some() || url.fragment().is_some() || !matches!(url.path(), "" | "/") {
            wrong.push(format!("server.public_url: `{url}` must be scheme, host and port only, such as https://login.example.com"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(url) || self.server.allow_cleartext => {}
            "http" => wrong.push(format!(
                "server.public_url: `{url}` is plain http on another machine's name; use https, or set server.allow_cleartext = true to try things out on your own network"
            )),
            other => wrong.push(format!("server.public_url: `{other}` is not http or https")),
        }
    }

    fn check_verification_files(&self, wrong: &mut Vec<String>) {
        for (name, content) in &self.server.verification_files {
            let stem = name.strip_suffix(".txt").unwrap_or_default();
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
            if stem.is_empty() || stem.len() > 64 || !stem.chars().all(is_plain) || stem == "robots" {
                wrong.push(format!(
                    "server.verification_files: `{name}` is not a name that a platform gives, such as MP_verify_0aB1cD2eF3.txt or WW_verify_0aB1cD2eF3.txt"
                ));
            }
            if content.trim().is_empty() || content.len() > 1024 {
                wrong.push(format!(
                    "server.verification_files: `{name}` must hold the text of the file that you downloaded"
                ));
            }
        }
    }

    fn check_tickets(&self, wrong: &mut Vec<String>) {
        match self.tickets.address() {
            Ok(TicketsAddress::Postgres) if !is_postgres(&self.store.url) => wrong.push(
                "tickets.url: \"postgres:\" means the PostgreSQL of store.url, which is another engine; write \"memory:\" for the only node, or the address of Redis"
                    .to_owned(),
            ),
            Ok(_) => {}
            Err(sentence) => wrong.push(sentence),
        }
    }

    fn check_operations(&self, wrong: &mut Vec<String>) {
        match self.operations.address() {
            Ok(Some(address)) if address == self.server.listen => wrong.push(
                "operations.listen is the address of server.listen: give it another port, because the public must not reach it".into(),
            ),
            Ok(_) => {}
            Err(sentence) => wrong.push(sentence),
        }
        if self.server.drain_seconds > 300 {
            wrong.push(format!("server.drain_seconds: {} must be at most 300", self.server.drain_seconds));
        }
    }

    fn check_login(&self, wrong: &mut Vec<String>) {
        let login = &self.login;
        for (key, value, most) in [
            ("login.scan_seconds", login.scan_seconds, 300),
            ("login.confirm_seconds", login.confirm_seconds, 300),
            ("login.redeem_seconds", login.redeem_seconds, 120),
            ("login.request_minutes", login.request_minutes, 24 * 60),
            ("login.session_hours", login.session_hours, 24 * 90),
            ("tokens.access_seconds", self.tokens.access_seconds, 24 * 3600),
            ("tokens.id_seconds", self.tokens.id_seconds, 24 * 3600),
            ("tokens.refresh_idle_days", self.tokens.refresh_idle_days, 366),
            ("tokens.refresh_total_days", self.tokens.refresh_total_days, 366),
        ] {
            if value == 0 || value > most {
                wrong.push(format!("{key}: {value} must be between 1 and {most}"));
            }
        }
        // A hundred years, so that the day before them can be told.
        if self.audit.keep_days > 36_500 {
            wrong.push(format!(
                "audit.keep_days: {} must be at most 36500; 0 keeps it for ever",
                self.audit.keep_days
            ));
        }
    }

    fn check_sandbox(&self, wrong: &mut Vec<String>) {
        if !self.sandbox.enabled {
            if !self.sandbox.listen.is_empty() {
                wrong.push("sandbox.listen is set but sandbox.enabled is false; say enabled = true to start the sandbox".into());
            }
            return;
        }
        if Url::parse(&self.sandbox.url).is_err() {
            wrong.push(format!(
                "sandbox.url: `{}` is not an address such as http://127.0.0.1:8090",
                self.sandbox.url
            ));
        }
        if !self.sandbox.listen.is_empty() && self.sandbox.listen.parse::<SocketAddr>().is_err() {
            wrong.push(format!(
                "sandbox.listen: `{}` is not an address and port such as 127.0.0.1:8090",
                self.sandbox.listen
            ));
        }
        if !is_private(&self.server.public_url) {
            wrong.push(format!(
                "sandbox.enabled: in the sandbox anyone can be anyone, so it is refused with a public address ({}); use 127.0.0.1 or an address of your own network",
                self.server.public_url
            ));
        }
    }

    /// What is allowed but probably not meant, in sentences.
    #[must_use]
    pub fn hints(&self) -> Vec<String> {
        let mut hints = Vec::new();
        let server = &self.server;
        if server.public_url.scheme() == "https"
            && server.listen.ip().is_loopback()
            && server.trusted_proxies.is_empty()
        {
            hints.push(
                "server.trusted_proxies is empty although a proxy must stand in front: every visitor will count, and be shown on the confirm page, as 127.0.0.1. Set trusted_proxies = [\"127.0.0.1\"] if the proxy runs on this machine and sets X-Forwarded-For."
                    .to_owned(),
            );
        }
        for network in server.trusted_proxies.iter().map(|network| network.0).filter(is_wide) {
            hints.push(format!(
                "server.trusted_proxies: {network} is a whole network; whoever visits from inside it chooses the address by which they are counted and shown. Name the proxies alone, such as [\"10.0.3.7\"], unless nobody else can reach server.listen from there"
            ));
        }
        for (id, channel) in &self.channel {
            if let ChannelSection::Passkey(section) = channel {
                hints.extend(section.hint(id, &server.public_url));
            }
            if !self.sandbox.enabled {
                hints.extend(channel.hint(id, &server.public_url));
            }
        }
        let is_shared = !self.store.url.starts_with("sqlite:");
        if is_shared && matches!(self.tickets.address(), Ok(TicketsAddress::Memory)) {
            hints.push("tickets.url is \"memory:\", so this must be the only node: with several, a phone that reaches another node than the browser did finds no ticket".to_owned());
        }
        if (1..HALF_A_YEAR).contains(&self.audit.keep_days) {
            hints.push(format!(
                "audit.keep_days is {}: China's Cybersecurity Law asks for network logs of six months at least; 境内网站依《网络安全法》应留存网络日志不少于六个月",
                self.audit.keep_days
            ));
        }
        if self.audit.keep_days == 0 {
            hints.push(
                "audit.keep_days is 0: who signed in where and from which address is kept for ever, and PIPL article 19 and GDPR article 5 want it no longer than needed; 审计记录永久保留，《个人信息保护法》第十九条要求保存期限为必要的最短时间"
                    .to_owned(),
            );
        }
        hints.extend(self.legal.hint(&server.public_url));
        hints.extend(self.traces.hint());
        if self.channel.is_empty() {
            hints.push("no channel is configured, so nobody can log in: see [channel.<name>] in `mashang config show`".to_owned());
        }
        if self.sandbox.enabled {
            hints.push("the SANDBOX stands in for WeChat: anyone can be anyone".to_owned());
        }
        hints
    }
}

/// Whether only this machine or a private network can mean this host.
pub(super) fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            name == "localhost" || name.ends_with(".localhost") || name.ends_with(".test")
        }
        Some(Host::Ipv4(address)) => {
            let is_shared = address.octets()[0] == 100 && address.octets()[1] & 0xc0 == 64; // RFC 6598
            let is_ours = address.is_loopback() || address.is_private() || address.is_link_local();
            is_ours || is_shared || address.is_documentation()
        }
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local()
        }
        None => false,
    }
}
