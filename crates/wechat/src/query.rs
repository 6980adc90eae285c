//! Query strings in a fixed order, percent-encoded once.
//!
//! WeChat matches the order of the authorize page's parameters (WeChat fact sheet §3) and refuses a doubly encoded
//! `redirect_uri` (§8 no. 7); form encoding would turn a space into `+`. So the text is composed here, not by a
//! serializer.

use std::fmt::Write as _;

/// A query string under construction; pairs appear in the order they were added.
#[derive(Default)]
pub(crate) struct Query(String);

impl Query {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a pair whose value is percent-encoded, as JavaScript's `encodeURIComponent` would or stricter.
    pub(crate) fn pair(mut self, name: &str, value: &str) -> Self {
        self.open_pair(name);
        for byte in value.bytes() {
            if is_unreserved(byte) {
                self.0.push(char::from(byte));
            } else {
                self.escape(byte);
            }
        }
        self
    }

    /// Adds a pair if there is a value.
    pub(crate) fn optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.pair(name, value),
            None => self,
        }
    }

    /// Adds an address as it stands, escaping only what would end the value. wxLogin.js passes `href` like this.
    pub(crate) fn raw_address(mut self, name: &str, value: &str) -> Self {
        self.open_pair(name);
        for character in value.chars() {
            match character {
                '&' => self.escape(b'&'),
                '#' => self.escape(b'#'),
                other => self.0.push(other),
            }
        }
        self
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    fn open_pair(&mut self, name: &str) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
    }

    fn escape(&mut self, byte: u8) {
        write!(self.0, "%{byte:02X}").expect("writing to a string cannot fail");
    }
}

/// RFC 3986 §2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_keep_their_order_and_are_encoded_once() {
        let query = Query::new().pair("z", "https://a.b/c?d=e&f=%20").pair("a", "x y+中").optional("n", None);
        assert_eq!(query.as_str(), "z=https%3A%2F%2Fa.b%2Fc%3Fd%3De%26f%3D%2520&a=x%20y%2B%E4%B8%AD");
    }

    #[test]
    fn a_raw_address_cannot_smuggle_a_parameter() {
        let query = Query::new().raw_address("href", "https://a.b/c.css?v=1&self_redirect=true#x");
        assert_eq!(query.as_str(), "href=https://a.b/c.css?v=1%26self_redirect=true%23x");
    }
}
