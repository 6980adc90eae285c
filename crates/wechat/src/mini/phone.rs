//! A person's phone number, when they tapped for it (mini-program fact sheet §8).

use std::fmt;

use serde::Serialize;

use crate::answer;
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::ids::{AppId, OpenId};
use crate::query::Query;
use crate::secret::AccessToken;
use crate::sns;

const PHONE: &str = "wxa/business/getuserphonenumber";

/// A phone number that WeChat has verified. `Debug` shows none of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    /// `phoneNumber`: with its area code when foreign.
    pub full: String,
    /// `purePhoneNumber`: without area code.
    pub bare: String,
    /// `countryCode`, digits only, such as `86`.
    pub country_code: String,
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber([redacted])")
    }
}

#[derive(Serialize)]
struct Request<'a> {
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    openid: Option<&'a str>,
}

impl Client {
    /// Spends the code of a `getPhoneNumber` button, which is not a `wx.login` code:
    /// `POST /wxa/business/getuserphonenumber` (mini-program fact sheet §8). With `openid`, WeChat makes sure that the
    /// code is that person's. The answer must be for `appid` (SEC-34).
    ///
    /// Make this call once for a code; it repeats itself only after -1.
    ///
    /// # Errors
    /// See [`Error::kind`]. An unusable code is refused without a call, another appid's answer is malformed.
    pub async fn mini_phone(
        &self,
        token: &AccessToken,
        appid: &AppId,
        code: &str,
        openid: Option<&OpenId>,
    ) -> Result<PhoneNumber, Error> {
        sns::check_code(code)?;
        let openid = openid.map(OpenId::as_str);
        let query = Query::new().pair("access_token", token.expose());
        let sent = [token.expose(), code, openid.unwrap_or_default()];
        let call = Call::post(PHONE, query, &Request { code, openid }, &sent, Repeat::WhenBusy);
        self.call(call, |body| read_phone(body, appid)).await
    }
}

pub(crate) fn read_phone(body: &[u8], appid: &AppId) -> Result<PhoneNumber, Error> {
    let mut info = answer::read(PHONE, body)?.object("phone_info")?;
    let mut watermark = info.object("watermark")?;
    if watermark.filled_text("appid")? != appid.as_str() {
        return Err(watermark.defect("appid", "is another app's"));
    }
    let number = PhoneNumber {
        full: info.filled_text("phoneNumber")?,
        bare: info.filled_text("purePhoneNumber")?,
        country_code: info.text_or_number("countryCode")?,
    };
    let is_number = |text: &str| {
        (1..=32).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit() || b"+- ".contains(&byte))
    };
    if !is_number(&number.full) || !is_number(&number.bare) {
        return Err(info.defect("phoneNumber", "is not a number"));
    }
    if !(1..=4).contains(&number.country_code.len())
        || !number.country_code.bytes().all(|b| b.is_ascii_digit())
    {
        return Err(info.defect("countryCode", "is not a country"));
    }
    Ok(number)
}
