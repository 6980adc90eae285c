//! A client's logo: a small picture that we keep and serve ourselves, so that no page of ours asks a stranger's server
//! for anything (SEC-69).

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

/// The largest picture, in bytes.
const LIMIT: usize = 64 * 1024;

/// A PNG, JPEG or WebP picture of at most 64 KiB. No SVG: a drawing may hold script.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Logo {
    kind: LogoKind,
    bytes: Vec<u8>,
}

/// What kind of picture it is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogoKind {
    Png,
    Jpeg,
    Webp,
}

/// Why a picture cannot be a logo.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// It is none of the three.
    #[error("must be a PNG, JPEG or WebP picture (no SVG: it may hold script)")]
    Kind,
    /// It is too large.
    #[error("must not be larger than 64 KiB")]
    Size,
}

impl Logo {
    /// Reads a file's content. The kind is what the bytes are, whatever the file is called.
    ///
    /// # Errors
    /// [`LogoError`].
    pub fn read(bytes: Vec<u8>) -> Result<Self, LogoError> {
        if bytes.len() > LIMIT {
            return Err(LogoError::Size);
        }
        let kind = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => LogoKind::Png,
            [0xff, 0xd8, 0xff, ..] => LogoKind::Jpeg,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => LogoKind::Webp,
            _ => return Err(LogoError::Kind),
        };
        Ok(Self { kind, bytes })
    }

    /// Its media type.
    #[must_use]
    pub fn media_type(&self) -> &'static str {
        match self.kind {
            LogoKind::Png => "image/png",
            LogoKind::Jpeg => "image/jpeg",
            LogoKind::Webp => "image/webp",
        }
    }

    /// The picture.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.media_type(), self.bytes.len())
    }
}

impl From<Logo> for String {
    fn from(logo: Logo) -> Self {
        STANDARD.encode(&logo.bytes)
    }
}

impl TryFrom<String> for Logo {
    type Error = LogoError;

    fn try_from(text: String) -> Result<Self, LogoError> {
        Self::read(STANDARD.decode(text).map_err(|_| LogoError::Kind)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_69_only_small_pictures_without_script_are_taken() {
        let png = [&b"\x89PNG\r\n\x1a\n"[..], &[0; 16]].concat();
        assert_eq!(Logo::read(png.clone()).unwrap().media_type(), "image/png");
        assert_eq!(Logo::read(b"\xff\xd8\xff\xe0".to_vec()).unwrap().media_type(), "image/jpeg");
        assert_eq!(Logo::read(b"RIFF\0\0\0\0WEBPVP8 ".to_vec()).unwrap().media_type(), "image/webp");
        for other in [&b"<svg onload=alert(1)>"[..], b"GIF89a", b"<!doctype html>", b"", b"RIFF\0\0\0\0WAVE"]
        {
            assert_eq!(Logo::read(other.to_vec()), Err(LogoError::Kind), "{other:?}");
        }
        let large = [png.as_slice(), &[0; LIMIT]].concat();
        assert_eq!(Logo::read(large), Err(LogoError::Size));
    }

    #[test]
    fn a_logo_survives_its_text_form() {
        let logo = Logo::read(b"\xff\xd8\xff\xe0".to_vec()).unwrap();
        assert_eq!(Logo::try_from(String::from(logo.clone())), Ok(logo));
    }
}
