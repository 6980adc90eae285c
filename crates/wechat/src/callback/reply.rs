//! Passive replies: what a person reads in the chat because they scanned (WeChat fact sheet §4.7, §4.8).

/// A text message in answer to an event, as plain XML. `now` is in seconds since 1970.
///
/// WeChat makes links of `<a href="…">…</a>` in the content, so do not pass through what a stranger wrote.
#[must_use]
pub fn text_reply(to: &str, from: &str, now: i64, content: &str) -> String {
    format!(
        "<xml><ToUserName>{}</ToUserName><FromUserName>{}</FromUserName><CreateTime>{now}</CreateTime><MsgType>{}</MsgType><Content>{}</Content></xml>",
        cdata(to),
        cdata(from),
        cdata("text"),
        cdata(content)
    )
}

/// An encrypted reply with its signature.
pub(super) fn envelope(encrypted: &str, signature: &str, timestamp: &str, nonce: &str) -> String {
    format!(
        "<xml><Encrypt>{}</Encrypt><MsgSignature>{}</MsgSignature><TimeStamp>{timestamp}</TimeStamp><Nonce>{}</Nonce></xml>",
        cdata(encrypted),
        cdata(signature),
        cdata(nonce)
    )
}

/// A CDATA section that its text cannot end. Characters that XML does not know become spaces.
fn cdata(text: &str) -> String {
    let is_unknown =
        |c: char| (c < ' ' && !matches!(c, '\t' | '\n' | '\r')) || matches!(c, '\u{FFFE}' | '\u{FFFF}');
    let known: String = text.chars().map(|c| if is_unknown(c) { ' ' } else { c }).collect();
    format!("<![CDATA[{}]]>", known.replace("]]>", "]]]]><![CDATA[>"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::xml::Event;
    use super::*;

    #[test]
    fn a_reply_has_wechats_form() {
        assert_eq!(
            text_reply("oA", "gh_1", 1_700_000_000, "<a href=\"https://a.b/c?d=1&e=2\">登录</a>"),
            "<xml><ToUserName><![CDATA[oA]]></ToUserName><FromUserName><![CDATA[gh_1]]></FromUserName>\
             <CreateTime>1700000000</CreateTime><MsgType><![CDATA[text]]></MsgType>\
             <Content><![CDATA[<a href=\"https://a.b/c?d=1&e=2\">登录</a>]]></Content></xml>"
        );
    }

    proptest! {
        #[test]
        fn no_content_can_leave_its_element(content in "\\PC{0,20}(\\]\\]>|</Content>|<!\\[CDATA\\[){0,4}\\PC{0,20}") {
            let reply = Event::parse(text_reply("oA", "gh_1", 1, &content).as_bytes()).unwrap();
            prop_assert_eq!(reply.get("Content").unwrap(), content);
            prop_assert_eq!(reply.to_user(), Some("oA"));
        }
    }
}
