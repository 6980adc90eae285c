//! What a mini-program's page brings, encrypted with the session key (SEC-34): any text, then any plaintext encrypted
//! as WeChat would.

#![no_main]

use aes::Aes128;
use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use mashang_fuzz::NOW;
use mashang_wechat::AppId;
use mashang_wechat::fuzzing::APPID;
use mashang_wechat::mini::session_key::SessionKey;
use serde_json::Value;

const KEY: [u8; 16] = *b"a session key   ";
const IV: [u8; 16] = [7; 16];
const MAX_AGE: u64 = 300;

fuzz_target!(|plain: &[u8]| {
    let key: SessionKey = STANDARD.encode(KEY).parse().expect("it is a session key");
    let appid: AppId = APPID.parse().expect("it is an appid");
    let text = String::from_utf8_lossy(plain);
    let iv = STANDARD.encode(IV);
    assert!(key.open(&text, &text, &appid, NOW, MAX_AGE).is_err());
    let _ = (key.open(&text, &iv, &appid, NOW, MAX_AGE), text.parse::<SessionKey>());
    let sealed = STANDARD
        .encode(cbc::Encryptor::<Aes128>::new(&KEY.into(), &IV.into()).encrypt_padded_vec::<Pkcs7>(plain));
    match key.open(&sealed, &iv, &appid, NOW, MAX_AGE) {
        Ok(data) => {
            let watermark =
                serde_json::from_slice::<Value>(plain).expect("only JSON is read")["watermark"].take();
            assert_eq!(watermark["appid"], APPID, "another app's data was taken");
            assert_eq!(watermark["timestamp"], data.timestamp);
            assert!(NOW.abs_diff(data.timestamp) <= MAX_AGE, "old data was taken");
            assert!(data.openid.is_none_or(|id| !id.as_str().is_empty()));
            assert!(data.phone.is_none_or(|phone| !phone.is_empty()));
        }
        Err(error) => assert!(error.to_string().len() < 120),
    }
});
