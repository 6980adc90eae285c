//! One endpoint for what a platform sends: is it from the platform, is it for us, is it fresh, and what is it?
//!
//! In secure mode, in this order (SEC-28 to SEC-30): `msg_signature` over the ciphertext, then the time, then
//! decryption, then receiver and `ToUserName`. Plaintext that stands beside ciphertext is never read.

use sha2::{Digest as _, Sha256};

use super::crypto::{EncodingAesKey, OpenError, Opened};
use super::query::CallbackQuery;
use super::reply;
use super::signature::{self, CallbackToken, hex};
use super::xml::{Event, XmlError};
use crate::hosts::Platform;
use crate::ids::AppId;

/// How far the platform's clock and ours may be apart, in seconds (SEC-30).
pub const FRESHNESS: i64 = 300;

/// How an official account's messages are protected, as chosen in its console.
#[derive(Clone, Debug)]
pub enum Mode {
    /// 明文模式. The signature does not cover the body: whoever sees one request can send another body with its query
    /// for five minutes. Only for trying things out.
    Plain,
    /// 兼容模式: plain and encrypted beside each other. Only what is encrypted counts, as in [`Mode::Secure`]; a request
    /// without it is refused.
    Compatible(EncodingAesKey),
    /// 安全模式, the one to use: only what is encrypted and signed counts.
    Secure(EncodingAesKey),
}

/// The secrets and names shared with a platform for one endpoint.
#[derive(Clone, Debug)]
pub struct Inbox {
    platform: Platform,
    token: CallbackToken,
    mode: Mode,
    receiver: String,
    to_user: Option<String>,
}

/// A request from the platform that is for us and fresh. It may still be a repetition: see
/// [`dedupe_key`](Self::dedupe_key).
#[derive(Clone, PartialEq, Eq)]
pub struct Accepted {
    /// What happened.
    pub event: Event,
    /// Equal for every delivery of one event: platforms deliver up to three times. A hash of 64 hexadecimal digits
    /// that names nobody. Act once per key.
    pub dedupe_key: String,
    /// In plain mode, where the signature does not cover the body: equal for every request with this query's timestamp
    /// and nonce. Refuse one that comes with another `dedupe_key`. A hash of 64 hexadecimal digits.
    pub delivery_key: Option<String>,
    /// The event's XML as the platform wrote it, decrypted.
    pub raw: String,
}

impl std::fmt::Debug for Accepted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Accepted");
        shown.field("event", &self.event).field("dedupe_key", &self.dedupe_key).finish_non_exhaustive()
    }
}

/// Why a request was not accepted, as a sentence for the operator's log. The sender gets a bare status: 413 for
/// [`TooLarge`](XmlError::TooLarge), 403 or 400 for the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Somebody who is not the platform, or a mode that the console and we disagree about.
    #[error("the request is not signed: a signature, timestamp or nonce is missing")]
    Unsigned,
    /// The token differs from the console's, or the request is forged.
    #[error("the signature is wrong: compare the Token here with the one in the platform's console")]
    WrongSignature,
    /// Replayed, or one of the clocks is wrong.
    #[error(
        "the request is {age} seconds old; more than {FRESHNESS} either way is refused: check this machine's clock"
    )]
    Stale {
        /// Our time minus the platform's, in seconds.
        age: i64,
    },
    /// SEC-28.
    #[error("the message is not encrypted: choose 安全模式 (secure mode) in the platform's console")]
    NotEncrypted,
    /// The console encrypts, and we have no key.
    #[error("the message is encrypted, but plain mode is configured here: set the EncodingAESKey")]
    UnexpectedlyEncrypted,
    /// Signed by the platform and yet not for this key.
    #[error("{0}: compare the EncodingAESKey here with the one in the platform's console")]
    Undecryptable(OpenError),
    /// Another app's message with our secrets (SEC-29).
    #[error("the message is for another app: compare the appid or corpid here with the console's")]
    OtherReceiver,
    /// Another account's message (SEC-29).
    #[error("the message's ToUserName is not the account configured here")]
    OtherAccount,
    /// SEC-32.
    #[error(transparent)]
    BadXml(#[from] XmlError),
    /// It was an address check without something to echo, or too much of it.
    #[error("the address check has no echostr")]
    NothingToEcho,
}

/// What a signature needs beside the token.
struct Signed<'a> {
    timestamp: &'a str,
    nonce: &'a str,
    signature: &'a str,
}

impl<'a> Signed<'a> {
    fn of(query: &'a CallbackQuery, signature: Option<&'a String>) -> Result<Self, Refusal> {
        match (&query.timestamp, &query.nonce, signature) {
            (Some(timestamp), Some(nonce), Some(signature)) => Ok(Self { timestamp, nonce, signature }),
            _ => Err(Refusal::Unsigned),
        }
    }
}

impl Inbox {
    /// The endpoint of an official account.
    #[must_use]
    pub fn official(token: CallbackToken, appid: AppId, mode: Mode) -> Self {
        Self { platform: Platform::WeChat, token, mode, receiver: appid.into(), to_user: None }
    }

    /// The endpoint of a WeCom app, which is always encrypted (WeCom fact sheet §12). Messages must be for this
    /// corp, in the envelope and in `ToUserName`.
    #[must_use]
    pub fn wecom(token: CallbackToken, key: EncodingAesKey, corpid: impl Into<String>) -> Self {
        let receiver = corpid.into();
        let to_user = Some(receiver.clone());
        Self { platform: Platform::WeCom, token, mode: Mode::Secure(key), receiver, to_user }
    }

    /// The same, and `ToUserName` must be this: an official account's 原始ID, `gh_…`. In plain mode nothing else says
    /// which account a message is for.
    #[must_use]
    pub fn addressed_to(self, to_user: impl Into<String>) -> Self {
        Self { to_user: Some(to_user.into()), ..self }
    }

    /// Answers the platform's question whether this address is ours: the text to send back, with HTTP 200 and nothing
    /// around it. `now` is in seconds since 1970.
    ///
    /// Official accounts sign the plain way in every mode; WeCom signs and encrypts the text.
    ///
    /// # Errors
    /// When the question does not come from the platform, or not now.
    pub fn verify_url(&self, query: &CallbackQuery, now: i64) -> Result<String, Refusal> {
        let echo = query.echostr.as_deref().filter(|echo| !echo.is_empty()).ok_or(Refusal::NothingToEcho)?;
        match (self.platform, &self.mode) {
            (Platform::WeCom, Mode::Secure(key) | Mode::Compatible(key)) => {
                let signed = Signed::of(query, query.msg_signature.as_ref())?;
                self.check(&signed, Some(echo), now)?;
                Ok(self.open(key, echo)?.message)
            }
            _ => {
                let signed = Signed::of(query, query.signature.as_ref())?;
                self.check(&signed, None, now)?;
                Ok(echo.to_owned())
            }
        }
    }

    /// Reads what the platform tells. `now` is in seconds since 1970.
    ///
    /// # Errors
    /// When it does not come from the platform, is not for us, is stale or is not an event. Never panics.
    pub fn accept(&self, query: &CallbackQuery, body: &[u8], now: i64) -> Result<Accepted, Refusal> {
        let outer = Event::parse(body)?;
        let encrypted = outer.get("Encrypt");
        match (&self.mode, encrypted) {
            (Mode::Secure(key) | Mode::Compatible(key), Some(encrypted)) => {
                let signed = Signed::of(query, query.msg_signature.as_ref())?;
                self.check(&signed, Some(encrypted), now)?;
                let message = self.open(key, encrypted)?.message;
                let event = Event::parse(message.as_bytes())?;
                self.accepted(event, message, &signed)
            }
            // The platform encrypts in both; whoever does not is somebody else, with a query that was seen.
            (Mode::Secure(_) | Mode::Compatible(_), None) => Err(Refusal::NotEncrypted),
            (Mode::Plain, Some(_)) => Err(Refusal::UnexpectedlyEncrypted),
            (Mode::Plain, None) => {
                let signed = Signed::of(query, query.signature.as_ref())?;
                self.check(&signed, None, now)?;
                let raw = String::from_utf8(body.to_vec()).map_err(|_| XmlError::NotUtf8)?;
                self.accepted(outer, raw, &signed)
            }
        }
    }

    /// A text for the person who caused this event, as the body of our answer. `now` is in seconds since 1970;
    /// `random` and `nonce` must differ each time. Encrypted except in plain mode: whoever replays a request that was
    /// seen learns nothing from the answer.
    ///
    /// `None` if the event does not say who sent it to whom. To say nothing, answer `success`.
    #[must_use]
    pub fn reply(
        &self,
        event: &Event,
        content: &str,
        now: i64,
        random: [u8; 16],
        nonce: &str,
    ) -> Option<String> {
        let plain = reply::text_reply(event.from_user()?, event.to_user()?, now, content);
        let (Mode::Secure(key) | Mode::Compatible(key)) = &self.mode else { return Some(plain) };
        let encrypted = key.seal(&plain, &self.receiver, random);
        let timestamp = now.to_string();
        let signature = signature::sign(&self.token, &[&timestamp, nonce, &encrypted]);
        Some(reply::envelope(&encrypted, &signature, &timestamp, nonce))
    }

    /// Signature first: whether a stranger's timestamp is fresh is nobody's business.
    fn check(&self, signed: &Signed<'_>, encrypted: Option<&str>, now: i64) -> Result<(), Refusal> {
        let mut parts = vec![signed.timestamp, signed.nonce];
        parts.extend(encrypted);
        if !signature::matches(&self.token, &parts, signed.signature) {
            return Err(Refusal::WrongSignature);
        }
        let sent: i64 = signed.timestamp.parse().map_err(|_| Refusal::Unsigned)?;
        let age = now.saturating_sub(sent);
        if age.unsigned_abs() > FRESHNESS.unsigned_abs() { Err(Refusal::Stale { age }) } else { Ok(()) }
    }

    fn open(&self, key: &EncodingAesKey, encrypted: &str) -> Result<Opened, Refusal> {
        let opened = key.open(encrypted).map_err(Refusal::Undecryptable)?;
        if opened.receiver == self.receiver { Ok(opened) } else { Err(Refusal::OtherReceiver) }
    }

    fn accepted(&self, event: Event, raw: String, signed: &Signed<'_>) -> Result<Accepted, Refusal> {
        if self.to_user.is_some() && self.to_user.as_deref() != event.to_user() {
            return Err(Refusal::OtherAccount);
        }
        let dedupe_key = self.dedupe_key(&event);
        let is_plain = matches!(self.mode, Mode::Plain);
        let delivery_key = is_plain.then(|| self.fingerprint([signed.timestamp, signed.nonce]));
        Ok(Accepted { event, dedupe_key, delivery_key, raw })
    }

    /// A message's own id, or everything an event says: WeCom reports several people in one second with the same
    /// sender, time and name.
    fn dedupe_key(&self, event: &Event) -> String {
        match event.msg_id() {
            Some(id) => self.fingerprint(["message", event.from_user().unwrap_or_default(), id]),
            None => self.fingerprint(event.fields().flat_map(|(name, text)| [name, text])),
        }
    }

    /// A hash of these texts for this receiver, each with its length so that no two lists run into one.
    fn fingerprint<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        };
        add(&self.receiver);
        texts.into_iter().for_each(add);
        hex(&hash.finalize())
    }
}

#[cfg(test)]
mod tests;
