//! The envelope around encrypted messages: AES-256-CBC over random bytes, length, message and receiver (WeChat fact
//! sheet §4.8, WeCom fact sheet §12).
//!
//! It hides but does not prove: the signature over the ciphertext does, so check that one first, always.

use std::fmt;
use std::str::FromStr;

use aes::Aes256;
use aes::cipher::block_padding::NoPadding;
use aes::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use zeroize::{Zeroize as _, ZeroizeOnDrop, Zeroizing};

/// The 43 characters are 258 bits of which 256 count; most keys have something in the other two.
const KEY_ALPHABET: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Padding goes to a multiple of 32 bytes, twice the cipher's block, so it can be longer than PKCS#7 libraries accept.
const PADDED_TO: usize = 32;

/// Random bytes and length in front of the message.
const HEAD: usize = 16 + 4;

/// The EncodingAESKey of the platform's console: 43 characters for 32 bytes.
#[derive(Clone, ZeroizeOnDrop)]
pub struct EncodingAesKey([u8; 32]);

/// A text that is no EncodingAESKey. Never carries the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the EncodingAESKey is not 43 characters of A-Z a-z 0-9 + /")]
pub struct InvalidAesKey;

/// A decrypted envelope.
#[derive(Clone, PartialEq, Eq)]
pub struct Opened {
    /// What the platform wrote, XML for an event.
    pub message: String,
    /// For whom: an appid, or a corpid. Compare it with your own.
    pub receiver: String,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("receiver", &self.receiver).finish_non_exhaustive()
    }
}

/// Why an envelope stays closed. For logs; the remote side learns no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The official libraries' -40010.
    #[error("the encrypted text is not base64")]
    Base64,
    /// The official libraries' -40007: cut off, or another key's.
    #[error("the encrypted text cannot be decrypted with this EncodingAESKey")]
    Cipher,
    /// The official libraries' -40008: it decrypts, but to no message.
    #[error("what was encrypted is not a message")]
    Layout,
}

impl FromStr for EncodingAesKey {
    type Err = InvalidAesKey;

    fn from_str(text: &str) -> Result<Self, InvalidAesKey> {
        if text.len() != 43 || text.contains('=') {
            return Err(InvalidAesKey);
        }
        let bytes = Zeroizing::new(KEY_ALPHABET.decode(text).map_err(|_| InvalidAesKey)?);
        bytes.as_slice().try_into().map(Self).map_err(|_| InvalidAesKey)
    }
}

impl fmt::Debug for EncodingAesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncodingAesKey([redacted])")
    }
}

impl EncodingAesKey {
    /// Decrypts the text of `Encrypt` or `echostr`.
    ///
    /// # Errors
    /// When it is not a message for the holder of this key. Never panics, whatever the text.
    pub fn open(&self, encrypted: &str) -> Result<Opened, OpenError> {
        let mut bytes = STANDARD.decode(encrypted).map_err(|_| OpenError::Base64)?;
        let opened = self.decrypted(&mut bytes);
        bytes.zeroize();
        opened
    }

    fn decrypted(&self, bytes: &mut [u8]) -> Result<Opened, OpenError> {
        let (key, iv) = (&self.0.into(), self.iv());
        let plain = cbc::Decryptor::<Aes256>::new(key, &iv.into())
            .decrypt_padded::<NoPadding>(bytes)
            .map_err(|_| OpenError::Cipher)?;
        let plain = without_padding(plain).ok_or(OpenError::Cipher)?;
        let (message, receiver) = parted(plain).ok_or(OpenError::Layout)?;
        Ok(Opened { message: message.to_owned(), receiver: receiver.to_owned() })
    }

    /// Encrypts a message for `receiver`, as the text of `Encrypt`. `random` must differ each time.
    #[must_use]
    pub fn seal(&self, message: &str, receiver: &str, random: [u8; 16]) -> String {
        let length = u32::try_from(message.len()).expect("a message is shorter than 4 GiB");
        let mut bytes = Vec::with_capacity(HEAD + message.len() + receiver.len() + PADDED_TO);
        bytes.extend_from_slice(&random);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(message.as_bytes());
        bytes.extend_from_slice(receiver.as_bytes());
        let padding = PADDED_TO - bytes.len() % PADDED_TO;
        bytes.resize(bytes.len() + padding, u8::try_from(padding).expect("padding is at most 32"));
        let length = bytes.len();
        let sealed = cbc::Encryptor::<Aes256>::new(&self.0.into(), &self.iv().into())
            .encrypt_padded::<NoPadding>(&mut bytes, length)
            .expect("a multiple of 32 bytes is whole blocks");
        STANDARD.encode(sealed)
    }

    /// The first half of the key serves as initialization vector.
    fn iv(&self) -> [u8; 16] {
        *self.0.first_chunk().expect("32 bytes begin with 16")
    }
}

/// Takes off 1 to 32 bytes that all hold their own number.
fn without_padding(plain: &[u8]) -> Option<&[u8]> {
    let padding = usize::from(*plain.last()?);
    if !(1..=PADDED_TO).contains(&padding) {
        return None;
    }
    let (content, tail) = plain.split_at_checked(plain.len().checked_sub(padding)?)?;
    tail.iter().all(|byte| usize::from(*byte) == padding).then_some(content)
}

/// Parts what follows the random bytes into message and receiver.
fn parted(content: &[u8]) -> Option<(&str, &str)> {
    let (length, rest) = content.get(16..)?.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (message, receiver) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(message).ok()?, std::str::from_utf8(receiver).ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha256};

    use super::super::signature::{hex, sign};
    use super::*;

    const TRAILING_BITS: &str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    const SCAN: &str = "<xml><ToUserName><![CDATA[gh_000000000001]]></ToUserName><FromUserName><![CDATA[oTestOpenId0000000000000000A]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[SCAN]]></Event><EventKey><![CDATA[login_abc123]]></EventKey><Ticket><![CDATA[TICKET]]></Ticket></xml>";

    fn key(text: &str) -> EncodingAesKey {
        text.parse().unwrap()
    }

    fn opened(message: &str, receiver: &str) -> Opened {
        Opened { message: message.into(), receiver: receiver.into() }
    }

    #[test]
    fn wechats_vectors_seal_and_open() {
        let vectors = [
            (
                key(&"A".repeat(43)),
                "707722b803182950",
                "{\"demo_resp\":\"good luck\"}",
                "wxba5fad812f8e6fb9",
                "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==",
            ),
            (
                key(TRAILING_BITS),
                "aaaabbbbccccdddd",
                "我是中文abcd123",
                "wxb11529c136998cb6",
                "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==",
            ),
        ];
        for (key, random, message, receiver, encrypted) in vectors {
            let random = random.as_bytes().try_into().unwrap();
            assert_eq!(key.seal(message, receiver, random), encrypted);
            assert_eq!(key.open(encrypted).unwrap(), opened(message, receiver));
        }
    }

    /// The vector that libraries for ordinary padding fail: 32 bytes of it.
    #[test]
    fn a_scan_event_with_the_longest_padding_seals_and_opens() {
        let key = key(TRAILING_BITS);
        let sealed = key.seal(SCAN, "wx0000000000000001", *b"0123456789abcdef");
        assert_eq!(sealed.len(), 512);
        assert_eq!(
            hex(&Sha256::digest(&sealed)),
            "ebdcb17805f909e15d5da3c70a9757b53c014954659d5e76954cf37f85ade8f9"
        );
        let token = "testtoken".parse().unwrap();
        assert_eq!(
            sign(&token, &["1700000001", "nonce123", &sealed]),
            "3a2177b450113fbf3474308ff57dc5e8a67e60ec"
        );
        assert_eq!(key.open(&sealed).unwrap(), opened(SCAN, "wx0000000000000001"));
    }

    #[test]
    fn wecoms_vectors_open() {
        let vectors = [
            (
                "QDG6eK",
                "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
                ["1409659589", "263014780"],
                "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
                "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
                opened("1616140317555161061", "wx5823bf96d3bd56c7"),
            ),
            (
                "123456",
                "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR",
                ["1411443780", "437374425"],
                "4ByGGj+sVCYcvGeQYhaKIk1o0pQRNbRjxybjTGblXrBaXlTXeOo1+bXFXDQQb1o6co6Yh9Bv41n7hOchLF6p+Q==",
                "dd6b9c95b495b3f7e2901bfbc76c664930ffdb96",
                opened("5927782489442352469", "wx49f0ab532d5d035a"),
            ),
        ];
        for (token, aes_key, [timestamp, nonce], encrypted, signature, expected) in vectors.clone() {
            assert_eq!(sign(&token.parse().unwrap(), &[timestamp, nonce, encrypted]), signature);
            assert_eq!(key(aes_key).open(encrypted).unwrap(), expected);
        }
        let first = key(vectors[0].1);
        assert_eq!(
            first.seal("1616140317555161061", "wx5823bf96d3bd56c7", *b"c41b64491c2468d0"),
            vectors[0].3
        );
    }

    #[test]
    fn each_padding_from_1_to_32_opens() {
        let key = key(TRAILING_BITS);
        for padding in 1..=PADDED_TO {
            let message = "m".repeat(2 * PADDED_TO - HEAD - padding);
            let sealed = key.seal(&message, "", [1; 16]);
            assert_eq!(STANDARD.decode(&sealed).unwrap().len(), 2 * PADDED_TO, "{padding}");
            assert_eq!(key.open(&sealed).unwrap(), opened(&message, ""), "{padding}");
        }
    }

    #[test]
    fn what_is_no_key_is_refused_and_never_shown() {
        for text in
            ["", "short", &"A".repeat(42), &"A".repeat(44), &format!("{}=", "A".repeat(42)), &"-".repeat(43)]
        {
            assert_eq!(text.parse::<EncodingAesKey>().unwrap_err(), InvalidAesKey, "{text}");
        }
        assert_eq!(format!("{:?}", key(TRAILING_BITS)), "EncodingAesKey([redacted])");
    }

    #[test]
    fn each_way_to_fail_has_a_name() {
        let key = key(TRAILING_BITS);
        let sealed = key.seal(SCAN, "wx0000000000000001", [7; 16]);
        assert_eq!(key.open("no base64!"), Err(OpenError::Base64));
        assert_eq!(key.open(&sealed[..sealed.len() - 3]), Err(OpenError::Base64));
        assert_eq!(key.open(""), Err(OpenError::Cipher));
        assert_eq!(key.open("AAAA"), Err(OpenError::Cipher));
        assert_eq!(super::EncodingAesKey([9; 32]).open(&sealed), Err(OpenError::Cipher));
        // A receiver cut off by a length that reaches beyond the end.
        for lying in [u32::MAX, 1_000] {
            let mut content = [&[7; 16][..], &lying.to_be_bytes(), b"short"].concat();
            content.resize(32, 7);
            assert_eq!(key.open(&encrypted(&key, content)), Err(OpenError::Layout));
        }
        assert_eq!(key.open(&encrypted(&key, vec![16; 32])), Err(OpenError::Layout), "16 bytes, no length");
        assert_eq!(key.open(&encrypted(&key, vec![32; 32])), Err(OpenError::Layout), "nothing but padding");
        assert_eq!(key.open(&encrypted(&key, vec![33; 64])), Err(OpenError::Cipher), "33 is no padding");
        assert_eq!(key.open(&encrypted(&key, vec![0; 32])), Err(OpenError::Cipher), "0 is no padding");
        assert_eq!(key.open(&encrypted(&key, vec![32; 16])), Err(OpenError::Cipher), "longer than all");
    }

    fn encrypted(key: &EncodingAesKey, mut bytes: Vec<u8>) -> String {
        let length = bytes.len();
        let sealed = cbc::Encryptor::<Aes256>::new(&key.0.into(), &key.iv().into())
            .encrypt_padded::<NoPadding>(&mut bytes, length)
            .unwrap();
        STANDARD.encode(sealed)
    }

    proptest! {
        /// Message lengths run through every padding from 1 to 32, keys through every last character.
        #[test]
        fn whatever_is_sealed_opens(
            text in "[A-Za-z0-9]{43}",
            message in "\\PC{0,80}",
            receiver in "[a-z0-9]{0,40}",
            random: [u8; 16],
        ) {
            let key = key(&text);
            prop_assert_eq!(key.open(&key.seal(&message, &receiver, random)).unwrap(), opened(&message, &receiver));
        }

        #[test]
        fn no_text_can_make_opening_panic(text in any::<String>(), bytes in any::<Vec<u8>>()) {
            let key = key(TRAILING_BITS);
            let _ = key.open(&text);
            let _ = key.open(&STANDARD.encode(&bytes));
            let whole = bytes.len() / 16 * 16;
            let _ = key.open(&encrypted(&key, bytes[..whole].to_vec()));
        }
    }
}
