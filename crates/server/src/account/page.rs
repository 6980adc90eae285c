//! `GET /account`: who I am here, how I sign in and where, and what happened lately.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use mashang_login::Timestamp;
use mashang_login::grant::Purpose;
use minijinja::context;

use super::password::Filled;
use super::{Notice, Person, begin, logins, sessions, ways, websites};
use crate::state::App;
use crate::urls;
use crate::web::limits::Counted;
use crate::web::pages::{Page, see_other};
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The page of whoever is signed in; anybody else is asked to scan first.
pub async fn page(State(app): State<App>, visitor: Visitor) -> Result<Response, Problem> {
    let Some(person) = Person::of(&app, &visitor).await? else {
        // The login page leads back here without a login: not into the next one.
        if visitor.query("error").is_some() {
            return Ok(see_other(urls::INDEX, &[]));
        }
        app.count(Counted::Start, visitor.address).await?;
        return Ok(begin(&app, &visitor, Purpose::Account, None, None).await?.into_redirect());
    };
    Ok(show(&app, &visitor, &person, &Filled::default()).await?.into_response())
}

/// `GET` of a form's address, which is where a reload of a page that came back leads: to the page.
pub async fn back() -> Response {
    see_other(urls::ACCOUNT, &[])
}

/// The page, with what was typed into its form of name and password.
pub(super) async fn show(
    app: &App,
    visitor: &Visitor,
    person: &Person,
    filled: &Filled,
) -> Result<Page, Problem> {
    let user = app.records.user(person.user()).await?.ok_or(Problem::UnknownLogin)?;
    let identities = app.records.identities_of(person.user()).await?;
    let told = match visitor.query("error") {
        Some(_) => Some(Notice::Cancelled),
        None => visitor.query("notice").as_deref().and_then(Notice::parse),
    };
    let say = |key: &str| app.pages.words.say(visitor.language, key, &[]);
    let values = context! {
        notice => told.map(|told| say(&format!("account.notice.{}", told.as_str()))),
        person => context! { name => user.nickname, id => user.id.as_str() },
        is_fresh => person.is_fresh(app),
        ways => ways::values(app, visitor, person, &identities).await?,
        password => super::password::values(app, person, filled).await?,
        sessions => sessions::values(app, visitor, person).await?,
        websites => websites::values(app, visitor, person).await?,
        logins => logins::values(app, visitor, person).await?,
        actions => context! {
            link => urls::ACCOUNT_LINK,
            unlink => urls::ACCOUNT_UNLINK,
            rename_passkey => urls::ACCOUNT_PASSKEY_RENAME,
            password => urls::ACCOUNT_PASSWORD,
            end_session => urls::ACCOUNT_END_SESSION,
            end_others => urls::ACCOUNT_END_OTHERS,
            withdraw => urls::ACCOUNT_WITHDRAW,
            not_me => urls::ACCOUNT_NOT_ME,
            sign_out => urls::LOGOUT,
            erase => app.site.self_erase.then_some(urls::ACCOUNT_ERASE),
        },
    };
    let page = app.pages.render(visitor, "account.html", "account.title", values)?;
    let is_wrong = filled.complaint.is_some();
    Ok(if is_wrong { page.with_status(StatusCode::UNPROCESSABLE_ENTITY) } else { page })
}

/// The day of a moment in UTC+8, where most of our people live.
pub(super) fn day(at: Timestamp) -> String {
    in_our_zone(at, "%Y-%m-%d")
}

/// The minute of a moment, likewise.
pub(super) fn minute(at: Timestamp) -> String {
    in_our_zone(at, "%Y-%m-%d %H:%M")
}

fn in_our_zone(at: Timestamp, form: &str) -> String {
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    at.to_zoned(zone).strftime(form).to_string()
}
