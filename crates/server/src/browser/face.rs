//! What a website's own page is told to show: the ways in, and the ticket under one of them.

use mashang_login::client::Client;
use mashang_login::grant::Purpose;
use mashang_login::ticket::Ticket;
use serde_json::{Value, json};

use super::refused::Refused;
use crate::channel::{Channel, Place, Platform, Shown};
use crate::login::face::Face;
use crate::state::App;
use crate::urls;
use crate::web::device::Surroundings;
use crate::web::visitor::Visitor;

/// Whether the page can show a channel itself; otherwise it opens our page in a window. Consent is asked by our page only.
#[must_use]
pub fn is_drawn(client: &Client, channel: &Channel) -> bool {
    !client.settings.consent && channel.fits_their_page(&Purpose::SignIn)
}

/// The ways in of a client, in order.
#[must_use]
pub fn channels(app: &App, visitor: &Visitor, client: &Client) -> Vec<Value> {
    let tell = |channel: &Channel| {
        json!({
            "id": channel.id.as_str(),
            "label": channel.label(&app.pages.words, visitor.language),
            "kind": channel.kind().as_str(),
            "platform": channel.platform().as_str(),
            "scan_hint": platform(app, visitor, channel)["scan_hint"],
            "how": if is_drawn(client, channel) { "qr" } else { "window" },
        })
    };
    app.channels.for_client(client, &Purpose::SignIn).map(tell).collect()
}

/// How the app of a channel is called, and how one scans with it; or on a phone, which cannot scan itself, what to do
/// instead.
#[must_use]
pub fn platform(app: &App, visitor: &Visitor, channel: &Channel) -> Value {
    let platform = channel.platform().as_str();
    let say = |key: &str, values: &[(&str, &str)]| app.pages.words.say(visitor.language, key, values);
    let words = |part: &str| say(&format!("platform.{platform}.{part}"), &[]);
    let send_to = words("send_to");
    let hint = match (visitor.surroundings(), channel.shown()) {
        (Surroundings::Desktop, _) => words("scan_hint"),
        (Surroundings::Inside(app), _) if app == channel.platform() && channel.opens_our_link() => {
            say("login.inside_text", &[("app", words("name").as_str())])
        }
        _ if channel.platform() == Platform::OwnApp => say("open_in.app", &[]),
        (_, Shown::Code) if !channel.opens_our_link() => say("login.code_phone", &[]),
        _ => say("login.phone_text", &[("send_to", send_to.as_str())]),
    };
    json!({ "id": platform, "name": words("name"), "scan_hint": hint })
}

/// The channel that is named, or the first of use here: inside a platform's app its own, on a phone one that our link
/// leads to, anywhere one that can be drawn.
///
/// # Errors
/// [`Refused::InvalidRequest`] for a name that is none of this client's, [`Refused::Unavailable`] if there is none at all.
pub fn select<'a>(
    app: &'a App,
    visitor: &Visitor,
    client: &Client,
    named: Option<&str>,
) -> Result<&'a Channel, Refused> {
    if let Some(id) = named {
        let found = app.channels.get_for_client(id, client, &Purpose::SignIn);
        return found.ok_or_else(|| Refused::invalid("no such channel serves this client"));
    }
    let all: Vec<&Channel> = app.channels.for_client(client, &Purpose::SignIn).collect();
    let drawn = || all.iter().filter(|channel| is_drawn(client, channel));
    let by_link = match visitor.surroundings() {
        Surroundings::Desktop => None,
        Surroundings::Inside(platform) => {
            drawn().find(|channel| channel.opens_our_link() && channel.platform() == platform)
        }
        Surroundings::Phone => drawn().find(|channel| channel.opens_our_link()),
    };
    let found = by_link.or_else(|| drawn().next()).or_else(|| all.first());
    found.copied().ok_or_else(|| {
        tracing::warn!(client.id = %client.id, "nobody can log in to {}: no channel serves it", client.id);
        Refused::Unavailable
    })
}

/// A ticket under a channel that the page can show.
///
/// # Errors
/// [`Refused::Unavailable`] when a store does not answer. A platform that fails is no error: the face says so.
pub async fn draw(
    app: &App,
    visitor: &Visitor,
    ticket: &Ticket,
    channel: &Channel,
) -> Result<Value, Refused> {
    let about = (&Purpose::SignIn, ticket);
    let face = Face::draw(app, visitor, Place::TheirPage, about, Some(channel)).await?;
    let url = |pattern| app.site.absolute(&urls::of_ticket(pattern, &ticket.grant, &ticket.scan_code));
    let trouble = face.trouble.map(|trouble| {
        json!({
            "heading": trouble.heading, "text": trouble.text,
            "remedy": trouble.remedy, "errcode": trouble.errcode,
        })
    });
    Ok(json!({
        "mode": face.mode,
        "ticket": face.ticket,
        "urls": {
            "status": url(urls::BROWSER_STATUS),
            "events": url(urls::BROWSER_EVENTS),
            "socket": app.site.socket(&urls::of_ticket(urls::BROWSER_EVENTS, &ticket.grant, &ticket.scan_code)),
            "refresh": url(urls::BROWSER_REFRESH),
            "redeem": url(urls::BROWSER_REDEEM),
            "cancel": url(urls::BROWSER_CANCEL),
        },
        "trouble": trouble,
        "continue_href": face.continue_href.map(|path| app.site.absolute(&path)),
        "sandbox_phone_href": face.sandbox_phone_href,
    }))
}
