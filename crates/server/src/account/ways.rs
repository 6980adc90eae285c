//! The ways to sign in, as the page lists them: identities of platforms and addresses, passkeys, and what can be added. (The
//! form of name and password is [`super::password`]'s.)

use mashang_login::grant::Purpose;
use mashang_login::identity::{ChannelKind, Identity};
use minijinja::{Value, context};

use super::page::day;
use super::{Person, of_identity};
use crate::channel::Channel;
use crate::passkey::{self, party_of};
use crate::state::App;
use crate::urls;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// `{identities, passkeys none|{…}, channels, link_token, may_unlink}`
pub(super) async fn values(
    app: &App,
    visitor: &Visitor,
    person: &Person,
    identities: &[Identity],
) -> Result<Value, Problem> {
    let rows: Vec<Value> = identities
        .iter()
        .filter(|identity| !identity.key.kind.is_held_here())
        .map(|identity| row(app, visitor, person, identity))
        .collect();
    let linking = Purpose::Link { user: person.user().clone() };
    let channels: Vec<Value> = app
        .channels
        .serving(&linking)
        .map(|one| context! { id => one.id.as_str(), label => one.label(&app.pages.words, visitor.language) })
        .collect();
    Ok(context! {
        identities => rows,
        passkeys => passkeys(app, visitor, person).await?,
        channels,
        link_token => person.token("link"),
        may_unlink => identities.len() > 1,
    })
}

fn row(app: &App, visitor: &Visitor, person: &Person, identity: &Identity) -> Value {
    let is_address = identity.key.kind == ChannelKind::Email;
    let address = identity.attributes.email.clone().filter(|_| is_address);
    context! {
        label => label(app, visitor, identity),
        app => (!matches!(identity.key.kind, ChannelKind::Email | ChannelKind::Sms)).then(|| identity.key.app.clone()),
        account => address.unwrap_or_else(|| masked(&identity.key.subject)),
        name => identity.profile.nickname.clone(),
        since => day(identity.created_at),
        last_used => day(identity.last_used_at),
        is_in_use => identity.key == person.session.identity,
        token => person.unlink_token(&identity.key),
    }
}

/// The passkeys and how to add one; `None` where there is no passkey channel and the person has none.
async fn passkeys(app: &App, visitor: &Visitor, person: &Person) -> Result<Option<Value>, Problem> {
    let records = app.credentials.passkeys_of(person.user()).await?;
    let is_configured = app.channels.iter().any(|channel| channel.kind() == ChannelKind::Passkey);
    if records.is_empty() && !is_configured {
        return Ok(None);
    }
    let rows: Vec<Value> = records
        .iter()
        .map(|record| {
            context! {
                name => record.name.clone(),
                since => day(record.created_at),
                last_used => record.last_used_at.map(day),
                is_in_use => record.key == person.session.identity,
                rename_token => person.token(&of_identity("rename", &record.key)),
                unlink_token => person.unlink_token(&record.key),
            }
        })
        .collect();
    let can_add = app.channels.iter().any(|channel| party_of(channel).is_some());
    let add = can_add.then(|| {
        context! {
            options => urls::ACCOUNT_PASSKEY_OPTIONS,
            verify => urls::ACCOUNT_PASSKEY_ADD,
            token => person.token("passkey"),
            name => visitor.device(),
        }
    });
    let instead = if can_add { None } else { passkey::named_address(&app.site.public_url) };
    Ok(Some(context! { rows, add, instead }))
}

/// What the channel is called now; its kind when it is configured no more.
fn label(app: &App, visitor: &Visitor, identity: &Identity) -> String {
    label_of(app, visitor, app.channels.get(identity.channel.as_str()), identity.key.kind.as_str())
}

/// What a way to sign in is called: the channel's own label, else the words for its kind.
pub(super) fn label_of(app: &App, visitor: &Visitor, channel: Option<&Channel>, kind: &str) -> String {
    let words = &app.pages.words;
    match channel {
        Some(channel) => channel.label(words, visitor.language),
        None => words.say(visitor.language, &format!("channel.{kind}"), &[]),
    }
}

/// Enough to tell two accounts apart, and no more (promise 10): openids of one app begin alike, so it is their end.
fn masked(subject: &str) -> String {
    let characters: Vec<char> = subject.chars().collect();
    let shown = if characters.len() > 8 { 4 } else { 1 };
    let end: String = characters[characters.len().saturating_sub(shown)..].iter().collect();
    format!("…{end}")
}
