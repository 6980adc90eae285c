//! The JSON that phones send: one flat object of texts, each documented. A field that names a person or carries a
//! platform's token is not ignored but refused by name, because a caller that sends one believes it counts (SEC-22,
//! SEC-24).

use std::collections::BTreeMap;
use std::fmt;

use http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::Value;

use super::refused::Refused;

/// The longest text that any field has: a platform's code.
const LONGEST: usize = 512;

/// What names a person or speaks for one, in lower case and without `_`, `-` and `.`: `openId`, `open_id` and `openid`
/// are one.
const IDENTITIES: [&str; 36] = [
    "openid",
    "fromopenid",
    "touseropenid",
    "unionid",
    "userid",
    "uid",
    "user",
    "username",
    "externaluserid",
    "openuserid",
    "sub",
    "subject",
    "identity",
    "account",
    "memberid",
    "phone",
    "phonenumber",
    "purephonenumber",
    "mobile",
    "mobilenumber",
    "tel",
    "telephone",
    "email",
    "sessionkey",
    "accesstoken",
    "refreshtoken",
    "idtoken",
    "token",
    "jwt",
    "bearer",
    "userticket",
    "encrypteddata",
    "rawdata",
    "userinfo",
    "appid",
    "secret",
];

/// Headers by which some gateways of platforms name a person.
const IDENTITY_HEADERS: [&str; 4] = ["x-wx-openid", "x-wx-unionid", "x-wx-from-openid", "x-wx-from-unionid"];

/// The fields of a request.
#[derive(Debug)]
pub struct Fields(BTreeMap<String, String>);

impl Fields {
    /// A field that must be there.
    ///
    /// # Errors
    /// [`Refused::BadRequest`].
    pub fn text(&self, name: &str) -> Result<&str, Refused> {
        self.0.get(name).map(String::as_str).filter(|text| !text.is_empty()).ok_or(Refused::BadRequest)
    }
}

/// Reads a request's JSON; `documented` are the fields that its call takes.
///
/// # Errors
/// [`Refused::IdentityInRequest`] before anything else, then [`Refused::BadRequest`].
pub fn read(
    headers: &HeaderMap,
    query: Option<&str>,
    body: &[u8],
    documented: &[&str],
) -> Result<Fields, Refused> {
    let parsed = serde_json::from_slice::<Object>(body);
    let in_body = parsed.iter().flat_map(|object| names_in(&object.0));
    let in_query: Vec<_> = url::form_urlencoded::parse(query.unwrap_or("").as_bytes()).collect();
    let mut names = in_body.chain(in_query.iter().map(|(name, _)| name.to_string()));
    let in_headers = IDENTITY_HEADERS.iter().any(|name| headers.contains_key(*name));
    if in_headers || names.any(|name| !documented.contains(&name.as_str()) && names_a_person(&name)) {
        return Err(Refused::IdentityInRequest);
    }
    let Ok(Object(object)) = parsed else { return Err(Refused::BadRequest) };
    if !is_json(headers) || !in_query.is_empty() {
        return Err(Refused::BadRequest);
    }
    let mut fields = BTreeMap::new();
    for (name, value) in object {
        match value {
            Value::String(text) if documented.contains(&name.as_str()) && text.len() <= LONGEST => {
                fields.insert(name, text);
            }
            _ => return Err(Refused::BadRequest),
        }
    }
    Ok(Fields(fields))
}

/// Browsers send this type to another origin only after asking, and we never answer that question.
fn is_json(headers: &HeaderMap) -> bool {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_some_and(|value| {
        value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    })
}

/// All names, those inside of values too.
fn names_in(object: &BTreeMap<String, Value>) -> Vec<String> {
    let mut names: Vec<String> = object.keys().cloned().collect();
    let mut values: Vec<&Value> = object.values().collect();
    while let Some(value) = values.pop() {
        match value {
            Value::Object(inner) => {
                names.extend(inner.keys().cloned());
                values.extend(inner.values());
            }
            Value::Array(inner) => values.extend(inner),
            _ => {}
        }
    }
    names
}

fn names_a_person(name: &str) -> bool {
    let plain: String =
        name.chars().filter(|c| !matches!(c, '_' | '-' | '.')).flat_map(char::to_lowercase).collect();
    IDENTITIES.contains(&plain.as_str())
}

/// A JSON object whose names are all different (SEC-71): who reads the first and who reads the last must not differ.
struct Object(BTreeMap<String, Value>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;
        impl<'de> Visitor<'de> for Names {
            type Value = Object;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut object = BTreeMap::new();
                while let Some((name, value)) = map.next_entry::<String, Value>()? {
                    if object.insert(name, value).is_some() {
                        return Err(A::Error::custom("a name twice"));
                    }
                }
                Ok(Object(object))
            }
        }
        deserializer.deserialize_map(Names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCAN: &[&str] = &["code"];

    fn json() -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_TYPE, "application/json; charset=utf-8".parse().unwrap())])
    }

    fn name(body: &str, documented: &[&str]) -> &'static str {
        read(&json(), None, body.as_bytes(), documented).err().map_or("ok", |refused| refused.name())
    }

    #[test]
    fn sec_22_whatever_names_a_person_is_refused_by_name() {
        for field in [
            "openid",
            "openId",
            "OPEN_ID",
            "unionid",
            "userid",
            "user_id",
            "phone",
            "phone_number",
            "phoneNumber",
            "mobile",
            "sub",
        ] {
            assert_eq!(
                name(&format!(r#"{{"code":"c","{field}":"x"}}"#), SCAN),
                "identity_in_request",
                "{field}"
            );
        }
        assert_eq!(name(r#"{"code":"c","detail":{"userInfo":{"openId":"x"}}}"#, SCAN), "identity_in_request");
        assert_eq!(name(r#"{"code":"c","list":[{"openid":"x"}]}"#, SCAN), "identity_in_request");
        let in_query = read(&json(), Some("openid=x"), br#"{"code":"c"}"#, SCAN);
        assert_eq!(in_query.unwrap_err().name(), "identity_in_request");
        let mut headers = json();
        headers.insert("x-wx-openid", "x".parse().unwrap());
        assert_eq!(read(&headers, None, br#"{"code":"c"}"#, SCAN).unwrap_err().name(), "identity_in_request");
    }

    #[test]
    fn sec_24_tokens_of_platforms_are_refused_by_name() {
        for field in ["access_token", "token", "id_token", "session_key", "sessionKey", "encryptedData"] {
            assert_eq!(
                name(&format!(r#"{{"code":"c","{field}":"x"}}"#), SCAN),
                "identity_in_request",
                "{field}"
            );
        }
        assert_eq!(name(r#"{"phone_token":"x"}"#, &["phone_token"]), "ok", "ours is documented");
    }

    #[test]
    fn sec_71_anything_but_the_documented_object_is_a_bad_request() {
        for body in [
            "",
            "[]",
            "1",
            "\"x\"",
            "{",
            "null",
            r#"{"code":"a","code":"b"}"#,
            r#"{"code":1}"#,
            r#"{"code":null}"#,
            r#"{"code":{"a":"b"}}"#,
            r#"{"kode":"x"}"#,
            "\u{feff}{}",
        ] {
            assert_eq!(name(body, SCAN), "bad_request", "{body}");
        }
        assert_eq!(name(&format!(r#"{{"code":"{}"}}"#, "x".repeat(513)), SCAN), "bad_request");
        let deep = "[".repeat(5000);
        assert_eq!(name(&format!(r#"{{"code":{deep}"#), SCAN), "bad_request");
        assert_eq!(read(&HeaderMap::new(), None, b"{}", SCAN).unwrap_err().name(), "bad_request");
        assert_eq!(read(&json(), Some("a=b"), b"{}", SCAN).unwrap_err().name(), "bad_request");
        let fields = read(&json(), None, b"{}", SCAN).unwrap();
        assert_eq!(fields.text("code").unwrap_err().name(), "bad_request");
    }
}
