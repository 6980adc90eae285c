//! A message was not sent: whose turn it is.

use super::remedies;
use crate::outgoing::causes;
use crate::web::language::Language;

/// Which words tell the person, `form.send.<word>` of the locales.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendFailure {
    /// The provider does not send to this address or number.
    Recipient,
    /// The provider has sent too much to this address or number.
    Often,
    /// The provider is busy, or the operator's share of the day is used up.
    Busy,
    /// The operator must change a setting.
    Setup,
    /// The provider was not reached, or did not answer sensibly.
    Down,
}

impl SendFailure {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Recipient, Self::Often, Self::Busy, Self::Setup, Self::Down];

    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Often => "often",
            Self::Busy => "busy",
            Self::Setup => "setup",
            Self::Down => "down",
        }
    }

    /// Whether nobody's messages get through, rather than this one.
    #[must_use]
    pub fn is_everybodys(self) -> bool {
        matches!(self, Self::Busy | Self::Setup | Self::Down)
    }
}

/// A message was not sent, or nobody knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{log}")]
pub struct SendError {
    /// What the person is told.
    pub failure: SendFailure,
    /// The provider's own code.
    pub code: Option<String>,
    /// What the operator reads. Never the code that was sent, nor to whom.
    pub log: String,
}

impl SendError {
    /// The provider refused with a code of its own.
    #[must_use]
    pub fn refused(provider: &str, code: &str, said: &str) -> Self {
        let known = remedies::of(code);
        let failure = known.map_or(SendFailure::Busy, |remedy| remedy.failure);
        let remedy = known.map(|remedy| format!(" — {} / {}", remedy.en, remedy.zh)).unwrap_or_default();
        Self {
            failure,
            code: Some(code.to_owned()),
            log: format!("{provider} refused: {code}: {}{remedy}", harmless(said)),
        }
    }

    /// Not reached, or no sensible answer.
    #[must_use]
    pub fn down(provider: &str, why: impl std::fmt::Display) -> Self {
        let log = format!(
            "{provider}: {why}; check DNS, firewall and address from this machine / 请检查本机到该服务的 DNS、防火墙和地址"
        );
        Self { failure: SendFailure::Down, code: None, log }
    }

    /// A failure of the HTTP client, with its causes and without its address.
    #[must_use]
    pub fn of_http(provider: &str, error: reqwest::Error) -> Self {
        Self::down(provider, causes(&error.without_url()))
    }

    /// What the operator can do about the provider's code, for the page.
    #[must_use]
    pub fn remedy(&self, language: Language) -> Option<String> {
        let code = self.code.as_deref()?;
        let remedy = remedies::of(code)?;
        let text = match language {
            Language::ZhCn => remedy.zh,
            Language::En => remedy.en,
        };
        (remedy.failure == SendFailure::Setup).then(|| format!("{text} ({code})"))
    }
}

/// The beginning of what a provider said, without digits: some repeat the whole request, code and number and all.
fn harmless(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).map(|c| if c.is_numeric() { '#' } else { c }).take(100).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promise_10_a_provider_that_repeats_the_request_does_not_bring_it_into_the_log() {
        let said =
            "server string is POST\n/?PhoneNumbers=13800138000&TemplateParam=%7B%22code%22%3A%22123456";
        let error = SendError::refused("Aliyun SMS", "SignatureDoesNotMatch", said);
        assert!(!error.log.contains("138001") && !error.log.contains("123456"), "{}", error.log);
        assert!(error.log.contains("access_key_secret"), "what to do is said: {}", error.log);
        assert_eq!(error.failure, SendFailure::Setup);
    }
}
