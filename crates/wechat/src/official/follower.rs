//! What an official account may know about a person who scanned: whether they follow it, and their unionid.
//!
//! Nickname and picture are no longer given (WeChat fact sheet §4.9).

use crate::answer;
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::ids::{OpenId, UnionId};
use crate::lang::Lang;
use crate::mend;
use crate::query::Query;
use crate::secret::AccessToken;

const USER_INFO: &str = "cgi-bin/user/info";

/// A person, as the account sees them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Follower {
    /// Whether they follow the account now. If not, nothing else is known.
    pub subscribed: bool,
    /// The person, as all apps of the Open Platform account see them; absent if the account is bound to none.
    pub unionid: Option<UnionId>,
}

impl Client {
    /// Asks about a person: `GET /cgi-bin/user/info` (WeChat fact sheet §4.9).
    ///
    /// Repeats itself once, after -1 or a transport fault.
    ///
    /// # Errors
    /// See [`Error::kind`]. An answer about another person is malformed.
    pub async fn official_user(
        &self,
        token: &AccessToken,
        openid: &OpenId,
        lang: Lang,
    ) -> Result<Follower, Error> {
        let query = Query::new()
            .pair("access_token", token.expose())
            .pair("openid", openid.as_str())
            .pair("lang", lang.for_userinfo());
        let sent = [token.expose(), openid.as_str()];
        let call = Call::get(USER_INFO, query, &sent, Repeat::WhenFaultMayPass);
        self.call(call, |body| read_follower(body, openid)).await
    }
}

pub(crate) fn read_follower(body: &[u8], openid: &OpenId) -> Result<Follower, Error> {
    let mut fields = answer::read(USER_INFO, mend::mended(body).as_bytes())?;
    if fields.filled_text("openid")? != openid.as_str() {
        return Err(fields.defect("openid", "is not the one asked for"));
    }
    let subscribed = match fields.integer("subscribe")? {
        0 => false,
        1 => true,
        _ => return Err(fields.defect("subscribe", "is neither 0 nor 1")),
    };
    // Empty is how some answers write absent fields of this call.
    let unionid = fields.optional_text("unionid")?.filter(|text| !text.is_empty());
    let unionid =
        unionid.map(UnionId::try_from).transpose().map_err(|_| fields.defect("unionid", "is not an id"))?;
    Ok(Follower { subscribed, unionid })
}
