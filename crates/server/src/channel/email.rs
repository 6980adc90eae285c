//! A code by e-mail, typed into a form of the login page.

use mashang_login::identity::{Attributes, ChannelKind, IdentityKey};
use url::Host;

use super::one_time_code::OneTimeCodes;

/// Signing in by a code that an address received.
#[derive(Debug)]
pub struct Email {
    /// Sending and comparing.
    pub codes: OneTimeCodes,
}

/// One mailbox has one spelling here: lower case, and the domain in the form that mail servers use (IDNA). `None` for what
/// is no address.
#[must_use]
pub fn normalized(typed: &str) -> Option<String> {
    let plain: String = typed.trim().chars().map(plain_width).collect();
    let (local, domain) = plain.rsplit_once('@')?;
    let is_atom = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b))
    };
    if local.len() > 64 || !local.split('.').all(is_atom) {
        return None;
    }
    let Ok(Host::Domain(domain)) = Host::parse(domain) else { return None };
    let is_public = domain.contains('.') && !domain.ends_with('.') && domain.len() <= 253;
    is_public.then(|| format!("{}@{domain}", local.to_ascii_lowercase()))
}

/// What a Chinese keyboard writes for `@` and `.`.
fn plain_width(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '。' => '.',
        _ => c,
    }
}

/// The identity of whoever reads a mailbox.
#[must_use]
pub fn key(address: &str) -> IdentityKey {
    IdentityKey { kind: ChannelKind::Email, app: "email".into(), subject: address.to_owned() }
}

/// What a code that came back shows.
#[must_use]
pub fn attributes(address: &str) -> Attributes {
    Attributes { email: Some(address.to_owned()), ..Attributes::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_mailbox_are_one() {
        for typed in ["Ada@Example.COM", " ada@example.com ", "ada＠example．com", "ada@example。com"] {
            assert_eq!(normalized(typed).as_deref(), Some("ada@example.com"), "{typed}");
        }
        assert_eq!(normalized("a.b+c@例子.测试").as_deref(), Some("a.b+c@xn--fsqu00a.xn--0zwm56d"));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        let long = format!("{}@example.com", "a".repeat(65));
        for typed in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@127.0.0.1",
            "ada@[::1]",
            "a..b@example.com",
            ".a@example.com",
            "ada@exa mple.com",
            "ada\n@example.com",
            "ada@example.com\r\nBcc: x@example.com",
            "a,b@example.com",
            "Ada <ada@example.com>",
            "ada@example.com.",
            &long,
        ] {
            assert_eq!(normalized(typed), None, "{typed:?}");
        }
    }
}
