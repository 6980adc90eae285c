//! WeCom's identifiers (WeCom fact sheet §1). Corp and agent are public; a member's and an outsider's id name a
//! person, so `Debug` does not show them.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A string that cannot be the identifier it was offered as. Never carries the string.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind}: expected {expected}")]
pub struct InvalidId {
    kind: &'static str,
    expected: &'static str,
}

/// One company: `ww` or `wx` and 16 letters or digits. Case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct CorpId(String);

/// One app of a company: a whole number from 1, such as 1000002.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct AgentId(u32);

/// A member's account in the company's directory: 1 to 64 of `A-Z a-z 0-9 _ - @ .`, a letter or digit first.
///
/// WeCom keeps these unique without regard to case and writes the same one differently at times, so two that differ
/// in case only are equal here. Use [`canonical`](Self::canonical) wherever the text becomes a key.
#[derive(Clone)]
pub struct MemberId(String);

/// A customer of the company who is no member: 1 to 64 of `A-Z a-z 0-9 _ -`, `wm…` or `wo…` in practice.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ExternalUserId(String);

impl CorpId {
    /// The id as WeCom writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for CorpId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let rest = text.strip_prefix("ww").or_else(|| text.strip_prefix("wx"));
        if rest.is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        {
            return Ok(Self(text));
        }
        Err(InvalidId { kind: "corpid", expected: "ww or wx and 16 letters or digits" })
    }
}

impl From<CorpId> for String {
    fn from(id: CorpId) -> Self {
        id.0
    }
}

impl fmt::Display for CorpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl AgentId {
    const INVALID: InvalidId = InvalidId { kind: "agentid", expected: "a whole number from 1" };

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

impl TryFrom<u32> for AgentId {
    type Error = InvalidId;

    fn try_from(number: u32) -> Result<Self, InvalidId> {
        if number == 0 { Err(Self::INVALID) } else { Ok(Self(number)) }
    }
}

impl From<AgentId> for u32 {
    fn from(id: AgentId) -> Self {
        id.0
    }
}

impl FromStr for AgentId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        // Parsing alone would take a sign and leading zeros.
        if text.starts_with(|c: char| ('1'..='9').contains(&c)) {
            return text.parse().map(Self).map_err(|_| Self::INVALID);
        }
        Err(Self::INVALID)
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl MemberId {
    /// The id as WeCom wrote it, for display and for calls. It names a person: keep it out of logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The one spelling to keep as a key: ASCII lower case.
    #[must_use]
    pub fn canonical(&self) -> String {
        self.0.to_ascii_lowercase()
    }
}

impl PartialEq for MemberId {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for MemberId {}

impl Hash for MemberId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.canonical().hash(state);
    }
}

impl TryFrom<String> for MemberId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let clean = text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'@' | b'.'));
        if clean && text.len() <= 64 && text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Ok(Self(text));
        }
        Err(InvalidId {
            kind: "userid",
            expected: "1 to 64 of A-Z a-z 0-9 _ - @ ., beginning with a letter or digit",
        })
    }
}

impl fmt::Debug for MemberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Often a name or an e-mail address, so not even its start.
        f.write_str("MemberId(…)")
    }
}

impl ExternalUserId {
    /// The id as WeCom writes it. It names a person: keep it out of logs.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ExternalUserId {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let clean = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if clean && (1..=64).contains(&text.len()) {
            return Ok(Self(text));
        }
        Err(InvalidId { kind: "external_userid", expected: "1 to 64 of A-Z a-z 0-9 _ -" })
    }
}

impl fmt::Debug for ExternalUserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalUserId(…)")
    }
}

macro_rules! from_str {
    ($($name:ident),*) => {$(
        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::try_from(text.to_owned())
            }
        }
    )*};
}

from_str!(CorpId, MemberId, ExternalUserId);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn corpids_of_both_kinds_are_known_and_nothing_else() {
        for good in ["ww7dc5f02540a109d3", "wx5823bf96d3bd56c7"] {
            assert_eq!(good.parse::<CorpId>().unwrap().to_string(), good);
        }
        for bad in
            ["", "ww", "ww7dc5f02540a109d", "ww7dc5f02540a109d33", "tj7dc5f02540a109d3", "ww7dc5f0&540a109d3"]
        {
            assert!(bad.parse::<CorpId>().is_err(), "{bad:?}");
            assert!(serde_json::from_value::<CorpId>(bad.into()).is_err());
        }
    }

    #[test]
    fn an_agentid_is_a_plain_number_from_one() {
        assert_eq!("1000002".parse::<AgentId>().unwrap().to_string(), "1000002");
        for bad in ["", "0", "-1", "+1", "01", "1.0", " 1", "4294967296"] {
            assert!(bad.parse::<AgentId>().is_err(), "{bad:?}");
        }
        assert!(serde_json::from_str::<AgentId>("0").is_err());
        assert_eq!(serde_json::from_str::<AgentId>("1000002").unwrap().get(), 1_000_002);
    }

    #[test]
    fn members_differing_in_case_are_one_member() {
        let [a, b]: [MemberId; 2] =
            ["ZhangSan@corp.example", "zhangsan@CORP.example"].map(|id| id.parse().unwrap());
        assert_eq!(a, b);
        assert_eq!(a.canonical(), b.canonical());
        assert_eq!(HashSet::from([a.clone(), b]).len(), 1);
        assert_eq!(a.as_str(), "ZhangSan@corp.example", "what WeCom wrote stays visible");
        assert_ne!(a, "zhangsan".parse().unwrap());
    }

    #[test]
    fn userids_are_bounded_and_clean() {
        assert!("a".repeat(64).parse::<MemberId>().is_ok());
        let long = "a".repeat(65);
        for bad in ["", "_a", ".a", "-a", "@a", "a b", "张三", "a/b", "a&b", "İ", &long] {
            let refusal = bad.parse::<MemberId>().unwrap_err();
            assert!(bad.is_empty() || !refusal.to_string().contains(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_persons_id_is_not_shown_in_debug() {
        let member: MemberId = "zhangsan".parse().unwrap();
        let customer: ExternalUserId = "wmEAlECwAAHrbWYDOK5u3Af13xlY".parse().unwrap();
        assert_eq!(format!("{member:?} {customer:?}"), "MemberId(…) ExternalUserId(…)");
    }
}
