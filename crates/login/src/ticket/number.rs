//! The number that a person reads in the browser and types on the phone.

use std::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::Entropy;

/// The number shown in the browser and typed on the phone (SEC-09): two digits, 10 to 99.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MatchNumber(u8);

impl MatchNumber {
    /// A fresh number, without modulo bias.
    #[must_use]
    pub fn random(entropy: &dyn Entropy) -> Self {
        loop {
            let mut byte = [0];
            entropy.fill(&mut byte);
            if byte[0] < 180 {
                return Self(10 + byte[0] % 90);
            }
        }
    }

    /// The digits, for the browser's page only.
    #[must_use]
    pub fn digits(self) -> String {
        self.0.to_string()
    }

    /// Whether the person typed it; white space and full-width digits (from Chinese keyboards) are accepted.
    #[must_use]
    pub fn matches(self, typed: &str) -> bool {
        let plain: String = typed
            .chars()
            .filter(|c| !c.is_whitespace())
            .map(|c| match c {
                '０'..='９' => char::from_u32(c as u32 - '０' as u32 + '0' as u32).unwrap_or(c),
                other => other,
            })
            .collect();
        self.digits().as_bytes().ct_eq(plain.as_bytes()).into()
    }
}

impl fmt::Debug for MatchNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MatchNumber([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_typed_on_a_chinese_keyboard_match() {
        for value in 10..=99_u8 {
            let number = MatchNumber(value);
            let wide: String =
                number.digits().chars().map(|c| char::from_u32(c as u32 + 0xfee0).unwrap()).collect();
            assert!(number.matches(&format!(" {wide} ")));
            assert!(!number.matches(""));
            assert!(!number.matches(&format!("{value}0")));
        }
    }
}
