//! The envelope of encrypted messages: first any text, then any plaintext properly encrypted, so that padding and
//! layout are reached. What opens must be what the fact sheet says it is, and seal to something that opens alike.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mashang_fuzz::{encrypt, key, understood};
use mashang_wechat::callback::EncodingAesKey;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let _ = key().open(&text);
    if let Ok(read) = text.parse::<EncodingAesKey>() {
        assert_eq!(text.len(), 43);
        assert_eq!(format!("{read:?}"), "EncodingAesKey([redacted])");
    }
    check(&data[..data.len() / 16 * 16]);
    let mut padded = data.to_vec();
    let padding = 32 - data.len() % 32;
    padded.resize(data.len() + padding, u8::try_from(padding).expect("1 to 32"));
    check(&padded);
});

fn check(blocks: &[u8]) {
    let sealed = encrypt(blocks);
    let Ok(opened) = key().open(&sealed) else {
        assert_eq!(understood(blocks), None, "a message was refused");
        return;
    };
    assert_eq!(understood(blocks), Some((opened.message.as_str(), opened.receiver.as_str())));
    let random = *blocks.first_chunk().expect("what opens has 16 random bytes");
    let again = key().seal(&opened.message, &opened.receiver, random);
    assert!(key().open(&again).as_ref() == Ok(&opened), "sealed again, it opens differently");
    assert!(again == sealed || blocks.len() % 32 != 0, "the same padding was written differently");
}
