//! Sending a code to an address or a number. What happens with an answer is told in one [`SendError`] for all providers,
//! in words for the person and a line for the operator.
//!
//! - [`smtp`]: a mail server;
//! - [`webhook`]: the operator's own program, signed;
//! - [`aliyun`], [`tencent`]: SMS by their signed HTTP APIs;
//! - [`outbox`]: the sandbox's, when it stands in for all of them.

pub mod aliyun;
mod answer;
mod error;
pub mod outbox;
mod remedies;
pub mod smtp;
pub mod tencent;
pub mod webhook;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use mashang_login::Timestamp;

pub use self::error::{SendError, SendFailure};
use crate::outgoing;
use crate::web::language::Language;

/// How long a provider may take to answer, and within that to be reached (SEC-85).
const PATIENCE: Duration = Duration::from_secs(10);
const CONNECT: Duration = Duration::from_secs(3);
/// Nothing sensible that a provider answers is longer.
const ANSWER_LIMIT: usize = 16 * 1024;

/// Where a message goes.
#[derive(Clone, PartialEq, Eq)]
pub enum Recipient {
    /// An e-mail address, normalized.
    Email(String),
    /// A telephone number in E.164 form.
    Phone(String),
}

impl Recipient {
    /// The address or number.
    #[must_use]
    pub fn expose(&self) -> &str {
        match self {
            Self::Email(address) => address,
            Self::Phone(number) => number,
        }
    }

    /// The kind in messages to programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Email(_) => "email",
            Self::Phone(_) => "sms",
        }
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Recipient::{}([redacted])", self.kind())
    }
}

/// One code on its way.
#[derive(Clone)]
pub struct Message {
    /// Random; the same for nothing else.
    pub id: String,
    /// When it was made.
    pub at: Timestamp,
    /// To whom.
    pub to: Recipient,
    /// Of an e-mail.
    pub subject: String,
    /// The whole text, in the person's language.
    pub text: String,
    /// The code in it.
    pub code: String,
    /// The site it signs in to, by name.
    pub site: String,
    /// How long the code works.
    pub minutes: u32,
    /// The person's language.
    pub language: Language,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Promise 10.
        f.debug_struct("Message").field("id", &self.id).field("to", &self.to).finish_non_exhaustive()
    }
}

impl Message {
    /// Fills `{code}`, `{minutes}` and `{site}` of a provider's template parameter.
    #[must_use]
    pub fn fill(&self, parameter: &str) -> String {
        let minutes = self.minutes.to_string();
        parameter.replace("{minutes}", &minutes).replace("{code}", &self.code).replace("{site}", &self.site)
    }
}

/// What a provider said when it took a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its own name for the message, for asking it about it.
    pub id: Option<String>,
}

/// Takes messages to a provider. Nothing is sent twice: whoever wants another code asks for it.
#[async_trait]
pub trait Sender: Send + Sync + fmt::Debug {
    /// Hands one message over. Whether it arrives is the provider's business.
    ///
    /// # Errors
    /// [`SendError`]; after [`SendFailure::Down`] it may have been sent.
    async fn send(&self, message: &Message) -> Result<Receipt, SendError>;

    /// Looks whether the provider takes messages from us, as far as that can be seen without sending one: `false` where it cannot.
    ///
    /// # Errors
    /// [`SendError`], as sending would meet it.
    async fn look(&self) -> Result<bool, SendError> {
        Ok(false)
    }
}

/// A client for one provider: no redirects, no second try, no proxy that the environment names.
fn http() -> Result<reqwest::Client, reqwest::Error> {
    outgoing::direct(CONNECT, PATIENCE).build()
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hmac_sha256(key: &[u8], data: &[u8]) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac.finalize().into_bytes().to_vec()
}

fn sha256_hex(data: &[u8]) -> String {
    use sha2::Digest as _;
    hex(&sha2::Sha256::digest(data))
}
