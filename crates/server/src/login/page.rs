//! `GET /login/{grant}` and `GET /login/{grant}/{ticket}`: the login page. The QR is in the HTML; the script only makes
//! waiting pleasant.

use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use mashang_login::handshake::Traveller;
use mashang_login::ticket::{Denial, Stage, Status, Ticket};
use minijinja::value::Serde;
use minijinja::{Value, context};
use serde::Serialize;

use crate::channel::{Channel, Means, begin_trip};
use crate::flow::{self, Next, Waiting};
use crate::state::App;
use crate::urls;
use crate::web::device::Surroundings;
use crate::web::headers::{Csp, source_of};
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::qr;
use crate::web::visitor::Visitor;

/// A grant without a ticket: draws one, or answers at once if a session suffices.
pub async fn without_ticket(
    State(app): State<App>,
    visitor: Visitor,
    Path(grant): Path<String>,
) -> Result<Response, Problem> {
    app.limits.count(Counted::Start, visitor.address)?;
    let waiting = flow::of_grant(&app, &visitor, &grant).await?;
    flow::go_on(&app, &visitor, waiting).await
}

/// The page of a ticket.
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Path((grant, ticket)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let waiting = flow::of_browser(&app, &visitor, &grant, &ticket).await?;
    match flow::next(&waiting.grant, waiting.ticket.as_ref(), app.now()) {
        // An approved ticket is collected by the page's own POST, or by the button: never by looking (SEC-18).
        Next::Show | Next::Redeem => {}
        Next::Draw | Next::Over => return flow::go_on(&app, &visitor, waiting).await,
    }
    let Some(ticket) = &waiting.ticket else { return Ok(see_other(&urls::login(&waiting.grant.id), &[])) };
    let visitor = visitor.preferring(&waiting.grant.request.ui_locales);
    let selected = Selected::of(&app, &visitor, &waiting);
    let face = Face::draw(&app, &visitor, ticket, selected.channel).await?;
    let origin = source_of(&waiting.grant.request.redirect_uri);
    let csp = Csp {
        frame_src: face.frame.as_ref().map(|frame| frame.origin.clone()),
        form_leads_to: origin,
        framed_by_self: false,
    };
    let title = app.pages.words.say(visitor.language, "login.title", &[("site", &waiting.client.name)]);
    let words = app.pages.words.group(visitor.language, "login.live.");
    let values = context! {
        site => context! { name => waiting.client.name, host => flow::host_of(&waiting.grant.request.redirect_uri) },
        grant_id => waiting.grant.id.as_str(),
        tabs => selected.tabs,
        device => visitor.surroundings.as_str(),
        notice => (),
        words,
        ..Value::from(Serde(&face))
    };
    let page = app.pages.render_titled(&visitor, "login.html", &title, values)?;
    Ok(page.with_csp(csp).with_cookies(visitor.language_cookie(&app).into_iter().collect()).into_response())
}

/// The tab that is open, and all tabs.
struct Selected<'a> {
    channel: Option<&'a Channel>,
    tabs: Vec<Value>,
}

impl<'a> Selected<'a> {
    /// By `?channel=`, else the website's `login_hint`, else the first. A phone's own browser cannot use a platform's QR
    /// page, so there our own link comes first.
    fn of(app: &'a App, visitor: &Visitor, waiting: &Waiting) -> Self {
        let asked = visitor.query("channel");
        let wanted = asked.as_deref().or(waiting.grant.request.login_hint.as_deref());
        let named = wanted.and_then(|id| app.channels.get(id));
        let by_link =
            || app.channels.behind_our_qr().filter(|_| visitor.surroundings != Surroundings::Desktop);
        let channel = named.or_else(by_link).or_else(|| app.channels.iter().next());
        let tabs = app
            .channels
            .iter()
            .map(|one| {
                let label = one.label.clone().unwrap_or_else(|| {
                    app.pages.words.say(visitor.language, &format!("channel.{}", one.kind().as_str()), &[])
                });
                context! {
                    id => one.id.as_str(),
                    label,
                    href => format!("?channel={}", one.id),
                    selected => channel.is_some_and(|open| open.id == one.id),
                }
            })
            .collect();
        Self { channel, tabs }
    }
}

/// What the page shows of a ticket; also the answer to the script's refresh.
#[derive(Debug, Serialize)]
pub struct Face {
    mode: &'static str,
    ticket: TicketFace,
    urls: Urls,
    frame: Option<Frame>,
    continue_href: Option<String>,
    sandbox_phone_href: Option<String>,
}

#[derive(Debug, Serialize)]
struct TicketFace {
    scan_code: String,
    scan_url: String,
    qr_svg: String,
    number: String,
    status: &'static str,
    version: u32,
    seconds_left: u64,
}

#[derive(Debug, Serialize)]
struct Urls {
    page: String,
    status: String,
    events: String,
    refresh: String,
    redeem: String,
    cancel: String,
}

#[derive(Debug, Serialize)]
struct Frame {
    src: String,
    redirect_href: String,
    host_label: String,
    #[serde(skip)]
    origin: String,
}

impl Face {
    /// Draws a ticket for this browser under the open tab; a platform's frame gets a state of its own.
    ///
    /// # Errors
    /// [`Problem::Store`] when the state cannot be stored.
    pub async fn draw(
        app: &App,
        visitor: &Visitor,
        ticket: &Ticket,
        channel: Option<&Channel>,
    ) -> Result<Self, Problem> {
        let url = |pattern| urls::of_ticket(pattern, &ticket.grant, &ticket.scan_code);
        let scan_path = urls::of_scan(urls::SCAN, &ticket.scan_code);
        let scan_url = app.site.absolute(&scan_path);
        let (frame, ticket) = Self::frame(app, visitor, ticket, channel).await?;
        let ticket = &ticket;
        let is_own_qr = frame.is_none();
        let query = channel.map(|channel| format!("?channel={}", channel.id)).unwrap_or_default();
        let page = url(urls::LOGIN_TICKET) + &query;
        Ok(Self {
            mode: if is_own_qr { "qr" } else { "frame" },
            urls: Urls {
                page,
                status: url(urls::STATUS),
                events: url(urls::EVENTS),
                refresh: url(urls::REFRESH) + &query,
                redeem: url(urls::REDEEM),
                cancel: url(urls::CANCEL),
            },
            continue_href: (is_own_qr && app.channels.behind_our_qr().is_some())
                .then(|| match visitor.surroundings {
                    Surroundings::WeChat => Some(format!("{scan_path}?via=wechat")),
                    Surroundings::Phone => app.site.sandbox.is_some().then(|| scan_path.clone()),
                    Surroundings::Desktop => None,
                })
                .flatten(),
            sandbox_phone_href: sandbox_phone(app, &scan_url).filter(|_| is_own_qr),
            ticket: TicketFace {
                scan_code: ticket.scan_code.as_str().to_owned(),
                qr_svg: qr::svg(&scan_url),
                scan_url,
                number: ticket.number.digits(),
                status: status_word(ticket, ticket.status(app.now())),
                version: ticket.version,
                seconds_left: seconds_left(ticket, app.now()),
            },
            frame,
        })
    }

    async fn frame(
        app: &App,
        visitor: &Visitor,
        ticket: &Ticket,
        channel: Option<&Channel>,
    ) -> Result<(Option<Frame>, Ticket), Problem> {
        let mut ticket = ticket.clone();
        let Some(channel) = channel else { return Ok((None, ticket)) };
        let Means::WechatOpen(open) = &channel.means else { return Ok((None, ticket)) };
        let redirect_href = urls::CHANNEL_START
            .replace("{channel}", channel.id.as_str())
            .replace("{grant}", ticket.grant.as_str())
            .replace("{ticket}", ticket.scan_code.as_str());
        let host_label = open.account.client.hosts().open.host_str().unwrap_or_default().to_owned();
        let waits = ticket.status(app.now()) == Status::Waiting;
        let src = if open.embedded && waits && visitor.surroundings == Surroundings::Desktop {
            let traveller = (Traveller::BrowserFrame, ticket.browser);
            let (state, departed) = begin_trip(app, visitor, channel, &ticket, traveller).await?;
            ticket = departed;
            open.frame(&state, visitor.language).into()
        } else {
            String::new()
        };
        let origin = open.account.client.hosts().open.origin().ascii_serialization();
        Ok((Some(Frame { src, redirect_href, host_label, origin }), ticket))
    }
}

/// The sandbox's phone page, opening `scan_url`, when the sandbox stands in for WeChat.
#[must_use]
pub fn sandbox_phone(app: &App, scan_url: &str) -> Option<String> {
    let mut phone = app.site.sandbox.as_ref()?.join("phone").ok()?;
    phone.query_pairs_mut().append_pair("open", scan_url);
    Some(phone.into())
}

/// A status as pages and events name it: a denial by wrong number has a word of its own on the page.
#[must_use]
pub fn status_word(ticket: &Ticket, status: Status) -> &'static str {
    match (&ticket.stage, status) {
        (Stage::Denied { why: Denial::WrongNumber }, Status::Denied) => "wrong_number",
        _ => status.as_str(),
    }
}

/// Whole seconds until the present stage ends, rounded up; zero once it has.
#[must_use]
pub fn seconds_left(ticket: &Ticket, now: mashang_login::Timestamp) -> u64 {
    let Some(deadline) = ticket.deadline() else { return 0 };
    let left = deadline.as_millisecond() - now.as_millisecond();
    u64::try_from(left).unwrap_or(0).div_ceil(1000)
}

impl Face {
    /// The page's own address.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.urls.page
    }
}
