//! What people and things are called: derived ids (openid, unionid) and random ones (uuid, code, token).
//!
//! Shapes are those of WeChat fact sheet §6. Derived ids depend on the seed only, so a restart keeps them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Fills a buffer with random bytes.
pub type Entropy = dyn Fn(&mut [u8]) + Send + Sync;

const ALPHANUMERIC: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// The name of a person in one app: 28 characters starting with `o`.
pub(crate) fn openid(seed: &str, appid: &str, person: &str) -> String {
    derived(&[seed, "openid", appid, person])
}

/// The name of a person in one Open Platform account: 28 characters starting with `o`.
pub(crate) fn unionid(seed: &str, platform: &str, person: &str) -> String {
    derived(&[seed, "unionid", platform, person])
}

/// A stable hexadecimal key of a few texts, `len` digits (at most 64).
pub(crate) fn hex_key(parts: &[&str], len: usize) -> String {
    digest(parts).iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..len].to_owned()
}

fn derived(parts: &[&str]) -> String {
    let mut id = URL_SAFE_NO_PAD.encode(digest(parts));
    id.insert(0, 'o');
    id.truncate(28);
    id
}

/// Length-prefixed, so that ("ab", "c") and ("a", "bc") differ.
fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

/// The uuid in an Open Platform QR: 16 characters.
pub(crate) fn qr_uuid(entropy: &Entropy) -> String {
    format!("0{}", alphanumeric(entropy, 15))
}

/// An OAuth code: 32 characters, the first is `0`, the third to ninth come again near the end (§1.8).
pub(crate) fn code(entropy: &Entropy) -> String {
    let echo = alphanumeric(entropy, 7);
    format!(
        "0{}{echo}{}{echo}{}",
        alphanumeric(entropy, 1),
        alphanumeric(entropy, 15),
        alphanumeric(entropy, 1)
    )
}

/// An sns access or refresh token: 110 characters with a number in front (§6).
pub(crate) fn token(entropy: &Entropy) -> String {
    format!("70_{}", alphanumeric(entropy, 107))
}

/// A WeCom login code: 43 characters of the URL-safe base64 alphabet (WeCom fact sheet §15).
pub(crate) fn corp_code(entropy: &Entropy) -> String {
    let mut random = [0u8; 32];
    entropy(&mut random);
    URL_SAFE_NO_PAD.encode(random)
}

/// A WeCom app token or user ticket: 214 characters of that alphabet.
pub(crate) fn corp_token(entropy: &Entropy) -> String {
    let mut random = [0u8; 160];
    entropy(&mut random);
    URL_SAFE_NO_PAD.encode(random)
}

/// The digits in the hint of a WeCom errmsg: unix seconds and a random number.
pub(crate) fn hint(entropy: &Entropy, now_ms: i64) -> String {
    let mut random = [0u8; 8];
    entropy(&mut random);
    format!("{}{:014}", now_ms.div_euclid(1000), u64::from_be_bytes(random) % 100_000_000_000_000)
}

/// Random decimal digits, the first not zero.
pub(crate) fn digits(entropy: &Entropy, len: usize) -> String {
    let mut bytes = vec![0u8; len];
    entropy(&mut bytes);
    let digit = |(at, byte): (usize, &u8)| char::from(b'0' + if at == 0 { 1 + byte % 9 } else { byte % 10 });
    bytes.iter().enumerate().map(digit).collect()
}

/// The part of a parametric QR's link that names it: 22 characters starting with `02` (§4.3).
pub(crate) fn scene_link(entropy: &Entropy) -> String {
    format!("02{}", alphanumeric(entropy, 20))
}

/// Random hexadecimal digits.
pub(crate) fn hex(entropy: &Entropy, len: usize) -> String {
    let mut bytes = vec![0u8; len.div_ceil(2)];
    entropy(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()[..len].to_owned()
}

/// As JavaScript's `encodeURIComponent`.
pub(crate) fn uri_component(text: &str) -> String {
    let kept = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte);
    let encoded = |byte: u8| if kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encoded).collect()
}

/// An unguessable name for something of our own (a pending consent, a snapshot, a person).
pub(crate) fn handle(entropy: &Entropy) -> String {
    alphanumeric(entropy, 22)
}

/// The request id that ends an sns errmsg: unix seconds and two random groups, in hexadecimal (§2.1).
pub(crate) fn rid(entropy: &Entropy, now_ms: i64) -> String {
    let mut random = [0u8; 8];
    entropy(&mut random);
    let [a, b, c, d, e, f, g, h] = random;
    let seconds = (now_ms.div_euclid(1000)) as u32;
    format!("{seconds:08x}-{:08x}-{:08x}", u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h]))
}

fn alphanumeric(entropy: &Entropy, len: usize) -> String {
    let mut text = String::with_capacity(len);
    let mut bytes = [0u8; 64];
    while text.len() < len {
        entropy(&mut bytes);
        // 248 = 4 × 62: larger bytes would favour the first letters.
        let fair = bytes.iter().filter(|byte| **byte < 248);
        text.extend(fair.take(len - text.len()).map(|byte| char::from(ALPHANUMERIC[usize::from(byte % 62)])));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_28_characters_and_differ_by_every_part() {
        let one = openid("s", "wx1", "ming");
        assert_eq!((one.len(), one.as_bytes()[0]), (28, b'o'));
        assert_eq!(one, openid("s", "wx1", "ming"));
        for other in [openid("t", "wx1", "ming"), openid("s", "wx2", "ming"), openid("s", "wx1", "hong")] {
            assert_ne!(one, other);
        }
        assert_ne!(one, unionid("s", "wx1", "ming"));
    }

    #[test]
    fn code_repeats_its_third_to_ninth_character() {
        let seed = std::sync::Mutex::new(7u8);
        let entropy = move |out: &mut [u8]| {
            let mut seed = seed.lock().unwrap();
            out.iter_mut().for_each(|byte| {
                *seed = seed.wrapping_mul(29).wrapping_add(17);
                *byte = *seed;
            });
        };
        let code = code(&entropy);
        assert_eq!((code.len(), &code[..1]), (32, "0"));
        assert_eq!(code[2..9], code[24..31]);
        assert_eq!((qr_uuid(&entropy).len(), token(&entropy).len()), (16, 110));
    }
}
