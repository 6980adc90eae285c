//! `GET /consent/{grant}`: who asks, and what they get, with the very values.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::grant::{Grant, Scope, ScopeSet};
use mashang_login::secret::SessionSecret;
use mashang_login::session::Session;
use mashang_oidc::claims::{self, Person};
use minijinja::{Value, context};
use serde_json::Map;

use super::{asked, token};
use crate::state::App;
use crate::web::headers::{Csp, source_of};
use crate::web::limits::Counted;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{brand, flow, urls};

/// What a website is told.
type Claims = Map<String, serde_json::Value>;

/// The page; whoever must sign in first, or need not be asked, is led on.
pub async fn page(
    State(app): State<App>,
    visitor: Visitor,
    Path(grant): Path<String>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let waiting = flow::of_grant(&app, &visitor, &grant).await?;
    let (Some(secret), Some(session)) =
        (visitor.brought.session.clone(), asked(&app, &visitor, &waiting).await?)
    else {
        return flow::go_on(&app, &visitor, waiting).await;
    };
    let visitor = &visitor.preferring(&waiting.grant.request.ui_locales);
    let user = app.records.user(&session.user).await?.ok_or(Problem::UnknownLogin)?;
    let person = Person::load(&app.provider, user, &session.identity).await?;
    let scope = waiting.client.granted(&waiting.grant.request.scope);
    let told = claims::told(&app.provider.claims, &waiting.client, &scope, &person, app.now());
    let values = context! {
        brand => brand::values(&waiting.client),
        site => context! {
            name => waiting.client.name.clone(),
            host => flow::host_of(&waiting.grant.request.redirect_uri),
        },
        person => context! { name => person.user.nickname },
        ..form(&secret, &session, &waiting.grant, lines(&app, visitor, &scope, &told))
    };
    let title = app.pages.words.say(visitor.language, "consent.title", &[("site", &waiting.client.name)]);
    let page = app.pages.render_titled(visitor, "consent.html", &title, values)?;
    // The answer leads on to the website.
    let csp = Csp { form_leads_to: source_of(&waiting.grant.request.redirect_uri), ..Csp::default() };
    Ok(page.with_csp(csp).into_response())
}

fn form(secret: &SessionSecret, session: &Session, grant: &Grant, told: Vec<Value>) -> Value {
    context! {
        told,
        action => urls::consent(&grant.id),
        token => token(secret, &grant.id),
        signed_in_at => crate::scan::confirm::local_time(session.auth_time),
    }
}

/// `[{what, value}]`: one line for each thing that the website gets.
fn lines(app: &App, visitor: &Visitor, granted: &ScopeSet, told: &Claims) -> Vec<Value> {
    let roles = |scope: Scope| match scope {
        Scope::Roles => told.contains_key("roles") || told.contains_key("realm_access"),
        Scope::Groups => told.contains_key("groups"),
        _ => false,
    };
    Scope::ALL
        .into_iter()
        .filter(|scope| granted.contains(*scope) || roles(*scope))
        .map(|scope| {
            let what =
                app.pages.words.say(visitor.language, &format!("consent.told.{}", scope.as_str()), &[]);
            context! { what, value => value(scope, told) }
        })
        .collect()
}

/// What it gets by a scope, as far as the person should see it over their shoulder.
fn value(scope: Scope, told: &Claims) -> Option<String> {
    let text = |name: &str| told.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let list = |value: Option<&serde_json::Value>| {
        let words =
            value?.as_array()?.iter().map(|one| one.as_str().map_or_else(|| one.to_string(), str::to_owned));
        let words: Vec<String> = words.collect();
        (!words.is_empty()).then(|| words.join(", "))
    };
    match scope {
        Scope::Openid | Scope::OfflineAccess => None,
        Scope::Profile => joined([text("name"), text("preferred_username")]),
        Scope::Email => text("email").map(|address| masked_email(&address)),
        Scope::Phone => text("phone_number").map(|number| masked_number(&number)),
        Scope::WechatOpenid => text("wechat_openid").map(|id| end_of(&id)),
        Scope::WechatUnionid => text("wechat_unionid").map(|id| end_of(&id)),
        Scope::Wecom => joined([text("userid"), list(told.get("departments")).map(|ids| format!("#{ids}"))]),
        Scope::Roles => {
            let realm = || told.get("realm_access").and_then(|realm| realm.get("roles"));
            list(told.get("roles").or_else(realm))
        }
        Scope::Groups => list(told.get("groups")),
    }
}

fn joined(parts: [Option<String>; 2]) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" · "))
}

/// `m…@mail.example`.
fn masked_email(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) => format!("{}…@{domain}", local.chars().next().unwrap_or_default()),
        None => end_of(address),
    }
}

/// `+86…8000`.
fn masked_number(number: &str) -> String {
    let start: String = number.chars().take(3).collect();
    format!("{start}{}", end_of(number))
}

fn end_of(text: &str) -> String {
    let shown = if text.chars().count() > 8 { 4 } else { 1 };
    let skipped = text.chars().count().saturating_sub(shown);
    let end: String = text.chars().skip(skipped).collect();
    format!("…{end}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: serde_json::Value) -> Claims {
        value.as_object().cloned().unwrap()
    }

    #[test]
    fn promise_10_what_identifies_is_shown_in_part() {
        let told = claims(json!({
            "email": "ming@mail.example", "phone_number": "+8613800138000",
            "wechat_openid": "oAbCdEfGhIjKlMn", "name": "小明",
        }));
        assert_eq!(value(Scope::Email, &told).as_deref(), Some("m…@mail.example"));
        assert_eq!(value(Scope::Phone, &told).as_deref(), Some("+86…8000"));
        assert_eq!(value(Scope::WechatOpenid, &told).as_deref(), Some("…KlMn"));
        assert_eq!(value(Scope::Profile, &told).as_deref(), Some("小明"));
        assert_eq!(value(Scope::WechatUnionid, &told), None, "what is not known is not told");
    }

    #[test]
    fn roles_are_listed_whichever_way_they_are_told() {
        for told in [json!({ "roles": ["a", "b"] }), json!({ "realm_access": { "roles": ["a", "b"] } })] {
            assert_eq!(value(Scope::Roles, &claims(told)).as_deref(), Some("a, b"));
        }
        assert_eq!(value(Scope::Roles, &claims(json!({ "roles": [] }))), None);
    }
}
