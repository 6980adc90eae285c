//! `GET /login/{grant}` and `GET /login/{grant}/{ticket}`: the login page. The QR is in the HTML; the script only makes
//! waiting pleasant.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::grant::Purpose;
use minijinja::value::Serde;
use minijinja::{Value, context};

use super::face::Face;
use super::form::{self, Filled};
use super::way;
use crate::channel::{Channel, Place, Platform};
use crate::flow::{self, Next, Waiting};
use crate::state::App;
use crate::web::device::Surroundings;
use crate::web::headers::{Csp, source_of};
use crate::web::limits::Counted;
use crate::web::pages::{Page, see_other};
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{brand, urls};

/// A grant without a ticket: draws one, or answers at once if a session suffices and nobody asked to be another person.
pub async fn without_ticket(
    State(app): State<App>,
    visitor: Visitor,
    Path(grant): Path<String>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let waiting = flow::of_grant(&app, &visitor, &grant).await?;
    if visitor.query(urls::AS).as_deref() == Some(urls::AS_ANOTHER) && waiting.grant.is_open(app.now()) {
        app.count(Counted::Start, visitor.address).await?;
        return Ok(flow::for_another(&app, &visitor, &waiting).await?.into_redirect());
    }
    flow::go_on(&app, &visitor, waiting).await
}

/// The page of a ticket.
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
) -> Result<Response, Problem> {
    app.limits.count_here(Counted::Poll, visitor.address)?;
    let waiting = flow::of_browser(&app, &visitor, &grant, &ticket).await?;
    match flow::next(&waiting.grant, waiting.ticket.as_ref(), app.now()) {
        // An approved ticket is collected by the page's own POST, or by the button: never by looking (SEC-18).
        Next::Show | Next::Redeem => {}
        Next::Draw | Next::Over => return flow::go_on(&app, &visitor, waiting).await,
    }
    if waiting.ticket.is_none() {
        return Ok(see_other(&urls::login(&waiting.grant.id), &[]));
    }
    let visitor = visitor.preferring(&waiting.grant.request.ui_locales);
    let cookies = chosen(&app, &visitor, &waiting).map(|channel| way::remember(&app, channel));
    Ok(page(&app, &visitor, &waiting, &Filled::default()).await?.with_cookies(cookies).into_response())
}

/// The channel whose tab was pressed.
fn chosen<'a>(app: &'a App, visitor: &Visitor, waiting: &Waiting) -> Option<&'a Channel> {
    let named = visitor.query("channel")?;
    app.channels.get_for_client(&named, &waiting.client, &waiting.grant.purpose)
}

/// The page with its open tab; under a form's tab with what the form comes back with.
///
/// # Errors
/// [`Problem::Store`] when a store does not answer.
pub(super) async fn page(
    app: &App,
    visitor: &Visitor,
    waiting: &Waiting,
    filled: &Filled,
) -> Result<Page, Problem> {
    let Some(ticket) = &waiting.ticket else { return Err(Problem::UnknownLogin) };
    let selected = Selected::of(app, visitor, waiting);
    let face =
        Face::draw(app, visitor, Place::OurPage, (&waiting.grant.purpose, ticket), selected.channel).await?;
    let origin = source_of(&waiting.grant.request.redirect_uri);
    let csp = Csp {
        frame_src: face.frame_origin().map(str::to_owned),
        form_leads_to: origin,
        framed_by_self: false,
    };
    let say = |key: &str| app.pages.words.say(visitor.language, key, &[("site", &waiting.client.name)]);
    let (title, task) = match waiting.grant.purpose {
        Purpose::Link { .. } => (say("account.link_title"), say("account.link_to")),
        Purpose::SignIn | Purpose::Account => (say("login.title"), say("login.to")),
    };
    let values = context! {
        brand => brand::values(&waiting.client),
        site => context! { name => waiting.client.name.clone(), host => flow::host_of(&waiting.grant.request.redirect_uri) },
        task,
        grant_id => waiting.grant.id.as_str(),
        tabs => selected.tabs,
        platform => platform_words(app, visitor, selected.channel),
        form => form::values(app, visitor, waiting, selected.channel, filled).await?,
        device => visitor.surroundings().as_str(),
        notice => (),
        ..Value::from(Serde(&face))
    };
    Ok(app.pages.render_titled(visitor, "login.html", &title, values)?.with_csp(csp))
}

/// The tab that is open, and all tabs.
struct Selected<'a> {
    channel: Option<&'a Channel>,
    tabs: Vec<Value>,
}

impl<'a> Selected<'a> {
    /// By `?channel=`, else the website's `login_hint`, else what this browser used last, else the first. Inside a platform's app its own channel comes
    /// first; a phone's own browser cannot use a platform's QR page, so there our own link does.
    fn of(app: &'a App, visitor: &Visitor, waiting: &Waiting) -> Self {
        let asked = visitor.query("channel");
        let wanted = asked.as_deref().or(waiting.grant.request.login_hint.as_deref());
        let purpose = &waiting.grant.purpose;
        let client = &waiting.client;
        let named = wanted.and_then(|id| app.channels.get_for_client(id, client, purpose));
        let by_habit = || {
            way::remembered(visitor).and_then(|id| app.channels.get_for_client(id.as_str(), client, purpose))
        };
        let mut by_our_link = app.channels.for_client(client, purpose).filter(|one| one.opens_our_link());
        let by_link = || match visitor.surroundings() {
            Surroundings::Desktop => None,
            Surroundings::Inside(platform) => by_our_link.find(|one| one.platform() == platform),
            Surroundings::Phone => by_our_link.next(),
        };
        let channel = named
            .or_else(by_habit)
            .or_else(by_link)
            .or_else(|| app.channels.for_client(client, purpose).next());
        let tabs = app
            .channels
            .for_client(client, purpose)
            .map(|one| {
                context! {
                    id => one.id.as_str(),
                    label => one.label(&app.pages.words, visitor.language),
                    href => format!("?channel={}", one.id),
                    selected => channel.is_some_and(|open| open.id == one.id),
                }
            })
            .collect();
        Self { channel, tabs }
    }
}

/// How the app of the open tab is called, and how one scans with it.
fn platform_words(app: &App, visitor: &Visitor, channel: Option<&Channel>) -> Value {
    let platform = channel.map_or(Platform::WeChat, Channel::platform);
    let words = |part: &str| {
        app.pages.words.say(visitor.language, &format!("platform.{}.{part}", platform.as_str()), &[])
    };
    let kind = channel.map(|channel| channel.kind().as_str());
    context! { id => platform.as_str(), kind, name => words("name"), scan_hint => words("scan_hint"), send_to => words("send_to") }
}
