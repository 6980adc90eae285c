//! A member, as the company's directory knows them (WeCom fact sheet §8).
//!
//! Apps made since 2022-06-20 are given little more than name and departments, so everything but the id may be absent.

use std::fmt;

use url::Url;

use super::ids::MemberId;
use crate::answer::{self, Fields};
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::hosts::Platform;
use crate::mend;
use crate::query::Query;
use crate::secret::AccessToken;

const GET: &str = "cgi-bin/user/get";

/// A member of the company. Texts are hostile: people and administrators chose them; never use one as a key.
///
/// `Debug` shows status and departments alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Member {
    /// The one asked for, as the directory writes it.
    pub id: MemberId,
    /// Whether they may work; absent if the app may not know.
    pub status: Option<MemberStatus>,
    /// Their name; some apps are given the userid instead.
    pub name: Option<String>,
    /// A name besides the name (别名).
    pub alias: Option<String>,
    /// What they are called to do (职务).
    pub position: Option<String>,
    /// The departments they belong to, by number; 1 is the whole company. Empty if none is known.
    pub departments: Vec<u64>,
    /// The one of them that counts as theirs.
    pub main_department: Option<u64>,
    /// The address they gave. Unverified.
    pub email: Option<String>,
    /// The address the company gave them.
    pub biz_mail: Option<String>,
    /// Their mobile number, as the company entered it.
    pub mobile: Option<String>,
    /// Their picture, an http(s) address.
    pub avatar: Option<Url>,
}

impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member")
            .field("status", &self.status)
            .field("departments", &self.departments)
            .finish_non_exhaustive()
    }
}

/// Whether a member may work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberStatus {
    /// 1: they use WeCom.
    Active,
    /// 2: an administrator switched them off.
    Disabled,
    /// 4: they have not yet used WeCom.
    NotActivated,
    /// 5: they left the company.
    Left,
    /// A number without a known meaning.
    Other(i64),
}

impl Client {
    /// Reads a member: `GET /cgi-bin/user/get` (WeCom fact sheet §8).
    ///
    /// Repeats itself once, after -1 or a transport fault.
    ///
    /// # Errors
    /// [`FailureKind::UnknownMember`](crate::FailureKind::UnknownMember) if nobody of that id is there for the app,
    /// [`FailureKind::OutOfRange`](crate::FailureKind::OutOfRange) if the app may not see them; see [`Error::kind`].
    /// An answer about another member is malformed.
    pub async fn member(&self, token: &AccessToken, id: &MemberId) -> Result<Member, Error> {
        let query = Query::new().pair("access_token", token.expose()).pair("userid", id.as_str());
        let sent = [token.expose(), id.as_str()];
        let call = Call::get(GET, query, &sent, Repeat::WhenFaultMayPass).on(Platform::WeCom);
        self.call(call, |body| read_member(body, id)).await
    }
}

pub(crate) fn read_member(body: &[u8], asked: &MemberId) -> Result<Member, Error> {
    let mut fields = answer::read(GET, mend::mended(body).as_bytes())?;
    let id = read_id(&mut fields)?;
    if id != *asked {
        return Err(fields.defect("userid", "is not the one asked for"));
    }
    Ok(Member {
        id,
        status: fields.optional_integer("status")?.map(MemberStatus::of),
        departments: read_departments(&mut fields)?,
        main_department: read_main_department(&mut fields)?,
        name: decoration(&mut fields, "name"),
        alias: decoration(&mut fields, "alias"),
        position: decoration(&mut fields, "position"),
        email: decoration(&mut fields, "email"),
        biz_mail: decoration(&mut fields, "biz_mail"),
        mobile: decoration(&mut fields, "mobile"),
        avatar: picture(&mut fields, "avatar"),
    })
}

pub(super) fn read_id(fields: &mut Fields) -> Result<MemberId, Error> {
    let text = fields.filled_text("userid")?;
    MemberId::try_from(text).map_err(|_| fields.defect("userid", "is not an id"))
}

fn read_departments(fields: &mut Fields) -> Result<Vec<u64>, Error> {
    let Some(value) = fields.optional_value("department") else { return Ok(Vec::new()) };
    let numbers = value.as_array().and_then(|list| list.iter().map(serde_json::Value::as_u64).collect());
    numbers.ok_or_else(|| fields.defect("department", "is not a list of whole numbers"))
}

fn read_main_department(fields: &mut Fields) -> Result<Option<u64>, Error> {
    let number = fields.optional_integer("main_department")?;
    // 0 is how a member without departments is written.
    number
        .filter(|number| *number != 0)
        .map(u64::try_from)
        .transpose()
        .map_err(|_| fields.defect("main_department", "is negative"))
}

/// A text that nobody is kept out for: what is empty or no text is absent.
pub(super) fn decoration(fields: &mut Fields, name: &'static str) -> Option<String> {
    fields.optional_text(name).ok().flatten().filter(|text| !text.is_empty())
}

/// As [`decoration`], for an http(s) address.
pub(super) fn picture(fields: &mut Fields, name: &'static str) -> Option<Url> {
    Url::parse(&decoration(fields, name)?).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

impl MemberStatus {
    fn of(number: i64) -> Self {
        match number {
            1 => Self::Active,
            2 => Self::Disabled,
            4 => Self::NotActivated,
            5 => Self::Left,
            other => Self::Other(other),
        }
    }

    pub(super) fn from_text(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::of)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Answers that are nearly right reach further into the reader than random bytes do.
    fn nearly_an_answer() -> impl Strategy<Value = Vec<u8>> {
        let name = prop::sample::select(vec![
            "userid",
            "status",
            "department",
            "main_department",
            "name",
            "avatar",
            "email",
            "errcode",
        ]);
        let value = prop_oneof![
            Just("\"\"".to_owned()),
            Just("\"ZhangSan\"".to_owned()),
            Just("\"lisi\"".to_owned()),
            Just("[1,2]".to_owned()),
            Just("[{}]".to_owned()),
            Just("null".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        ];
        prop::collection::vec((name, value), 0..6).prop_map(|pairs| {
            let pairs: Vec<String> =
                pairs.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", pairs.join(",")).into_bytes()
        })
    }

    proptest! {
        #[test]
        fn no_bytes_can_make_reading_panic(body in any::<Vec<u8>>()) {
            prop_assert!(read_member(&body, &"zhangsan".parse().unwrap()).is_err());
        }

        /// SEC-27.
        #[test]
        fn whoever_is_read_is_whoever_was_asked_for(body in nearly_an_answer()) {
            let asked: MemberId = "zhangsan".parse().unwrap();
            if let Ok(member) = read_member(&body, &asked) {
                prop_assert_eq!(member.id, asked);
            }
        }
    }
}
