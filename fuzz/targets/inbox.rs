//! A callback endpoint in every mode, with signatures made by the holder of the token, so that what lies behind them is
//! reached (SEC-28 to SEC-33). The first two bytes choose the circumstances, the rest is what the platform would say.

#![no_main]

use libfuzzer_sys::fuzz_target;
use mashang_fuzz::{NOW, RECEIVER, TOKEN, key};
use mashang_wechat::callback::{
    Accepted, CallbackQuery, CallbackToken, Event, FRESHNESS, Inbox, Mode, Refusal, sign,
};
use url::form_urlencoded::Serializer;

/// The account in the seeds.
const ACCOUNT: &str = "gh_000000000001";

fuzz_target!(|data: &[u8]| {
    let [how, when, said @ ..] = data else { return };
    let request = Request::made(*how, *when, said);
    let inbox = request.inbox();
    let query = CallbackQuery::parse(&request.query).expect("it is short and says everything once");
    let outcome = inbox.accept(&query, &request.body, NOW);
    assert!(outcome == inbox.accept(&query, &request.body, NOW), "the same request is read differently");
    match outcome {
        Ok(accepted) => request.check_accepted(&inbox, &accepted),
        Err(refusal) => request.check_refused(refusal),
    }
    let _ = inbox.verify_url(&query, NOW);
});

/// A request, and what was done to it.
struct Request {
    how: u8,
    age: i64,
    is_forged: bool,
    query: String,
    body: Vec<u8>,
    /// What the envelope holds, if one was made.
    sealed: Option<String>,
}

impl Request {
    fn made(how: u8, when: u8, said: &[u8]) -> Self {
        let token: CallbackToken = TOKEN.parse().expect("it is a token");
        // A third of the values is stale.
        let age = (i64::from(when) - 128) * 3;
        let timestamp = (NOW - age).to_string();
        let text = String::from_utf8_lossy(said);
        let receiver = if how & 8 == 0 { RECEIVER } else { "wx000000000000000f" };
        // Either the platform encrypts what was said, or what was said is the whole body.
        let sealed = (how & 4 == 0).then(|| key().seal(&text, receiver, [how; 16]));
        let body = match &sealed {
            Some(sealed) => {
                format!("<xml><ToUserName>x</ToUserName><Encrypt>{sealed}</Encrypt></xml>").into_bytes()
            }
            None => said.to_vec(),
        };
        let encrypted = Event::parse(&body).ok().and_then(|event| event.get("Encrypt").map(str::to_owned));
        let plain = sign(&token, &[&timestamp, "nonce"]);
        let full = sign(&token, &[&timestamp, "nonce", encrypted.as_deref().unwrap_or_default()]);
        let is_forged = how & 128 != 0;
        let of = |signature: &str| {
            if is_forged { signature.replace(['0', 'a'], "1") + "1" } else { signature.to_owned() }
        };
        let query = Serializer::new(String::new())
            .append_pair("signature", &of(&plain))
            .append_pair("msg_signature", &of(&full))
            .append_pair("timestamp", &timestamp)
            .append_pair("nonce", "nonce")
            .finish();
        Self { how, age, is_forged, query, body, sealed }
    }

    fn is_encrypted(&self) -> bool {
        self.how & 3 != 0
    }

    fn addressee(&self) -> Option<&'static str> {
        match (self.how & 3, self.how & 16) {
            (3, _) => Some(RECEIVER),
            (_, 0) => None,
            _ => Some(ACCOUNT),
        }
    }

    fn inbox(&self) -> Inbox {
        let token: CallbackToken = TOKEN.parse().expect("it is a token");
        let mode = match self.how & 3 {
            0 => Mode::Plain,
            1 => Mode::Compatible(key()),
            2 => Mode::Secure(key()),
            _ => return Inbox::wecom(token, key(), RECEIVER),
        };
        let inbox = Inbox::official(token, RECEIVER.parse().expect("it is an appid"), mode);
        match self.addressee() {
            Some(account) => inbox.addressed_to(account),
            None => inbox,
        }
    }

    fn check_accepted(&self, inbox: &Inbox, accepted: &Accepted) {
        assert!(!self.is_forged && self.age.abs() <= FRESHNESS, "forged or stale, and accepted");
        assert!(self.addressee().is_none_or(|account| accepted.event.to_user() == Some(account)));
        if self.sealed.is_some() {
            assert!(self.how & 8 == 0, "another receiver's message was accepted");
            assert!(self.how & 3 != 0, "plain mode read an envelope");
        }
        let outer = Event::parse(&self.body).expect("it was accepted");
        assert!(!self.is_encrypted() || outer.get("Encrypt").is_some(), "plaintext was read where the platform encrypts");
        assert_eq!(Event::parse(accepted.raw.as_bytes()).as_ref(), Ok(&accepted.event));
        for key in [Some(&accepted.dedupe_key), accepted.delivery_key.as_ref()].into_iter().flatten() {
            assert!(key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
        self.check_reply(inbox, &accepted.event);
    }

    /// A reply goes back where the event came from and can be read by the platform.
    fn check_reply(&self, inbox: &Inbox, event: &Event) {
        let content = "请确认 <a href=\"https://a.example/?b&c\">登录</a> ]]>";
        let Some(reply) = inbox.reply(event, content, NOW, [1; 16], "nonce") else { return };
        let mut read = Event::parse(reply.as_bytes()).expect("our own XML");
        if self.is_encrypted() {
            let opened = key().open(read.get("Encrypt").expect("it is sealed")).expect("our own envelope");
            assert_eq!(opened.receiver, RECEIVER);
            read = Event::parse(opened.message.as_bytes()).expect("our own XML, sealed");
        }
        assert_eq!(read.get("Content"), Some(content));
        let is_plain = |text: &str| !text.contains(|c: char| c < ' ' || matches!(c, '\u{FFFE}' | '\u{FFFF}'));
        if let (Some(to), Some(from)) = (event.from_user(), event.to_user())
            && is_plain(to)
            && is_plain(from)
        {
            assert_eq!((read.to_user(), read.from_user()), (Some(to), Some(from)));
        }
    }

    fn check_refused(&self, refusal: Refusal) {
        match refusal {
            Refusal::WrongSignature => assert!(self.is_forged, "the platform's own signature was refused"),
            Refusal::Stale { age } => {
                assert!(!self.is_forged, "a forger was told about our clock");
                assert_eq!((age, age.abs() > FRESHNESS), (self.age, true));
            }
            Refusal::NotEncrypted => assert!(self.is_encrypted()),
            Refusal::UnexpectedlyEncrypted => assert_eq!(self.how & 3, 0),
            Refusal::OtherReceiver => assert!(self.sealed.is_none() || self.how & 8 != 0),
            Refusal::OtherAccount => assert!(self.addressee().is_some()),
            Refusal::Undecryptable(_) => {
                assert!(self.sealed.is_none(), "the platform's own envelope stays closed")
            }
            _ => {}
        }
        // A sentence for the log, of a length that no input decides.
        assert!(refusal.to_string().len() < 200);
    }
}
