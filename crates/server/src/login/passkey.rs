//! `POST …/passkey/options` and `…/passkey/verify`: the login page's script asks a key on this device, and hands its
//! answer in. The key proves the person by itself; the ticket is approved and collected at once.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::challenge::ChallengeKind;
use minijinja::{Value, context};
use webauthn_rs::prelude::PublicKeyCredential;

use super::way;
use crate::channel::{Channel, passkey::Passkey};
use crate::flow::{self, Waiting};
use crate::passkey::party::RelyingParty;
use crate::passkey::{self, Asker, onward};
use crate::state::App;
use crate::urls;
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// A question for a key.
pub async fn options(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.count(Counted::Question, visitor.address).await?;
    let waiting = flow::of_browser(&app, &visitor, &grant, &ticket).await?;
    let (_, party) = offered(&app, &waiting)?;
    let asker = Asker::browser(waiting.browser);
    passkey::ask(&app, ChallengeKind::PasskeyLogin, &asker, party.ask_for_key()).await
}

/// The key's answer: where the browser goes, or a word that says why the key does not count.
pub async fn verify(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
    answer: Result<Json<PublicKeyCredential>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(answer) = answer.map_err(|_| passkey::MALFORMED)?;
    let waiting = flow::of_browser(&app, &visitor, &grant, &ticket).await?;
    let (channel, party) = offered(&app, &waiting)?;
    let asker = Asker::browser(waiting.browser);
    let proof = match passkey::prove(&app, &visitor, (channel, party), &asker, &answer).await? {
        Ok(proof) => proof,
        Err(refused) => return Ok(refused.into_response()),
    };
    let mut gone = flow::prove_here(&app, &visitor, waiting, proof).await?;
    gone.cookies.push(way::remember(&app, channel));
    Ok(onward(&gone.address, &gone.cookies))
}

fn offered<'a>(app: &'a App, waiting: &Waiting) -> Result<(&'a Channel, &'a RelyingParty), Problem> {
    if !waiting.grant.is_open(app.now()) {
        return Err(flow::over(waiting));
    }
    let offered = passkey::offered(app, &waiting.client, &waiting.grant.purpose);
    offered.ok_or(Problem::BadRequest("there is no such way to sign in here"))
}

/// What `ways/passkey.html` shows.
pub(super) fn values(app: &App, waiting: &Waiting, passkey: &Passkey) -> Value {
    let address = |pattern| {
        let ticket = waiting.ticket.as_ref();
        ticket.map(|ticket| urls::of_ticket(pattern, &waiting.grant.id, &ticket.scan_code))
    };
    context! {
        options => address(urls::PASSKEY_OPTIONS),
        verify => address(urls::PASSKEY_VERIFY),
        // Browsers make no keys for an address of numbers; on this machine there is another name for it.
        instead => passkey.party().is_none().then(|| passkey::named_address(&app.site.public_url)),
        is_possible => passkey.party().is_some(),
    }
}
