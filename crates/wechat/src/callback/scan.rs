//! Which scene a person scanned (WeChat fact sheet §4.6).

use super::xml::Event;

/// What stands before the scene when the scan also made the person a follower.
const NEW_FOLLOWER: &str = "qrscene_";

/// The scene of the QR code that led to this event: `SCAN` by a follower, or `subscribe` by somebody who was none.
///
/// `None` for everything else: other events and messages, following without a code, following after a payment
/// (`last_trade_no_…`), and `0`, which a code has that was made without its scene.
#[must_use]
pub fn scene_of(event: &Event) -> Option<&str> {
    let key = event.event_key()?;
    let scene = if event.is_event("scan") {
        key
    } else if event.is_event("subscribe") {
        key.strip_prefix(NEW_FOLLOWER)?
    } else {
        return None;
    };
    (!scene.is_empty() && scene != "0" && !scene.starts_with("last_trade_no_")).then_some(scene)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(kind: &str, event: &str, key: &str) -> Option<String> {
        let text = format!("<xml><MsgType>{kind}</MsgType><Event>{event}</Event>{key}</xml>");
        scene_of(&Event::parse(text.as_bytes()).unwrap()).map(str::to_owned)
    }

    #[test]
    fn scanning_and_following_lead_to_the_same_scene() {
        for (event, key) in [
            ("SCAN", "<EventKey>login_abc</EventKey>"),
            ("scan", "<EventKey>login_abc</EventKey>"),
            ("subscribe", "<EventKey>qrscene_login_abc</EventKey>"),
            ("Subscribe", "<EventKey>qrscene_login_abc</EventKey>"),
        ] {
            assert_eq!(scene("event", event, key).as_deref(), Some("login_abc"), "{event}");
        }
        // A scene may look like the prefix.
        assert_eq!(scene("event", "SCAN", "<EventKey>qrscene_x</EventKey>").as_deref(), Some("qrscene_x"));
        assert_eq!(
            scene("event", "subscribe", "<EventKey>qrscene_qrscene_x</EventKey>").as_deref(),
            Some("qrscene_x")
        );
    }

    #[test]
    fn everything_else_has_no_scene() {
        for (kind, event, key) in [
            ("event", "subscribe", ""),
            ("event", "subscribe", "<EventKey></EventKey>"),
            ("event", "subscribe", "<EventKey>login_abc</EventKey>"),
            ("event", "subscribe", "<EventKey>qrscene_</EventKey>"),
            ("event", "subscribe", "<EventKey>qrscene_0</EventKey>"),
            ("event", "subscribe", "<EventKey>last_trade_no_4200</EventKey>"),
            ("event", "subscribe", "<EventKey>qrscene_last_trade_no_4200</EventKey>"),
            ("event", "unsubscribe", "<EventKey>login_abc</EventKey>"),
            ("event", "CLICK", "<EventKey>login_abc</EventKey>"),
            ("event", "SCAN", "<EventKey>0</EventKey>"),
            ("event", "SCAN", ""),
            ("text", "SCAN", "<EventKey>login_abc</EventKey>"),
        ] {
            assert_eq!(scene(kind, event, key), None, "{kind} {event} {key}");
        }
    }
}
