//! `GET /s/{scan code}/confirm`: the page that asks. It says which site, which browser, where and when, from what the
//! browser brought, not the phone (SEC-08); the number is not in it (SEC-09).

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::Timestamp;
use mashang_login::grant::{Grant, Purpose};
use mashang_login::ids::ScanCode;
use mashang_login::ticket::{Stage, Status, Ticket};
use minijinja::context;

use super::{Outcome, confirm_token, result_page};
use crate::channel::Platform;
use crate::state::App;
use crate::web::device::Surroundings;
use crate::web::headers::{Csp, source_of};
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{brand, urls};

/// Asks the person.
pub async fn confirm(
    State(app): State<App>,
    visitor: Visitor,
    Path(ticket): Path<String>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let code = ScanCode::parse(&ticket).map_err(|_| Problem::UnknownLogin)?;
    let Some(secret) = &visitor.brought.phone else { return Ok(result_page(&code, Outcome::Unknown)) };
    let Some(ticket) = app.tickets.get(&code, app.now()).await? else {
        return Ok(result_page(&code, Outcome::Unknown));
    };
    match (&ticket.stage, ticket.status(app.now())) {
        (Stage::Scanned { by, phone, .. }, Status::Scanned) if *phone == secret.hash() => {
            let origin = ticket.origin.clone();
            let number_required = !is_same_device(&visitor, &ticket);
            let asked = app.records.grant_and_client(&ticket.grant).await?;
            let grant = asked.as_ref().map(|(grant, _)| grant);
            let links = grant.is_some_and(|grant| matches!(grant.purpose, Purpose::Link { .. }));
            let say = |key: &str| app.pages.words.say(visitor.language, key, &[]);
            let values = context! {
                brand => brand::behind(asked.as_ref()),
                links,
                heading => say(if links { "account.confirm_heading" } else { "confirm.heading" }),
                approve => say(if links { "account.confirm_approve" } else { "confirm.approve" }),
                site => context! { name => origin.site_name, host => origin.site_host },
                origin => context! {
                    device => origin.device,
                    address => origin.address,
                    at => local_time(origin.at),
                },
                person => context! { name => by.profile.nickname.clone() },
                number_required,
                actions => context! {
                    approve => urls::of_scan(urls::APPROVE, &code),
                    deny => urls::of_scan(urls::DENY, &code),
                },
                confirm_token => confirm_token(secret, &code),
                app_label => Platform::of(by.key.kind).name(&app.pages.words, visitor.language),
            };
            let page = app.pages.render(&visitor, "confirm.html", "confirm.title", values)?;
            Ok(page.with_csp(csp(grant, number_required)).into_response())
        }
        (_, Status::Scanned) => Ok(result_page(&code, Outcome::Taken)),
        _ => {
            let before = Outcome::answered_by(&ticket, &secret.hash());
            Ok(result_page(&code, before.unwrap_or(Outcome::Unknown)))
        }
    }
}

/// Where the form may lead: to our own pages, and on the same device on to the website, because browsers apply
/// `form-action` to every redirect of a submission.
fn csp(grant: Option<&Grant>, number_required: bool) -> Csp {
    let grant = grant.filter(|_| !number_required);
    let website = grant.and_then(|grant| source_of(&grant.request.redirect_uri));
    Csp { form_leads_to: website, ..Csp::default() }
}

/// Whether the phone and the waiting browser are one and the same browser on a phone, as when a person logs in inside
/// WeChat itself: then there is no other screen to compare a number with (SEC-11). On a computer the number costs
/// nothing, so there it is always asked, even if the sandbox's phone is only another tab.
#[must_use]
pub fn is_same_device(visitor: &Visitor, ticket: &Ticket) -> bool {
    visitor.surroundings() != Surroundings::Desktop
        && visitor.browser().is_some_and(|browser| ticket.belongs_to(&browser))
}

/// Clock time with its offset. Most of our people live in UTC+8, and a server rarely knows better.
pub(crate) fn local_time(at: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S (UTC+8)").to_string()
}
