//! WeChat's error numbers in words: what happened, whose turn it is, and what to do where.
//!
//! For pages and logs of whoever runs the login. The numbers come from WeChat fact sheet §2.7, §3 and §5,
//! mini-program fact sheet §1 to §3 and §6, and WeCom fact sheet §11; the sentences are ours. They speak of "the channel" as the place where an appid and its secret are configured.

mod authorize_page;
mod calls;
mod wecom;

use std::borrow::Cow;
use std::net::IpAddr;

use crate::hosts::Platform;

/// One error number, explained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The number.
    pub code: i64,
    /// Who can do something about it.
    pub turn: Turn,
    /// In Simplified Chinese.
    pub zh: Sentence,
    /// In English.
    pub en: Sentence,
}

/// What happened and what to do, in one language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What happened.
    pub what: &'static str,
    /// What to do, and where.
    pub remedy: &'static str,
}

impl Sentence {
    /// The remedy, ending with the address that belongs into an IP list if one is known: the one that
    /// [`Error::refused_address`](crate::Error::refused_address) found.
    #[must_use]
    pub fn remedy_naming(&self, address: Option<IpAddr>) -> Cow<'static, str> {
        match address {
            Some(address) => format!("{} IP: {address}", self.remedy).into(),
            None => self.remedy.into(),
        }
    }
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Turn {
    /// Nobody's: nothing is wrong.
    Nobody,
    /// Whoever configured the app and its channel.
    Operator,
    /// The person who is logging in.
    User,
    /// Tencent; waiting helps.
    WeChat,
    /// Whoever wrote the calling program: the request itself was wrong.
    Developer,
}

/// Explains a number of WeChat's, if it is known.
#[must_use]
pub fn explain(code: i64) -> Option<&'static Explanation> {
    explain_on(Platform::WeChat, code)
}

/// Explains a number of that platform's, if it is known: both use the same numbers for different things.
#[must_use]
pub fn explain_on(platform: Platform, code: i64) -> Option<&'static Explanation> {
    match platform {
        Platform::WeChat => all().find(|explanation| explanation.code == code),
        Platform::WeCom => all_of_wecom().find(|explanation| explanation.code == code),
    }
}

/// Every explanation of WeCom's, in rising order of number.
pub fn all_of_wecom() -> impl Iterator<Item = &'static Explanation> {
    wecom::TABLE.iter()
}

/// Every explanation of WeChat's: the calls in rising order of number, then the authorization page's.
pub fn all() -> impl Iterator<Item = &'static Explanation> {
    calls::TABLE.iter().chain(authorize_page::TABLE)
}

/// A row of a table: the pairs are what happened and what to do.
const fn row(
    code: i64,
    turn: Turn,
    zh: (&'static str, &'static str),
    en: (&'static str, &'static str),
) -> Explanation {
    Explanation {
        code,
        turn,
        zh: Sentence { what: zh.0, remedy: zh.1 },
        en: Sentence { what: en.0, remedy: en.1 },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Every number in the tables of WeChat fact sheet §2.7, §3 and §5, then what mini-program fact sheet §1 to §3 and
    /// §6 add.
    const FACT_SHEET: &[i64] = &[
        -1, 0, 40001, 40002, 40003, 40013, 40014, 40029, 40030, 40033, 40035, 40052, 40053, 40125, 40129,
        40131, 40163, 40164, 40188, 40226, 40243, 41001, 41002, 41003, 41004, 41008, 41009, 42001, 42002,
        42003, 42007, 43001, 43002, 43003, 43004, 43019, 44002, 45009, 45011, 45015, 45047, 46004, 47001,
        48001, 48004, 50001, 50002, 50004, 50005, 61024, 61450, 61451, 76022, 89501, 89503, 89506, 89507,
        10003, 10004, 10005, 10006, 10009, 10010, 10011, 10012, 10013, 10015, 10016, 40097, 40169, 41030,
        44990, 50007, 61007, 85066, 85068, 85069, 85070, 85071, 85072, 85073, 85074, 85075, 85076, 85095,
        85096, 886_000, 886_001,
    ];

    #[test]
    fn every_number_of_the_fact_sheet_is_explained_once() {
        let listed: Vec<i64> = all().map(|explanation| explanation.code).collect();
        let unique: BTreeSet<i64> = listed.iter().copied().collect();
        assert_eq!(listed.len(), unique.len());
        assert_eq!(unique, FACT_SHEET.iter().copied().collect());
    }

    /// Every number in the table of WeCom fact sheet §11, then those of its login page.
    const WECOM_FACT_SHEET: &[i64] = &[
        -1, 0, 40001, 40013, 40014, 40029, 40056, 40058, 40078, 40091, 40163, 41001, 41002, 41004, 41008,
        41009, 41011, 42001, 43004, 45009, 45033, 48002, 48006, 50001, 50002, 50003, 60011, 60020, 60111,
        81013, 84014, 84015, 85004, 301_002, 2_000_002, -31020, -31027, -31028, -31033, -31034, -31035,
        -31037, -31039, -31040,
    ];

    #[test]
    fn every_number_of_wecom_is_explained_once_and_in_order() {
        let listed: Vec<i64> = all_of_wecom().map(|explanation| explanation.code).collect();
        let ordered: BTreeSet<i64> = WECOM_FACT_SHEET.iter().copied().collect();
        assert_eq!(listed, Vec::from_iter(ordered));
    }

    #[test]
    fn the_same_number_is_explained_as_its_platform_means_it() {
        let of = |platform| explain_on(platform, 50002).unwrap().turn;
        assert_eq!((of(Platform::WeChat), of(Platform::WeCom)), (Turn::User, Turn::Operator));
        assert_eq!(explain(60020), None, "WeChat has no such number");
    }

    #[test]
    fn both_languages_say_what_happened_and_what_to_do() {
        let is_chinese = |text: &str| text.contains(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let is_latin = |text: &str| text.starts_with(|c: char| c.is_ascii_alphabetic());
        for Explanation { code, zh, en, .. } in all().chain(all_of_wecom()) {
            for text in [zh.what, zh.remedy] {
                assert!(is_chinese(text) && text.ends_with('。'), "{code}: {text}");
            }
            for text in [en.what, en.remedy] {
                assert!(is_latin(text) && text.ends_with('.'), "{code}: {text}");
            }
        }
    }

    #[test]
    fn calls_are_listed_in_rising_order() {
        assert!(calls::TABLE.is_sorted_by_key(|explanation| explanation.code));
    }

    #[test]
    fn a_remedy_names_the_address_to_put_on_the_list() {
        let refused = explain(40164).unwrap();
        assert!(refused.en.remedy_naming("203.0.113.7".parse().ok()).ends_with("IP白名单. IP: 203.0.113.7"));
        assert_eq!(refused.zh.remedy_naming(None), refused.zh.remedy);
    }

    #[test]
    fn a_wrong_secret_tells_the_operator_where_to_reset_it() {
        let wrong_secret = explain(40125).unwrap();
        assert_eq!(wrong_secret.turn, Turn::Operator);
        assert!(wrong_secret.zh.remedy.contains("基本配置") && wrong_secret.en.remedy.contains("基本配置"));
        assert_eq!(explain(12345), None);
    }
}
