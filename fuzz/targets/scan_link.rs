//! What a QR of ours may say after anybody changed it: the scan code of `/s/…`, which is also a mini-program's `scene`
//! (SEC-01, SEC-20), and the other names that stand in addresses.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mashang_login::ids::{ChannelId, ClientId, GrantId, ScanCode};
use mashang_login::secret::{BrowserSecret, PhoneSecret};

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let is_plain = |lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&text.len())
            && text.chars().all(|c| c.is_ascii() && (c.is_alphanumeric() || "-_.".contains(c)))
    };
    match ScanCode::parse(&text) {
        Ok(code) => {
            assert!(is_plain(32..=32));
            assert_eq!((code.as_str(), code.to_string().as_str()), (&*text, &*text));
            assert!(text.starts_with(code.short()) && code.short().len() == 6);
            // As a path segment and as a scene it stands for itself: nothing needs escaping, nothing leads elsewhere.
            let link =
                url::Url::parse(&format!("https://login.example.com/s/{code}")).expect("it is an address");
            assert!(
                link.path() == format!("/s/{code}") && link.query().is_none() && link.fragment().is_none()
            );
        }
        Err(error) => {
            assert!(!is_plain(32..=32), "a scan code was refused");
            assert_eq!(error.to_string(), "not a valid scan code");
        }
    }
    assert_eq!(GrantId::parse(&text).is_ok(), is_plain(32..=32));
    assert_eq!(ClientId::parse(&text).is_ok(), is_plain(1..=64));
    assert_eq!(ChannelId::parse(&text).is_ok(), is_plain(1..=32));
    if let Some(secret) = BrowserSecret::parse(&text) {
        assert_eq!(secret.expose(), text);
        assert!(ScanCode::parse(&text).is_err(), "one text is a scan code and a browser's secret");
        assert!(PhoneSecret::parse(&text).is_none(), "one text is two secrets");
        assert!(!format!("{secret:?}").contains(&*text));
    }
});
