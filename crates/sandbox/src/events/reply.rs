//! What the account's server answered to a push (WeChat fact sheet §4.7).

use std::collections::BTreeMap;

use super::envelope::{EnvelopeKey, signature};
use super::message::Message;
use super::target::{EventMode, EventTarget};
use super::xml::read;

/// A passive reply, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reply {
    /// `success` or nothing at all.
    Nothing,
    /// Shown in the chat. Rich kinds are shown as their name in brackets.
    Text(String),
    /// Anything else: the person sees that the account is out of order.
    WrongData,
}

/// Reads the body of a 200. Encrypted replies must be signed and for this appid; in secure mode no other XML counts.
pub(crate) fn understand(body: &str, target: &EventTarget, appid: &str, message: &Message) -> Reply {
    let body = body.trim();
    if body.is_empty() || body == "success" {
        return Reply::Nothing;
    }
    content(body, target, appid, message).unwrap_or(Reply::WrongData)
}

fn content(body: &str, target: &EventTarget, appid: &str, message: &Message) -> Option<Reply> {
    let outer = read(body)?;
    let elements = match (outer.contains_key("Encrypt"), target.mode) {
        (true, EventMode::Compatible | EventMode::Secure) => opened(&outer, target, appid)?,
        (false, EventMode::Plain | EventMode::Compatible) => outer,
        _ => return None,
    };
    let element = |name: &str| elements.get(name).map_or("", String::as_str);
    if element("ToUserName") != message.from || element("FromUserName") != message.to {
        return None;
    }
    element("CreateTime").parse::<i64>().ok()?;
    match element("MsgType") {
        "text" => Some(Reply::Text(element("Content").to_owned())),
        "transfer_customer_service" => Some(Reply::Nothing),
        rich @ ("image" | "voice" | "video" | "music" | "news") => Some(Reply::Text(format!("[{rich}]"))),
        _ => None,
    }
}

fn opened(
    outer: &BTreeMap<String, String>,
    target: &EventTarget,
    appid: &str,
) -> Option<BTreeMap<String, String>> {
    let sealed = outer.get("Encrypt")?;
    let expected = signature(&[&target.token, outer.get("TimeStamp")?, outer.get("Nonce")?, sealed]);
    if *outer.get("MsgSignature")? != expected {
        return None;
    }
    let (message, receiver) = EnvelopeKey::parse(&target.aes_key)?.open(sealed)?;
    if receiver != appid {
        return None;
    }
    read(std::str::from_utf8(&message).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::Happening;
    use crate::events::xml::{Element, write};

    fn target(mode: EventMode) -> EventTarget {
        EventTarget { mode, ..EventTarget::demo(url::Url::parse("http://127.0.0.1/").unwrap()) }
    }

    fn message() -> Message {
        let happening = Happening::Unsubscribe;
        Message {
            to: "gh_1".to_owned(),
            from: "oA".to_owned(),
            appid: "wx1".to_owned(),
            create_time_s: 1,
            msg_id: 1,
            happening,
        }
    }

    fn plain(to: &str) -> String {
        write(&[
            Element::Text("ToUserName", to.to_owned()),
            Element::Text("FromUserName", "gh_1".to_owned()),
            Element::Number("CreateTime", 2),
            Element::Text("MsgType", "text".to_owned()),
            Element::Text("Content", "hello <a href=\"https://a.example/\">there</a>".to_owned()),
        ])
    }

    fn sealed(appid: &str, signer: &str) -> String {
        let target = target(EventMode::Secure);
        let sealed =
            EnvelopeKey::parse(&target.aes_key).unwrap().seal([1; 16], plain("oA").as_bytes(), appid);
        let signed = signature(&[signer, "2", "n", &sealed]);
        write(&[
            Element::Text("Encrypt", sealed),
            Element::Text("MsgSignature", signed),
            Element::Number("TimeStamp", 2),
            Element::Text("Nonce", "n".to_owned()),
        ])
    }

    #[test]
    fn reply_counts_only_in_the_protection_of_its_mode() {
        let text = Reply::Text("hello <a href=\"https://a.example/\">there</a>".to_owned());
        let read = |body: &str, mode| understand(body, &target(mode), "wx1", &message());
        let good = sealed("wx1", crate::DEMO_OFFICIAL_TOKEN);
        assert_eq!(read(&plain("oA"), EventMode::Plain), text);
        assert_eq!(read(&good, EventMode::Secure), text);
        assert_eq!(read(&good, EventMode::Compatible), text);
        assert_eq!(read(&plain("oA"), EventMode::Secure), Reply::WrongData);
        assert_eq!(read(&good, EventMode::Plain), Reply::WrongData);
        assert_eq!(read(&sealed("wx2", crate::DEMO_OFFICIAL_TOKEN), EventMode::Secure), Reply::WrongData);
        assert_eq!(read(&sealed("wx1", "other"), EventMode::Secure), Reply::WrongData);
    }

    #[test]
    fn success_and_nothing_say_nothing_and_the_rest_is_wrong() {
        let read = |body: &str| understand(body, &target(EventMode::Secure), "wx1", &message());
        assert_eq!((read(""), read("success")), (Reply::Nothing, Reply::Nothing));
        for wrong in ["ok", "{\"errcode\":0}", "<html></html>", &plain("oB")] {
            assert_eq!(read(wrong), Reply::WrongData);
        }
    }
}
