//! A profile's bytes, mended before they are read: people choose their nicknames, and a broken one must not lock its
//! owner out.
//!
//! Only for `sns/userinfo` and `cgi-bin/user/info`, whose remark an administrator types. What a code was worth is read strictly, because it says who the person is; whatever is
//! replaced here cannot become an id, which is checked after (WeChat fact sheet §2.1: others decode with errors ignored).

/// The body as text a JSON reader accepts: raw control bytes become spaces, what is not UTF-8 becomes U+FFFD, and so
/// does the escape of half a character (a `\ud83d` without its other half, as left by cutting an emoji in two).
///
/// Outside of strings a space means the same as the line ends it replaces. Any other defect stays and is refused.
pub(crate) fn mended(body: &[u8]) -> String {
    let spaced: Vec<u8> = body.iter().map(|byte| if *byte < b' ' { b' ' } else { *byte }).collect();
    let text = String::from_utf8_lossy(&spaced);
    let mut mended = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('\\') {
        mended.push_str(&rest[..at]);
        rest = &rest[at..];
        let (escape, length) = match (code_unit(rest), rest.get(6..).and_then(code_unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => (&rest[..12], 12),
            (Some(0xD800..=0xDFFF), _) => (r"\ufffd", 6),
            (Some(_), _) => (&rest[..6], 6),
            // Both characters at once, so that the second of `\\` begins no escape.
            (None, _) => {
                let length = rest.chars().take(2).map(char::len_utf8).sum();
                (&rest[..length], length)
            }
        };
        mended.push_str(escape);
        rest = &rest[length..];
    }
    mended.push_str(rest);
    mended
}

/// The UTF-16 code unit of the `\uXXXX` that `text` begins with.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    // `from_str_radix` would take a sign.
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_of_characters_are_replaced_and_whole_ones_stay() {
        for (written, read) in [
            (r"\ud83d", "\u{FFFD}"),
            (r"a\uDC3Cb", "a\u{FFFD}b"),
            (r"\ud83d\ud83d\udc3c", "\u{FFFD}🐼"),
            (r"\udc3c\ud83d", "\u{FFFD}\u{FFFD}"),
            (r"\ud83d\u0041", "\u{FFFD}A"),
            (r"\ud83d\n", "\u{FFFD}\n"),
            (r"\ud83d\udc3c", "🐼"),
            (r"\u7801\\ud83d", r"码\ud83d"),
            (r"\\\ud83d", "\\\u{FFFD}"),
            (r#"\"\/"#, "\"/"),
        ] {
            let text = mended(format!("\"{written}\"").as_bytes());
            assert_eq!(serde_json::from_str::<String>(&text).unwrap(), read, "{written}");
        }
    }

    #[test]
    fn what_is_no_json_stays_none() {
        for body in [r#""\u+123""#, r#""\ud8""#, r#""\x""#, r#""\码""#, r#"""#, "\"\\"] {
            assert!(serde_json::from_str::<String>(&mended(body.as_bytes())).is_err(), "{body}");
        }
    }

    proptest! {
        #[test]
        fn sound_json_means_the_same_after(text in any::<String>()) {
            let body = serde_json::Value::from(text.as_str()).to_string();
            prop_assert_eq!(serde_json::from_str::<String>(&mended(body.as_bytes())).unwrap(), text);
        }

        #[test]
        fn any_bytes_between_quotes_keep_their_quotes(bytes in prop::collection::vec(0x80_u8.., 0..20)) {
            let body = [b"\"", bytes.as_slice(), b"\""].concat();
            prop_assert!(serde_json::from_str::<String>(&mended(&body)).is_ok());
        }
    }
}
