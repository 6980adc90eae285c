//! Passkeys: a question is kept as a challenge of the device that asked, and an answer to it proves whose key it is.
//!
//! The same for the login page ([`crate::login::passkey`]) and the page that a phone's camera opened
//! ([`crate::scan::passkey`]); keys are added on the person's own page ([`crate::account::passkey`]). What a key says is
//! judged by [`party`], and nothing here looks into it.

pub mod party;
mod refused;

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use mashang_login::Timestamp;
use mashang_login::audit::AuditKind;
use mashang_login::challenge::{Challenge, ChallengeKind};
use mashang_login::client::{Client, is_loopback};
use mashang_login::credentials::{PasskeyRecord, passkey_key};
use mashang_login::grant::Purpose;
use mashang_login::identity::{Attributes, Profile, Proof};
use mashang_login::ids::ScanCode;
use mashang_login::secret::SecretHash;
use serde_json::json;
use url::Url;
use webauthn_rs::prelude::{PublicKeyCredential, WebauthnError};

use self::party::{Question, RelyingParty, challenge_of};
pub use self::refused::Refused;
use crate::audit;
use crate::channel::{Channel, Means};
use crate::state::App;
use crate::web::pages::set_cookies;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// How long a question stays open: as long as browsers are told to wait (WebAuthn §15.1).
const OPEN: Duration = Duration::from_secs(300);
/// Questions that one ticket may have open, of phones that opened its link.
const PLACES_OF_A_TICKET: u8 = 8;

/// A body that no browser of this protocol sends.
pub const MALFORMED: Problem = Problem::BadRequest("this is no answer of a passkey");

/// Where the page's script goes next.
#[must_use]
pub fn onward(address: &str, cookies: &[String]) -> Response {
    let mut response = Json(json!({ "redirect": address })).into_response();
    set_cookies(&mut response, cookies);
    response
}

/// The same place by a name, where an address of numbers means this very machine.
#[must_use]
pub fn named_address(public_url: &str) -> Option<String> {
    let mut url = Url::parse(public_url).ok().filter(is_loopback)?;
    url.set_host(Some("localhost")).ok()?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

/// The first passkey channel by which a client's grant may be answered, and its relying party.
#[must_use]
pub fn offered<'a>(
    app: &'a App,
    client: &Client,
    purpose: &Purpose,
) -> Option<(&'a Channel, &'a RelyingParty)> {
    app.channels.for_client(client, purpose).find_map(|channel| Some((channel, party_of(channel)?)))
}

/// The relying party of a passkey channel, if browsers can make keys for our address.
#[must_use]
pub fn party_of(channel: &Channel) -> Option<&RelyingParty> {
    match &channel.means {
        Means::Passkey(passkey) => passkey.party(),
        _ => None,
    }
}

/// A device that is asked for a key, and where its question lies: one at a time, so that asking again and again fills nothing.
#[derive(Debug, Clone)]
pub struct Asker {
    secret: SecretHash,
    place: String,
    until: Option<Timestamp>,
}

impl Asker {
    /// A browser by the hash of its secret, which came with a login that was counted.
    #[must_use]
    pub fn browser(secret: SecretHash) -> Self {
        Self { secret, place: secret.to_text(), until: None }
    }

    /// A phone before a ticket that waits until `until`. Its secret is of its own making, and anybody has any number of them: so all
    /// phones before one ticket share a few places.
    #[must_use]
    pub fn phone(secret: SecretHash, ticket: &ScanCode, until: Option<Timestamp>) -> Self {
        let share = secret.to_text().as_bytes().first().map_or(0, |byte| byte % PLACES_OF_A_TICKET);
        Self { secret, place: format!("{}/{share}", ticket.as_str()), until }
    }
}

/// Keeps a question for a device; the answer for its script.
///
/// # Errors
/// [`Problem::Store`] at the ceiling of open questions, [`Problem::Broken`] if the library cannot ask.
pub async fn ask(
    app: &App,
    kind: ChallengeKind,
    asker: &Asker,
    question: Result<Question, WebauthnError>,
) -> Result<Response, Problem> {
    let question = question.map_err(|error| Problem::Broken(format!("webauthn: {error}")))?;
    let now = app.now();
    let challenge = Challenge {
        id: slot(kind, asker),
        bound_to: asker.secret,
        kind,
        state: question.state,
        answer: Some(SecretHash::of(&question.challenge)),
        attempts_left: 1,
        expires_at: asker.until.map_or(now + OPEN, |until| until.min(now + OPEN)),
    };
    app.challenges.put(&challenge, now).await?;
    Ok(Json(question.options).into_response())
}

fn slot(kind: ChallengeKind, asker: &Asker) -> SecretHash {
    SecretHash::of(&format!("passkey:{kind:?}:{}", asker.place))
}

/// Takes the question that an answer names: once, and only for the device that asked it. The library's state comes back.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer.
pub async fn take_question(
    app: &App,
    kind: ChallengeKind,
    asker: &Asker,
    client_data: &[u8],
) -> Result<Result<String, Refused>, Problem> {
    let Some(named) = challenge_of(client_data) else { return Ok(Err(Refused::NotProven("client data"))) };
    let (id, named) = (slot(kind, asker), SecretHash::of(&named));
    let now = app.now();
    let is_theirs = |found: &Challenge| {
        found.kind == kind && found.bound_to == asker.secret && found.answer.as_ref() == Some(&named)
    };
    if !app.challenges.get(&id, now).await?.is_some_and(|found| is_theirs(&found)) {
        return Ok(Err(Refused::Late));
    }
    let taken = app.challenges.take(&id, now).await?;
    Ok(taken.filter(is_theirs).map(|found| found.state).ok_or(Refused::Late))
}

/// Whose key answered, as a proof for the login that waits.
///
/// # Errors
/// [`Problem::Store`] when the store does not answer; the inner error says why the key does not count.
pub async fn prove(
    app: &App,
    visitor: &Visitor,
    (channel, party): (&Channel, &RelyingParty),
    asker: &Asker,
    answer: &PublicKeyCredential,
) -> Result<Result<Proof, Refused>, Problem> {
    let client_data = &answer.response.client_data_json;
    let state = match take_question(app, ChallengeKind::PasskeyLogin, asker, client_data).await? {
        Ok(state) => state,
        Err(refused) => return Ok(Err(refused)),
    };
    let key = passkey_key(party.id(), answer.get_credential_id());
    let Some(record) = app.credentials.passkey(&key).await? else { return Ok(Err(Refused::Unknown)) };
    let data = match party.judge(&state, answer, &record.data) {
        Ok(data) => data,
        Err(refused) => {
            note(app, visitor, channel, &record, refused).await;
            return Ok(Err(refused));
        }
    };
    let person = app.records.user(&record.user).await?;
    let now = app.now();
    if !app.credentials.passkey_used(&key, &data, now).await? {
        return Ok(Err(Refused::Unknown));
    }
    Ok(Ok(Proof {
        channel: channel.id.clone(),
        key,
        union: None,
        // A key names nobody; the confirm page shall.
        profile: Profile { nickname: person.and_then(|person| person.nickname), picture: None },
        attributes: Attributes::default(),
        proven_at: now,
        password_set_at: None,
    }))
}

/// A known key that does not count is worth a line, and one that may exist twice a record.
async fn note(app: &App, visitor: &Visitor, channel: &Channel, record: &PasskeyRecord, refused: Refused) {
    let user = &record.user;
    match refused {
        Refused::Cloned => {
            tracing::warn!(
                user.id = %user,
                channel.id = %channel.id,
                "the counter of a passkey of {user} went back, so there may be two of it; refused. They should remove it on \
                 /account and add a new one"
            );
            let mut event = audit::by(app, visitor, AuditKind::SignInRefused);
            event.user = Some(user.clone());
            event.channel = Some(channel.id.clone());
            audit::write(app, event).await;
        }
        Refused::NotProven(what) => {
            tracing::info!(user.id = %user, "an answer in the name of a passkey of {user} was refused: {what}");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use mashang_login::ambient::SystemEntropy;

    use super::*;

    #[test]
    fn sec_79_phones_before_one_ticket_share_a_few_places_and_no_other_tickets() {
        let places = |ticket: &ScanCode| -> HashSet<SecretHash> {
            let phones = (0..500).map(|n| SecretHash::of(&format!("phone {n}")));
            phones
                .map(|phone| slot(ChallengeKind::PasskeyLogin, &Asker::phone(phone, ticket, None)))
                .collect()
        };
        let (one, other) = (ScanCode::random(&SystemEntropy), ScanCode::random(&SystemEntropy));
        assert_eq!(places(&one).len(), usize::from(PLACES_OF_A_TICKET));
        assert!(places(&one).is_disjoint(&places(&other)));
    }
}
