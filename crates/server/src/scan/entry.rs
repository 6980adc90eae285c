//! `GET /s/{scan code}`: whoever opens the QR is routed by what they hold (聚合码). Inside WeChat that is web
//! authorization; a plain camera is told which app to use, or, in the sandbox, handed to the pretend phone.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::handshake::Traveller;
use mashang_login::ids::ScanCode;
use mashang_login::ticket::{Stage, Status};
use minijinja::context;

use super::{Outcome, result_page};
use crate::channel::{Means, begin_trip};
use crate::login::page::sandbox_phone;
use crate::state::App;
use crate::urls;
use crate::web::device::Surroundings;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// Routes a scan.
pub async fn entry(
    State(app): State<App>,
    visitor: Visitor,
    Path(ticket): Path<String>,
) -> Result<Response, Problem> {
    app.limits.count(Counted::Poll, visitor.address)?;
    let code = ScanCode::parse(&ticket).map_err(|_| Problem::UnknownLogin)?;
    if visitor.surroundings != Surroundings::WeChat {
        return elsewhere(&app, &visitor, &code);
    }
    let Some(ticket) = app.tickets.get(&code, app.now()).await? else {
        return Ok(result_page(&code, Outcome::Unknown));
    };
    if let Stage::Scanned { phone, .. } = &ticket.stage
        && visitor.phone() == Some(*phone)
    {
        return Ok(see_other(&urls::of_scan(urls::CONFIRM, &code), &[]));
    }
    match ticket.status(app.now()) {
        Status::Waiting => {}
        Status::Scanned | Status::Approved => return Ok(result_page(&code, Outcome::Taken)),
        Status::Redeemed | Status::Denied | Status::Expired => {
            return Ok(result_page(&code, Outcome::Unknown));
        }
    }
    let Some(channel) = app.channels.behind_our_qr() else { return elsewhere(&app, &visitor, &code) };
    let Means::WechatOfficial(official) = &channel.means else { return Err(Problem::NotFound) };
    let (phone, cookies) = visitor.phone_or_new(&app);
    let (state, _) = begin_trip(&app, &visitor, channel, &ticket, (Traveller::Phone, phone)).await?;
    Ok(see_other(official.page(&state)?.as_str(), &cookies))
}

/// Not inside WeChat: nothing about the ticket is looked up or told.
fn elsewhere(app: &App, visitor: &Visitor, code: &ScanCode) -> Result<Response, Problem> {
    let scan_url = app.site.absolute(&urls::of_scan(urls::SCAN, code));
    if let Some(phone) = sandbox_phone(app, &scan_url) {
        return Ok(see_other(&phone, &[]));
    }
    let words = |key: &str| app.pages.words.say(visitor.language, key, &[]);
    let apps: Vec<_> = app
        .channels
        .behind_our_qr()
        .into_iter()
        .map(|_| context! { label => words("open_in.wechat.label"), hint => words("open_in.wechat.hint") })
        .collect();
    let values = context! { apps, continue_href => (), scan_url };
    Ok(app.pages.render(visitor, "open_in.html", "open_in.title", values)?.into_response())
}
