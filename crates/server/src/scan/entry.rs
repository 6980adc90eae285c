//! `GET /s/{scan code}`: whoever opens the QR is routed by what they hold (聚合码). Inside WeChat that is the official
//! account's web authorization, inside WeCom the corp's, in a plain browser a page that says which apps to use
//! and takes a passkey or the session of that browser instead, or, in the sandbox, the pretend phone. (Where a published
//! rule opens a mini-program or an app owns the link, it never gets here.)

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::audit::AuditKind;
use mashang_login::handshake::Traveller;
use mashang_login::identity::ChannelKind;
use mashang_login::ids::ScanCode;
use mashang_login::ticket::{Origin, Stage, Status, Ticket};
use minijinja::{Value, context};

use super::here::{self, Asked, Here};
use super::{Outcome, proceed, result_page};
use crate::channel::{Channel, Platform, begin_trip};
use crate::login::face::sandbox_phone;
use crate::state::App;
use crate::web::device::Surroundings;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{account, audit, flow, urls, verification};

/// Routes a scan.
pub async fn entry(
    State(app): State<App>,
    visitor: Visitor,
    Path(ticket): Path<String>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    if let Some(file) = verification::of(&app, &ticket) {
        return Ok(file);
    }
    let code = ScanCode::parse(&ticket).map_err(|_| Problem::UnknownLogin)?;
    let Surroundings::Inside(platform) = visitor.surroundings() else {
        return elsewhere(&app, &visitor, &code).await;
    };
    let Some(ticket) = app.tickets.get(&code, app.now()).await? else {
        return Ok(result_page(&code, Outcome::Unknown));
    };
    if let Stage::Scanned { phone, by, .. } = &ticket.stage
        && visitor.phone() == Some(*phone)
    {
        // Whoever wrote the scan may have died, or waited in vain for the engine's answer, before it was recorded (SEC-78).
        if audit::is_recorded(&app, AuditKind::TicketScanned, &ticket).await == Some(false) {
            if ticket.is_untold
                && audit::is_recorded(&app, AuditKind::TicketStarted, &ticket).await == Some(false)
            {
                audit::started(&app, &ticket).await;
            }
            audit::of_ticket(&app, &visitor, AuditKind::TicketScanned, &ticket, Some(&by.channel)).await;
        }
        return Ok(see_other(&urls::of_scan(urls::CONFIRM, &code), &[]));
    }
    if let Some(before) = visitor.phone().and_then(|phone| Outcome::answered_by(&ticket, &phone)) {
        return Ok(result_page(&code, before));
    }
    match ticket.status(app.now()) {
        Status::Waiting => {}
        Status::Scanned | Status::Approved => return Ok(result_page(&code, Outcome::Taken)),
        Status::Redeemed | Status::Denied | Status::Expired => {
            return Ok(result_page(&code, Outcome::Unknown));
        }
    }
    let named = visitor.query("c");
    let Some(channel) = behind_our_link(&app, &visitor, &ticket, platform, named.as_deref()).await? else {
        return which_app(&app, &visitor, &code, Value::from(()));
    };
    // WeChat shows a page that asks for the person's name as soon as it is opened as a dead snapshot of it, with an invented
    // person: it must be the person who sets out, told what for (fact sheet §3, 微信网页授权能力调整公告 of 2022-07-12).
    if channel.kind() == ChannelKind::WechatOfficial && visitor.query(urls::TAPPED).is_none() {
        return ask_wechat(&app, &visitor, &ticket);
    }
    let (phone, cookies) = visitor.phone_or_new(&app);
    let (state, _) = begin_trip(&app, &visitor, channel, &ticket, (Traveller::Phone, phone)).await?;
    let page = channel.phone_page(&state)?.ok_or(Problem::NotFound)?;
    Ok(see_other(page.as_str(), &cookies))
}

/// Says what WeChat will ask, and why. Nothing has happened yet, and nobody is known.
fn ask_wechat(app: &App, visitor: &Visitor, ticket: &Ticket) -> Result<Response, Problem> {
    let Origin { site_name, site_host, .. } = &ticket.origin;
    let values = context! {
        site => context! { name => site_name, host => site_host },
        onward => visitor.here_with(urls::TAPPED, "1"),
    };
    Ok(app.pages.render(visitor, "ask_wechat.html", "ask_wechat.title", values)?.into_response())
}

/// The channel that our link leads to inside an app: the one that the link names, else the first, of those by which people
/// sign in to the website.
async fn behind_our_link<'a>(
    app: &'a App,
    visitor: &Visitor,
    ticket: &Ticket,
    platform: Platform,
    named: Option<&str>,
) -> Result<Option<&'a Channel>, Problem> {
    let asked = flow::asked_by(app, visitor.language, &ticket.grant).await?;
    let (grant, client) = asked.ok_or(Problem::UnknownLogin)?;
    let mut open = app
        .channels
        .for_client(&client, &grant.purpose)
        .filter(|channel| channel.platform() == platform && channel.opens_our_link())
        .peekable();
    let first = open.peek().copied();
    Ok(open.find(|channel| Some(channel.id.as_str()) == named).or(first))
}

/// Not inside an app that we know. The page says which app to open instead, and offers what the browser itself can prove;
/// of the ticket it tells no more than that. In the sandbox it is the pretend phone, unless a browser is meant.
async fn elsewhere(app: &App, visitor: &Visitor, code: &ScanCode) -> Result<Response, Problem> {
    let scan_url = app.site.absolute(&urls::of_scan(urls::SCAN, code));
    let means_browser = visitor.query("via").as_deref() == Some("browser");
    if let Some(phone) = sandbox_phone(app, &scan_url, None).filter(|_| !means_browser) {
        return Ok(see_other(&phone, &[]));
    }
    match here::waiting(app, visitor, code).await? {
        Here::Elsewhere(confirm) if confirm == urls::of_scan(urls::CONFIRM, code) => {
            Ok(see_other(&confirm, &[]))
        }
        Here::Elsewhere(_) => which_app(app, visitor, code, Value::from(())),
        Here::Waits(asked) => {
            let offers = offers(app, visitor, code, &asked).await?;
            which_app(app, visitor, code, offers)
        }
    }
}

/// What a phone's browser can prove by itself: a key of its device, and the session it has.
async fn offers(app: &App, visitor: &Visitor, code: &ScanCode, asked: &Asked) -> Result<Value, Problem> {
    let passkey = asked.passkey(app).map(|_| {
        context! {
            options => urls::of_scan(urls::SCAN_PASSKEY_OPTIONS, code),
            verify => urls::of_scan(urls::SCAN_PASSKEY_VERIFY, code),
        }
    });
    let session = flow::session_of(app, visitor).await?;
    let person = match (&visitor.brought.session, session) {
        (Some(secret), Some(session)) if asked.by_session(app, &session).await?.is_some() => Some(context! {
            name => account::name_of(app, visitor.language, &session.user).await?,
            action => urls::of_scan(urls::SCAN_CONTINUE, code),
            token => proceed::token(secret, code),
        }),
        _ => None,
    };
    Ok(context! { passkey, person })
}

/// The plain page that says which apps to scan with.
fn which_app(app: &App, visitor: &Visitor, code: &ScanCode, offers: Value) -> Result<Response, Problem> {
    let language = visitor.language;
    let usable = |platform: &Platform| {
        app.channels.iter().any(|channel| channel.platform() == *platform && channel.takes_our_link())
    };
    let apps: Vec<_> = Platform::SCANNING
        .into_iter()
        .filter(usable)
        .map(|platform| {
            let hint =
                app.pages.words.say(language, &format!("platform.{}.scan_hint", platform.as_str()), &[]);
            context! { label => platform.name(&app.pages.words, language), hint }
        })
        .collect();
    let app_href = app.channels.iter().find_map(|channel: &Channel| channel.app_link(code));
    let scan_url = app.site.absolute(&urls::of_scan(urls::SCAN, code));
    // Inside WeChat without an official account: a mini-program's link rule should have caught the link (fact sheet of
    // mini-programs §6).
    let rule_is_missing = visitor.surroundings() == Surroundings::Inside(Platform::WeChat)
        && app
            .channels
            .iter()
            .any(|channel| channel.kind() == ChannelKind::WechatMini && channel.takes_our_link());
    let values = context! { apps, app_href, scan_url, rule_is_missing, offers };
    Ok(app.pages.render(visitor, "open_in.html", "open_in.title", values)?.into_response())
}
