//! The query of a platform's request to us.

use std::fmt;

use url::form_urlencoded;

/// Longest value taken, in bytes. An echo is the longest and has less than 300.
const VALUE_LIMIT: usize = 2_048;

/// What stands beside the body (WeChat fact sheet §4.5, §4.6). Other parameters, such as `openid` and
/// `encrypt_type`, are not looked at: they are not signed. `Debug` shows names only.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CallbackQuery {
    /// Over token, timestamp and nonce.
    pub(super) signature: Option<String>,
    /// Over the encrypted text too.
    pub(super) msg_signature: Option<String>,
    pub(super) timestamp: Option<String>,
    pub(super) nonce: Option<String>,
    /// Only when the platform checks the address.
    pub(super) echostr: Option<String>,
}

/// A query that no platform sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadQuery {
    /// Which of both would have been signed?
    #[error("a parameter appears twice")]
    Duplicate,
    /// Longer than any platform's.
    #[error("a parameter is too long")]
    TooLong,
}

impl CallbackQuery {
    /// Reads the text behind the `?`.
    ///
    /// # Errors
    /// When a parameter that counts appears twice or is too long.
    pub fn parse(query: &str) -> Result<Self, BadQuery> {
        let mut found = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match &*name {
                "signature" => &mut found.signature,
                "msg_signature" => &mut found.msg_signature,
                "timestamp" => &mut found.timestamp,
                "nonce" => &mut found.nonce,
                "echostr" => &mut found.echostr,
                _ => continue,
            };
            if value.len() > VALUE_LIMIT {
                return Err(BadQuery::TooLong);
            }
            if place.replace(value.into_owned()).is_some() {
                return Err(BadQuery::Duplicate);
            }
        }
        Ok(found)
    }

    /// Whether the platform asks if the address is ours, rather than telling something.
    #[must_use]
    pub fn is_address_check(&self) -> bool {
        self.echostr.is_some()
    }
}

impl fmt::Debug for CallbackQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallbackQuery")
            .field("signature", &self.signature.is_some())
            .field("msg_signature", &self.msg_signature.is_some())
            .field("echostr", &self.echostr.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_strangers_ignored() {
        let query =
            CallbackQuery::parse("echostr=a%2Bb%2F%3D%3D&openid=o1&openid=o2&timestamp=1&nonce=").unwrap();
        assert_eq!(query.echostr.as_deref(), Some("a+b/=="));
        assert_eq!((query.timestamp.as_deref(), query.nonce.as_deref()), (Some("1"), Some("")));
        assert!(query.is_address_check() && query.signature.is_none());
        assert!(!format!("{query:?}").contains("a+b"));
    }

    #[test]
    fn a_parameter_is_given_once_and_in_measure() {
        assert_eq!(CallbackQuery::parse("nonce=1&nonce=1"), Err(BadQuery::Duplicate));
        let long = format!("nonce={}", "1".repeat(VALUE_LIMIT + 1));
        assert_eq!(CallbackQuery::parse(&long), Err(BadQuery::TooLong));
    }
}
