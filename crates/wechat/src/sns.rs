//! The `sns` calls: a code for a token, a token for a profile (WeChat fact sheet §2).
//!
//! The same three calls serve website apps and official accounts. All are GET with everything in the query, answer
//! HTTP 200 even to refuse, and send JSON as `text/plain`.

use std::time::Duration;

use url::Url;

use crate::answer::{self, Fields};
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::ids::{AppId, OpenId, UnionId};
use crate::lang::Lang;
use crate::mend;
use crate::query::Query;
use crate::secret::{AccessToken, AppSecret, RefreshToken};

pub(crate) const EXCHANGE: &str = "sns/oauth2/access_token";
pub(crate) const USERINFO: &str = "sns/userinfo";
pub(crate) const AUTH: &str = "sns/auth";

/// Longest code worth sending. Real ones have 32 characters (WeChat fact sheet §1.8).
const CODE_LIMIT: usize = 256;

/// What a code was worth: who the person is, and a token to ask about them.
#[derive(Clone, Debug)]
pub struct SnsToken {
    /// Reads the profile, if the scope allows.
    pub access_token: AccessToken,
    /// Life of the access token from now, 7200 s in practice.
    pub expires_in: Duration,
    /// Renews the access token.
    pub refresh_token: Option<RefreshToken>,
    /// The person, as this app sees them.
    pub openid: OpenId,
    /// The granted scopes, such as `snsapi_login`. Empty if WeChat named none.
    pub scope: Vec<String>,
    /// The person, as all apps of the Open Platform account see them; absent if the app is bound to none.
    pub unionid: Option<UnionId>,
    /// The page was opened as a read-only snapshot and this person does not exist. Refuse the login: openid, unionid
    /// and profile are virtual (WeChat fact sheet §3).
    pub is_snapshot_user: bool,
}

/// A person's profile, as they chose to show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnsUser {
    /// The same openid as the token's.
    pub openid: OpenId,
    /// Raw and hostile: chosen by the person, not unique, may hold emoji and invisible characters. Clean it before
    /// showing it (SEC-68), never use it as a key. What WeChat sent broken is U+FFFD here.
    pub nickname: String,
    /// The profile picture; absent if there is none, or no http(s) address. It dies when the person changes the
    /// picture, so copy what it shows.
    pub headimgurl: Option<Url>,
    /// As in [`SnsToken::unionid`]; the token's if this answer holds none.
    pub unionid: Option<UnionId>,
}

impl Client {
    /// Spends a code: `GET /sns/oauth2/access_token` (WeChat fact sheet §2.2).
    ///
    /// Make this call once for a code. It repeats itself in one case only, when WeChat answers -1 (busy), and then
    /// the repetition may find the code spent. A lost answer is not asked for again: it would come back as 40163.
    ///
    /// # Errors
    /// See [`Error::kind`]. An unusable code is refused without a call.
    pub async fn exchange_code(
        &self,
        appid: &AppId,
        secret: &AppSecret,
        code: &str,
    ) -> Result<SnsToken, Error> {
        check_code(code)?;
        let query = Query::new()
            .pair("appid", appid.as_str())
            .pair("secret", secret.expose())
            .pair("code", code)
            .pair("grant_type", "authorization_code");
        let sent = [secret.expose(), code];
        self.call(Call::get(EXCHANGE, query, &sent, Repeat::WhenBusy), read_token).await
    }

    /// Reads the person's profile: `GET /sns/userinfo` (WeChat fact sheet §2.5). Needs scope `snsapi_login` or
    /// `snsapi_userinfo`; with `snsapi_base` WeChat answers 48001.
    ///
    /// Repeats itself once, after -1 or a transport fault.
    ///
    /// # Errors
    /// See [`Error::kind`]. An answer about another person than the token's is malformed.
    pub async fn userinfo(&self, token: &SnsToken, lang: Lang) -> Result<SnsUser, Error> {
        let query = token_query(token).pair("lang", lang.for_userinfo());
        let sent = [token.access_token.expose(), token.openid.as_str()];
        let call = Call::get(USERINFO, query, &sent, Repeat::WhenFaultMayPass);
        self.call(call, |body| read_user(body, token)).await
    }

    /// Asks whether the token is still good for its openid: `GET /sns/auth` (WeChat fact sheet §2.4).
    ///
    /// Repeats itself once, after -1 or a transport fault.
    ///
    /// # Errors
    /// [`FailureKind::TokenInvalid`](crate::FailureKind::TokenInvalid) if it is not; see [`Error::kind`].
    pub async fn check_token(&self, token: &SnsToken) -> Result<(), Error> {
        let sent = [token.access_token.expose(), token.openid.as_str()];
        let query = token_query(token);
        self.call(Call::get(AUTH, query, &sent, Repeat::WhenFaultMayPass), read_auth).await
    }
}

/// Refuses what WeChat cannot have issued, before it costs a call.
pub(crate) fn check_code(code: &str) -> Result<(), Error> {
    let usable = (1..=CODE_LIMIT).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_graphic());
    if usable { Ok(()) } else { Err(Error::UnusableCode) }
}

fn token_query(token: &SnsToken) -> Query {
    Query::new().pair("access_token", token.access_token.expose()).pair("openid", token.openid.as_str())
}

pub(crate) fn read_token(body: &[u8]) -> Result<SnsToken, Error> {
    let mut fields = answer::read(EXCHANGE, body)?;
    let expires_in = fields.integer("expires_in")?;
    let expires_in = u32::try_from(expires_in)
        .ok()
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| fields.defect("expires_in", "is out of range"))?;
    Ok(SnsToken {
        access_token: AccessToken::new(fields.filled_text("access_token")?),
        expires_in: Duration::from_secs(expires_in.into()),
        refresh_token: fields.optional_filled_text("refresh_token")?.map(RefreshToken::new),
        openid: read_openid(&mut fields)?,
        scope: read_scope(&mut fields)?,
        unionid: read_unionid(&mut fields)?,
        is_snapshot_user: match fields.optional_integer("is_snapshotuser")? {
            None | Some(0) => false,
            Some(1) => true,
            Some(_) => return Err(fields.defect("is_snapshotuser", "is neither 0 nor 1")),
        },
    })
}

pub(crate) fn read_user(body: &[u8], token: &SnsToken) -> Result<SnsUser, Error> {
    let mut fields = answer::read(USERINFO, mend::mended(body).as_bytes())?;
    let openid = read_openid(&mut fields)?;
    if openid != token.openid {
        return Err(fields.defect("openid", "is not the token's"));
    }
    let unionid = match (read_unionid(&mut fields)?, &token.unionid) {
        (Some(answered), Some(known)) if answered != *known => {
            return Err(fields.defect("unionid", "is not the token's"));
        }
        (answered, known) => answered.or_else(|| known.clone()),
    };
    let nickname = fields.text("nickname")?;
    Ok(SnsUser { openid, nickname, headimgurl: read_picture(&mut fields), unionid })
}

/// `sns/auth` is the one call whose success carries an errcode; without it nothing was confirmed.
pub(crate) fn read_auth(body: &[u8]) -> Result<(), Error> {
    let fields = answer::read(AUTH, body)?;
    if fields.says_ok() { Ok(()) } else { Err(fields.defect("errcode", "is missing")) }
}

pub(crate) fn read_openid(fields: &mut Fields) -> Result<OpenId, Error> {
    let text = fields.filled_text("openid")?;
    OpenId::try_from(text).map_err(|_| fields.defect("openid", "is not an id"))
}

pub(crate) fn read_unionid(fields: &mut Fields) -> Result<Option<UnionId>, Error> {
    let text = fields.optional_filled_text("unionid")?;
    text.map(UnionId::try_from).transpose().map_err(|_| fields.defect("unionid", "is not an id"))
}

/// Comma-separated; one of Tencent's own tables leaves the field out.
fn read_scope(fields: &mut Fields) -> Result<Vec<String>, Error> {
    let list = fields.optional_text("scope")?.unwrap_or_default();
    Ok(list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect())
}

/// Empty if the person has no picture. One that is no web address is no picture either: nobody is kept out for it.
fn read_picture(fields: &mut Fields) -> Option<Url> {
    let text = fields.optional_text("headimgurl").ok().flatten()?;
    Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn token() -> SnsToken {
        read_token(br#"{"access_token":"70_A","expires_in":7200,"openid":"oA"}"#).unwrap()
    }

    #[test]
    fn broken_text_in_a_token_answer_is_refused_anywhere() {
        for broken in [b"\xC4\xE3".as_slice(), b"\\ud83d", b"\x08"] {
            let body = [
                br#"{"access_token":"70_A","expires_in":7200,"openid":"oA","nickname":""#.as_slice(),
                broken,
                b"\"}",
            ]
            .concat();
            assert!(read_token(&body).is_err(), "{}", String::from_utf8_lossy(&body));
        }
    }

    /// Answers that are nearly right reach further into the reader than random bytes do.
    fn nearly_an_answer() -> impl Strategy<Value = Vec<u8>> {
        let name = prop::sample::select(vec![
            "access_token",
            "expires_in",
            "refresh_token",
            "openid",
            "scope",
            "unionid",
            "is_snapshotuser",
            "errcode",
            "errmsg",
            "nickname",
            "headimgurl",
            "other",
        ]);
        let value = prop_oneof![
            Just("\"\"".to_owned()),
            Just("\"oA\"".to_owned()),
            Just("null".to_owned()),
            Just("{\"a\":[1]}".to_owned()),
            Just("\"https://a.b/c\"".to_owned()),
            any::<i64>().prop_map(|number| number.to_string()),
            any::<f64>().prop_map(|number| number.to_string()),
            any::<String>().prop_map(|text| serde_json::Value::from(text).to_string()),
        ];
        prop::collection::vec((name, value), 0..10).prop_map(|pairs| {
            let pairs: Vec<String> =
                pairs.into_iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", pairs.join(",")).into_bytes()
        })
    }

    proptest! {
        #[test]
        fn no_bytes_can_make_reading_panic(body in any::<Vec<u8>>()) {
            prop_assert!(read_token(&body).is_err());
            prop_assert!(read_user(&body, &token()).is_err());
            prop_assert!(read_auth(&body).is_err());
        }

        #[test]
        fn whatever_is_accepted_is_complete(body in nearly_an_answer()) {
            if let Ok(token) = read_token(&body) {
                prop_assert!(!token.access_token.expose().is_empty());
                prop_assert!(!token.openid.as_str().is_empty());
                prop_assert!(!token.expires_in.is_zero());
            }
            if let Ok(user) = read_user(&body, &token()) {
                prop_assert_eq!(user.openid, token().openid);
            }
            let _ = read_auth(&body);
        }
    }
}
