//! The envelope around pushed messages: SHA-1 signatures and AES-256-CBC (WeChat fact sheet §4.5, §4.8). WeCom uses the
//! same with a corpid where an appid stands here.

use aes::Aes256;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cbc::cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _};
use sha1::{Digest as _, Sha1};

/// Keys whose last character has trailing bits are good keys (§4.8, note i).
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const BLOCK: usize = 16;
/// Padding goes to a multiple of this, twice the cipher's block.
const PADDED_TO: usize = 32;
/// Random bytes in front of the length.
const RANDOM: usize = 16;

/// Lowercase hexadecimal SHA-1 of the byte-sorted, joined parts.
pub(crate) fn signature(parts: &[&str]) -> String {
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    let digest = Sha1::digest(parts.concat());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A decoded EncodingAESKey.
pub(crate) struct EnvelopeKey([u8; 32]);

impl EnvelopeKey {
    /// 43 base64 characters, or nothing.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = (text.len() == 43).then(|| LENIENT.decode(text).ok()).flatten()?;
        bytes.try_into().ok().map(Self)
    }

    fn iv(&self) -> [u8; BLOCK] {
        *self.0.first_chunk().expect("a key of 32 bytes has 16")
    }

    /// random ‖ length ‖ message ‖ receiver, padded, encrypted, in base64.
    pub(crate) fn seal(&self, random: [u8; RANDOM], message: &[u8], receiver: &str) -> String {
        let mut plain = random.to_vec();
        let length = u32::try_from(message.len()).expect("messages are far below 4 GiB");
        plain.extend_from_slice(&length.to_be_bytes());
        plain.extend_from_slice(message);
        plain.extend_from_slice(receiver.as_bytes());
        let pad = PADDED_TO - plain.len() % PADDED_TO;
        plain.extend(std::iter::repeat_n(pad as u8, pad));
        let mut cipher = cbc::Encryptor::<Aes256>::new(&self.0.into(), &self.iv().into());
        for block in plain.chunks_exact_mut(BLOCK) {
            let block: &mut [u8; BLOCK] = block.try_into().expect("chunks of a block");
            cipher.encrypt_block(block.into());
        }
        STANDARD.encode(plain)
    }

    /// The message and its receiver, or nothing when it is no such envelope.
    pub(crate) fn open(&self, sealed: &str) -> Option<(Vec<u8>, String)> {
        let mut plain = STANDARD.decode(sealed.trim()).ok()?;
        if plain.is_empty() || plain.len() % BLOCK != 0 {
            return None;
        }
        let mut cipher = cbc::Decryptor::<Aes256>::new(&self.0.into(), &self.iv().into());
        for block in plain.chunks_exact_mut(BLOCK) {
            let block: &mut [u8; BLOCK] = block.try_into().expect("chunks of a block");
            cipher.decrypt_block(block.into());
        }
        // The pad is 1 to 32, which a padding scheme for blocks of 16 would refuse (§4.8, note ii).
        let pad = usize::from(*plain.last()?);
        if !(1..=PADDED_TO).contains(&pad) || pad > plain.len() {
            return None;
        }
        plain.truncate(plain.len() - pad);
        let length = u32::from_be_bytes(*plain.get(RANDOM..)?.first_chunk()?) as usize;
        let rest = plain.get(RANDOM + 4..)?;
        let message = rest.get(..length)?.to_vec();
        let receiver = String::from_utf8(rest.get(length..)?.to_vec()).ok()?;
        Some((message, receiver))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::Sha256;

    const VECTOR_3: &str = "<xml><ToUserName><![CDATA[gh_000000000001]]></ToUserName><FromUserName><![CDATA[oTestOpenId0000000000000000A]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[SCAN]]></Event><EventKey><![CDATA[login_abc123]]></EventKey><Ticket><![CDATA[TICKET]]></Ticket></xml>";

    fn key(text: &str) -> EnvelopeKey {
        EnvelopeKey::parse(text).unwrap()
    }

    #[test]
    fn url_verification_vectors() {
        for (timestamp, nonce, expected) in [
            ("1714036504", "1514711492", "f464b24fc39322e44b38aa78f5edd27bd1441696"),
            ("1714037059", "486452656", "899cf89e464efb63f54ddac96b0a0a235f53aa78"),
        ] {
            assert_eq!(signature(&["AAAAA", timestamp, nonce]), expected);
        }
    }

    #[test]
    fn vector_1_has_a_pad_of_one() {
        let key = key(&"A".repeat(43));
        let sealed =
            "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ==";
        let message = br#"{"demo_resp":"good luck"}"#;
        assert_eq!(key.seal(*b"707722b803182950", message, "wxba5fad812f8e6fb9"), sealed);
        assert_eq!(key.open(sealed), Some((message.to_vec(), "wxba5fad812f8e6fb9".to_owned())));
        let signed = signature(&["AAAAA", "1713424427", "415670741", sealed]);
        assert_eq!(signed, "1b9339964ed2e271e7c7b6ff2b0ef902fc94dea1");
    }

    #[test]
    fn vector_2_has_a_key_with_trailing_bits() {
        let key = key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG");
        let sealed =
            "jn1L23DB+6ELqJ+6bruv21Y6MD7KeIfP82D6gU39rmkgczbWwt5+3bnyg5K55bgVtVzd832WzZGMhkP72vVOfg==";
        let message = "我是中文abcd123".as_bytes();
        assert_eq!(key.seal(*b"aaaabbbbccccdddd", message, "wxb11529c136998cb6"), sealed);
        assert_eq!(key.open(sealed), Some((message.to_vec(), "wxb11529c136998cb6".to_owned())));
    }

    #[test]
    fn vector_3_has_a_whole_block_of_32_as_pad() {
        let key = key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG");
        let sealed = key.seal(*b"0123456789abcdef", VECTOR_3.as_bytes(), "wx0000000000000001");
        assert_eq!(sealed.len(), 512);
        let hash: String = Sha256::digest(&sealed).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hash, "ebdcb17805f909e15d5da3c70a9757b53c014954659d5e76954cf37f85ade8f9");
        let parts = ["testtoken", "1700000001", "nonce123"];
        assert_eq!(signature(&parts), "6aeca9131390b2cc7016a7a8f20ea9103e13d77c");
        let signed = signature(&[parts[0], parts[1], parts[2], &sealed]);
        assert_eq!(signed, "3a2177b450113fbf3474308ff57dc5e8a67e60ec");
        assert_eq!(key.open(&sealed).unwrap().1, "wx0000000000000001");
    }

    #[test]
    fn broken_envelopes_and_keys_open_nothing() {
        let key = key(crate::DEMO_OFFICIAL_AES_KEY);
        for broken in ["", "!", "QUJD", "AAAAAAAAAAAAAAAAAAAAAA=="] {
            assert_eq!(key.open(broken), None, "{broken}");
        }
        assert!(EnvelopeKey::parse("short").is_none() && EnvelopeKey::parse(&"!".repeat(43)).is_none());
    }
}
