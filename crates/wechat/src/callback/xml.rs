//! The XML of events and messages: one level of named texts.
//!
//! It comes from the network and is read before anything is proven, so it may cost nothing (SEC-32): no DOCTYPE, no
//! entity beyond those XML itself names, a bounded size and depth, UTF-8 only, and a name that appears twice is refused
//! rather than resolved.

use std::collections::BTreeMap;
use std::fmt;

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesDecl, BytesRef, Event as Token};

/// Largest body, in bytes.
pub const BODY_LIMIT: usize = 64 * 1024;

/// Deepest nesting of elements, the root included.
pub const DEPTH_LIMIT: usize = 16;

/// One event or message: the texts directly inside of `<xml>`. What is nested deeper is read over.
///
/// `Debug` shows names and the kind, because the values say who did what.
#[derive(Clone, PartialEq, Eq)]
pub struct Event(BTreeMap<String, String>);

/// Why bytes are not an event. For logs; never repeats what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum XmlError {
    /// More than [`BODY_LIMIT`] bytes.
    #[error("the XML is larger than {BODY_LIMIT} bytes")]
    TooLarge,
    /// Another encoding, or cut within a character.
    #[error("the XML is not UTF-8")]
    NotUtf8,
    /// A document type, the beginning of every entity bomb.
    #[error("the XML has a DOCTYPE")]
    Doctype,
    /// An entity that XML does not define, or a character that it does not allow.
    #[error("the XML uses an entity that it may not use")]
    Entity,
    /// More than [`DEPTH_LIMIT`] elements inside each other.
    #[error("the XML is nested deeper than {DEPTH_LIMIT} elements")]
    TooDeep,
    /// Two elements of one name: whichever was chosen, somebody else would choose the other.
    #[error("an element appears twice in the XML")]
    Duplicate,
    /// Not one whole `<xml>` element.
    #[error("not an <xml> element, or cut off")]
    NotXml,
}

impl Event {
    /// Reads an event. Its root is `<xml>`; declaration, comments and attributes say nothing.
    ///
    /// # Errors
    /// When it breaks one of the rules above. Never panics, whatever the bytes.
    pub fn parse(body: &[u8]) -> Result<Self, XmlError> {
        if body.len() > BODY_LIMIT {
            return Err(XmlError::TooLarge);
        }
        let text = std::str::from_utf8(body).map_err(|_| XmlError::NotUtf8)?;
        let mut reader = Reader::from_str(text.strip_prefix('\u{FEFF}').unwrap_or(text));
        let mut document = Document::default();
        loop {
            match reader.read_event().map_err(|_| XmlError::NotXml)? {
                Token::Start(tag) => document.open(tag.name().as_ref())?,
                Token::End(_) => document.close()?,
                Token::Empty(tag) => {
                    document.open(tag.name().as_ref())?;
                    document.close()?;
                }
                Token::Text(text) => document.text(&text.xml10_content())?,
                Token::CData(text) => document.cdata(&text.xml10_content())?,
                Token::GeneralRef(reference) => document.reference(&reference)?,
                Token::Decl(declaration) => check_encoding(&declaration)?,
                Token::DocType(_) => return Err(XmlError::Doctype),
                Token::Comment(_) | Token::PI(_) => {}
                Token::Eof => return document.finish(),
            }
        }
    }

    /// The text of an element, if it is there. It may be empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// `ToUserName`: the account, `gh_…`, or the corpid.
    #[must_use]
    pub fn to_user(&self) -> Option<&str> {
        self.get("ToUserName")
    }

    /// `FromUserName`: the person's openid or userid, or `sys`.
    #[must_use]
    pub fn from_user(&self) -> Option<&str> {
        self.get("FromUserName")
    }

    /// `CreateTime`, in seconds since 1970, if it is a number.
    #[must_use]
    pub fn create_time(&self) -> Option<i64> {
        self.get("CreateTime")?.trim().parse().ok()
    }

    /// Whether `MsgType` is `event` and `Event` is this one. Platforms mix upper and lower case.
    #[must_use]
    pub fn is_event(&self, name: &str) -> bool {
        let is = |element, expected: &str| {
            self.get(element).is_some_and(|text| text.eq_ignore_ascii_case(expected))
        };
        is("MsgType", "event") && is("Event", name)
    }

    /// `EventKey`, unless absent or empty.
    #[must_use]
    pub fn event_key(&self) -> Option<&str> {
        self.get("EventKey").filter(|key| !key.is_empty())
    }

    /// `Ticket` of the QR code, unless absent or empty.
    #[must_use]
    pub fn ticket(&self) -> Option<&str> {
        self.get("Ticket").filter(|ticket| !ticket.is_empty())
    }

    /// `MsgId`, which messages have and events have not.
    #[must_use]
    pub fn msg_id(&self) -> Option<&str> {
        self.get("MsgId").filter(|id| !id.is_empty())
    }

    /// Names and texts in order of name.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (name.as_str(), text.as_str()))
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("msg_type", &self.get("MsgType"))
            .field("event", &self.get("Event"))
            .field("names", &self.0.keys().collect::<Vec<_>>())
            .finish()
    }
}

/// An event under construction, told what the reader sees.
#[derive(Default)]
struct Document {
    /// Elements now open.
    depth: usize,
    has_root: bool,
    name: String,
    text: String,
    has_cdata: bool,
    /// The element is a group of others and has no text of its own.
    has_children: bool,
    fields: BTreeMap<String, String>,
}

impl Document {
    fn open(&mut self, name: &str) -> Result<(), XmlError> {
        match self.depth {
            0 if self.has_root || name != "xml" => return Err(XmlError::NotXml),
            0 => self.has_root = true,
            1 => {
                self.name = name.to_owned();
                self.text.clear();
                (self.has_cdata, self.has_children) = (false, false);
            }
            DEPTH_LIMIT.. => return Err(XmlError::TooDeep),
            _ => self.has_children = true,
        }
        self.depth += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        self.depth = self.depth.checked_sub(1).ok_or(XmlError::NotXml)?;
        if self.depth != 1 {
            return Ok(());
        }
        let text = if self.has_children { String::new() } else { std::mem::take(&mut self.text) };
        match self.fields.insert(std::mem::take(&mut self.name), text) {
            None => Ok(()),
            Some(_) => Err(XmlError::Duplicate),
        }
    }

    fn text(&mut self, text: &str) -> Result<(), XmlError> {
        let is_blank = text.trim_ascii().is_empty();
        match self.depth {
            0 | 1 if is_blank => Ok(()),
            0 | 1 => Err(XmlError::NotXml),
            // Line ends around a CDATA section are the writer's layout.
            2 if self.has_cdata && is_blank => Ok(()),
            2 => {
                self.text.push_str(text);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn cdata(&mut self, text: &str) -> Result<(), XmlError> {
        match self.depth {
            0 | 1 => Err(XmlError::NotXml),
            2 => {
                if self.text.trim_ascii().is_empty() && !self.has_cdata {
                    self.text.clear();
                }
                self.has_cdata = true;
                self.text.push_str(text);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), XmlError> {
        let character = reference.resolve_char_ref().map_err(|_| XmlError::Entity)?;
        if character.is_some_and(|c| c < ' ' && !matches!(c, '\t' | '\n' | '\r')) {
            return Err(XmlError::Entity);
        }
        let mut buffer = [0; 4];
        let text = match character {
            Some(c) => &*c.encode_utf8(&mut buffer),
            None => resolve_xml_entity(reference).ok_or(XmlError::Entity)?,
        };
        match self.depth {
            0 | 1 => return Err(XmlError::NotXml),
            2 => self.text.push_str(text),
            _ => {}
        }
        Ok(())
    }

    fn finish(self) -> Result<Event, XmlError> {
        if self.has_root && self.depth == 0 { Ok(Event(self.fields)) } else { Err(XmlError::NotXml) }
    }
}

/// A declaration may only say what is true anyway.
fn check_encoding(declaration: &BytesDecl<'_>) -> Result<(), XmlError> {
    match declaration.encoding() {
        None => Ok(()),
        Some(Ok(name)) if name.eq_ignore_ascii_case("utf-8") || name.eq_ignore_ascii_case("utf8") => Ok(()),
        Some(_) => Err(XmlError::NotUtf8),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Event, XmlError> {
        Event::parse(text.as_bytes())
    }

    fn value(inner: &str) -> Result<String, XmlError> {
        let event = read(&format!("<xml><A>{inner}</A></xml>"))?;
        Ok(event.get("A").expect("the element was read").to_owned())
    }

    #[test]
    fn an_event_is_read_by_name_in_any_order() {
        let event = read(
            "\u{FEFF}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xml>\n  <Event><![CDATA[SCAN]]></Event>
             <!-- x --><MsgType>\n<![CDATA[event]]>\n</MsgType><CreateTime> 1700000000</CreateTime>
             <EventKey><![CDATA[]]></EventKey><Ticket/><a:B xmlns:a=\"u\" c=\"d\">e</a:B>
             <ToUserName><![CDATA[gh_1]]></ToUserName><Group><Item>1</Item><Item>2</Item></Group></xml>\n",
        )
        .unwrap();
        assert!(event.is_event("scan") && !event.is_event("subscribe"));
        assert_eq!(event.create_time(), Some(1_700_000_000));
        assert_eq!((event.event_key(), event.ticket(), event.msg_id()), (None, None, None));
        assert_eq!((event.to_user(), event.from_user()), (Some("gh_1"), None));
        assert_eq!((event.get("a:B"), event.get("Group"), event.get("Item")), (Some("e"), Some(""), None));
    }

    #[test]
    fn text_is_what_xml_says_it_is() {
        for (inner, expected) in [
            ("a &amp; b &lt;&#65;&#x42;&gt;", "a & b <AB>"),
            ("&lt; &gt;", "< >"),
            ("<![CDATA[a&amp;<b>]]>", "a&amp;<b>"),
            ("<![CDATA[a]]]]><![CDATA[>b]]>", "a]]>b"),
            (" <![CDATA[ a ]]> ", " a "),
            ("a<!-- b -->c", "ac"),
            (" ", " "),
            ("", ""),
            ("名字", "名字"),
        ] {
            assert_eq!(value(inner).as_deref(), Ok(expected), "{inner}");
        }
    }

    /// SEC-32.
    #[test]
    fn sec_32_bombs_and_broken_documents_are_refused() {
        let deep = |levels: usize| format!("<xml>{}{}</xml>", "<a>".repeat(levels), "</a>".repeat(levels));
        for (text, error) in [
            ("<!DOCTYPE xml><xml/>", XmlError::Doctype),
            (
                "<!DOCTYPE x [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><xml><A>&b;</A></xml>",
                XmlError::Doctype,
            ),
            ("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><xml/>", XmlError::Doctype),
            ("<xml><A>&b;</A></xml>", XmlError::Entity),
            ("<xml><A>&#0;</A></xml>", XmlError::Entity),
            ("<xml><A>&#8;</A></xml>", XmlError::Entity),
            ("<xml><A>&#xD800;</A></xml>", XmlError::Entity),
            ("<xml><A>&#99999999999;</A></xml>", XmlError::Entity),
            ("<xml><A>1</A><A>2</A></xml>", XmlError::Duplicate),
            ("<xml><A/><A/></xml>", XmlError::Duplicate),
            ("<?xml version=\"1.0\" encoding=\"GBK\"?><xml/>", XmlError::NotUtf8),
            (&deep(DEPTH_LIMIT), XmlError::TooDeep),
            (&deep(9_000), XmlError::TooDeep),
            ("", XmlError::NotXml),
            ("{}", XmlError::NotXml),
            ("<html></html>", XmlError::NotXml),
            ("<xml/><xml/>", XmlError::NotXml),
            ("<xml/>x", XmlError::NotXml),
            ("<xml>x</xml>", XmlError::NotXml),
            ("<xml><![CDATA[x]]></xml>", XmlError::NotXml),
            ("<xml>&amp;</xml>", XmlError::NotXml),
            ("<xml><A>1</A>", XmlError::NotXml),
            ("<xml><A>1</xml>", XmlError::NotXml),
            ("<xml><A>1</B></xml>", XmlError::NotXml),
            ("<xml><A>1 & 2</A></xml>", XmlError::NotXml),
            ("</xml>", XmlError::NotXml),
            ("<xml", XmlError::NotXml),
            ("<xml><A><![CDATA[1</A></xml>", XmlError::NotXml),
        ] {
            assert_eq!(read(text), Err(error), "{text:.80}");
        }
        assert!(read(&deep(DEPTH_LIMIT - 1)).is_ok());
        assert_eq!(Event::parse(b"<xml><A>\xC4\xE3</A></xml>"), Err(XmlError::NotUtf8));
    }

    /// SEC-32.
    #[test]
    fn sec_32_one_byte_too_many_is_refused_unread() {
        let fitting = |size: usize| format!("<xml><A>{}</A></xml>", "x".repeat(size - 18));
        assert!(read(&fitting(BODY_LIMIT)).is_ok());
        assert_eq!(read(&fitting(BODY_LIMIT + 1)), Err(XmlError::TooLarge));
    }

    #[test]
    fn debug_says_what_happened_but_not_to_whom() {
        let event = read("<xml><FromUserName>oSecret</FromUserName><Event>SCAN</Event></xml>").unwrap();
        let shown = format!("{event:?}");
        assert!(shown.contains("SCAN") && shown.contains("FromUserName") && !shown.contains("oSecret"));
    }

    /// Pieces of documents reach further into the reader than random bytes do.
    fn nearly_a_document() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "<xml>",
            "</xml>",
            "<A>",
            "</A>",
            "<A/>",
            "<B>",
            "</B>",
            "<![CDATA[",
            "]]>",
            "&amp;",
            "&#10;",
            "&x;",
            "<!--",
            "-->",
            "<?xml version=\"1.0\"?>",
            "<?p",
            "?>",
            "<!DOCTYPE",
            "[",
            "]",
            "text",
            " ",
            "\u{FEFF}",
            "<",
            ">",
            "&",
            "'",
            "\"",
            "=",
            "<A b=\"",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat().into_bytes())
    }

    proptest! {
        #[test]
        fn no_bytes_can_make_reading_panic(random in any::<Vec<u8>>(), near in nearly_a_document()) {
            let _ = Event::parse(&random);
            let _ = Event::parse(&near);
            let _ = Event::parse(&[b"<xml>", near.as_slice(), b"</xml>"].concat());
        }
    }
}
