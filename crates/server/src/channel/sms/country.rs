//! Countries and their calling codes, for deciding where an SMS may go. Each code costs money, and numbers that cost much
//! are rung up on purpose: so only what the operator names is called.

use serde::Deserialize;

/// A country or region by its two letters (ISO 3166-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Country(&'static (&'static str, &'static str));

/// Letters and calling code.
const COUNTRIES: [(&str, &str); 62] = [
    ("AE", "971"),
    ("AR", "54"),
    ("AT", "43"),
    ("AU", "61"),
    ("BD", "880"),
    ("BE", "32"),
    ("BG", "359"),
    ("BN", "673"),
    ("BR", "55"),
    ("CA", "1"),
    ("CH", "41"),
    ("CL", "56"),
    ("CN", "86"),
    ("CO", "57"),
    ("CZ", "420"),
    ("DE", "49"),
    ("DK", "45"),
    ("EE", "372"),
    ("EG", "20"),
    ("ES", "34"),
    ("FI", "358"),
    ("FR", "33"),
    ("GB", "44"),
    ("GR", "30"),
    ("HK", "852"),
    ("HR", "385"),
    ("HU", "36"),
    ("ID", "62"),
    ("IE", "353"),
    ("IL", "972"),
    ("IN", "91"),
    ("IT", "39"),
    ("JP", "81"),
    ("KE", "254"),
    ("KH", "855"),
    ("KR", "82"),
    ("LA", "856"),
    ("LK", "94"),
    ("LT", "370"),
    ("LU", "352"),
    ("LV", "371"),
    ("MM", "95"),
    ("MN", "976"),
    ("MO", "853"),
    ("MX", "52"),
    ("MY", "60"),
    ("NL", "31"),
    ("NO", "47"),
    ("NP", "977"),
    ("NZ", "64"),
    ("PH", "63"),
    ("PK", "92"),
    ("PL", "48"),
    ("PT", "351"),
    ("SA", "966"),
    ("SE", "46"),
    ("SG", "65"),
    ("TH", "66"),
    ("TW", "886"),
    ("US", "1"),
    ("VN", "84"),
    ("ZA", "27"),
];

/// Area codes below +1 that belong to other countries than the United States and Canada, or cost extra.
const NOT_AMERICA: [&str; 29] = [
    "242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "670", "671", "684", "721",
    "758", "767", "784", "787", "809", "829", "849", "868", "869", "876", "900", "939", "700", "976",
];

impl Country {
    /// Where codes go unless the operator says otherwise.
    pub const CHINA: Self = Self(&COUNTRIES[12]);

    /// Without the plus.
    #[must_use]
    pub fn calling_code(self) -> &'static str {
        self.0.1
    }

    /// Whether a number, without its plus, is of this country.
    #[must_use]
    pub fn has(self, number: &str) -> bool {
        let Some(rest) = number.strip_prefix(self.calling_code()) else { return false };
        self.calling_code() != "1" || !NOT_AMERICA.iter().any(|area| rest.starts_with(area))
    }

    /// Whether it may be of a mobile telephone, where that can be told from the number.
    #[must_use]
    pub fn is_mobile(self, number: &str) -> bool {
        let rest = number.strip_prefix(self.calling_code()).unwrap_or_default();
        match self.0.0 {
            "CN" => rest.len() == 11 && rest.starts_with('1') && matches!(rest.as_bytes()[1], b'3'..=b'9'),
            "US" | "CA" => rest.len() == 10 && matches!(rest.as_bytes()[0], b'2'..=b'9'),
            _ => rest.len() >= 6,
        }
    }
}

impl TryFrom<String> for Country {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        COUNTRIES.iter().find(|(letters, _)| *letters == text).map(Self).ok_or_else(|| {
            let known: Vec<&str> = COUNTRIES.iter().map(|(letters, _)| *letters).collect();
            format!("`{text}` is none of the countries known here: {}", known.join(", "))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_china_is_china() {
        assert!(COUNTRIES.is_sorted());
        assert_eq!(Country::CHINA.0.0, "CN");
        assert!(Country::try_from("XX".to_owned()).unwrap_err().contains("CN"));
    }
}
