//! The phone API: how a mini-program's page and the operator's own app take part in a login. JSON in, JSON out, no
//! cookies, nothing for other websites' pages. `docs/phone-api.md` is its manual.
//!
//! ```text
//!   scan ──► context ──► (phone-number) ──► approve | deny
//! ```
//!
//! - Who the person is comes from our own exchange with the platform, or from a verified bearer token; a request that
//!   names a person otherwise is refused ([`body`], SEC-22, SEC-24).
//! - `phone_token` takes the place of the phone's cookie: made at the scan, needed by everything after it (SEC-06).
//! - The number is always asked: nothing that a phone says can show that it is the waiting browser (SEC-09).
//!
//! Every call goes through [`call`], every step of a ticket through [`crate::flow::advance`].

pub mod answer;
pub mod body;
pub mod call;
pub mod context;
pub mod mini;
pub mod phone_number;
pub mod prover;
pub mod refused;
pub mod scan;

use axum::Json;
use axum::response::{IntoResponse, Response};
use mashang_login::Timestamp;
use mashang_login::grant::Purpose;
use mashang_login::ticket::Ticket;
use serde_json::{Value, json};

use self::call::Call;
use self::refused::Refused;
use crate::account;
use crate::state::App;
use crate::web::visitor::Visitor;

/// What the person is told about the request: what it ends in, and what the browser brought, never the number itself
/// (SEC-08). Where an identity is added, whose account it is added to stands apart: that person chose the name (SEC-38).
async fn login(call: &Call<'_>, ticket: &Ticket) -> Result<Value, Refused> {
    let Purpose::Link { user } = &call.grant.purpose else {
        return Ok(facts(ticket, "sign_in", &ticket.origin.site_name));
    };
    let language = call.visitor.language;
    let site = call.app.pages.words.say(language, "account.link_site", &[]);
    let mut told = facts(ticket, "link", &site);
    told["account"] = account::name_of(call.app, language, user).await?.into();
    Ok(told)
}

fn facts(ticket: &Ticket, purpose: &str, site: &str) -> Value {
    let origin = &ticket.origin;
    json!({
        "purpose": purpose,
        "site": site,
        "host": origin.site_host,
        "device": origin.device,
        "address": origin.address,
        "at": origin.at,
        "number_digits": ticket.number.digits().len(),
    })
}

/// Whole seconds until the present stage ends.
fn seconds_left(ticket: &Ticket, now: Timestamp) -> i64 {
    ticket.deadline().map_or(0, |until| until.duration_since(now).as_secs().max(0))
}

/// The answer, or the refusal in the caller's language.
fn told(app: &App, visitor: &Visitor, outcome: Result<Value, Refused>) -> Response {
    match outcome {
        Ok(body) => Json(body).into_response(),
        Err(refused) => refused.tell(app, visitor),
    }
}
