//! A code for a person (WeCom fact sheet §7).

use super::ids::{CorpId, ExternalUserId, MemberId};
use super::secret::UserTicket;
use crate::answer::{self, Fields};
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::hosts::Platform;
use crate::ids::OpenId;
use crate::query::Query;
use crate::secret::AccessToken;

const GET_USER_INFO: &str = "cgi-bin/auth/getuserinfo";

/// Longest code worth sending (WeCom fact sheet §1). Real ones have 43 characters.
const CODE_LIMIT: usize = 512;

/// Who came with a code.
#[derive(Clone, Debug)]
pub enum CorpLogin {
    /// A member of the company, whether or not the app is visible to them, and whether or not they are disabled:
    /// [`Client::member`] tells.
    Member {
        /// Their account in the company's directory.
        id: MemberId,
        /// Reads what they agreed to show; only with `snsapi_privateinfo`.
        ticket: Option<UserTicket>,
    },
    /// A member of another company that shares this app (互联企业, 上下游). Their id is unique within that company only.
    LinkedMember {
        /// Their company.
        corp: CorpId,
        /// Their account in its directory.
        id: MemberId,
    },
    /// Somebody who is no member, or not an active one. Refuse the login unless strangers are meant to get in, and
    /// never take the openid for a member's id.
    Outsider {
        /// The person, as this company sees them.
        openid: OpenId,
        /// The person as a customer, if a member whom the app is visible to looks after them.
        external_userid: Option<ExternalUserId>,
    },
}

impl Client {
    /// Spends a code: `GET /cgi-bin/auth/getuserinfo` with the token of the app that the code was made for (WeCom fact
    /// sheet §7). Serves the web pages and the authorization inside the app alike.
    ///
    /// Make this call once for a code. It repeats itself in one case only, when WeCom answers -1 (busy): a lost
    /// answer is not asked for again, the code is gone with it.
    ///
    /// # Errors
    /// [`FailureKind::CodeInvalid`](crate::FailureKind::CodeInvalid) for a code that is wrong, spent or older than
    /// five minutes; [`FailureKind::NotAllowed`](crate::FailureKind::NotAllowed) with [`Error::refused_address`] from
    /// an address that the app does not trust; see [`Error::kind`]. An answer that names nobody, or two people, is
    /// malformed. An unusable code is refused without a call.
    pub async fn corp_login(&self, token: &AccessToken, code: &str) -> Result<CorpLogin, Error> {
        if code.is_empty() || code.len() > CODE_LIMIT || !code.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(Error::UnusableCode);
        }
        let query = Query::new().pair("access_token", token.expose()).pair("code", code);
        let sent = [token.expose(), code];
        let call = Call::get(GET_USER_INFO, query, &sent, Repeat::WhenBusy).on(Platform::WeCom);
        self.call(call, read_login).await
    }
}

pub(crate) fn read_login(body: &[u8]) -> Result<CorpLogin, Error> {
    let mut fields = answer::read(GET_USER_INFO, body)?;
    let userid = either(&mut fields, "userid", "UserId")?;
    let openid = either(&mut fields, "openid", "OpenId")?;
    let external_userid = fields.optional_filled_text("external_userid")?;
    match (userid, openid, external_userid) {
        (Some(userid), None, None) => read_member(&userid, &mut fields),
        (None, Some(openid), external_userid) => Ok(CorpLogin::Outsider {
            openid: OpenId::try_from(openid).map_err(|_| fields.defect("openid", "is not an id"))?,
            external_userid: external_userid
                .map(ExternalUserId::try_from)
                .transpose()
                .map_err(|_| fields.defect("external_userid", "is not an id"))?,
        }),
        (Some(_), _, _) => Err(fields.defect("userid", "stands beside an outsider's id")),
        (None, None, _) => Err(fields.defect("userid", "and openid are missing")),
    }
}

/// A linked company's member is `CorpId/userid` in the same field.
fn read_member(userid: &str, fields: &mut Fields) -> Result<CorpLogin, Error> {
    let member = |text: &str| text.parse::<MemberId>().map_err(|_| fields.defect("userid", "is not an id"));
    if let Some((corp, id)) = userid.split_once('/') {
        let corp = corp.parse().map_err(|_| fields.defect("userid", "names no corp"))?;
        return Ok(CorpLogin::LinkedMember { corp, id: member(id)? });
    }
    let id = member(userid)?;
    let ticket = fields.optional_text("user_ticket")?.filter(|ticket| !ticket.is_empty());
    Ok(CorpLogin::Member { id, ticket: ticket.map(UserTicket::new) })
}

/// The field under the spelling of today's call or of the older `user/getuserinfo`. Clients broke on expecting only
/// one of them (§14); two that disagree are no answer.
fn either(fields: &mut Fields, name: &'static str, older: &'static str) -> Result<Option<String>, Error> {
    match (fields.optional_filled_text(name)?, fields.optional_filled_text(older)?) {
        (Some(one), Some(other)) if one != other => {
            Err(fields.defect(name, "is given twice and differently"))
        }
        (one, other) => Ok(one.or(other)),
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
            "UserId",
            "openid",
            "OpenId",
            "external_userid",
            "user_ticket",
            "errcode",
            "DeviceId",
        ]);
        let value = prop_oneof![
            Just("\"\"".to_owned()),
            Just("\"zhangsan\"".to_owned()),
            Just("\"ww7dc5f02540a109d3/zhangsan\"".to_owned()),
            Just("null".to_owned()),
            Just("0".to_owned()),
            any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        ];
        prop::collection::vec((name, value), 0..5).prop_map(|pairs| {
            let pairs: Vec<String> =
                pairs.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", pairs.join(",")).into_bytes()
        })
    }

    proptest! {
        #[test]
        fn no_bytes_can_make_reading_panic(body in any::<Vec<u8>>()) {
            prop_assert!(read_login(&body).is_err());
        }

        /// SEC-27.
        #[test]
        fn a_member_is_never_read_from_an_outsiders_answer(body in nearly_an_answer()) {
            let text = String::from_utf8(body.clone()).unwrap();
            match read_login(&body) {
                Ok(CorpLogin::Outsider { .. }) => prop_assert!(!text.to_lowercase().contains("\"userid\"")),
                Ok(_) => prop_assert!(!text.to_lowercase().contains("openid")),
                Err(_) => {}
            }
        }
    }
}
