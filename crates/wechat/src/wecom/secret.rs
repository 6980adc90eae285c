//! WeCom's secret values: wiped when dropped, never shown by `Debug`, never serialized.

use std::fmt;

use serde::Deserialize;
use zeroize::ZeroizeOnDrop;

use crate::secret::secret;

secret!(
    /// The secret of one app of a company, 43 characters in practice. Not validated: WeCom answers 40001 to a wrong
    /// one, and blocks the caller's address for an hour when that happens too often (WeCom fact sheet §6).
    #[derive(Clone, ZeroizeOnDrop, Deserialize)]
    #[serde(transparent)]
    CorpSecret
);
secret!(
    /// Reads what one person agreed to show, for 1800 s (WeCom fact sheet §1). At most 512 bytes.
    #[derive(Clone, ZeroizeOnDrop)]
    UserTicket
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let shown = format!("{:?} {:#?}", CorpSecret::new("5ecret"), UserTicket::new("T1cket"));
        assert_eq!(shown, "CorpSecret([redacted]) UserTicket([redacted])");
    }
}
