//! What happened lately: the person's logins, and changes of how they sign in (SEC-38), as the audit trail tells them.

use mashang_login::audit::{AuditEvent, AuditKind};
use minijinja::{Value, context};

use super::page::minute;
use super::ways::label_of;
use super::{CLIENT, Person};
use crate::state::App;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// How many logins are shown.
const SHOWN: u32 = 20;
/// How many changes are shown among them.
const CHANGES_SHOWN: u32 = 10;
const LOGINS: [AuditKind; 2] = [AuditKind::SignedIn, AuditKind::SessionContinued];
const CHANGES: [AuditKind; 4] =
    [AuditKind::IdentityLinked, AuditKind::IdentityUnlinked, AuditKind::PasskeyAdded, AuditKind::PasswordSet];

/// `[{at, site, way, device, address, token}]`, newest first.
pub(super) async fn values(app: &App, visitor: &Visitor, person: &Person) -> Result<Vec<Value>, Problem> {
    let mut rows = Vec::new();
    for event in recent(app, person).await? {
        let way = match (&event.kind, &event.channel) {
            (AuditKind::SessionContinued, _) => say(app, visitor, "account.by_session"),
            // Nobody's browser: a command did it.
            _ if event.address.is_none() => say(app, visitor, "account.changed.by_operator"),
            (_, None) => String::new(),
            (_, Some(id)) => match app.channels.get(id.as_str()) {
                Some(channel) => label_of(app, visitor, Some(channel), ""),
                None => id.to_string(),
            },
        };
        let token = person.token(&not_me(&event));
        let is_login = LOGINS.contains(&event.kind);
        let what = format!("account.changed.{}", event.kind.as_str());
        rows.push(context! {
            at => minute(event.at),
            site => if is_login { site(app, visitor, &event).await? } else { say(app, visitor, &what) },
            way,
            device => event.device,
            address => event.address,
            token,
        });
    }
    Ok(rows)
}

/// The latest logins of the person and changes of how they sign in, newest first.
pub(super) async fn recent(app: &App, person: &Person) -> Result<Vec<AuditEvent>, Problem> {
    // Named to the store, and changes by themselves: neither what others do about this person, such as guessing their password,
    // nor many logins push a change out of sight.
    let mut events = app.records.audit_of(person.user(), &LOGINS, SHOWN).await?;
    events.extend(app.records.audit_of(person.user(), &CHANGES, CHANGES_SHOWN).await?);
    events.sort_by_key(|event| std::cmp::Reverse(event.at));
    Ok(events)
}

/// What the form does that disowns a login, as its token says it.
pub(super) fn not_me(event: &AuditEvent) -> String {
    let client = event.client.as_ref().map(ToString::to_string).unwrap_or_default();
    format!("not-me:{}:{client}", event.at.as_millisecond())
}

async fn site(app: &App, visitor: &Visitor, event: &AuditEvent) -> Result<String, Problem> {
    let Some(id) = &event.client else { return Ok(String::new()) };
    Ok(match app.records.client(id).await? {
        Some(client) => client.name,
        None if id.as_str() == CLIENT => say(app, visitor, "account.client"),
        None => id.to_string(),
    })
}

fn say(app: &App, visitor: &Visitor, key: &str) -> String {
    app.pages.words.say(visitor.language, key, &[])
}
