//! What we do with an official account's events: a scan of one of our parametric QRs leads to *Scanned*, whoever follows
//! the account by it as well (WeChat fact sheet §4.6).
//!
//! WeChat asks the person nothing at a scan, so nothing is approved here (promise 2). The answer carries a link, good
//! once, to our confirm page; it is shown only in the chat of the person who scanned.

use mashang_login::audit::AuditKind;
use mashang_login::identity::{Attributes, ChannelKind, IdentityKey, Profile, Proof};
use mashang_login::ids::ScanCode;
use mashang_login::secret::ArrivalSecret;
use mashang_login::ticket::{Refusal, Stage, Ticket};
use mashang_wechat::OpenId;
use mashang_wechat::callback::{Accepted, scene_of};

use super::events::{EventAnswer, Events};
use super::parametric::ticket_of_scene;
use super::{Channel, Means};
use crate::state::App;
use crate::web::language::Language;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow, urls};

/// Handles an event if it is ours; `None` if it is the operator's.
///
/// # Errors
/// [`Problem::Store`] when a store does not answer; WeChat then delivers again.
pub(super) async fn handle(
    app: &App,
    visitor: &Visitor,
    channel: &Channel,
    events: &Events,
    accepted: &Accepted,
) -> Result<Option<EventAnswer>, Problem> {
    let Some(code) = scene_of(&accepted.event).and_then(ticket_of_scene) else { return Ok(None) };
    let openid = accepted.event.from_user().and_then(|text| text.parse::<OpenId>().ok());
    let (Some(openid), Means::WechatOfficial(official)) = (openid, &channel.means) else {
        return Ok(Some(EventAnswer::nothing()));
    };
    let proof = Proof {
        channel: channel.id.clone(),
        key: IdentityKey {
            kind: ChannelKind::WechatOfficial,
            app: official.account.appid.as_str().to_owned(),
            subject: openid.as_str().to_owned(),
        },
        // Asked for when the person arrives: here WeChat waits for us.
        union: None,
        profile: Profile::default(),
        attributes: Attributes::default(),
        proven_at: app.now(),
    };
    let link = ArrivalSecret::random(&*app.entropy);
    let moved = flow::advance(app, &code, |ticket, now| {
        ticket.scan(proof.clone(), link.hash(), now, &app.site.lifetimes)
    })
    .await?;
    let text = match moved {
        Ok(ticket) => {
            audit::of_ticket(app, visitor, AuditKind::TicketScanned, &ticket, Some(&channel.id)).await;
            invitation(app, &ticket, &link)
        }
        Err(refusal) => refused(app, visitor, channel, &code, &proof, refusal).await?,
    };
    Ok(Some(events.reply(app, accepted, &text)))
}

/// The message with the link, in both languages: an event does not say which one the person reads.
fn invitation(app: &App, ticket: &Ticket, link: &ArrivalSecret) -> String {
    let href =
        app.site.absolute(&urls::of_scan(urls::ARRIVE, &ticket.scan_code).replace("{link}", link.expose()));
    let seconds = app.site.lifetimes.confirm.as_secs().to_string();
    // The site's name is its operator's, and the message is a small markup.
    let site = plain(&ticket.origin.site_name);
    let values =
        [("site", site.as_str()), ("host", &ticket.origin.site_host), ("href", &href), ("seconds", &seconds)];
    both(app, "message.invitation", &values)
}

async fn refused(
    app: &App,
    visitor: &Visitor,
    channel: &Channel,
    code: &ScanCode,
    proof: &Proof,
    refusal: Refusal,
) -> Result<String, Problem> {
    if refusal != Refusal::Taken {
        return Ok(both(app, "message.expired", &[]));
    }
    let owner = app.tickets.get(code, app.now()).await?;
    if matches!(owner.map(|ticket| ticket.stage), Some(Stage::Scanned { by, .. }) if by.key == proof.key) {
        return Ok(both(app, "message.scanned_before", &[]));
    }
    tracing::warn!(ticket.id = code.short(), "a second person scanned ticket {}; refused", code.short());
    audit::of_trip(app, visitor, AuditKind::SecondScanRefused, code, &channel.id).await;
    Ok(both(app, "message.taken", &[]))
}

fn both(app: &App, key: &str, values: &[(&str, &str)]) -> String {
    let say = |language| app.pages.words.say(language, key, values);
    format!("{}\n\n{}", say(Language::ZhCn), say(Language::En))
}

/// A name that cannot be read as markup.
fn plain(name: &str) -> String {
    name.chars().filter(|c| !matches!(c, '<' | '>' | '&' | '"')).collect()
}
