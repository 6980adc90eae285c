//! What a member agreed to show to the app (WeCom fact sheet §7, private fields).

use std::fmt;

use serde::Serialize;
use url::Url;

use super::ids::MemberId;
use super::member::{decoration, picture, read_id};
use super::secret::UserTicket;
use crate::answer;
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::hosts::Platform;
use crate::mend;
use crate::query::Query;
use crate::secret::AccessToken;

const GET_USER_DETAIL: &str = "cgi-bin/auth/getuserdetail";

/// A member's private fields. Each is absent unless both the administrator and the member opened it; there is no name
/// among them.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberDetail {
    /// Whose they are. Compare it with the member who logged in.
    pub id: MemberId,
    /// Their picture, an http(s) address; a default one if they did not agree.
    pub avatar: Option<Url>,
    /// Their personal QR code, an http(s) address. Whoever has it can add them as a contact.
    pub qr_code: Option<Url>,
    /// Their mobile number.
    pub mobile: Option<String>,
    /// The address they gave. Unverified.
    pub email: Option<String>,
    /// The address the company gave them.
    pub biz_mail: Option<String>,
    /// Where they live or work, in words.
    pub address: Option<String>,
}

impl fmt::Debug for MemberDetail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberDetail").finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Request<'a> {
    user_ticket: &'a str,
}

impl Client {
    /// Reads what a member agreed to show: `POST /cgi-bin/auth/getuserdetail` (WeCom fact sheet §7).
    ///
    /// Repeats itself once, after -1 or a transport fault: a ticket may be used as long as it lives.
    ///
    /// # Errors
    /// [`FailureKind::CodeInvalid`](crate::FailureKind::CodeInvalid) for a ticket that is wrong or has expired; see
    /// [`Error::kind`].
    pub async fn member_detail(
        &self,
        token: &AccessToken,
        ticket: &UserTicket,
    ) -> Result<MemberDetail, Error> {
        let query = Query::new().pair("access_token", token.expose());
        let request = Request { user_ticket: ticket.expose() };
        let sent = [token.expose(), ticket.expose()];
        let call = Call::post(GET_USER_DETAIL, query, &request, &sent, Repeat::WhenFaultMayPass);
        self.call(call.on(Platform::WeCom), read_detail).await
    }
}

pub(crate) fn read_detail(body: &[u8]) -> Result<MemberDetail, Error> {
    let mut fields = answer::read(GET_USER_DETAIL, mend::mended(body).as_bytes())?;
    Ok(MemberDetail {
        id: read_id(&mut fields)?,
        avatar: picture(&mut fields, "avatar"),
        qr_code: picture(&mut fields, "qr_code"),
        mobile: decoration(&mut fields, "mobile"),
        email: decoration(&mut fields, "email"),
        biz_mail: decoration(&mut fields, "biz_mail"),
        address: decoration(&mut fields, "address"),
    })
}
