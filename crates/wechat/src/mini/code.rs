//! The round code of a mini-program's page (mini-program fact sheet §3).

use std::fmt;

use serde::Serialize;

use crate::answer;
use crate::client::{Call, Client, Repeat};
use crate::error::Error;
use crate::query::Query;
use crate::secret::AccessToken;

const CODE: &str = "wxa/getwxacodeunlimit";

/// Longest scene, in characters.
pub const SCENE_LIMIT: usize = 32;

/// Largest picture read, in bytes. At the largest width about 200 kB were seen.
const PICTURE_LIMIT: usize = 512 * 1024;

/// Which build of the mini-program opens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EnvVersion {
    /// 正式版, what everybody has.
    #[default]
    Release,
    /// 体验版, for those the mini-program's owner named.
    Trial,
    /// 开发版, for its developers.
    Develop,
}

/// What a code shall open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MiniCode<'a> {
    /// Reaches the page as `query.scene`, percent-encoded once: 1 to [`SCENE_LIMIT`] characters of letters, digits and
    /// ``!#$&'()*+,/:;=?@-._~``. Random and one-time for each login (SEC-31).
    pub scene: &'a str,
    /// Such as `pages/confirm/index`, without a leading `/` or a query; the home page if absent.
    pub page: Option<&'a str>,
    /// Which build opens.
    pub env_version: EnvVersion,
    /// Whether the page must exist in the released build. Switch it off for pages that were not released yet.
    pub check_path: bool,
    /// Width of the picture in pixels, 280 to 1280.
    pub width: u32,
}

/// A picture as WeChat sent it.
#[derive(Clone, PartialEq, Eq)]
pub struct Picture {
    /// The file.
    pub bytes: Vec<u8>,
    /// What the file is, told by its first bytes.
    pub kind: PictureKind,
}

/// A format of pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureKind {
    /// `image/jpeg`.
    Jpeg,
    /// `image/png`.
    Png,
}

impl PictureKind {
    /// For the `Content-Type` header.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Picture({:?}, {} bytes)", self.kind, self.bytes.len())
    }
}

#[derive(Serialize)]
struct Request<'a> {
    scene: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<&'a str>,
    // Always sent: absent means true.
    check_path: bool,
    // An empty one is refused with 40097; absent means release.
    #[serde(skip_serializing_if = "Option::is_none")]
    env_version: Option<&'static str>,
    width: u32,
}

impl Client {
    /// A code for a scene: `POST /wxa/getwxacodeunlimit` (mini-program fact sheet §3). It never expires at WeChat; let
    /// the scene do that.
    ///
    /// Repeats itself once, after -1 or a transport fault.
    ///
    /// # Errors
    /// [`Error::NotSendable`] without a call where scene, page or width break a rule;
    /// [`FailureKind::NotAllowed`](crate::FailureKind::NotAllowed) with 41030 for a page that was not released; see
    /// [`Error::kind`].
    pub async fn mini_code(&self, token: &AccessToken, code: &MiniCode<'_>) -> Result<Picture, Error> {
        code.check()?;
        let request = Request {
            scene: code.scene,
            page: code.page,
            check_path: code.check_path,
            env_version: code.env_version.unless_release(),
            width: code.width,
        };
        let query = Query::new().pair("access_token", token.expose());
        let sent = [token.expose(), code.scene];
        let call = Call::post(CODE, query, &request, &sent, Repeat::WhenFaultMayPass);
        self.call(call.up_to(PICTURE_LIMIT), read_picture).await
    }
}

impl MiniCode<'_> {
    fn check(&self) -> Result<(), Error> {
        let not_sendable = |what| Err(Error::NotSendable { what });
        if !(1..=SCENE_LIMIT).contains(&self.scene.len()) || !self.scene.bytes().all(is_of_scene) {
            return not_sendable("the scene is not 1 to 32 letters, digits and !#$&'()*+,/:;=?@-._~");
        }
        if !self.page.is_none_or(is_page) {
            return not_sendable("the page begins with a slash, has a query or a reserved word, or is empty");
        }
        if !(280..=1280).contains(&self.width) {
            return not_sendable("the width is not 280 to 1280");
        }
        Ok(())
    }
}

impl EnvVersion {
    fn unless_release(self) -> Option<&'static str> {
        match self {
            Self::Release => None,
            Self::Trial => Some("trial"),
            Self::Develop => Some("develop"),
        }
    }
}

/// Whether a text can be the page of a code: not empty, without a leading slash, without a query (fact sheet §3), and without
/// what WeChat reserves (85096).
#[must_use]
pub fn is_page(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with('/')
        && !text.contains(['?', '#'])
        && !text.contains("scancode_time")
}

/// No `%`, so nothing needs escaping.
fn is_of_scene(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$&'()*+,/:;=?@-._~".contains(&byte)
}

/// A picture or a refusal, told apart by their bytes: the content type of refusals changed over time.
pub(crate) fn read_picture(body: &[u8]) -> Result<Picture, Error> {
    let kind = match body {
        [0xFF, 0xD8, ..] => PictureKind::Jpeg,
        [0x89, b'P', b'N', b'G', ..] => PictureKind::Png,
        _ => {
            answer::read(CODE, body)?;
            return Err(Error::malformed(CODE, "neither a picture nor a refusal"));
        }
    };
    Ok(Picture { bytes: body.to_vec(), kind })
}
