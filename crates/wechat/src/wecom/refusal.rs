//! What WeCom's error numbers mean for a login in progress (WeCom fact sheet §11). Many are WeChat's numbers with
//! another meaning.

use super::token::GET_TOKEN;
use crate::error::FailureKind;

/// The meaning of a refused call.
pub(crate) fn kind(code: i64, call: &str) -> FailureKind {
    match code {
        -1 => FailureKind::Busy,
        40029 | 40078 | 41008 | 84014 | 84015 => FailureKind::CodeInvalid,
        // Logto has met it; WeCom's own list does not have it.
        40163 => FailureKind::CodeSpent,
        // The same number means the secret where one was sent, and the token everywhere else.
        40001 if call == GET_TOKEN => FailureKind::BadCredentials,
        40001 | 40014 | 41001 | 42001 => FailureKind::TokenInvalid,
        40013 | 40056 | 40091 | 41002 | 41004 | 2_000_002 => FailureKind::BadCredentials,
        45009 | 45033 => FailureKind::RateLimited,
        48002 | 48006 | 50001 | 50003 | 60020 | 301_002 => FailureKind::NotAllowed,
        50002 | 60011 => FailureKind::OutOfRange,
        60111 => FailureKind::UnknownMember,
        _ => FailureKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_secret_is_told_from_a_dead_token() {
        assert_eq!(kind(40001, GET_TOKEN), FailureKind::BadCredentials);
        for code in [40001, 40014, 42001] {
            assert_eq!(kind(code, "cgi-bin/user/get"), FailureKind::TokenInvalid, "{code}");
        }
    }

    #[test]
    fn numbers_that_wechat_shares_have_wecoms_meaning() {
        for (code, meaning) in [
            (50002, FailureKind::OutOfRange),
            (50003, FailureKind::NotAllowed),
            (60011, FailureKind::OutOfRange),
            (60111, FailureKind::UnknownMember),
            (40091, FailureKind::BadCredentials),
            (2_000_002, FailureKind::BadCredentials),
            (60020, FailureKind::NotAllowed),
            (41009, FailureKind::Other),
        ] {
            assert_eq!(kind(code, "cgi-bin/auth/getuserinfo"), meaning, "{code}");
        }
    }
}
