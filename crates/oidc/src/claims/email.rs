//! The operator's pattern for the e-mail addresses of a corp's members, such as `{userid}@corp.example`.

use std::fmt;
use std::str::FromStr;

/// What stands for the member's id.
const PLACE: &str = "{userid}";

/// A pattern with one place for the member's id, before the `@`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmailPattern(String);

/// A text is no such pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be an address with {PLACE} before the @, such as {PLACE}@corp.example")]
pub struct InvalidEmailPattern;

impl EmailPattern {
    /// The address of a member, in lower case; `None` for an id that cannot stand in an address.
    #[must_use]
    pub fn of(&self, member: &str) -> Option<String> {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        let fits = !member.is_empty() && member.len() <= 64 && member.chars().all(is_plain);
        fits.then(|| self.0.replace(PLACE, member).to_ascii_lowercase())
    }
}

impl FromStr for EmailPattern {
    type Err = InvalidEmailPattern;

    fn from_str(text: &str) -> Result<Self, InvalidEmailPattern> {
        let (local, domain) = text.split_once('@').ok_or(InvalidEmailPattern)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
        let others = local.replacen(PLACE, "", 1);
        let is_host =
            |label: &str| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        let is_domain = domain.contains('.') && domain.split('.').all(is_host);
        let is_pattern = local.contains(PLACE) && others.chars().all(is_plain) && is_domain;
        if is_pattern { Ok(Self(text.to_owned())) } else { Err(InvalidEmailPattern) }
    }
}

impl fmt::Display for EmailPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_s_id_becomes_an_address_if_it_can() {
        let pattern: EmailPattern = "{userid}@corp.example".parse().unwrap();
        assert_eq!(pattern.of("ZhangSan").as_deref(), Some("zhangsan@corp.example"));
        for odd in ["", "zhang san", "a@evil.example", "张三", "a\r\nb", &"x".repeat(65)] {
            assert_eq!(pattern.of(odd), None, "{odd:?}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for text in [
            "",
            "{userid}",
            "corp.example",
            "a@corp.example",
            "{userid}@",
            "{userid}@corp",
            "a@{userid}.example",
            "{userid}{userid}@corp.example",
            "{userid} @corp.example",
            "{userid}@a@corp.example",
            "{userid}@corp..example",
        ] {
            assert_eq!(text.parse::<EmailPattern>(), Err(InvalidEmailPattern), "{text}");
        }
        assert!("staff.{userid}+sso@mail.corp.example".parse::<EmailPattern>().is_ok());
    }
}
