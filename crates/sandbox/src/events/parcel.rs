//! One message made ready to post: signed, encrypted as the account's mode asks, and spoiled on demand. An official
//! account's and a corp's differ in what stands outside the envelope.

use serde::Deserialize;

use super::envelope::{EnvelopeKey, signature};
use super::target::{EventMode, EventTarget};
use super::xml::{Element, write};
use crate::ids::{self, Entropy};

/// Stale by an hour.
const STALE_S: i64 = 3600;
/// One byte more than a careful receiver takes.
const TOO_LARGE: usize = 64 * 1024 + 1;
/// A CorpID that nobody has.
const OTHER_CORP: &str = "ww0000000000000000";

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
    /// Encrypted for another appid or CorpID.
    OtherAppid,
    /// Addressed to another account's original id, or another CorpID.
    OtherAccount,
    /// Forged plain elements beside a good ciphertext.
    PlaintextBesideCiphertext,
    /// Plain elements only, with a good `signature` (of which a corp's events have none), whatever the mode is.
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

/// What stands outside the envelope.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Style<'a> {
    /// An official account's: `signature` and the person's openid in the query (WeChat fact sheet §4.6).
    Account { openid: &'a str },
    /// A corp's: always encrypted, `msg_signature` only, and an empty AgentID (WeCom fact sheet §12).
    Corp,
}

/// What is posted to whom.
pub(crate) struct Packing<'a> {
    pub(crate) target: &'a EventTarget,
    /// The appid or CorpID that the envelope names.
    pub(crate) receiver: &'a str,
    /// The message; `ToUserName` comes first.
    pub(crate) elements: Vec<Element>,
    pub(crate) style: Style<'a>,
    pub(crate) now_ms: i64,
    pub(crate) flaw: Option<Flaw>,
}

impl Packing<'_> {
    /// Nothing when the EncodingAESKey of the target is no key and is needed.
    pub(crate) fn pack(&self, entropy: &Entropy) -> Option<Parcel> {
        let elements = self.elements();
        let encrypted = self.mode() != EventMode::Plain && self.flaw != Some(Flaw::PlaintextOnly);
        let sealed = if encrypted { Some(self.seal(&elements, entropy)?) } else { None };
        let stale = if self.flaw == Some(Flaw::StaleTimestamp) { STALE_S } else { 0 };
        let timestamp = (self.now_ms / 1000 - stale).to_string();
        let nonce = ids::digits(entropy, 10);
        let query = self.query(&timestamp, &nonce, sealed.as_deref());
        Some(Parcel { query, body: self.body(elements, sealed) })
    }

    fn mode(&self) -> EventMode {
        match self.style {
            Style::Account { .. } => self.target.mode,
            Style::Corp => EventMode::Secure,
        }
    }

    fn elements(&self) -> Vec<Element> {
        let mut elements = self.elements.clone();
        for element in &mut elements {
            match (self.flaw, element) {
                (Some(Flaw::OtherAccount), Element::Text("ToUserName", to)) => {
                    let other = match self.style {
                        Style::Account { .. } => "gh_000000000000",
                        Style::Corp => OTHER_CORP,
                    };
                    *to = other.to_owned();
                }
                (Some(Flaw::StaleTimestamp), Element::Number("CreateTime", time)) => *time -= STALE_S,
                _ => {}
            }
        }
        elements
    }

    fn seal(&self, elements: &[Element], entropy: &Entropy) -> Option<String> {
        match self.flaw {
            Some(Flaw::BadBase64) => return Some("*** this is no base64 ***".to_owned()),
            Some(Flaw::BadCiphertext) => return Some("QUJD".repeat(16)),
            _ => {}
        }
        let key = EnvelopeKey::parse(&self.target.aes_key)?;
        let receiver = match (self.flaw, self.style) {
            (Some(Flaw::OtherAppid), Style::Account { .. }) => "wx0000000000000000",
            (Some(Flaw::OtherAppid), Style::Corp) => OTHER_CORP,
            _ => self.receiver,
        };
        let mut random = [0u8; 16];
        entropy(&mut random);
        Some(key.seal(random, write(elements).as_bytes(), receiver))
    }

    fn query(&self, timestamp: &str, nonce: &str, sealed: Option<&str>) -> Vec<(&'static str, String)> {
        let wrong = self.flaw == Some(Flaw::WrongSignature);
        let token = if wrong { "another token" } else { self.target.token.as_str() };
        let signed = self.flaw != Some(Flaw::Unsigned);
        let times = [("timestamp", timestamp.to_owned()), ("nonce", nonce.to_owned())];
        let msg_signature = sealed
            .filter(|_| signed)
            .map(|sealed| ("msg_signature", signature(&[token, timestamp, nonce, sealed])));
        match self.style {
            Style::Corp => msg_signature.into_iter().chain(times).collect(),
            Style::Account { openid } => {
                let plain = signed.then(|| ("signature", signature(&[token, timestamp, nonce])));
                let whose = [("openid", openid.to_owned())];
                let encrypt_type = sealed.map(|_| ("encrypt_type", "aes".to_owned()));
                let query = plain.into_iter().chain(times).chain(whose);
                query.chain(encrypt_type).chain(msg_signature).collect()
            }
        }
    }

    fn body(&self, mut elements: Vec<Element>, sealed: Option<String>) -> String {
        let mut outer = match (&sealed, self.mode()) {
            (None, _) | (_, EventMode::Compatible) => elements,
            (Some(_), _) if self.flaw == Some(Flaw::PlaintextBesideCiphertext) => elements,
            (Some(_), _) => elements.drain(..1).collect(),
        };
        if self.flaw == Some(Flaw::PlaintextBesideCiphertext) {
            for element in &mut outer {
                if let Element::Text("FromUserName" | "UserID", whose) = element {
                    *whose = "oForged00000000000000000000A".to_owned();
                }
            }
        }
        if matches!(self.style, Style::Corp) && sealed.is_some() {
            outer.push(Element::Text("AgentID", String::new()));
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
    use crate::events::message::Message;
    use crate::events::xml::read;

    fn pack(mode: EventMode, flaw: Option<Flaw>) -> Parcel {
        let target = EventTarget { mode, ..EventTarget::demo(url::Url::parse("http://127.0.0.1/").unwrap()) };
        let happening = Happening::Scan { scene: "s1".to_owned(), ticket: "t".to_owned() };
        let message = Message {
            to: "gh_1".to_owned(),
            from: "oA".to_owned(),
            appid: "wx1".to_owned(),
            create_time_s: 1,
            msg_id: 1,
            happening,
        };
        let packing = Packing {
            target: &target,
            receiver: "wx1",
            elements: message.elements(),
            style: Style::Account { openid: "oA" },
            now_ms: 5000,
            flaw,
        };
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
