//! Values that stay on the server: wiped when dropped, never shown by `Debug`, never serialized.
//!
//! WeChat wants them in the query of a GET request, so the HTTP client holds copies while a call runs.

use std::fmt;

use serde::Deserialize;
use zeroize::ZeroizeOnDrop;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name(String);

        impl $name {
            /// Wraps the value as it stands.
            #[must_use]
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The value itself, to send to WeChat or to keep encrypted.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}
pub(crate) use secret;

secret!(
    /// An app's secret, 32 hexadecimal digits in practice. Not validated: WeChat answers 40125 to a wrong one.
    #[derive(Clone, ZeroizeOnDrop, Deserialize)]
    #[serde(transparent)]
    AppSecret
);
secret!(
    /// A web-authorization access token for one person and one app. Lives 7200 s (WeChat fact sheet §2.2).
    #[derive(Clone, ZeroizeOnDrop)]
    AccessToken
);
secret!(
    /// Renews an [`AccessToken`] for 30 days (WeChat fact sheet §2.3). A site that only logs people in drops it.
    #[derive(Clone, ZeroizeOnDrop)]
    RefreshToken
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let shown = format!("{:?} {:#?}", AppSecret::new("5ecret"), AccessToken::new("70_A"));
        assert_eq!(shown, "AppSecret([redacted]) AccessToken([redacted])");
    }
}
