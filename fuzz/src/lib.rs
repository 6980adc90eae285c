//! What several fuzz targets share: one endpoint's secrets, and a second, slow opinion on its envelope.
//!
//! The envelope is written here anew from the fact sheet, so that a misreading in the client is not checked against
//! itself.

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use mashang_wechat::callback::EncodingAesKey;

/// The bytes of the endpoint's key.
pub const KEY: [u8; 32] = *b"an AES key for fuzzing, 32 bytes";
/// The endpoint's Token.
pub const TOKEN: &str = "testtoken";
/// The account's appid, or the corpid.
pub const RECEIVER: &str = "wx0000000000000001";
/// When everything happens, in seconds since 1970.
pub const NOW: i64 = 1_700_000_000;

/// [`KEY`] as a console shows it.
///
/// # Panics
/// Never: the text has the console's form.
#[must_use]
pub fn key() -> EncodingAesKey {
    STANDARD_NO_PAD.encode(KEY).parse().expect("32 bytes are 43 characters")
}

/// Encrypts whole blocks as they stand, padding and all: the text of `Encrypt`.
///
/// # Panics
/// When it is not whole blocks of 16 bytes.
#[must_use]
pub fn encrypt(blocks: &[u8]) -> String {
    let (mut bytes, iv) = (blocks.to_vec(), *KEY.first_chunk::<16>().expect("32 bytes begin with 16"));
    let sealed = cbc::Encryptor::<Aes256>::new(&KEY.into(), &iv.into())
        .encrypt_padded::<NoPadding>(&mut bytes, blocks.len())
        .expect("the blocks are whole");
    STANDARD.encode(sealed)
}

/// What decrypted blocks say, as message and receiver, by WeChat fact sheet §4.8 read literally; `None` if nothing.
#[must_use]
pub fn understood(blocks: &[u8]) -> Option<(&str, &str)> {
    let padding = *blocks.last()?;
    let is_padding = (1..=32).contains(&padding) && usize::from(padding) <= blocks.len();
    let end = blocks.len() - if is_padding { usize::from(padding) } else { return None };
    if blocks[end..].iter().any(|byte| *byte != padding) || end < 20 {
        return None;
    }
    let length = blocks[16..20].iter().fold(0_usize, |number, byte| number * 256 + usize::from(*byte));
    if length > end - 20 {
        return None;
    }
    let text = |bytes| std::str::from_utf8(bytes).ok();
    Some((text(&blocks[20..20 + length])?, text(&blocks[20 + length..end])?))
}
