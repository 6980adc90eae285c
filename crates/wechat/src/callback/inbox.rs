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
    /// 兼容模式: plain and encrypted beside each other. What is encrypted counts; a request without it is read as in
    /// [`Mode::Plain`], with the same weakness.
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
    /// Equal for every request with this query's signature. In plain mode, refuse one that comes with another
    /// `dedupe_key`: there the body is not signed. A hash of 64 hexadecimal digits.
    pub delivery_key: String,
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
            (Mode::Secure(_), None) => Err(Refusal::NotEncrypted),
            (Mode::Plain, Some(_)) => Err(Refusal::UnexpectedlyEncrypted),
            (Mode::Plain | Mode::Compatible(_), None) => {
                let signed = Signed::of(query, query.signature.as_ref())?;
                self.check(&signed, None, now)?;
                let raw = String::from_utf8(body.to_vec()).map_err(|_| XmlError::NotUtf8)?;
                self.accepted(outer, raw, &signed)
            }
        }
    }

    /// A text for the person who caused this event, as the body of our answer. `now` is in seconds since 1970;
    /// `random` and `nonce` must differ each time. Encrypted in secure mode only: compatible mode allows either.
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
        let Mode::Secure(key) = &self.mode else { return Some(plain) };
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
        let delivery_key = self.fingerprint([signed.timestamp, signed.nonce, signed.signature]);
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: i64 = 1_700_000_002;
    const APPID: &str = "wx0000000000000001";
    const ACCOUNT: &str = "gh_000000000001";

    fn token() -> CallbackToken {
        "testtoken".parse().unwrap()
    }

    fn key() -> EncodingAesKey {
        "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".parse().unwrap()
    }

    fn inbox(mode: Mode) -> Inbox {
        Inbox::official(token(), APPID.parse().unwrap(), mode).addressed_to(ACCOUNT)
    }

    fn scan(to: &str, key: &str) -> String {
        format!(
            "<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[oTestOpenId0000000000000000A]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[SCAN]]></Event><EventKey><![CDATA[{key}]]></EventKey><Ticket><![CDATA[TICKET]]></Ticket></xml>"
        )
    }

    /// The fact sheet's third vector as the platform would send it.
    fn delivery(message: &str, receiver: &str, timestamp: &str) -> (CallbackQuery, String) {
        let encrypted = key().seal(message, receiver, *b"0123456789abcdef");
        let plain = signature::sign(&token(), &[timestamp, "nonce123"]);
        let signed = signature::sign(&token(), &[timestamp, "nonce123", &encrypted]);
        let query = CallbackQuery::parse(&format!(
            "signature={plain}&timestamp={timestamp}&nonce=nonce123&openid=oTestOpenId0000000000000000A&encrypt_type=aes&msg_signature={signed}"
        ));
        (
            query.unwrap(),
            format!(
                "<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
            ),
        )
    }

    fn plain_query(timestamp: &str) -> CallbackQuery {
        let signed = signature::sign(&token(), &[timestamp, "nonce123"]);
        CallbackQuery::parse(&format!("signature={signed}&timestamp={timestamp}&nonce=nonce123")).unwrap()
    }

    fn secure() -> Inbox {
        inbox(Mode::Secure(key()))
    }

    #[test]
    fn an_encrypted_scan_is_accepted_in_secure_and_compatible_mode() {
        let message = scan(ACCOUNT, "login_abc123");
        let (query, body) = delivery(&message, APPID, "1700000001");
        assert_eq!(query.msg_signature.as_deref(), Some("3a2177b450113fbf3474308ff57dc5e8a67e60ec"));
        assert_eq!(query.signature.as_deref(), Some("6aeca9131390b2cc7016a7a8f20ea9103e13d77c"));
        for mode in [Mode::Secure(key()), Mode::Compatible(key())] {
            let accepted = inbox(mode).accept(&query, body.as_bytes(), NOW).unwrap();
            assert_eq!(super::super::scene_of(&accepted.event), Some("login_abc123"));
            assert_eq!(accepted.raw, message);
            assert!(!format!("{accepted:?}").contains("oTestOpenId"));
        }
        let refused = inbox(Mode::Plain).accept(&query, body.as_bytes(), NOW);
        assert_eq!(refused.unwrap_err(), Refusal::UnexpectedlyEncrypted);
    }

    #[test]
    fn a_plain_scan_is_accepted_only_where_plain_is_allowed() {
        let message = scan(ACCOUNT, "login_abc123");
        for mode in [Mode::Plain, Mode::Compatible(key())] {
            let accepted = inbox(mode).accept(&plain_query("1700000001"), message.as_bytes(), NOW).unwrap();
            assert_eq!(accepted.raw, message);
        }
    }

    #[test]
    fn sec_28_plaintext_with_a_good_signature_is_refused_in_secure_mode() {
        let message = scan(ACCOUNT, "login_abc123");
        let refused = secure().accept(&plain_query("1700000001"), message.as_bytes(), NOW);
        assert_eq!(refused.unwrap_err(), Refusal::NotEncrypted);
    }

    #[test]
    fn sec_28_plaintext_beside_ciphertext_is_not_read() {
        let (query, body) = delivery(&scan(ACCOUNT, "true"), APPID, "1700000001");
        let forged = body
            .replace("<xml>", "<xml><Event>SCAN</Event><EventKey>forged</EventKey><MsgType>event</MsgType>");
        for mode in [Mode::Secure(key()), Mode::Compatible(key())] {
            let accepted = inbox(mode).accept(&query, forged.as_bytes(), NOW).unwrap();
            assert_eq!(accepted.event.event_key(), Some("true"));
        }
    }

    #[test]
    fn sec_28_what_is_not_signed_over_the_ciphertext_is_refused_before_decryption() {
        let (query, body) = delivery(&scan(ACCOUNT, "a"), APPID, "1700000001");
        for (change, expected) in [
            (CallbackQuery { msg_signature: None, ..query.clone() }, Refusal::Unsigned),
            (CallbackQuery { timestamp: None, ..query.clone() }, Refusal::Unsigned),
            (CallbackQuery { nonce: None, ..query.clone() }, Refusal::Unsigned),
            (
                CallbackQuery { msg_signature: query.signature.clone(), ..query.clone() },
                Refusal::WrongSignature,
            ),
            (CallbackQuery { msg_signature: Some(String::new()), ..query.clone() }, Refusal::WrongSignature),
            (CallbackQuery { nonce: Some("nonce124".into()), ..query.clone() }, Refusal::WrongSignature),
            (
                CallbackQuery { timestamp: Some("1700000002".into()), ..query.clone() },
                Refusal::WrongSignature,
            ),
        ] {
            assert_eq!(secure().accept(&change, body.as_bytes(), NOW).unwrap_err(), expected);
        }
        // Undecryptable text with a wrong signature is a wrong signature, not an oracle.
        let spoilt = body.replace("<Encrypt><![CDATA[", "<Encrypt><![CDATA[AAAA");
        assert_eq!(secure().accept(&query, spoilt.as_bytes(), NOW).unwrap_err(), Refusal::WrongSignature);
    }

    #[test]
    fn sec_29_another_apps_or_accounts_event_is_refused() {
        let (query, body) = delivery(&scan(ACCOUNT, "a"), "wx0000000000000002", "1700000001");
        assert_eq!(secure().accept(&query, body.as_bytes(), NOW).unwrap_err(), Refusal::OtherReceiver);
        let (query, body) = delivery(&scan(ACCOUNT, "a"), "", "1700000001");
        assert_eq!(secure().accept(&query, body.as_bytes(), NOW).unwrap_err(), Refusal::OtherReceiver);
        let (query, body) = delivery(&scan("gh_000000000002", "a"), APPID, "1700000001");
        assert_eq!(secure().accept(&query, body.as_bytes(), NOW).unwrap_err(), Refusal::OtherAccount);
        let (query, body) = delivery("<xml></xml>", APPID, "1700000001");
        assert_eq!(secure().accept(&query, body.as_bytes(), NOW).unwrap_err(), Refusal::OtherAccount);
    }

    #[test]
    fn sec_30_only_fresh_requests_are_accepted() {
        let (query, body) = delivery(&scan(ACCOUNT, "a"), APPID, "1700000000");
        for (now, fresh) in [
            (1_700_000_000, true),
            (1_700_000_300, true),
            (1_700_000_301, false),
            (1_699_999_700, true),
            (1_699_999_699, false),
            (0, false),
            (i64::MIN, false),
            (i64::MAX, false),
        ] {
            let outcome = secure().accept(&query, body.as_bytes(), now);
            assert_eq!(outcome.is_ok(), fresh, "{now}");
            assert!(fresh || matches!(outcome, Err(Refusal::Stale { .. })));
        }
        for timestamp in ["now", "", "-9223372036854775808", "99999999999999999999"] {
            let (query, body) = delivery(&scan(ACCOUNT, "a"), APPID, timestamp);
            assert!(secure().accept(&query, body.as_bytes(), NOW).is_err(), "{timestamp}");
        }
    }

    #[test]
    fn sec_30_every_delivery_of_one_event_has_one_key() {
        let accept = |message: &str, timestamp: &str| {
            let (query, body) = delivery(message, APPID, timestamp);
            secure().accept(&query, body.as_bytes(), NOW).unwrap()
        };
        let first = accept(&scan(ACCOUNT, "a"), "1700000001");
        let again = accept(&scan(ACCOUNT, "a"), "1700000006");
        assert_eq!(first.dedupe_key, again.dedupe_key);
        assert_ne!(first.delivery_key, again.delivery_key);
        assert_ne!(first.dedupe_key, accept(&scan(ACCOUNT, "b"), "1700000001").dedupe_key);
        let message = |id: &str, text: &str| {
            format!(
                "<xml><ToUserName>{ACCOUNT}</ToUserName><FromUserName>oA</FromUserName><MsgId>{id}</MsgId><Content>{text}</Content></xml>"
            )
        };
        let one = accept(&message("1", "a"), "1700000001");
        assert_eq!(one.dedupe_key, accept(&message("1", "a"), "1700000001").dedupe_key);
        assert_ne!(one.dedupe_key, accept(&message("2", "a"), "1700000001").dedupe_key);
    }

    #[test]
    fn an_official_accounts_address_check_is_echoed_as_it_is() {
        let vector = |echo: &str| {
            CallbackQuery::parse(&format!(
                "signature=f464b24fc39322e44b38aa78f5edd27bd1441696&timestamp=1714036504&nonce=1514711492{echo}"
            ))
            .unwrap()
        };
        for mode in [Mode::Plain, Mode::Compatible(key()), Mode::Secure(key())] {
            let inbox = Inbox::official("AAAAA".parse().unwrap(), APPID.parse().unwrap(), mode);
            let now = 1_714_036_510;
            assert_eq!(
                inbox.verify_url(&vector("&echostr=4375120948345356249"), now).unwrap(),
                "4375120948345356249"
            );
            assert_eq!(inbox.verify_url(&vector(""), now), Err(Refusal::NothingToEcho));
            assert_eq!(inbox.verify_url(&vector("&echostr=x"), now + 600), Err(Refusal::Stale { age: 606 }));
        }
        let other = Inbox::official("BBBBB".parse().unwrap(), APPID.parse().unwrap(), Mode::Plain);
        assert_eq!(other.verify_url(&vector("&echostr=x"), 1_714_036_510), Err(Refusal::WrongSignature));
    }

    #[test]
    fn wecoms_address_check_is_decrypted() {
        let query = CallbackQuery::parse(
            "msg_signature=5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3&timestamp=1409659589&nonce=263014780&echostr=P9nAzCzyDtyTWESHep1vC5X9xho%2FqYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp%2B4RPcs8TgAE7OaBO%2BFZXvnaqQ%3D%3D",
        )
        .unwrap();
        let inbox = |corpid: &str| {
            let key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".parse().unwrap();
            Inbox::wecom("QDG6eK".parse().unwrap(), key, corpid)
        };
        let now = 1_409_659_600;
        assert_eq!(inbox("wx5823bf96d3bd56c7").verify_url(&query, now).unwrap(), "1616140317555161061");
        assert_eq!(inbox("wx5823bf96d3bd56c8").verify_url(&query, now), Err(Refusal::OtherReceiver));
        // The plain way is not WeCom's.
        let plain = CallbackQuery { signature: query.msg_signature.clone(), msg_signature: None, ..query };
        assert_eq!(inbox("wx5823bf96d3bd56c7").verify_url(&plain, now), Err(Refusal::Unsigned));
    }

    #[test]
    fn a_reply_takes_the_form_of_the_mode() {
        let event = Event::parse(scan(ACCOUNT, "a").as_bytes()).unwrap();
        let plain = inbox(Mode::Plain).reply(&event, "确认 ]]> 登录", NOW, [1; 16], "n1").unwrap();
        let read = Event::parse(plain.as_bytes()).unwrap();
        assert_eq!(read.get("Content"), Some("确认 ]]> 登录"));
        assert_eq!((read.to_user(), read.from_user()), (Some("oTestOpenId0000000000000000A"), Some(ACCOUNT)));

        let sealed = secure().reply(&event, "确认 ]]> 登录", NOW, [1; 16], "n1").unwrap();
        let outer = Event::parse(sealed.as_bytes()).unwrap();
        let encrypted = outer.get("Encrypt").unwrap();
        let timestamp = outer.get("TimeStamp").unwrap();
        let nonce = outer.get("Nonce").unwrap();
        assert!(signature::matches(
            &token(),
            &[timestamp, nonce, encrypted],
            outer.get("MsgSignature").unwrap()
        ));
        let opened = key().open(encrypted).unwrap();
        assert_eq!((opened.message, opened.receiver.as_str()), (plain, APPID));

        let nobody = Event::parse(b"<xml></xml>").unwrap();
        assert_eq!(secure().reply(&nobody, "x", NOW, [1; 16], "n1"), None);
    }

    #[test]
    fn bad_bodies_are_refused_by_name() {
        let (query, _) = delivery(&scan(ACCOUNT, "a"), APPID, "1700000001");
        let large = vec![b'x'; super::super::xml::BODY_LIMIT + 1];
        assert_eq!(secure().accept(&query, &large, NOW).unwrap_err(), Refusal::BadXml(XmlError::TooLarge));
        assert_eq!(secure().accept(&query, b"", NOW).unwrap_err(), Refusal::BadXml(XmlError::NotXml));
        for (encrypted, error) in
            [("", OpenError::Cipher), ("a b", OpenError::Base64), ("AAAA", OpenError::Cipher)]
        {
            let signed = signature::sign(&token(), &["1700000001", "n", encrypted]);
            let query = format!("timestamp=1700000001&nonce=n&msg_signature={signed}");
            let body = format!("<xml><Encrypt>{encrypted}</Encrypt></xml>");
            let refused = secure().accept(&CallbackQuery::parse(&query).unwrap(), body.as_bytes(), NOW);
            assert_eq!(refused.unwrap_err(), Refusal::Undecryptable(error));
        }
    }

    #[test]
    fn secrets_are_not_shown() {
        let shown = format!("{:?}", secure());
        assert!(!shown.contains("testtoken") && !shown.contains("abcdefgh"), "{shown}");
    }

    proptest! {
        #[test]
        fn no_request_can_make_the_inbox_panic(query in any::<String>(), body in any::<Vec<u8>>(), now: i64) {
            if let Ok(query) = CallbackQuery::parse(&query) {
                for mode in [Mode::Plain, Mode::Compatible(key()), Mode::Secure(key())] {
                    prop_assert!(inbox(mode.clone()).accept(&query, &body, now).is_err());
                    prop_assert!(inbox(mode).verify_url(&query, now).is_err());
                }
            }
        }

        #[test]
        fn whatever_the_platform_encrypts_never_panics(message in any::<String>(), timestamp: i64) {
            let (query, body) = delivery(&message, APPID, &timestamp.to_string());
            let _ = secure().accept(&query, body.as_bytes(), NOW);
        }
    }
}
