//! What websites may know, as the person agreed, and `POST /account/websites/withdraw`, which takes it back.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::Response;
use mashang_login::audit::AuditKind;
use mashang_login::grant::Scope;
use minijinja::{Value, context};

use super::page::day;
use super::{Asked, INCOMPLETE, Notice, Person};
use crate::state::App;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, urls};

/// `[{name, since, scopes [text], token}]`
pub(super) async fn values(app: &App, visitor: &Visitor, person: &Person) -> Result<Vec<Value>, Problem> {
    let mut rows = Vec::new();
    for consent in app.consents.consents_of(person.user()).await? {
        let client = app.records.client(&consent.client).await?;
        let scopes: Vec<String> = consent.scope.iter().map(|scope| told_by(app, visitor, scope)).collect();
        rows.push(context! {
            name => client.map_or_else(|| consent.client.to_string(), |client| client.name),
            since => day(consent.at),
            scopes,
            token => person.token(&format!("website:{}", consent.client)),
        });
    }
    Ok(rows)
}

/// What a website learns by a scope, in the words in which the person agreed.
fn told_by(app: &App, visitor: &Visitor, scope: Scope) -> String {
    app.pages.words.say(visitor.language, &format!("consent.told.{}", scope.as_str()), &[])
}

/// Takes an agreement back; what the website holds of the person ends.
pub async fn withdraw(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(asked) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    let consents = app.consents.consents_of(person.user()).await?;
    let named = consents.iter().find(|one| person.holds(&format!("website:{}", one.client), &asked.token));
    let Some(consent) = named else { return Err(Problem::CrossSite) };
    app.consents.withdraw_consent(person.user(), &consent.client, app.now()).await?;
    audit::of_client(&app, &visitor, AuditKind::ConsentWithdrawn, &consent.client, Some(person.user())).await;
    Ok(see_other(&Notice::Withdrawn.address(), &[]))
}
