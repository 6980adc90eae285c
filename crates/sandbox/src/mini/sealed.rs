//! `encryptedData` and `signature`, as the phone's side gives them (mini-program fact sheet §9).

use aes::Aes128;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use serde::Serialize;
use sha1::{Digest as _, Sha1};

/// What `wx.getUserInfo` hands to the page.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Sealed {
    raw_data: String,
    signature: String,
    encrypted_data: String,
    iv: String,
}

/// Seals texts with a session_key; nothing when that is not base64 of 16 bytes.
pub(super) fn seal(session_key: &str, iv: [u8; 16], raw_data: String, secret_data: &str) -> Option<Sealed> {
    Some(Sealed {
        signature: signature(&raw_data, session_key),
        encrypted_data: encrypted(session_key, iv, secret_data.as_bytes())?,
        iv: STANDARD.encode(iv),
        raw_data,
    })
}

fn signature(raw_data: &str, session_key: &str) -> String {
    let digest = Sha1::new().chain_update(raw_data).chain_update(session_key).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn encrypted(session_key: &str, iv: [u8; 16], plain: &[u8]) -> Option<String> {
    let key: [u8; 16] = STANDARD.decode(session_key).ok()?.try_into().ok()?;
    let cipher = cbc::Encryptor::<Aes128>::new(&key.into(), &iv.into());
    Some(STANDARD.encode(cipher.encrypt_padded_vec::<Pkcs7>(plain)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cbc::cipher::BlockModeDecrypt as _;
    use serde_json::Value;

    const RAW: &str = r#"{"nickName":"Band","gender":1,"language":"zh_CN","city":"Guangzhou","province":"Guangdong","country":"CN","avatarUrl":"http://wx.qlogo.cn/mmopen/vi_32/1vZvI39NWFQ9XM4LtQpFrQJ1xlgZxx3w7bQxKARol6503Iuswjjn6nIGBiaycAjAtpujxyzYsrztuuICqIM5ibXQ/0"}"#;
    const BLOB: &str = "CiyLU1Aw2KjvrjMdj8YKliAjtP4gsMZMQmRzooG2xrDcvSnxIMXFufNstNGTyaGS9uT5geRa0W4oTOb1WT7fJlAC+oNPdbB+3hVbJSRgv+4lGOETKUQz6OYStslQ142dNCuabNPGBzlooOmB231qMM85d2/fV6ChevvXvQP8Hkue1poOFtnEtpyxVLW1zAo6/1Xx1COxFvrc2d7UL/lmHInNlxuacJXwu0fjpXfz/YqYzBIBzD6WUfTIF9GRHpOn/Hz7saL8xz+W//FRAUid1OksQaQx4CMs8LOddcQhULW4ucetDf96JcR3g0gfRK4PC7E/r7Z6xNrXd2UIeorGj5Ef7b1pJAYB6Y5anaHqZ9J6nKEBvB4DnNLIVWSgARns/8wR2SiRS7MNACwTyrGvt9ts8p12PKFdlqYTopNHR1Vf7XjfhQlVsAJdNiKdYmYVoKlaRv85IfVunYzO0IKXsyl7JCUjCpoG20f0a04COwfneQAGGwd5oa+T8yO5hzuyDb/XcxxmK01EpqOyuxINew==";

    #[test]
    fn signature_vector() {
        assert_eq!(signature(RAW, "HyVFkGl5F5OQWJZZaNzBBg=="), "75e81ceda165f4ffa64f4068af58c64b8f54b88c");
    }

    #[test]
    fn encrypted_data_vector() {
        let (session_key, iv) = ("tiihtNczf5v6AKRyjwEUhQ==", "r7BXXKkLb8qrSNn05n0qiA==");
        let key: [u8; 16] = STANDARD.decode(session_key).unwrap().try_into().unwrap();
        let iv: [u8; 16] = STANDARD.decode(iv).unwrap().try_into().unwrap();
        let cipher = cbc::Decryptor::<Aes128>::new(&key.into(), &iv.into());
        let plain = cipher.decrypt_padded_vec::<Pkcs7>(&STANDARD.decode(BLOB).unwrap()).unwrap();
        let json: Value = serde_json::from_slice(&plain).unwrap();
        assert_eq!(json["openId"], "oGZUI0egBJY1zhBYw2KhdUfwVJJE");
        assert_eq!(json["watermark"]["timestamp"], 1_477_314_187);
        assert_eq!(encrypted(session_key, iv, &plain).unwrap(), BLOB);
    }
}
