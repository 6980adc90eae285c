//! The access token of a company's app, which every other call carries (WeCom fact sheet §6).
//!
//! There is one for each corp and secret, and asking again within its life gives the same. Keep it once for all
//! servers: wrong secrets are counted by address, and an address that sends too many is blocked for an hour.

use super::ids::CorpId;
use super::secret::CorpSecret;
use crate::answer;
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::hosts::Platform;
use crate::query::Query;
use crate::token::{IssuedToken, read_issued};

pub(super) const GET_TOKEN: &str = "cgi-bin/gettoken";

impl Client {
    /// The app's access token: `GET /cgi-bin/gettoken` (WeCom fact sheet §6). The app's trusted addresses do not stop
    /// this call but the next.
    ///
    /// Repeats itself once, after -1 or a transport fault.
    ///
    /// # Errors
    /// [`FailureKind::BadCredentials`](crate::FailureKind::BadCredentials) for a wrong corpid or secret;
    /// [`FailureKind::RateLimited`](crate::FailureKind::RateLimited) when the address is blocked; see
    /// [`Error::kind`].
    pub async fn corp_token(&self, corp: &CorpId, secret: &CorpSecret) -> Result<IssuedToken, Error> {
        let query = Query::new().pair("corpid", corp.as_str()).pair("corpsecret", secret.expose());
        let sent = [secret.expose()];
        let call = Call::get(GET_TOKEN, query, &sent, Repeat::WhenFaultMayPass).on(Platform::WeCom);
        self.call(call, |body| read_issued(answer::read(GET_TOKEN, body)?)).await
    }
}
