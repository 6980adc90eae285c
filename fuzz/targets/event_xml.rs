//! An event's XML, which strangers may send before anything is proven (SEC-32).

#![no_main]

use std::fmt::Write as _;

use libfuzzer_sys::fuzz_target;
use mashang_wechat::callback::{AuthorizationNews, BODY_LIMIT, Event, scene_of};
use mashang_wechat::fuzzing::fields;
use mashang_wechat::wecom::DirectoryChange;

fuzz_target!(|body: &[u8]| {
    let Ok(event) = Event::parse(body) else { return };
    assert!(body.len() <= BODY_LIMIT);
    let size: usize = fields(&event).map(|(name, text)| name.len() + text.len()).sum();
    assert!(size <= body.len(), "something was expanded: {size} bytes out of {}", body.len());
    assert_no_doctype(body);
    assert_debug_names_nobody(&event);
    assert_means_the_same_again(&event);
    let scene = scene_of(&event);
    assert!(scene.is_none() || event.event_key().is_some_and(|key| key.ends_with(scene.unwrap_or_default())));
    let _ = (event.create_time(), event.msg_id(), event.ticket(), DirectoryChange::all_in(&event));
    // Somebody's account may be deleted by it: only by an event of that name, and by the id that it says.
    if let Ok(Some(news)) = AuthorizationNews::of(&event) {
        let ids = ["OpenID", "openid"].map(|name| event.get(name).map(str::trim));
        assert!(ids.contains(&Some(news.openid.as_str())), "an openid that the event does not say");
    }
});

/// Written again in the plainest way, it must mean the same: fields cannot swallow or forge one another.
fn assert_means_the_same_again(event: &Event) {
    // The reader takes a name as it stands, quotes included, and those can only be written with attributes behind it.
    if fields(event).any(|(name, _)| name.contains(['"', '\''])) {
        return;
    }
    let written = write(event);
    match Event::parse(written.as_bytes()) {
        Ok(again) => assert!(again == *event, "read differently when written as {written:?}"),
        Err(error) => assert!(written.len() > BODY_LIMIT, "{error}, when written as {written:?}"),
    }
}

/// Where each `<…>` ends at the next `>`, because nothing can hide one, none of them is a DOCTYPE.
fn assert_no_doctype(body: &[u8]) {
    let text = std::str::from_utf8(body).expect("it was accepted").to_ascii_lowercase();
    if ["<![cdata[", "<!--", "<?", "\"", "'"].iter().any(|mark| text.contains(mark)) {
        return;
    }
    let mut rest = text.as_str();
    while let Some((_, tag)) = rest.split_once('<') {
        assert!(!tag.starts_with("!doctype"), "a document with a DOCTYPE was accepted");
        rest = tag.split_once('>').map_or("", |(_, after)| after);
    }
}

/// `Debug` goes to logs: names and the kind only.
fn assert_debug_names_nobody(event: &Event) {
    let (kind, name) = (event.get("MsgType"), event.get("Event"));
    let names: Vec<&str> = fields(event).map(|(name, _)| name).collect();
    assert_eq!(
        format!("{event:?}"),
        format!("Event {{ msg_type: {kind:?}, event: {name:?}, names: {names:?} }}")
    );
}

fn write(event: &Event) -> String {
    let mut written = String::from("<xml>");
    for (name, text) in fields(event) {
        // The space keeps a name that ends with a slash from closing its element.
        if text.is_empty() {
            write!(written, "<{name} />").expect("a String takes everything");
            continue;
        }
        write!(written, "<{name} >").expect("a String takes everything");
        for c in text.chars() {
            match c {
                '<' => written.push_str("&lt;"),
                '>' => written.push_str("&gt;"),
                '&' => written.push_str("&amp;"),
                '\r' => written.push_str("&#13;"),
                other => written.push(other),
            }
        }
        write!(written, "</{name} >").expect("a String takes everything");
    }
    written + "</xml>"
}
