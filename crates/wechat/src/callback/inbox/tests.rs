//! The endpoint against deliveries as a platform makes them, and as it does not.

use proptest::prelude::*;

use super::*;

const NOW: i64 = 1_700_000_002;
const APPID: &str = "wx0000000000000001";
const ACCOUNT: &str = "gh_000000000001";

fn token() -> CallbackToken {
    "testtoken".parse().unwrap()
}

fn key() -> EncodingAesKey {
    "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".parse().unwrap()
}

fn inbox(mode: Mode) -> Inbox {
    Inbox::official(token(), APPID.parse().unwrap(), mode).addressed_to(ACCOUNT)
}

fn scan(to: &str, key: &str) -> String {
    format!(
        "<xml><ToUserName><![CDATA[{to}]]></ToUserName><FromUserName><![CDATA[oTestOpenId0000000000000000A]]></FromUserName><CreateTime>1700000000</CreateTime><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[SCAN]]></Event><EventKey><![CDATA[{key}]]></EventKey><Ticket><![CDATA[TICKET]]></Ticket></xml>"
    )
}

/// The fact sheet's third vector as the platform would send it.
fn delivery(message: &str, receiver: &str, timestamp: &str) -> (CallbackQuery, String) {
    let encrypted = key().seal(message, receiver, *b"0123456789abcdef");
    let plain = signature::sign(&token(), &[timestamp, "nonce123"]);
    let signed = signature::sign(&token(), &[timestamp, "nonce123", &encrypted]);
    let query = CallbackQuery::parse(&format!(
        "signature={plain}&timestamp={timestamp}&nonce=nonce123&openid=oTestOpenId0000000000000000A&encrypt_type=aes&msg_signature={signed}"
    ));
    (
        query.unwrap(),
        format!(
            "<xml><ToUserName><![CDATA[{ACCOUNT}]]></ToUserName><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        ),
    )
}

fn plain_query(timestamp: &str) -> CallbackQuery {
    let signed = signature::sign(&token(), &[timestamp, "nonce123"]);
    CallbackQuery::parse(&format!("signature={signed}&timestamp={timestamp}&nonce=nonce123")).unwrap()
}

fn secure() -> Inbox {
    inbox(Mode::Secure(key()))
}

#[test]
fn an_encrypted_scan_is_accepted_in_secure_and_compatible_mode() {
    let message = scan(ACCOUNT, "login_abc123");
    let (query, body) = delivery(&message, APPID, "1700000001");
    assert_eq!(query.msg_signature.as_deref(), Some("3a2177b450113fbf3474308ff57dc5e8a67e60ec"));
    assert_eq!(query.signature.as_deref(), Some("6aeca9131390b2cc7016a7a8f20ea9103e13d77c"));
    for mode in [Mode::Secure(key()), Mode::Compatible(key())] {
        let accepted = inbox(mode).accept(&query, body.as_bytes(), NOW).unwrap();
        assert_eq!(crate::callback::scene_of(&accepted.event), Some("login_abc123"));
        assert_eq!(accepted.raw, message);
        assert!(!format!("{accepted:?}").contains("oTestOpenId"));
    }
    let refused = inbox(Mode::Plain).accept(&query, body.as_bytes(), NOW);
    assert_eq!(refused.unwrap_err(), Refusal::UnexpectedlyEncrypted);
}

#[test]
fn a_plain_scan_is_accepted_only_where_plain_is_chosen() {
    let message = scan(ACCOUNT, "login_abc123");
    let accepted = inbox(Mode::Plain).accept(&plain_query("1700000001"), message.as_bytes(), NOW).unwrap();
    assert_eq!(accepted.raw, message);
}

#[test]
fn sec_28_plaintext_with_a_good_signature_is_refused_where_the_platform_encrypts() {
    let message = scan(ACCOUNT, "login_abc123");
    for mode in [Mode::Secure(key()), Mode::Compatible(key())] {
        let refused = inbox(mode.clone()).accept(&plain_query("1700000001"), message.as_bytes(), NOW);
        assert_eq!(refused.unwrap_err(), Refusal::NotEncrypted);
        // The query of a genuine delivery holds a plain signature as well.
        let (query, _) = delivery(&message, APPID, "1700000001");
        let refused = inbox(mode).accept(&query, message.as_bytes(), NOW);
        assert_eq!(refused.unwrap_err(), Refusal::NotEncrypted);
    }
}

#[test]
fn sec_28_plaintext_beside_ciphertext_is_not_read() {
    let (query, body) = delivery(&scan(ACCOUNT, "true"), APPID, "1700000001");
    let forged =
        body.replace("<xml>", "<xml><Event>SCAN</Event><EventKey>forged</EventKey><MsgType>event</MsgType>");
    for mode in [Mode::Secure(key()), Mode::Compatible(key())] {
        let accepted = inbox(mode).accept(&query, forged.as_bytes(), NOW).unwrap();
        assert_eq!(accepted.event.event_key(), Some("true"));
    }
}

#[test]
fn sec_28_what_is_not_signed_over_the_ciphertext_is_refused_before_decryption() {
    let (query, body) = delivery(&scan(ACCOUNT, "a"), APPID, "1700000001");
    for (change, expected) in [
        (CallbackQuery { msg_signature: None, ..query.clone() }, Refusal::Unsigned),
        (CallbackQuery { timestamp: None, ..query.clone() }, Refusal::Unsigned),
        (CallbackQuery { nonce: None, ..query.clone() }, Refusal::Unsigned),
        (CallbackQuery { msg_signature: query.signature.clone(), ..query.clone() }, Refusal::WrongSignature),
        (CallbackQuery { msg_signature: Some(String::new()), ..query.clone() }, Refusal::WrongSignature),
        (CallbackQuery { nonce: Some("nonce124".into()), ..query.clone() }, Refusal::WrongSignature),
        (CallbackQuery { timestamp: Some("1700000002".into()), ..query.clone() }, Refusal::WrongSignature),
    ] {
        assert_eq!(secure().accept(&change, body.as_bytes(), NOW).unwrap_err(), expected);
    }
    // Undecryptable text with a wrong signature is a wrong signature, not an oracle.
    let spoilt = body.replace("<Encrypt><![CDATA[", "<Encrypt><![CDATA[AAAA");
    assert_eq!(secure().accept(&query, spoilt.as_bytes(), NOW).unwrap_err(), Refusal::WrongSignature);
}

#[test]
fn sec_29_another_apps_or_accounts_event_is_refused() {
    let (query, body) = delivery(&scan(ACCOUNT, "a"), "wx0000000000000002", "1700000001");
    assert_eq!(secure().accept(&query, body.as_bytes(), NOW).unwrap_err(), Refusal::OtherReceiver);
    let (query, body) = delivery(&scan(ACCOUNT, "a"), "", "1700000001");
    assert_eq!(secure().accept(&query, body.as_bytes(), NOW).unwrap_err(), Refusal::OtherReceiver);
    let (query, body) = delivery(&scan("gh_000000000002", "a"), APPID, "1700000001");
    assert_eq!(secure().accept(&query, body.as_bytes(), NOW).unwrap_err(), Refusal::OtherAccount);
    let (query, body) = delivery("<xml></xml>", APPID, "1700000001");
    assert_eq!(secure().accept(&query, body.as_bytes(), NOW).unwrap_err(), Refusal::OtherAccount);
}

#[test]
fn sec_30_only_fresh_requests_are_accepted() {
    let (query, body) = delivery(&scan(ACCOUNT, "a"), APPID, "1700000000");
    for (now, fresh) in [
        (1_700_000_000, true),
        (1_700_000_300, true),
        (1_700_000_301, false),
        (1_699_999_700, true),
        (1_699_999_699, false),
        (0, false),
        (i64::MIN, false),
        (i64::MAX, false),
    ] {
        let outcome = secure().accept(&query, body.as_bytes(), now);
        assert_eq!(outcome.is_ok(), fresh, "{now}");
        assert!(fresh || matches!(outcome, Err(Refusal::Stale { .. })));
    }
    for timestamp in ["now", "", "-9223372036854775808", "99999999999999999999"] {
        let (query, body) = delivery(&scan(ACCOUNT, "a"), APPID, timestamp);
        assert!(secure().accept(&query, body.as_bytes(), NOW).is_err(), "{timestamp}");
    }
}

#[test]
fn sec_30_every_delivery_of_one_event_has_one_key() {
    let accept = |message: &str, timestamp: &str| {
        let (query, body) = delivery(message, APPID, timestamp);
        secure().accept(&query, body.as_bytes(), NOW).unwrap()
    };
    let first = accept(&scan(ACCOUNT, "a"), "1700000001");
    let again = accept(&scan(ACCOUNT, "a"), "1700000006");
    assert_eq!(first.dedupe_key, again.dedupe_key);
    assert_eq!((&first.delivery_key, &again.delivery_key), (&None, &None), "the signature covers the event");
    let plainly = |message: &str| {
        inbox(Mode::Plain).accept(&plain_query("1700000001"), message.as_bytes(), NOW).unwrap().delivery_key
    };
    assert!(plainly(&scan(ACCOUNT, "a")).is_some());
    assert_eq!(plainly(&scan(ACCOUNT, "a")), plainly(&scan(ACCOUNT, "b")), "one signature, two events");
    assert_ne!(first.dedupe_key, accept(&scan(ACCOUNT, "b"), "1700000001").dedupe_key);
    let message = |id: &str, text: &str| {
        format!(
            "<xml><ToUserName>{ACCOUNT}</ToUserName><FromUserName>oA</FromUserName><MsgId>{id}</MsgId><Content>{text}</Content></xml>"
        )
    };
    let one = accept(&message("1", "a"), "1700000001");
    assert_eq!(one.dedupe_key, accept(&message("1", "a"), "1700000001").dedupe_key);
    assert_ne!(one.dedupe_key, accept(&message("2", "a"), "1700000001").dedupe_key);
}

#[test]
fn an_official_accounts_address_check_is_echoed_as_it_is() {
    let vector = |echo: &str| {
        CallbackQuery::parse(&format!(
            "signature=f464b24fc39322e44b38aa78f5edd27bd1441696&timestamp=1714036504&nonce=1514711492{echo}"
        ))
        .unwrap()
    };
    for mode in [Mode::Plain, Mode::Compatible(key()), Mode::Secure(key())] {
        let inbox = Inbox::official("AAAAA".parse().unwrap(), APPID.parse().unwrap(), mode);
        let now = 1_714_036_510;
        assert_eq!(
            inbox.verify_url(&vector("&echostr=4375120948345356249"), now).unwrap(),
            "4375120948345356249"
        );
        assert_eq!(inbox.verify_url(&vector(""), now), Err(Refusal::NothingToEcho));
        assert_eq!(inbox.verify_url(&vector("&echostr=x"), now + 600), Err(Refusal::Stale { age: 606 }));
    }
    let other = Inbox::official("BBBBB".parse().unwrap(), APPID.parse().unwrap(), Mode::Plain);
    assert_eq!(other.verify_url(&vector("&echostr=x"), 1_714_036_510), Err(Refusal::WrongSignature));
}

#[test]
fn wecoms_address_check_is_decrypted() {
    let query = CallbackQuery::parse(
        "msg_signature=5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3&timestamp=1409659589&nonce=263014780&echostr=P9nAzCzyDtyTWESHep1vC5X9xho%2FqYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp%2B4RPcs8TgAE7OaBO%2BFZXvnaqQ%3D%3D",
    )
    .unwrap();
    let inbox = |corpid: &str| {
        let key = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C".parse().unwrap();
        Inbox::wecom("QDG6eK".parse().unwrap(), key, corpid)
    };
    let now = 1_409_659_600;
    assert_eq!(inbox("wx5823bf96d3bd56c7").verify_url(&query, now).unwrap(), "1616140317555161061");
    assert_eq!(inbox("wx5823bf96d3bd56c8").verify_url(&query, now), Err(Refusal::OtherReceiver));
    // The plain way is not WeCom's.
    let plain = CallbackQuery { signature: query.msg_signature.clone(), msg_signature: None, ..query };
    assert_eq!(inbox("wx5823bf96d3bd56c7").verify_url(&plain, now), Err(Refusal::Unsigned));
}

#[test]
fn a_reply_takes_the_form_of_the_mode() {
    let event = Event::parse(scan(ACCOUNT, "a").as_bytes()).unwrap();
    let plain = inbox(Mode::Plain).reply(&event, "确认 ]]> 登录", NOW, [1; 16], "n1").unwrap();
    let read = Event::parse(plain.as_bytes()).unwrap();
    assert_eq!(read.get("Content"), Some("确认 ]]> 登录"));
    assert_eq!((read.to_user(), read.from_user()), (Some("oTestOpenId0000000000000000A"), Some(ACCOUNT)));

    let sealed = secure().reply(&event, "确认 ]]> 登录", NOW, [1; 16], "n1").unwrap();
    let outer = Event::parse(sealed.as_bytes()).unwrap();
    let encrypted = outer.get("Encrypt").unwrap();
    let timestamp = outer.get("TimeStamp").unwrap();
    let nonce = outer.get("Nonce").unwrap();
    assert!(signature::matches(&token(), &[timestamp, nonce, encrypted], outer.get("MsgSignature").unwrap()));
    let opened = key().open(encrypted).unwrap();
    assert_eq!((opened.message, opened.receiver.as_str()), (plain, APPID));

    let nobody = Event::parse(b"<xml></xml>").unwrap();
    assert_eq!(secure().reply(&nobody, "x", NOW, [1; 16], "n1"), None);
}

#[test]
fn bad_bodies_are_refused_by_name() {
    let (query, _) = delivery(&scan(ACCOUNT, "a"), APPID, "1700000001");
    let large = vec![b'x'; crate::callback::xml::BODY_LIMIT + 1];
    assert_eq!(secure().accept(&query, &large, NOW).unwrap_err(), Refusal::BadXml(XmlError::TooLarge));
    assert_eq!(secure().accept(&query, b"", NOW).unwrap_err(), Refusal::BadXml(XmlError::NotXml));
    for (encrypted, error) in
        [("", OpenError::Cipher), ("a b", OpenError::Base64), ("AAAA", OpenError::Cipher)]
    {
        let signed = signature::sign(&token(), &["1700000001", "n", encrypted]);
        let query = format!("timestamp=1700000001&nonce=n&msg_signature={signed}");
        let body = format!("<xml><Encrypt>{encrypted}</Encrypt></xml>");
        let refused = secure().accept(&CallbackQuery::parse(&query).unwrap(), body.as_bytes(), NOW);
        assert_eq!(refused.unwrap_err(), Refusal::Undecryptable(error));
    }
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?}", secure());
    assert!(!shown.contains("testtoken") && !shown.contains("abcdefgh"), "{shown}");
}

proptest! {
    #[test]
    fn no_request_can_make_the_inbox_panic(query in any::<String>(), body in any::<Vec<u8>>(), now: i64) {
        if let Ok(query) = CallbackQuery::parse(&query) {
            for mode in [Mode::Plain, Mode::Compatible(key()), Mode::Secure(key())] {
                prop_assert!(inbox(mode.clone()).accept(&query, &body, now).is_err());
                prop_assert!(inbox(mode).verify_url(&query, now).is_err());
            }
        }
    }

    #[test]
    fn whatever_the_platform_encrypts_never_panics(message in any::<String>(), timestamp: i64) {
        let (query, body) = delivery(&message, APPID, &timestamp.to_string());
        let _ = secure().accept(&query, body.as_bytes(), NOW);
    }
}
