//! `POST /account/passkey/…`: a new passkey, asked for by the page's script, and another name for one. Taking one away is
//! [`super::unlink`].

use axum::Json;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use mashang_login::audit::AuditKind;
use mashang_login::challenge::ChallengeKind;
use mashang_login::credentials::{AddPasskey, PasskeyRecord, passkey_key};
use mashang_login::identity::clean_name;
use serde::Deserialize;
use webauthn_rs::prelude::RegisterPublicKeyCredential;

use super::{INCOMPLETE, Notice, Person, name_of, of_identity};
use crate::channel::Channel;
use crate::passkey::party::{Holder, RelyingParty};
use crate::passkey::{self, Asker, Refused, onward, party_of};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, urls};

/// The script's first request.
#[derive(Deserialize)]
pub struct Wanted {
    token: String,
}

/// The device's answer.
#[derive(Deserialize)]
pub struct Made {
    token: String,
    #[serde(default)]
    name: String,
    credential: RegisterPublicKeyCredential,
}

/// The form of a passkey's name.
#[derive(Deserialize)]
pub struct Renamed {
    token: String,
    name: String,
}

/// A question for a device that has no key of this person yet; without a fresh approval, where to get one.
pub async fn options(
    State(app): State<App>,
    visitor: Visitor,
    wanted: Result<Json<Wanted>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(wanted) = wanted.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(onward(urls::ACCOUNT, &[])) };
    if !person.holds("passkey", &wanted.token) {
        return Err(Problem::CrossSite);
    }
    let (_, party) = place(&app)?;
    if !person.is_fresh(&app) {
        let to = person.ask_again(&app, &visitor).await?;
        return Ok(onward(&to.address, &to.cookies));
    }
    app.count(Counted::Question, visitor.address).await?;
    let known = app.credentials.passkeys_of(person.user()).await?;
    let display_name = name_of(&app, visitor.language, person.user()).await?;
    let password = app.credentials.password_of(person.user()).await?;
    let name = password.map_or_else(|| display_name.clone(), |password| password.username.to_string());
    let holder = Holder { user: person.user(), name: &name, display_name: &display_name };
    let question = party.ask_for_new_key(&holder, &known);
    passkey::ask(&app, ChallengeKind::PasskeyAdd, &Asker::browser(person.secret.hash()), question).await
}

/// Keeps the new key. The question was asked of this very session when its approval was fresh, and lives minutes.
pub async fn add(
    State(app): State<App>,
    visitor: Visitor,
    made: Result<Json<Made>, JsonRejection>,
) -> Result<Response, Problem> {
    let Json(made) = made.map_err(|_| passkey::MALFORMED)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(onward(urls::ACCOUNT, &[])) };
    if !person.holds("passkey", &made.token) {
        return Err(Problem::CrossSite);
    }
    match keep(&app, &visitor, &person, &made).await? {
        Ok(AddPasskey::Done) => Ok(onward(&Notice::PasskeyAdded.address(), &[])),
        Ok(AddPasskey::Known) => Ok(Refused::Taken.into_response()),
        Ok(AddPasskey::SessionOver) => Ok(onward(urls::ACCOUNT, &[])),
        Err(refused) => Ok(refused.into_response()),
    }
}

async fn keep(
    app: &App,
    visitor: &Visitor,
    person: &Person,
    made: &Made,
) -> Result<Result<AddPasskey, Refused>, Problem> {
    let (channel, party) = place(app)?;
    let client_data = &made.credential.response.client_data_json;
    let asker = Asker::browser(person.secret.hash());
    let state = match passkey::take_question(app, ChallengeKind::PasskeyAdd, &asker, client_data).await? {
        Ok(state) => state,
        Err(refused) => return Ok(Err(refused)),
    };
    let key = match party.judge_new(&state, &made.credential, person.user()) {
        Ok(key) => key,
        Err(refused) => return Ok(Err(refused)),
    };
    let now = app.now();
    let record = PasskeyRecord {
        key: passkey_key(party.id(), &key.id),
        user: person.user().clone(),
        name: clean_name(&made.name).unwrap_or_else(|| visitor.device()),
        data: key.data,
        created_at: now,
        last_used_at: None,
    };
    let added = app.credentials.add_passkey(&record, &channel.id, &person.session.id, now).await?;
    if added != AddPasskey::Done {
        return Ok(Ok(added));
    }
    let mut event = audit::by(app, visitor, AuditKind::PasskeyAdded);
    event.user = Some(record.user);
    event.channel = Some(channel.id.clone());
    audit::write(app, event).await;
    Ok(Ok(added))
}

/// Gives a passkey another name; an empty one changes nothing.
pub async fn rename(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Renamed>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(renamed) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    let records = app.credentials.passkeys_of(person.user()).await?;
    let named = records.iter().find(|one| person.holds(&of_identity("rename", &one.key), &renamed.token));
    let Some(record) = named else { return Err(Problem::CrossSite) };
    if !person.is_fresh(&app) {
        return Ok(person.ask_again(&app, &visitor).await?.into_redirect());
    }
    let Some(name) = clean_name(&renamed.name) else { return Ok(see_other(urls::ACCOUNT, &[])) };
    app.credentials.rename_passkey(person.user(), &record.key, &name).await?;
    Ok(see_other(&Notice::PasskeyRenamed.address(), &[]))
}

/// The first channel by which keys can be made at our address.
fn place(app: &App) -> Result<(&Channel, &RelyingParty), Problem> {
    let found = app.channels.iter().find_map(|channel| Some((channel, party_of(channel)?)));
    found.ok_or(Problem::BadRequest("passkeys cannot be made here"))
}
