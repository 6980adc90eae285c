//! What we do with an official account's events: a scan of one of our parametric QRs leads to *Scanned*, whoever follows
//! the account by it as well (WeChat fact sheet §4.6). News of people's authorizations is
//! [`authorization_event`]'s.
//!
//! WeChat asks the person nothing at a scan, so nothing is approved here (promise 2). The answer carries a link, good
//! once, to our confirm page; it is shown only in the chat of the person who scanned.

use mashang_login::audit::AuditKind;
use mashang_login::grant::Purpose;
use mashang_login::identity::{Attributes, ChannelKind, IdentityKey, Profile, Proof};
use mashang_login::ids::ScanCode;
use mashang_login::secret::ArrivalSecret;
use mashang_login::ticket::{Refusal, Stage, Ticket};
use mashang_wechat::OpenId;
use mashang_wechat::callback::{Accepted, scene_of};

use super::events::{EventAnswer, Events};
use super::parametric::ticket_of_scene;
use super::{Channel, Means, authorization_event};
use crate::state::App;
use crate::web::language::Language;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{account, audit, flow, urls};

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
    let Some(code) = scene_of(&accepted.event).and_then(ticket_of_scene) else {
        if let Means::WechatOfficial(official) = &channel.means {
            authorization_event::handle(app, channel, &official.account.appid, accepted).await?;
        }
        return Ok(None);
    };
    // A scene like ours where we draw none, or unsigned as in plain mode, is somebody's forgery: the answer would hold a
    // link. The configuration refuses the two together; this is the lock behind it.
    let draws = matches!(&channel.means, Means::WechatOfficial(official) if official.parametric.is_some());
    if !draws || accepted.delivery_key.is_some() {
        tracing::warn!(channel.id = %channel.id, "an event of {} names a scene of ours that was never drawn; left alone", channel.id);
        return Ok(None);
    }
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
        password_set_at: None,
    };
    let link = ArrivalSecret::random(&*app.entropy);
    let moved = flow::advance(app, &code, |ticket, now| {
        ticket.scan_by_message(proof.clone(), link.hash(), now, &app.site.lifetimes)
    })
    .await?;
    let text = match moved {
        Ok(ticket) => {
            audit::of_ticket(app, visitor, AuditKind::TicketScanned, &ticket, Some(&channel.id)).await;
            invitation(app, &ticket, &link).await?
        }
        Err(refusal) => refused(app, visitor, channel, &code, &proof, refusal).await?,
    };
    Ok(Some(events.reply(app, accepted, &text)))
}

/// The message with the link, in both languages: an event does not say which one the person reads. Being added to an
/// account is another question than signing in, and asked as such (SEC-08, SEC-38).
async fn invitation(app: &App, ticket: &Ticket, link: &ArrivalSecret) -> Result<String, Problem> {
    let href =
        app.site.absolute(&urls::of_scan(urls::ARRIVE, &ticket.scan_code).replace("{link}", link.expose()));
    let seconds = app.site.lifetimes.confirm.as_secs().to_string();
    let grant = app.records.grant(&ticket.grant).await?;
    let (key, name) = match grant.map(|grant| grant.purpose) {
        Some(Purpose::Link { user }) => {
            ("message.invitation_link", account::name_of(app, Language::ZhCn, &user).await?)
        }
        _ => ("message.invitation", ticket.origin.site_name.clone()),
    };
    // A site's name is its operator's, a person's their own, and the message is a small markup.
    let name = plain(&name);
    let host = &ticket.origin.site_host;
    let values = [("name", name.as_str()), ("host", host), ("href", &href), ("seconds", &seconds)];
    Ok(both(app, key, &values))
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
