//! `/s/{scan code}/from/{link}`: the one-time link that a scanner got by message leads to the confirm page.
//!
//! Opening it changes nothing, because messengers look at links before people do (SEC-07); the page that opens sends its
//! form at once, and that binds the phone. From then on the link is worth nothing.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::identity::{Proof, UnionLink};
use mashang_login::ids::ScanCode;
use mashang_login::secret::ArrivalSecret;
use mashang_login::ticket::Refusal;
use minijinja::context;

use super::{Outcome, result_page};
use crate::channel::Means;
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{flow, urls};

/// A page that sends itself on.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Path((ticket, link)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let (code, link) = parse(&ticket, &link)?;
    let action = urls::of_scan(urls::ARRIVE, &code).replace("{link}", link.expose());
    let page = app.pages.render(&visitor, "arrive.html", "arrive.title", context! { action })?;
    Ok(page.into_response())
}

/// Binds this phone, and goes on to the confirm page.
pub async fn arrive(
    State(app): State<App>,
    visitor: Visitor,
    Path((ticket, link)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let (code, link) = parse(&ticket, &link)?;
    let now = app.now();
    let Some(ticket) = app.tickets.get(&code, now).await? else {
        return Ok(result_page(&code, Outcome::Unknown));
    };
    let confirm = urls::of_scan(urls::CONFIRM, &code);
    let learned = match ticket.scanned_by(&link.hash(), now) {
        Ok((proof, _)) => union_of(&app, &visitor, proof, &code, &link).await?,
        // The same phone opens its link again: the confirm page is where it belongs.
        Err(Refusal::NotYours)
            if visitor.phone().is_some_and(|phone| ticket.scanned_by(&phone, now).is_ok()) =>
        {
            return Ok(see_other(&confirm, &[]));
        }
        Err(refusal) => return Ok(result_page(&code, Outcome::of(refusal))),
    };
    let (phone, cookies) = visitor.phone_or_new(&app);
    let moved = flow::advance(&app, &code, |ticket, now| {
        ticket.hand_over(&link.hash(), phone, |proof| proof.union.clone_from(&learned), now)
    })
    .await?;
    match moved {
        Ok(_) => Ok(see_other(&confirm, &cookies)),
        Err(refusal) => Ok(result_page(&code, Outcome::of(refusal))),
    }
}

fn parse(ticket: &str, link: &str) -> Result<(ScanCode, ArrivalSecret), Problem> {
    let code = ScanCode::parse(ticket).map_err(|_| Problem::UnknownLogin)?;
    let link = ArrivalSecret::parse(link).ok_or(Problem::UnknownLogin)?;
    Ok((code, link))
}

/// An event names an openid only; the unionid is asked for now, where the operator declared the account's platform.
async fn union_of(
    app: &App,
    visitor: &Visitor,
    proof: &Proof,
    code: &ScanCode,
    link: &ArrivalSecret,
) -> Result<Option<UnionLink>, Problem> {
    let channel = app.channels.get(proof.channel.as_str()).ok_or(Problem::UnknownLogin)?;
    let Means::WechatOfficial(official) = &channel.means else { return Ok(None) };
    let found = official.account.union_of_follower(app, &proof.key.subject, visitor.language).await;
    found.map_err(|failure| Problem::Channel {
        words: failure.words,
        platform: channel.platform(),
        errcode: failure.errcode,
        channel: channel.id.clone(),
        log: Some(failure.log),
        retry: urls::of_scan(urls::ARRIVE, code).replace("{link}", link.expose()),
    })
}
