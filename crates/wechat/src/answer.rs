//! Reading what WeChat answered: bytes to checked fields, or a reason why not.
//!
//! Pure, so that any bytes can be tried against it. It fails closed (WeChat fact sheet §2.1; a missing, empty,
//! duplicate or wrongly typed field is a malformed answer), reads UTF-8 whatever the content type said (`text/plain`
//! in practice), and never repeats a value from the answer in its complaints, because the values are secrets.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::error::{ErrCode, Error, PlatformError};
use crate::hosts::Platform;
use crate::object::Object;

/// Longest `errmsg` kept, in characters.
const MESSAGE_LIMIT: usize = 256;

/// The fields of a successful answer, taken out one by one.
pub(crate) struct Fields {
    call: &'static str,
    map: BTreeMap<String, Value>,
    says_ok: bool,
}

/// Reads the body of an HTTP 200 answer. A non-zero `errcode` is the platform's refusal; zero is tolerated.
pub(crate) fn read(call: &'static str, body: &[u8]) -> Result<Fields, Error> {
    if body.is_empty() {
        return Err(Error::malformed(call, "the body is empty"));
    }
    let text = std::str::from_utf8(body).map_err(|_| Error::malformed(call, "the body is not UTF-8"))?;
    // serde_json's message may quote the answer, so only its position is kept.
    let object: Object = serde_json::from_str(text).map_err(|error| {
        Error::malformed(
            call,
            format_args!("not a JSON object (line {}, column {})", error.line(), error.column()),
        )
    })?;
    if object.has_duplicates {
        return Err(Error::malformed(call, "a field appears twice"));
    }
    let mut fields = Fields { call, map: object.map, says_ok: false };
    match fields.errcode()? {
        None => Ok(fields),
        Some(0) => Ok(Fields { says_ok: true, ..fields }),
        Some(code) => {
            let errmsg = fields.map.get("errmsg").and_then(Value::as_str).unwrap_or_default();
            let (message, rid) = split_rid(errmsg);
            Err(Error::Platform(PlatformError {
                code: ErrCode(code),
                message: printable(message),
                rid: rid.map(printable),
                call,
                platform: Platform::WeChat,
            }))
        }
    }
}

impl Fields {
    /// Whether the answer held `errcode: 0` rather than no errcode at all.
    pub(crate) fn says_ok(&self) -> bool {
        self.says_ok
    }

    /// A string that must be there; it may be empty.
    pub(crate) fn text(&mut self, name: &'static str) -> Result<String, Error> {
        self.optional_text(name)?.ok_or_else(|| self.defect(name, "is missing"))
    }

    /// A string that must be there and must say something.
    pub(crate) fn filled_text(&mut self, name: &'static str) -> Result<String, Error> {
        self.optional_filled_text(name)?.ok_or_else(|| self.defect(name, "is missing"))
    }

    /// A string that may be absent, but not empty.
    pub(crate) fn optional_filled_text(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        match self.optional_text(name)? {
            Some(text) if text.is_empty() => Err(self.defect(name, "is empty")),
            text => Ok(text),
        }
    }

    /// A string that may be absent or empty.
    pub(crate) fn optional_text(&mut self, name: &'static str) -> Result<Option<String>, Error> {
        match self.map.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(self.defect(name, "is not a string")),
        }
    }

    /// A whole number that may be absent. A number written as a string is refused.
    pub(crate) fn optional_integer(&mut self, name: &'static str) -> Result<Option<i64>, Error> {
        match self.map.remove(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(number) => Ok(Some(number)),
                None => Err(self.defect(name, "is not a whole number")),
            },
        }
    }

    /// A whole number that must be there.
    pub(crate) fn integer(&mut self, name: &'static str) -> Result<i64, Error> {
        self.optional_integer(name)?.ok_or_else(|| self.defect(name, "is missing"))
    }

    /// Whatever the field holds, if it is there.
    pub(crate) fn optional_value(&mut self, name: &'static str) -> Option<Value> {
        self.map.remove(name)
    }

    /// An object that must be there.
    pub(crate) fn object(&mut self, name: &'static str) -> Result<Fields, Error> {
        match self.map.remove(name) {
            Some(Value::Object(map)) => Ok(self.inner(map)),
            None => Err(self.defect(name, "is missing")),
            Some(_) => Err(self.defect(name, "is not an object")),
        }
    }

    /// A list of objects, empty if it is absent.
    pub(crate) fn objects(&mut self, name: &'static str) -> Result<Vec<Fields>, Error> {
        let not_objects = "is not a list of objects";
        match self.map.remove(name) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => items
                .into_iter()
                .map(|item| match item {
                    Value::Object(map) => Ok(self.inner(map)),
                    _ => Err(self.defect(name, not_objects)),
                })
                .collect(),
            Some(_) => Err(self.defect(name, not_objects)),
        }
    }

    /// A text that some answers write as a whole number.
    pub(crate) fn text_or_number(&mut self, name: &'static str) -> Result<String, Error> {
        match self.map.get(name) {
            Some(Value::Number(_)) => Ok(self.integer(name)?.to_string()),
            _ => self.filled_text(name),
        }
    }

    /// A yes or no that some answers write as 1 or 0. Absent is no.
    pub(crate) fn flag(&mut self, name: &'static str) -> Result<bool, Error> {
        match self.map.remove(name) {
            None => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(Value::Number(number)) if number.as_u64() == Some(0) => Ok(false),
            Some(Value::Number(number)) if number.as_u64() == Some(1) => Ok(true),
            Some(_) => Err(self.defect(name, "is neither true nor false")),
        }
    }

    /// Zero as a text is refused like any other text: success is not read out of what is oddly written. Another number
    /// is a refusal however it is written, as in one of the documentation's samples (mini-program fact sheet §1).
    fn errcode(&mut self) -> Result<Option<i64>, Error> {
        let written = self.map.get("errcode").and_then(Value::as_str);
        match written.and_then(|text| text.parse().ok()).filter(|code| *code != 0) {
            Some(code) => Ok(Some(code)),
            None => self.optional_integer("errcode"),
        }
    }

    fn inner(&self, map: Map<String, Value>) -> Fields {
        Fields { call: self.call, map: map.into_iter().collect(), says_ok: false }
    }

    /// The error for a field of this answer.
    pub(crate) fn defect(&self, name: &'static str, defect: &str) -> Error {
        Error::malformed(self.call, format_args!("{name} {defect}"))
    }
}

/// Parts an `errmsg` from its request id, in each of the four forms seen (WeChat fact sheet §2.1).
fn split_rid(errmsg: &str) -> (&str, Option<&str>) {
    const FORMS: [(&str, &str); 4] =
        [(", hints: [ req_id: ", "]"), (" hint: [", "]"), (", rid: ", ""), (" rid: ", "")];
    for (opening, closing) in FORMS {
        if let Some((message, rest)) = errmsg.rsplit_once(opening)
            && let Some(rid) = rest.trim_end().strip_suffix(closing)
        {
            let rid = rid.trim();
            if !rid.is_empty() && !rid.contains(char::is_whitespace) {
                return (message.trim_end(), Some(rid));
            }
        }
    }
    (errmsg, None)
}

/// Text that cannot forge a log line or turn its direction: control, bidirectional and zero-width characters become
/// spaces, and it is cut at [`MESSAGE_LIMIT`].
fn printable(text: &str) -> String {
    let is_invisible = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
    };
    text.chars().take(MESSAGE_LIMIT).map(|c| if is_invisible(c) { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> PlatformError {
        match read("a/call", body.as_bytes()) {
            Err(Error::Platform(refusal)) => refusal,
            Err(other) => panic!("expected a refusal, got {other:?}"),
            Ok(_) => panic!("expected a refusal, got an answer"),
        }
    }

    fn malformed(body: &[u8]) -> String {
        match read("a/call", body) {
            Err(Error::Malformed { what }) => what,
            Err(other) => panic!("expected a malformed answer, got {other:?}"),
            Ok(_) => panic!("expected a malformed answer, got fields"),
        }
    }

    #[test]
    fn request_ids_of_every_era_are_parted_from_the_message() {
        let forms = [
            (
                "invalid code, rid: 6aac007a-6c02c771-26bf69c4",
                "invalid code",
                Some("6aac007a-6c02c771-26bf69c4"),
            ),
            (
                "invalid appid rid: 6aac007a-6c02c771-26bf69c4",
                "invalid appid",
                Some("6aac007a-6c02c771-26bf69c4"),
            ),
            ("invalid code, hints: [ req_id: eGoA04ce-H1v.Ka ]", "invalid code", Some("eGoA04ce-H1v.Ka")),
            ("invalid credential hint: [Q9SJGa0574vr40!]", "invalid credential", Some("Q9SJGa0574vr40!")),
            ("code been used", "code been used", None),
            ("odd, rid: two words", "odd, rid: two words", None),
            ("odd, rid: ", "odd, rid: ", None),
        ];
        for (errmsg, message, rid) in forms {
            let body = serde_json::json!({ "errcode": 40029, "errmsg": errmsg }).to_string();
            let refusal = refusal(&body);
            assert_eq!((refusal.message.as_str(), refusal.rid.as_deref()), (message, rid));
        }
    }

    #[test]
    fn a_message_cannot_forge_a_log_line() {
        let refusal = refusal(r#"{"errcode":-1,"errmsg":"busy\r\nlevel=info\u202e ok"}"#);
        assert_eq!(refusal.message, "busy  level=info  ok");
        let long = format!(r#"{{"errcode":-1,"errmsg":"{}"}}"#, "错".repeat(5000));
        assert_eq!(self::refusal(&long).message.chars().count(), MESSAGE_LIMIT);
    }

    #[test]
    fn an_errcode_without_a_message_is_still_a_refusal() {
        assert_eq!(refusal(r#"{"errcode":40029}"#).message, "");
        assert_eq!(refusal(r#"{"errcode":40029,"errmsg":7}"#).code, ErrCode(40029));
        assert_eq!(refusal(r#"{"errcode":"40029"}"#).code, ErrCode(40029));
    }

    #[test]
    fn what_is_not_one_json_object_is_malformed() {
        for body in [
            "",
            " ",
            "null",
            "[]",
            "\"x\"",
            "{",
            "{}{}",
            "<html></html>",
            r#"{"errcode":"0"}"#,
            r#"{"errcode":null}"#,
            r#"{"errcode":0.0}"#,
            r#"{"errcode":0,"errcode":0}"#,
            r#"{"unknown":1,"unknown":1}"#,
            r#"{"inner":[{"unknown":1,"unknown":1}]}"#,
        ] {
            malformed(body.as_bytes());
        }
        malformed(b"{\"nickname\":\"\xC4\xE3\"}");
        malformed("[".repeat(100_000).as_bytes());
    }

    #[test]
    fn a_complaint_never_quotes_the_answer() {
        for body in [r#"{"access_token":"70_TOKEN",}"#, r#""70_TOKEN""#, r#"{"errcode":"70_TOKEN"}"#] {
            let what = malformed(body.as_bytes());
            assert!(what.starts_with("a/call: ") && !what.contains("70_TOKEN"), "{what}");
        }
    }
}
