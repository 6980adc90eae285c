//! Query and form parameters as they were received: strictly decoded, duplicates kept, so that ambiguity is an error
//! and never a choice (RFC 6749 §3.1: a parameter must not be included more than once; SEC-71).

use std::fmt;

/// The longest accepted query or form, in bytes.
const MAX_BYTES: usize = 16 * 1024;
/// The most parameters accepted.
const MAX_PARAMS: usize = 64;

/// Decoded parameters. `Debug` shows names only: values may be codes and secrets.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<(String, String)>);

/// Why a query or form cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParamsError {
    /// Longer than 16 KiB.
    #[error("the parameters are longer than 16 KiB")]
    TooLong,
    /// More than 64 parameters.
    #[error("there are more than 64 parameters")]
    TooMany,
    /// A `%` without two hexadecimal digits.
    #[error("a percent sign is not followed by two hexadecimal digits")]
    Percent,
    /// The decoded bytes are not UTF-8.
    #[error("the parameters are not UTF-8")]
    Utf8,
    /// A NUL character, which no parameter of ours can contain and some databases refuse to store.
    #[error("a parameter contains a NUL character")]
    Nul,
}

/// A parameter was sent more than once; the field is its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the parameter {0} is included more than once")]
pub struct Duplicate(pub &'static str);

impl Params {
    /// Reads `application/x-www-form-urlencoded` bytes: a raw query without `?`, or a form body. A parameter with an
    /// empty value is treated as if it were not there (RFC 6749 §3.1).
    ///
    /// # Errors
    /// [`ParamsError`] says what is wrong; the answer to all of them is 400.
    pub fn parse(raw: &[u8]) -> Result<Self, ParamsError> {
        if raw.len() > MAX_BYTES {
            return Err(ParamsError::TooLong);
        }
        let mut pairs = Vec::new();
        for (count, piece) in raw.split(|&b| b == b'&').filter(|piece| !piece.is_empty()).enumerate() {
            if count == MAX_PARAMS {
                return Err(ParamsError::TooMany);
            }
            let (name, value) = match piece.iter().position(|&b| b == b'=') {
                Some(at) => (&piece[..at], &piece[at + 1..]),
                None => (piece, &[][..]),
            };
            let (name, value) = (decode(name)?, decode(value)?);
            if !value.is_empty() {
                pairs.push((name, value));
            }
        }
        Ok(Self(pairs))
    }

    /// The value of `name`, or `None` if it was not sent.
    ///
    /// # Errors
    /// [`Duplicate`] if it was sent more than once.
    pub fn one(&self, name: &'static str) -> Result<Option<&str>, Duplicate> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let first = values.next();
        if values.next().is_some() { Err(Duplicate(name)) } else { Ok(first) }
    }

    /// Fails on the first of `names` that was sent more than once.
    pub(crate) fn refuse_duplicates(&self, names: &[&'static str]) -> Result<(), Duplicate> {
        names.iter().try_for_each(|name| self.one(name).map(drop))
    }

    /// The value of `name` where duplicates were refused before.
    pub(crate) fn get(&self, name: &'static str) -> Option<&str> {
        self.one(name).ok().flatten()
    }
}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Params")?;
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Decodes one name or value: `+` is a space, `%XX` a byte, and the whole must be UTF-8 without NUL.
pub(crate) fn decode(raw: &[u8]) -> Result<String, ParamsError> {
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|&b| char::from(b).to_digit(16));
                let (high, low) = digit().zip(digit()).ok_or(ParamsError::Percent)?;
                u8::try_from(high * 16 + low).expect("two hexadecimal digits make a byte")
            }
            other => other,
        });
    }
    if bytes.contains(&0) {
        return Err(ParamsError::Nul);
    }
    String::from_utf8(bytes).map_err(|_| ParamsError::Utf8)
}

/// Appends parameters to an address, keeping the address byte for byte as its beginning (SEC-45). A space becomes
/// `%20`, which form decoders and URL decoders read alike.
pub(crate) fn append(address: &str, pairs: &[(&str, Option<&str>)]) -> String {
    let mut out = address.to_owned();
    for (name, value) in pairs.iter().filter_map(|(name, value)| Some((name, (*value)?))) {
        match out.find('?') {
            None => out.push('?'),
            // A query that is there and empty, or that ends with its separator, needs no other.
            Some(at) if at + 1 == out.len() || out.ends_with('&') => {}
            Some(_) => out.push('&'),
        }
        out.push_str(name);
        out.push('=');
        for piece in url::form_urlencoded::byte_serialize(value.as_bytes()) {
            out.push_str(if piece == "+" { "%20" } else { piece });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn params(raw: &str) -> Params {
        Params::parse(raw.as_bytes()).unwrap()
    }

    #[test]
    fn values_are_decoded_once() {
        let params = params("a=1+2&b=%E7%A0%81&c=%2B%2525&&d");
        assert_eq!(params.one("a"), Ok(Some("1 2")));
        assert_eq!(params.one("b"), Ok(Some("码")));
        assert_eq!(params.one("c"), Ok(Some("+%25")));
        assert_eq!(params.one("e"), Ok(None));
    }

    #[test]
    fn rfc_6749_3_1_empty_values_are_absent_and_duplicates_are_errors() {
        let params = params("state=&nonce&state=x&scope=a&scope=a");
        assert_eq!(params.one("state"), Ok(Some("x")));
        assert_eq!(params.one("nonce"), Ok(None));
        assert_eq!(params.one("scope"), Err(Duplicate("scope")));
    }

    #[test]
    fn sec_71_broken_encodings_and_oversize_are_refused() {
        for (raw, why) in [
            (&b"a=%"[..], ParamsError::Percent),
            (b"a=%4", ParamsError::Percent),
            (b"a=%zz", ParamsError::Percent),
            (b"a=%+1", ParamsError::Percent),
            (b"a=%ff", ParamsError::Utf8),
            (b"a=\xc3(", ParamsError::Utf8),
            (b"%ff=a", ParamsError::Utf8),
            (b"a=%00", ParamsError::Nul),
        ] {
            assert_eq!(Params::parse(raw), Err(why), "{raw:?}");
        }
        assert!(Params::parse(&[b'a'; MAX_BYTES]).is_ok());
        assert_eq!(Params::parse(&[b'a'; MAX_BYTES + 1]), Err(ParamsError::TooLong));
        assert!(Params::parse("a=1&".repeat(MAX_PARAMS).as_bytes()).is_ok());
        assert_eq!(Params::parse("a=1&".repeat(MAX_PARAMS + 1).as_bytes()), Err(ParamsError::TooMany));
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", params("client_secret=hunter2")), r#"Params["client_secret"]"#);
    }

    #[test]
    fn a_query_that_is_there_is_continued() {
        let pairs = [("code", Some("a b+c&d")), ("state", None)];
        for (address, expected) in [
            ("https://a.example/cb", "https://a.example/cb?code=a%20b%2Bc%26d"),
            ("https://a.example/i.php?m=sso", "https://a.example/i.php?m=sso&code=a%20b%2Bc%26d"),
            ("https://a.example/?", "https://a.example/?code=a%20b%2Bc%26d"),
            ("https://a.example/?x&", "https://a.example/?x&code=a%20b%2Bc%26d"),
            ("https://a.example/??", "https://a.example/??&code=a%20b%2Bc%26d"),
            ("com.example.app:/cb", "com.example.app:/cb?code=a%20b%2Bc%26d"),
        ] {
            assert_eq!(append(address, &pairs), expected);
        }
    }

    proptest! {
        #[test]
        fn sec_84_no_bytes_make_parsing_panic(raw in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Params::parse(&raw);
        }

        #[test]
        fn sec_45_appending_keeps_the_address_and_reads_back(
            address in "https://[a-z]{1,9}\\.example/[!-~&&[^#]]{0,30}", value in "\\PC{1,40}"
        ) {
            let address = address.replace('%', "");
            let out = append(&address, &[("mashang", Some(&value))]);
            prop_assert!(out.starts_with(&address));
            let (_, query) = out.split_once('?').unwrap();
            let read = Params::parse(query.as_bytes()).unwrap();
            prop_assert_eq!(read.0.last(), Some(&("mashang".to_owned(), value)));
        }
    }
}
