//! `GET /account`: who I am here, and the ways I sign in.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use mashang_login::Timestamp;
use mashang_login::grant::Purpose;
use mashang_login::identity::Identity;
use mashang_login::secret::SessionSecret;
use mashang_login::session::Session;
use mashang_login::user::User;
use minijinja::{Value, context};

use super::{Notice, begin, link_token, unlink_token};
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{flow, urls};

/// The page of whoever is signed in; anybody else is asked to scan first.
pub async fn page(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let session = flow::session_of(&app, &visitor).await?;
    let (Some(secret), Some(session)) = (&visitor.brought.session, session) else {
        // The login page leads back here without a login: not into the next one.
        if visitor.query("error").is_some() {
            return Ok(see_other(urls::INDEX, &[]));
        }
        app.limits.count(Counted::Start, visitor.address)?;
        return Ok(begin(&app, &visitor, Purpose::Account, None, None).await?.into_redirect());
    };
    let user = app.records.user(&session.user).await?.ok_or(Problem::UnknownLogin)?;
    let identities = app.records.identities_of(&session.user).await?;
    let values = values(&app, &visitor, secret, (&session, &user), &identities);
    let page = app.pages.render(&visitor, "account.html", "account.title", values)?;
    Ok(page.with_cookies(visitor.language_cookie(&app).into_iter().collect()).into_response())
}

fn values(
    app: &App,
    visitor: &Visitor,
    secret: &SessionSecret,
    (session, user): (&Session, &User),
    identities: &[Identity],
) -> Value {
    let told = match visitor.query("error") {
        Some(_) => Some(Notice::Cancelled),
        None => visitor.query("notice").as_deref().and_then(Notice::parse),
    };
    let say = |key: &str| app.pages.words.say(visitor.language, key, &[]);
    let rows: Vec<Value> = identities
        .iter()
        .map(|identity| {
            context! {
                label => label(app, visitor, identity),
                app => identity.key.app.clone(),
                account => masked(&identity.key.subject),
                name => identity.profile.nickname.clone(),
                since => day(identity.created_at),
                last_used => day(identity.last_used_at),
                is_in_use => identity.key == session.identity,
                token => unlink_token(secret, &identity.key),
            }
        })
        .collect();
    let linking = Purpose::Link { user: user.id.clone() };
    let channels: Vec<Value> = app
        .channels
        .serving(&linking)
        .map(|one| context! { id => one.id.as_str(), label => one.label(&app.pages.words, visitor.language) })
        .collect();
    context! {
        notice => told.map(|told| say(&format!("account.notice.{}", told.as_str()))),
        person => context! { name => user.nickname.clone(), id => user.id.as_str() },
        may_unlink => identities.len() > 1,
        identities => rows,
        channels,
        link_token => link_token(secret),
        actions => context! {
            link => urls::ACCOUNT_LINK,
            unlink => urls::ACCOUNT_UNLINK,
            sign_out => urls::LOGOUT,
        },
    }
}

/// What the channel is called now; its kind when it is configured no more.
fn label(app: &App, visitor: &Visitor, identity: &Identity) -> String {
    let words = &app.pages.words;
    match app.channels.get(identity.channel.as_str()) {
        Some(channel) => channel.label(words, visitor.language),
        None => words.say(visitor.language, &format!("channel.{}", identity.key.kind.as_str()), &[]),
    }
}

/// Enough to tell two accounts apart, and no more (promise 10): openids of one app begin alike, so it is their end.
fn masked(subject: &str) -> String {
    let characters: Vec<char> = subject.chars().collect();
    let shown = if characters.len() > 8 { 4 } else { 1 };
    let end: String = characters[characters.len().saturating_sub(shown)..].iter().collect();
    format!("…{end}")
}

/// The day of a moment in UTC+8, where most of our people live.
fn day(at: Timestamp) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    at.to_zoned(zone).strftime("%Y-%m-%d").to_string()
}
