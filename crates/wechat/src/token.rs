//! The access token of an app itself, which calls about QR codes, followers and phone numbers carry.
//!
//! Only the stable call (WeChat fact sheet §4.2, mini-program fact sheet §2): it gives every asker the same token, so
//! several servers do not end each other's tokens as with the older `cgi-bin/token`. Keep the token once for all of
//! them; when a call fails with [`FailureKind::TokenInvalid`](crate::FailureKind::TokenInvalid), ask anew, once.

use serde::Serialize;

use crate::answer::{self, Fields};
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::ids::AppId;
use crate::query::Query;
use crate::secret::{AccessToken, AppSecret};

pub(crate) const STABLE_TOKEN: &str = "cgi-bin/stable_token";

/// A platform's token for an app, as just given out.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// What calls carry in their query. Up to 512 characters.
    pub token: AccessToken,
    /// Its life from now in seconds: at most 7200, and never below 300 from the stable call.
    pub expires_in: u64,
}

#[derive(Serialize)]
struct Request<'a> {
    grant_type: &'static str,
    appid: &'a str,
    secret: &'a str,
    force_refresh: bool,
}

impl Client {
    /// The app's access token: `POST /cgi-bin/stable_token` (WeChat fact sheet §4.2).
    ///
    /// Without `force` the same token comes back until five minutes before its end. With `force` the old one ends at
    /// once; WeChat allows that 20 times a day and at most every 30 seconds, and otherwise returns the old one.
    ///
    /// Repeats itself once after -1, and without `force` after a transport fault too.
    ///
    /// # Errors
    /// [`FailureKind::BadCredentials`](crate::FailureKind::BadCredentials) for a wrong appid or secret,
    /// [`FailureKind::NotAllowed`](crate::FailureKind::NotAllowed) with
    /// [`Error::refused_address`] for an address that is not on the IP list; see [`Error::kind`].
    pub async fn stable_token(
        &self,
        appid: &AppId,
        secret: &AppSecret,
        force: bool,
    ) -> Result<IssuedToken, Error> {
        let request = Request {
            grant_type: "client_credential",
            appid: appid.as_str(),
            secret: secret.expose(),
            force_refresh: force,
        };
        let sent = [secret.expose()];
        let repeat = if force { Repeat::WhenBusy } else { Repeat::WhenFaultMayPass };
        let call = Call::post(STABLE_TOKEN, Query::new(), &request, &sent, repeat);
        self.call(call, |body| read_issued(answer::read(STABLE_TOKEN, body)?)).await
    }
}

/// `access_token` and `expires_in`, both required.
pub(crate) fn read_issued(mut fields: Fields) -> Result<IssuedToken, Error> {
    let expires_in = u64::try_from(fields.integer("expires_in")?)
        .ok()
        .filter(|seconds| (1..=u64::from(u32::MAX)).contains(seconds))
        .ok_or_else(|| fields.defect("expires_in", "is out of range"))?;
    Ok(IssuedToken { token: AccessToken::new(fields.filled_text("access_token")?), expires_in })
}
