//! One message made ready to post: signed, encrypted as the account's mode asks, and spoiled on demand.

use serde::Deserialize;

use super::envelope::{EnvelopeKey, signature};
use super::message::Message;
use super::target::{EventMode, EventTarget};
use super::xml::{Element, write};
use crate::ids::{self, Entropy};

/// Stale by an hour.
const STALE_S: i64 = 3600;
/// One byte more than a careful receiver takes.
const TOO_LARGE: usize = 64 * 1024 + 1;

/// Ways in which a forged or broken delivery differs from a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Flaw {
    /// No `signature` and no `msg_signature`.
    Unsigned,
    /// Both signatures are of another token.
    WrongSignature,
    /// Signed properly, an hour ago.
    StaleTimestamp,
    /// Encrypted for another appid.
    OtherAppid,
    /// Addressed to another account's original id.
    OtherAccount,
    /// Forged plain elements beside a good ciphertext.
    PlaintextBesideCiphertext,
    /// Plain elements only, with a good `signature`, whatever the mode is.
    PlaintextOnly,
    /// The second half of the body is missing.
    Truncated,
    /// The ciphertext is no base64; signed as it is.
    BadBase64,
    /// The ciphertext is base64 of something else; signed as it is.
    BadCiphertext,
    /// A document type with nested entities in front.
    EntityBomb,
    /// 64 KiB and one byte.
    TooLarge,
}

/// Query and body of the POST.
#[derive(Clone, Debug)]
pub(crate) struct Parcel {
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// What is posted to whom.
pub(crate) struct Packing<'a> {
    pub(crate) target: &'a EventTarget,
    pub(crate) appid: &'a str,
    pub(crate) message: &'a Message,
    pub(crate) now_ms: i64,
    pub(crate) flaw: Option<Flaw>,
}

impl Packing<'_> {
    /// Nothing when the EncodingAESKey of the target is no key and is needed.
    pub(crate) fn pack(&self, entropy: &Entropy) -> Option<Parcel> {
        let elements = self.elements();
        let encrypted = self.target.mode != EventMode::Plain && self.flaw != Some(Flaw::PlaintextOnly);
        let sealed = if encrypted { Some(self.seal(&elements, entropy)?) } else { None };
        let stale = if self.flaw == Some(Flaw::StaleTimestamp) { STALE_S } else { 0 };
        let timestamp = (self.now_ms / 1000 - stale).to_string();
        let nonce = ids::digits(entropy, 10);
        let query = self.query(&timestamp, &nonce, sealed.as_deref());
        Some(Parcel { query, body: self.body(elements, sealed) })
    }

    fn elements(&self) -> Vec<Element> {
        let mut message = self.message.clone();
        match self.flaw {
            Some(Flaw::OtherAccount) => message.to = "gh_000000000000".to_owned(),
            Some(Flaw::StaleTimestamp) => message.create_time_s -= STALE_S,
            _ => {}
        }
        message.elements()
    }

    fn seal(&self, elements: &[Element], entropy: &Entropy) -> Option<String> {
        match self.flaw {
            Some(Flaw::BadBase64) => return Some("*** this is no base64 ***".to_owned()),
            Some(Flaw::BadCiphertext) => return Some("QUJD".repeat(16)),
            _ => {}
        }
        let key = EnvelopeKey::parse(&self.target.aes_key)?;
        let receiver = if self.flaw == Some(Flaw::OtherAppid) { "wx0000000000000000" } else { self.appid };
        let mut random = [0u8; 16];
        entropy(&mut random);
        Some(key.seal(random, write(elements).as_bytes(), receiver))
    }

    fn query(&self, timestamp: &str, nonce: &str, sealed: Option<&str>) -> Vec<(&'static str, String)> {
        let wrong = self.flaw == Some(Flaw::WrongSignature);
        let token = if wrong { "another token" } else { self.target.token.as_str() };
        let signed = self.flaw != Some(Flaw::Unsigned);
        let mut query = Vec::new();
        if signed {
            query.push(("signature", signature(&[token, timestamp, nonce])));
        }
        query.extend([("timestamp", timestamp.to_owned()), ("nonce", nonce.to_owned())]);
        query.push(("openid", self.message.from.clone()));
        if let Some(sealed) = sealed {
            query.push(("encrypt_type", "aes".to_owned()));
            if signed {
                query.push(("msg_signature", signature(&[token, timestamp, nonce, sealed])));
            }
        }
        query
    }

    fn body(&self, mut elements: Vec<Element>, sealed: Option<String>) -> String {
        let mut outer = match (&sealed, self.target.mode) {
            (None, _) | (_, EventMode::Compatible) => elements,
            (Some(_), _) if self.flaw == Some(Flaw::PlaintextBesideCiphertext) => elements,
            (Some(_), _) => elements.drain(..1).collect(),
        };
        if self.flaw == Some(Flaw::PlaintextBesideCiphertext) {
            for element in &mut outer {
                if let Element::Text("FromUserName", from) = element {
                    *from = "oForged00000000000000000000A".to_owned();
                }
            }
        }
        outer.extend(sealed.map(|sealed| Element::Text("Encrypt", sealed)));
        let mut body = write(&outer);
        match self.flaw {
            Some(Flaw::Truncated) => body.truncate(body.floor_char_boundary(body.len() / 2)),
            Some(Flaw::EntityBomb) => {
                body = format!("{}{}", entity_bomb(), body.replace("<xml>", "<xml><Bomb>&j;</Bomb>"))
            }
            Some(Flaw::TooLarge) => {
                let filling = TOO_LARGE.saturating_sub(body.len() + "<F></F>".len());
                body = body.replace("<xml>", &format!("<xml><F>{}</F>", "x".repeat(filling)));
            }
            _ => {}
        }
        body
    }
}

/// Ten levels of ten: a parser that expands it makes 10 GB of it.
fn entity_bomb() -> String {
    let mut doctype = "<!DOCTYPE xml [<!ENTITY a \"lolololol\">".to_owned();
    for (name, inner) in ('b'..='j').zip('a'..) {
        doctype.push_str(&format!("<!ENTITY {name} \"{}\">", format!("&{inner};").repeat(10)));
    }
    doctype.push_str("]>");
    doctype
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Happening;
    use crate::events::xml::read;

    fn pack(mode: EventMode, flaw: Option<Flaw>) -> Parcel {
        let target = EventTarget { mode, ..EventTarget::demo(url::Url::parse("http://127.0.0.1/").unwrap()) };
        let happening = Happening::Scan { scene: "s1".to_owned(), ticket: "t".to_owned() };
        let message =
            Message { to: "gh_1".to_owned(), from: "oA".to_owned(), create_time_s: 1, msg_id: 1, happening };
        let packing = Packing { target: &target, appid: "wx1", message: &message, now_ms: 5000, flaw };
        packing.pack(&|bytes: &mut [u8]| bytes.fill(7)).unwrap()
    }

    fn names(parcel: &Parcel) -> Vec<&str> {
        parcel.query.iter().map(|(name, _)| *name).collect()
    }

    #[test]
    fn secure_mode_shows_only_whom_it_is_for() {
        let parcel = pack(EventMode::Secure, None);
        let read = read(&parcel.body).unwrap();
        assert_eq!(read.keys().collect::<Vec<_>>(), ["Encrypt", "ToUserName"]);
        assert_eq!(
            names(&parcel),
            ["signature", "timestamp", "nonce", "openid", "encrypt_type", "msg_signature"]
        );
    }

    #[test]
    fn plain_mode_has_no_ciphertext_and_compatible_mode_both() {
        let plain = pack(EventMode::Plain, None);
        assert_eq!(names(&plain), ["signature", "timestamp", "nonce", "openid"]);
        assert!(!plain.body.contains("Encrypt"));
        let both = read(&pack(EventMode::Compatible, None).body).unwrap();
        assert_eq!((both["Event"].as_str(), both.contains_key("Encrypt")), ("SCAN", true));
    }

    #[test]
    fn flaws_are_what_they_say() {
        let secure = |flaw| pack(EventMode::Secure, Some(flaw));
        assert_eq!(names(&secure(Flaw::Unsigned)), ["timestamp", "nonce", "openid", "encrypt_type"]);
        assert!(secure(Flaw::PlaintextBesideCiphertext).body.contains("oForged"));
        assert_eq!(secure(Flaw::TooLarge).body.len(), 64 * 1024 + 1);
        assert!(secure(Flaw::EntityBomb).body.starts_with("<!DOCTYPE"));
        assert_eq!(read(&secure(Flaw::Truncated).body), None);
        assert!(!secure(Flaw::PlaintextOnly).body.contains("Encrypt"));
    }
}
