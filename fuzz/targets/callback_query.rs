//! The query of a callback: read strictly, shown never, and worth nothing without the token.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mashang_fuzz::{NOW, RECEIVER, TOKEN, key};
use mashang_wechat::callback::{CallbackQuery, CallbackToken, Inbox, Mode, sign};
use url::form_urlencoded::{self, Serializer};

const COUNTED: [&str; 5] = ["signature", "msg_signature", "timestamp", "nonce", "echostr"];

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let values = |name: &str| -> Vec<String> {
        let pairs = form_urlencoded::parse(text.as_bytes());
        pairs.filter(|(key, _)| key == name).map(|(_, value)| value.into_owned()).collect()
    };
    let is_sound =
        COUNTED.iter().all(|name| values(name).len() <= 1 && values(name).iter().all(|v| v.len() <= 2_048));
    let Ok(query) = CallbackQuery::parse(&text) else {
        assert!(!is_sound, "a query with everything once was refused");
        return;
    };
    assert!(is_sound, "a parameter was taken twice or at any length");
    assert_eq!(query.is_address_check(), !values("echostr").is_empty());
    let is_signed = |name| !values(name).is_empty();
    let (signature, msg_signature) = (is_signed("signature"), is_signed("msg_signature"));
    let shown = format!("{query:?}");
    assert_eq!(
        shown,
        format!(
            "CallbackQuery {{ signature: {signature}, msg_signature: {msg_signature}, echostr: {}, .. }}",
            query.is_address_check()
        )
    );
    for inbox in inboxes() {
        assert!(inbox.verify_url(&query, NOW).is_err(), "a stranger's question was answered");
        assert!(inbox.accept(&query, b"<xml><Encrypt>AAAA</Encrypt></xml>", NOW).is_err());
        assert!(inbox.accept(&query, b"<xml/>", NOW).is_err());
    }
    if let [echo] = values("echostr").as_slice() {
        check_signed(echo, values("nonce").first().map_or("", String::as_str));
    }
});

fn inboxes() -> [Inbox; 3] {
    // Not the token of the seeds, so that no input holds a signature of it.
    let token: CallbackToken = "AnotherToken2".parse().expect("it is a token");
    let appid = || RECEIVER.parse().expect("it is an appid");
    [
        Inbox::official(token.clone(), appid(), Mode::Plain),
        Inbox::official(token.clone(), appid(), Mode::Secure(key())),
        Inbox::wecom(token, key(), RECEIVER),
    ]
}

/// Asked by the platform, an official account echoes exactly what was asked.
fn check_signed(echo: &str, nonce: &str) {
    let token: CallbackToken = TOKEN.parse().expect("it is a token");
    let timestamp = NOW.to_string();
    let query = Serializer::new(String::new())
        .append_pair("signature", &sign(&token, &[&timestamp, nonce]))
        .append_pair("timestamp", &timestamp)
        .append_pair("nonce", nonce)
        .append_pair("echostr", echo)
        .finish();
    let query = CallbackQuery::parse(&query).expect("its values were read before");
    let inbox = Inbox::official(token, RECEIVER.parse().expect("it is an appid"), Mode::Secure(key()));
    let answer = inbox.verify_url(&query, NOW);
    assert_eq!(answer.as_deref().unwrap_or_default(), echo);
}
