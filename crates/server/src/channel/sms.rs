//! A code by SMS, typed into a form of the login page.

pub mod country;

use mashang_login::identity::{Attributes, ChannelKind, IdentityKey};

use self::country::Country;
use super::one_time_code::OneTimeCodes;

/// Signing in by a code that a telephone received.
#[derive(Debug)]
pub struct Sms {
    /// Sending and comparing.
    pub codes: OneTimeCodes,
    /// Where codes are sent; the first is meant without a country code.
    pub countries: Vec<Country>,
}

/// Why a code is not sent to what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoNumber {
    /// It is no number of a mobile telephone.
    Shape,
    /// It is of a country that codes are not sent to.
    Country,
}

/// A number in E.164 form, such as `+8613800138000`, of one of `countries`.
///
/// # Errors
/// [`NoNumber`].
pub fn normalized(typed: &str, countries: &[Country]) -> Result<String, NoNumber> {
    let mut plain = String::new();
    for c in typed.trim().chars() {
        match c {
            '０'..='９' => plain.extend(char::from_u32(u32::from(c) - 0xfee0)),
            '0'..='9' => plain.push(c),
            '+' | '＋' if plain.is_empty() => plain.push('+'),
            ' ' | '-' | '(' | ')' | '.' | '\u{a0}' | '－' | '（' | '）' => {}
            _ => return Err(NoNumber::Shape),
        }
    }
    let home = countries.first().ok_or(NoNumber::Country)?;
    let international = match (plain.strip_prefix('+'), plain.strip_prefix("00")) {
        (Some(rest), _) | (None, Some(rest)) => rest.to_owned(),
        // In China many write 86 without the plus.
        (None, None) if *home == Country::CHINA && plain.len() == 13 && plain.starts_with("861") => plain,
        (None, None) => format!("{}{}", home.calling_code(), plain.trim_start_matches('0')),
    };
    if !(8..=15).contains(&international.len()) || !international.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NoNumber::Shape);
    }
    let country = countries.iter().find(|country| country.has(&international)).ok_or(NoNumber::Country)?;
    country.is_mobile(&international).then(|| format!("+{international}")).ok_or(NoNumber::Shape)
}

/// The identity of whoever holds a number.
#[must_use]
pub fn key(number: &str) -> IdentityKey {
    IdentityKey { kind: ChannelKind::Sms, app: "sms".into(), subject: number.to_owned() }
}

/// What a code that came back shows.
#[must_use]
pub fn attributes(number: &str) -> Attributes {
    Attributes { phone_number: Some(number.to_owned()), ..Attributes::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn countries(names: &[&str]) -> Vec<Country> {
        names.iter().map(|name| name.to_string().try_into().unwrap()).collect()
    }

    #[test]
    fn spellings_of_one_number_are_one() {
        let china = countries(&["CN"]);
        for typed in [
            "13800138000",
            "138 0013 8000",
            "138-0013-8000",
            "+86 13800138000",
            "0086 13800138000",
            "8613800138000",
            "＋８６１３８００１３８０００",
        ] {
            assert_eq!(normalized(typed, &china).as_deref(), Ok("+8613800138000"), "{typed}");
        }
        let germany = countries(&["DE", "CN"]);
        assert_eq!(normalized("0170 1234567", &germany).as_deref(), Ok("+491701234567"));
        assert_eq!(normalized("+86 13800138000", &germany).as_deref(), Ok("+8613800138000"));
    }

    #[test]
    fn toll_fraud_finds_no_country_that_was_not_named() {
        let china = countries(&["CN"]);
        for typed in ["+1 242 555 0100", "+882 16 12345678", "+44 7700 900123", "+852 5123 4567"] {
            assert_eq!(normalized(typed, &china), Err(NoNumber::Country), "{typed}");
        }
        let america = countries(&["US"]);
        assert_eq!(normalized("(415) 555-0100", &america).as_deref(), Ok("+14155550100"));
        assert_eq!(normalized("+1 876 555 0100", &america), Err(NoNumber::Country), "Jamaica has +1 too");
    }

    #[test]
    fn what_is_no_mobile_number_is_refused() {
        let china = countries(&["CN"]);
        for typed in [
            "",
            "1380013800",
            "138001380000",
            "010 6552 9988",
            "+86 10 6552 9988",
            "12800138000",
            "1380013800x",
            "1;2",
        ] {
            assert_eq!(normalized(typed, &china), Err(NoNumber::Shape), "{typed}");
        }
    }
}
