//! What websites know, because the person agreed or because the website needs not ask, and
//! `POST /account/websites/withdraw`, which takes it back.

use std::collections::BTreeMap;

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::Response;
use mashang_login::Timestamp;
use mashang_login::audit::AuditKind;
use mashang_login::grant::{Scope, ScopeSet};
use mashang_login::ids::ClientId;
use minijinja::{Value, context};

use super::page::day;
use super::{Asked, INCOMPLETE, Notice, Person};
use crate::state::App;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, urls};

/// What a website knows.
struct Known {
    client: ClientId,
    scope: ScopeSet,
    /// When the person last agreed, if they were asked.
    agreed_at: Option<Timestamp>,
    /// Their last approval from which it holds something, if it does.
    signed_in_at: Option<Timestamp>,
}

/// All of them, by client id.
async fn known(app: &App, person: &Person) -> Result<Vec<Known>, Problem> {
    let mut all = BTreeMap::new();
    for consent in app.consents.consents_of(person.user()).await? {
        let (client, scope) = (consent.client, consent.scope);
        all.insert(
            client.to_string(),
            Known { client, scope, agreed_at: Some(consent.at), signed_in_at: None },
        );
    }
    for held in app.consents.holdings_of(person.user(), app.now()).await? {
        let (client, scope) = (held.client, ScopeSet::default());
        let known = all.entry(client.to_string()).or_insert(Known {
            client,
            scope,
            agreed_at: None,
            signed_in_at: None,
        });
        known.scope = known.scope.union(&held.scope);
        known.signed_in_at = Some(held.since);
    }
    Ok(all.into_values().collect())
}

/// `[{name, agreed|none, signed_in|none, scopes [text], token}]`
pub(super) async fn values(app: &App, visitor: &Visitor, person: &Person) -> Result<Vec<Value>, Problem> {
    let mut rows = Vec::new();
    for known in known(app, person).await? {
        let client = app.records.client(&known.client).await?;
        let scopes: Vec<String> = known.scope.iter().map(|scope| told_by(app, visitor, scope)).collect();
        rows.push(context! {
            name => client.map_or_else(|| known.client.to_string(), |client| client.name),
            agreed => known.agreed_at.map(day),
            signed_in => known.signed_in_at.map(day),
            scopes,
            token => person.token(&format!("website:{}", known.client)),
        });
    }
    Ok(rows)
}

/// What a website learns by a scope, in the words in which the person is asked.
fn told_by(app: &App, visitor: &Visitor, scope: Scope) -> String {
    app.pages.words.say(visitor.language, &format!("consent.told.{}", scope.as_str()), &[])
}

/// Takes an agreement back, if there is one; what the website holds of the person ends.
pub async fn withdraw(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(asked) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    let websites = known(&app, &person).await?;
    let named = websites.iter().find(|one| person.holds(&format!("website:{}", one.client), &asked.token));
    let Some(Known { client, .. }) = named else { return Err(Problem::CrossSite) };
    app.consents.withdraw_consent(person.user(), client, app.now()).await?;
    audit::of_client(&app, &visitor, AuditKind::ConsentWithdrawn, client, Some(person.user())).await;
    Ok(see_other(&Notice::Withdrawn.address(), &[]))
}
