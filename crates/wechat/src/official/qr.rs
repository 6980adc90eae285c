//! QR codes with a scene (带参数二维码): scanning one makes WeChat tell the account's server who scanned which.
//!
//! The event arrives at the account's [callback](crate::callback) without any question to the person, so it proves
//! who scanned, and is no consent (WeChat fact sheet §9 no. 5).

use serde::Serialize;
use url::Url;

use crate::answer;
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::query::Query;
use crate::secret::AccessToken;

const CREATE: &str = "cgi-bin/qrcode/create";

/// Longest scene, in characters.
pub const SCENE_LIMIT: usize = 64;

/// Longest life of a temporary code: 30 days.
pub const LONGEST_LIFE: u32 = 2_592_000;

/// A QR code that the platform made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParametricQr {
    /// Names the code in its events and to [`Client::show_qr_url`]. Opaque, 96 characters in practice.
    pub ticket: String,
    /// What the QR code says: `http://weixin.qq.com/q/…`. Draw it yourself, or show the platform's picture.
    pub url: Url,
    /// Its life from now in seconds, as the platform set it.
    pub expire_seconds: u32,
}

#[derive(Serialize)]
struct Request<'a> {
    // Always sent: the platform's own default changed between 30 and 60 seconds.
    expire_seconds: u32,
    action_name: &'static str,
    action_info: ActionInfo<'a>,
}

/// Without this wrapper the platform makes a code whose events have lost their scene (WeChat fact sheet §4.3).
#[derive(Serialize)]
struct ActionInfo<'a> {
    scene: Scene<'a>,
}

#[derive(Serialize)]
struct Scene<'a> {
    scene_str: &'a str,
}

impl Client {
    /// Makes a temporary QR code: `POST /cgi-bin/qrcode/create` with `QR_STR_SCENE` (WeChat fact sheet §4.3). The
    /// scene has 1 to [`SCENE_LIMIT`] characters: random and one-time for each login (SEC-31). `expire_seconds` is 1
    /// to [`LONGEST_LIFE`].
    ///
    /// Repeats itself once, after -1 or a transport fault: a code that nobody saw does no harm.
    ///
    /// # Errors
    /// [`Error::NotSendable`] without a call if the scene or life is out of bounds; see [`Error::kind`].
    pub async fn create_login_qr(
        &self,
        token: &AccessToken,
        scene: &str,
        expire_seconds: u32,
    ) -> Result<ParametricQr, Error> {
        if !(1..=SCENE_LIMIT).contains(&scene.chars().count()) || scene.contains(char::is_control) {
            return Err(Error::NotSendable { what: "the scene is not 1 to 64 characters" });
        }
        if !(1..=LONGEST_LIFE).contains(&expire_seconds) {
            return Err(Error::NotSendable { what: "the QR code's life is not 1 second to 30 days" });
        }
        let request = Request {
            expire_seconds,
            action_name: "QR_STR_SCENE",
            action_info: ActionInfo { scene: Scene { scene_str: scene } },
        };
        let query = Query::new().pair("access_token", token.expose());
        let sent = [token.expose(), scene];
        self.call(Call::post(CREATE, query, &request, &sent, Repeat::WhenFaultMayPass), read_qr).await
    }

    /// The platform's own picture of a code, a JPEG that needs no token:
    /// `https://mp.weixin.qq.com/cgi-bin/showqrcode` (WeChat fact sheet §4.4). An unknown ticket answers HTTP 404.
    #[must_use]
    pub fn show_qr_url(&self, ticket: &str) -> Url {
        self.hosts().mp_page("/cgi-bin/showqrcode", &Query::new().pair("ticket", ticket))
    }
}

pub(crate) fn read_qr(body: &[u8]) -> Result<ParametricQr, Error> {
    let mut fields = answer::read(CREATE, body)?;
    let expire_seconds = u32::try_from(fields.integer("expire_seconds")?)
        .ok()
        .filter(|seconds| *seconds > 0)
        .ok_or_else(|| fields.defect("expire_seconds", "is out of range"))?;
    // Its host is not fixed: a stand-in for WeChat makes codes of its own address.
    let url = Url::parse(&fields.filled_text("url")?)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| fields.defect("url", "is no web address"))?;
    Ok(ParametricQr { ticket: fields.filled_text("ticket")?, url, expire_seconds })
}
