//! The key by which WeChat encrypts and signs what a mini-program's page brings (mini-program fact sheet §9).

use std::fmt;
use std::str::FromStr;

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeDecrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};
use subtle::ConstantTimeEq as _;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::answer::{self, Fields};
use crate::callback;
use crate::ids::{AppId, OpenId, UnionId};

/// Largest encrypted text taken, in characters.
const ENCRYPTED_LIMIT: usize = 16 * 1024;

/// A person's `session_key`: 16 bytes, in base64 as WeChat writes it. Server only (SEC-34).
#[derive(Clone, ZeroizeOnDrop)]
pub struct SessionKey(String);

/// A text that is no session key. Never carries the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session key is not 16 bytes in base64")]
pub struct InvalidSessionKey;

/// Why a page's encrypted data is refused. For logs; never carries the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UserDataError {
    /// Not base64, cut off, or of another session: most often `wx.login` was called again in between.
    #[error("the data cannot be decrypted with this session key: a newer wx.login may have replaced it")]
    Undecryptable,
    /// It decrypts to something else than WeChat's JSON.
    #[error("the decrypted data is not what WeChat documents")]
    Malformed,
    /// Made for another mini-program (SEC-34).
    #[error("the data was made for another appid")]
    OtherApp,
    /// Made too long ago, or in the future (SEC-34).
    #[error("the data is {age} seconds old, which is not fresh")]
    Stale {
        /// Our time minus WeChat's, in seconds.
        age: i64,
    },
}

/// Decrypted data of a page, for our appid and fresh. `Debug` shows the time only.
pub struct UserData {
    /// When WeChat made it, in seconds since 1970.
    pub timestamp: i64,
    /// `openId`, if the data names a person.
    pub openid: Option<OpenId>,
    /// `unionId`, if the data names it.
    pub unionid: Option<UnionId>,
    /// `phoneNumber`, with its area code when foreign, if the data is a phone number.
    pub phone: Option<String>,
}

impl fmt::Debug for UserData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserData").field("timestamp", &self.timestamp).finish_non_exhaustive()
    }
}

impl FromStr for SessionKey {
    type Err = InvalidSessionKey;

    fn from_str(text: &str) -> Result<Self, InvalidSessionKey> {
        let key = Self(text.to_owned());
        key.bytes().map(|_| key.clone()).ok_or(InvalidSessionKey)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey([redacted])")
    }
}

impl SessionKey {
    /// The key itself, to keep encrypted.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether `signature` was made by WeChat over `raw_data`, in a time that does not depend on where they differ.
    #[must_use]
    pub fn signs(&self, raw_data: &str, signature: &str) -> bool {
        let mut hash = Sha1::new();
        hash.update(raw_data);
        hash.update(&self.0);
        callback::hex(&hash.finalize()).as_bytes().ct_eq(signature.as_bytes()).into()
    }

    /// Decrypts a page's `encryptedData`. It must have been made for `appid`, at most `max_age` seconds before or
    /// after `now` (in seconds since 1970).
    ///
    /// What it says about the person is the person's own word. Who they are, [`MiniSession`](super::session::MiniSession)
    /// says.
    ///
    /// # Errors
    /// When it is not for us, not now, or cannot be read. Never panics, whatever the texts.
    pub fn open(
        &self,
        encrypted_data: &str,
        iv: &str,
        appid: &AppId,
        now: i64,
        max_age: u64,
    ) -> Result<UserData, UserDataError> {
        let plain = self.decrypted(encrypted_data, iv).ok_or(UserDataError::Undecryptable)?;
        let mut fields = answer::read("encryptedData", &plain).map_err(|_| UserDataError::Malformed)?;
        let timestamp = check_watermark(&mut fields, appid)?;
        let age = now.saturating_sub(timestamp);
        if age.unsigned_abs() > max_age {
            return Err(UserDataError::Stale { age });
        }
        read_user_data(fields, timestamp).map_err(|_| UserDataError::Malformed)
    }

    fn decrypted(&self, encrypted_data: &str, iv: &str) -> Option<Zeroizing<Vec<u8>>> {
        if encrypted_data.len() > ENCRYPTED_LIMIT {
            return None;
        }
        let iv: [u8; 16] = STANDARD.decode(iv).ok()?.try_into().ok()?;
        let mut bytes = Zeroizing::new(STANDARD.decode(encrypted_data).ok()?);
        let length = cbc::Decryptor::<Aes128>::new(&(*self.bytes()?).into(), &iv.into())
            .decrypt_padded::<Pkcs7>(&mut bytes)
            .ok()?
            .len();
        bytes.truncate(length);
        Some(bytes)
    }

    fn bytes(&self) -> Option<Zeroizing<[u8; 16]>> {
        let bytes = Zeroizing::new(STANDARD.decode(&self.0).ok()?);
        bytes.as_slice().try_into().ok().map(Zeroizing::new)
    }
}

/// When the data was made, if it was made for `appid`.
fn check_watermark(fields: &mut Fields, appid: &AppId) -> Result<i64, UserDataError> {
    let read = |fields: &mut Fields| {
        let mut watermark = fields.object("watermark")?;
        Ok::<_, crate::Error>((watermark.filled_text("appid")?, watermark.integer("timestamp")?))
    };
    let (made_for, timestamp) = read(fields).map_err(|_| UserDataError::Malformed)?;
    if made_for == appid.as_str() { Ok(timestamp) } else { Err(UserDataError::OtherApp) }
}

fn read_user_data(mut fields: Fields, timestamp: i64) -> Result<UserData, crate::Error> {
    let openid = fields.optional_filled_text("openId")?.map(OpenId::try_from).transpose();
    let unionid = fields.optional_filled_text("unionId")?.map(UnionId::try_from).transpose();
    Ok(UserData {
        timestamp,
        openid: openid.map_err(|_| fields.defect("openId", "is not an id"))?,
        unionid: unionid.map_err(|_| fields.defect("unionId", "is not an id"))?,
        phone: fields.optional_filled_text("phoneNumber")?,
    })
}

#[cfg(test)]
mod tests {
    use aes::cipher::BlockModeEncrypt as _;
    use proptest::prelude::*;

    use super::*;

    /// The official demo (mini-program fact sheet §9).
    const APPID: &str = "wx4f4bc4dec97d474b";
    const KEY: &str = "tiihtNczf5v6AKRyjwEUhQ==";
    const IV: &str = "r7BXXKkLb8qrSNn05n0qiA==";
    const DATA: &str = "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+3hVbJSRgv+4lGOETKUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6/1Xx1COxFvrc2d7UL/lmHInNlxuacJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQaQx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xNrXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJdNiKdYmYVoKlaRv85IfVunYzO0IKXsyl7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew==";
    const MADE: i64 = 1_477_314_187;

    fn appid() -> AppId {
        APPID.parse().unwrap()
    }

    fn key(text: &str) -> SessionKey {
        text.parse().unwrap()
    }

    fn sealed(plain: &str) -> String {
        let mut bytes = plain.as_bytes().to_vec();
        bytes.resize(plain.len() + 16, 0);
        let iv: [u8; 16] = STANDARD.decode(IV).unwrap().try_into().unwrap();
        let sealed = cbc::Encryptor::<Aes128>::new(&(*key(KEY).bytes().unwrap()).into(), &iv.into())
            .encrypt_padded::<Pkcs7>(&mut bytes, plain.len())
            .unwrap();
        STANDARD.encode(sealed)
    }

    fn open(data: &str, now: i64) -> Result<UserData, UserDataError> {
        key(KEY).open(data, IV, &appid(), now, 300)
    }

    #[test]
    fn the_official_demo_opens() {
        let data = open(DATA, MADE + 10).unwrap();
        assert_eq!(data.timestamp, MADE);
        assert_eq!(data.openid.as_ref().unwrap().as_str(), "oGZUI0egBJY1zhBYw2KhdUfwVJJE");
        assert_eq!(data.unionid.as_ref().unwrap().as_str(), "ocMvos6NjeKLIBqg5Mr9QjxrP1FA");
        assert_eq!(data.phone, None);
        assert!(!format!("{data:?}").contains("oGZUI"));
    }

    #[test]
    fn a_page_cannot_change_what_wechat_signed() {
        let raw = r#"{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong","country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7bQxKARol6503Iuswjjn6nIGBiaycAjAtpujxyzYsrztuuICqIM5ibXQ/0"}"#;
        let key = key("HyVFkGl5F5OQWJZZaNzBBg==");
        let signature = "75e81ceda165f4ffa64f4068af58c64b8f54b88c";
        assert!(key.signs(raw, signature));
        assert!(!key.signs(&raw.replace("Band", "Bond"), signature));
        assert!(!key.signs(raw, &signature.to_uppercase()) && !key.signs(raw, ""));
        assert!(!super::tests::key(KEY).signs(raw, signature));
    }

    #[test]
    fn sec_34_another_apps_data_is_refused() {
        let other = "wx4f4bc4dec97d474c".parse().unwrap();
        assert_eq!(key(KEY).open(DATA, IV, &other, MADE, 300).unwrap_err(), UserDataError::OtherApp);
        for plain in [
            "{}".to_owned(),
            "[]".to_owned(),
            "text".to_owned(),
            r#"{"openId":"oA"}"#.to_owned(),
            format!(r#"{{"watermark":{{"appid":"{APPID}"}}}}"#),
            format!(r#"{{"watermark":{{"timestamp":{MADE}}}}}"#),
            format!(r#"{{"watermark":{{"timestamp":{MADE},"appid":"wx","appid":"{APPID}"}}}}"#),
            format!(r#"{{"watermark":{{"timestamp":{MADE},"appid":"{APPID}"}},"openId":""}}"#),
            format!(r#"{{"watermark":{{"timestamp":{MADE},"appid":"{APPID}"}},"openId":"a b"}}"#),
        ] {
            assert_eq!(open(&sealed(&plain), MADE).unwrap_err(), UserDataError::Malformed, "{plain}");
        }
        let phone = format!(
            r#"{{"phoneNumber":"13800000000","watermark":{{"timestamp":{MADE},"appid":"{APPID}"}}}}"#
        );
        assert_eq!(open(&sealed(&phone), MADE).unwrap().phone.as_deref(), Some("13800000000"));
    }

    #[test]
    fn sec_34_old_data_is_refused() {
        assert!(open(DATA, MADE + 300).is_ok() && open(DATA, MADE - 300).is_ok());
        assert_eq!(open(DATA, MADE + 301).unwrap_err(), UserDataError::Stale { age: 301 });
        assert_eq!(open(DATA, MADE - 301).unwrap_err(), UserDataError::Stale { age: -301 });
    }

    #[test]
    fn data_of_another_session_is_refused() {
        let newer = key("HyVFkGl5F5OQWJZZaNzBBg==");
        assert_eq!(newer.open(DATA, IV, &appid(), MADE, 300).unwrap_err(), UserDataError::Undecryptable);
        for (data, iv) in [(DATA, ""), (DATA, "AAAA"), ("", IV), (&DATA[4..], IV), ("!", IV), (DATA, "!")] {
            assert!(key(KEY).open(data, iv, &appid(), MADE, 300).is_err());
        }
        let long = sealed(&"x".repeat(ENCRYPTED_LIMIT));
        assert_eq!(open(&long, MADE).unwrap_err(), UserDataError::Undecryptable);
    }

    #[test]
    fn sec_34_the_key_is_never_shown() {
        for text in ["", "tiihtNczf5v6AKRyjwEUhQ", "not base64", "AAAA"] {
            assert_eq!(text.parse::<SessionKey>().unwrap_err(), InvalidSessionKey);
        }
        assert_eq!(format!("{:?}", key(KEY)), "SessionKey([redacted])");
    }

    proptest! {
        #[test]
        fn no_texts_can_make_opening_panic(data in any::<String>(), iv in any::<String>(), bytes in any::<Vec<u8>>()) {
            let key = key(KEY);
            prop_assert!(key.open(&data, &iv, &appid(), MADE, 300).is_err());
            prop_assert!(key.open(&STANDARD.encode(&bytes), IV, &appid(), MADE, 300).is_err());
        }
    }
}
