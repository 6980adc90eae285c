//! `POST /s/{scan code}/passkey/options` and `…/passkey/verify`: a phone's own browser says who holds it by a passkey
//! instead of an app. That is the scan and no more; the confirm page asks as ever (promise 2).

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::challenge::ChallengeKind;
use mashang_login::ids::ScanCode;
use webauthn_rs::prelude::PublicKeyCredential;

use super::here::{self, Here};
use crate::passkey::{self, Asker, Refused, onward};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::pages::set_cookies;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// A question for a key, bound to this phone.
pub async fn options(
    State(app): State<App>,
    visitor: Visitor,
    Path(ticket): Path<String>,
) -> Result<Response, Problem> {
    app.count(Counted::Question, visitor.address).await?;
    let code = ScanCode::parse(&ticket).map_err(|_| Problem::UnknownLogin)?;
    let asked = match here::waiting(&app, &visitor, &code).await? {
        Here::Waits(asked) => asked,
        Here::Elsewhere(address) => return Ok(onward(&address, &[])),
    };
    let (_, party) = asked.passkey(&app).ok_or(NOT_HERE)?;
    let (phone, cookies) = visitor.phone_or_new(&app);
    let question = party.ask_for_key();
    let asker = Asker::phone(phone, &code, asked.deadline());
    let mut response = passkey::ask(&app, ChallengeKind::PasskeyLogin, &asker, question).await?;
    set_cookies(&mut response, &cookies);
    Ok(response)
}

/// The key's answer: on to the confirm page, or a word that says why the key does not count.
pub async fn verify(
    State(app): State<App>,
    visitor: Visitor,
    Path(ticket): Path<String>,
    answer: Result<Json<PublicKeyCredential>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(answer) = answer.map_err(|_| passkey::MALFORMED)?;
    let code = ScanCode::parse(&ticket).map_err(|_| Problem::UnknownLogin)?;
    let Some(phone) = visitor.phone() else { return Ok(Refused::Late.into_response()) };
    let asked = match here::waiting(&app, &visitor, &code).await? {
        Here::Waits(asked) => asked,
        Here::Elsewhere(address) => return Ok(onward(&address, &[])),
    };
    let offered = asked.passkey(&app).ok_or(NOT_HERE)?;
    let asker = Asker::phone(phone, &code, asked.deadline());
    match passkey::prove(&app, &visitor, offered, &asker, &answer).await? {
        Ok(proof) => Ok(onward(&here::bind(&app, &visitor, &code, phone, proof).await?, &[])),
        Err(refused) => Ok(refused.into_response()),
    }
}

const NOT_HERE: Problem = Problem::BadRequest("there is no such way to sign in here");
