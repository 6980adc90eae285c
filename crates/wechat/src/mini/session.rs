//! Who a mini-program's user is (mini-program fact sheet §1).

use crate::answer;
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::ids::{AppId, OpenId, UnionId};
use crate::mini::session_key::SessionKey;
use crate::query::Query;
use crate::secret::AppSecret;
use crate::sns;

pub(crate) const SESSION: &str = "sns/jscode2session";

/// What a `wx.login` code was worth.
#[derive(Clone, Debug)]
pub struct MiniSession {
    /// The person, as this mini-program sees them.
    pub openid: OpenId,
    /// The person, as all apps of the Open Platform account see them; absent if the mini-program is bound to none.
    /// It may appear later.
    pub unionid: Option<UnionId>,
    /// Opens what the mini-program's page got encrypted. It stays on the server, and ends with the next `wx.login`.
    pub session_key: SessionKey,
}

impl Client {
    /// Spends a `wx.login` code: `GET /sns/jscode2session` (mini-program fact sheet §1).
    ///
    /// Make this call once for a code. As with [`exchange_code`](Client::exchange_code) a lost answer is not asked
    /// for again; it repeats itself only after -1.
    ///
    /// # Errors
    /// [`FailureKind::CodeInvalid`](crate::FailureKind::CodeInvalid) also for the code of another appid;
    /// [`FailureKind::UserLimited`](crate::FailureKind::UserLimited) for a person whom WeChat considers a risk; see
    /// [`Error::kind`]. An unusable code is refused without a call.
    pub async fn mini_session(
        &self,
        appid: &AppId,
        secret: &AppSecret,
        js_code: &str,
    ) -> Result<MiniSession, Error> {
        sns::check_code(js_code)?;
        let query = Query::new()
            .pair("appid", appid.as_str())
            .pair("secret", secret.expose())
            .pair("js_code", js_code)
            .pair("grant_type", "authorization_code");
        let sent = [secret.expose(), js_code];
        self.call(Call::get(SESSION, query, &sent, Repeat::WhenBusy), read_session).await
    }
}

pub(crate) fn read_session(body: &[u8]) -> Result<MiniSession, Error> {
    let mut fields = answer::read(SESSION, body)?;
    let key = fields.filled_text("session_key")?;
    Ok(MiniSession {
        openid: sns::read_openid(&mut fields)?,
        unionid: sns::read_unionid(&mut fields)?,
        session_key: key.parse().map_err(|_| fields.defect("session_key", "is not a key"))?,
    })
}
