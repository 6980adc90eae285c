//! What the login page shows of a ticket under one tab: our own QR, a code that the platform draws, the platform's page
//! in a frame, or a button that leads to it. The ticket behind every face is the same.

use std::time::Duration;

use mashang_login::grant::Purpose;
use mashang_login::handshake::Traveller;
use mashang_login::ids::ScanCode;
use mashang_login::ticket::{Denial, Stage, Status, Ticket};
use serde::Serialize;
use url::Url;

use crate::channel::{
    Channel, ChannelFailure, Code, FailureWords, Means, Place, Platform, Shown, begin_trip,
};
use crate::state::App;
use crate::traces;
use crate::urls;
use crate::web::device::Surroundings;
use crate::web::limits::Counted;
use crate::web::problem::{self, Problem};
use crate::web::qr;
use crate::web::visitor::Visitor;

/// How long a page waits for a platform's code.
const PATIENCE: Duration = Duration::from_millis(2500);

/// One ticket, drawn for one browser; also the answer to the script's refresh.
#[derive(Debug, Serialize)]
pub struct Face {
    pub(crate) mode: &'static str,
    pub(crate) ticket: TicketFace,
    urls: Urls,
    frame: Option<Frame>,
    pub(crate) trouble: Option<Trouble>,
    pub(crate) continue_href: Option<String>,
    pub(crate) sandbox_phone_href: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct TicketFace {
    scan_code: String,
    /// Our own link; none where only a platform's code is of use.
    scan_url: Option<String>,
    /// A QR drawn by us …
    qr_svg: Option<String>,
    /// … or a picture drawn by the platform, as a `data:` address.
    picture: Option<String>,
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
    /// `events` as a WebSocket. Absolute: not every browser takes a path for it.
    socket: String,
    refresh: String,
    redeem: String,
    cancel: String,
}

#[derive(Debug, Serialize)]
struct Frame {
    src: String,
    redirect_href: String,
    host_label: String,
    width: u16,
    height: u16,
    #[serde(skip)]
    origin: String,
}

/// The platform did not give us a code to show.
#[derive(Debug, Serialize)]
pub(crate) struct Trouble {
    pub(crate) heading: String,
    pub(crate) text: String,
    pub(crate) remedy: Option<String>,
    pub(crate) errcode: Option<i64>,
    retry_href: String,
}

/// What a channel put on the page.
#[derive(Debug, Default)]
struct Drawing {
    mode: Mode,
    qr: Option<String>,
    picture: Option<String>,
    frame: Option<Frame>,
    trouble: Option<Trouble>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    /// Our own link as a QR.
    #[default]
    Link,
    /// A code of the platform's, scanned like our own.
    Code,
    /// The platform's page, in a frame or behind a button.
    Frame,
    /// A form of ours.
    Form,
    /// None of it.
    Trouble,
}

impl Mode {
    fn as_str(self) -> &'static str {
        match self {
            Self::Link => "qr",
            Self::Code => "code",
            Self::Frame => "frame",
            Self::Form => "form",
            Self::Trouble => "trouble",
        }
    }
}

impl Face {
    /// Draws a ticket, of a grant with this purpose, for this browser and page under the open tab; a platform's frame gets a state
    /// of its own.
    ///
    /// # Errors
    /// [`Problem::Store`] when the state cannot be stored. A platform that fails is no error: the face says so, and the
    /// other tabs work.
    pub async fn draw(
        app: &App,
        visitor: &Visitor,
        place: Place,
        (purpose, ticket): (&Purpose, &Ticket),
        channel: Option<&Channel>,
    ) -> Result<Self, Problem> {
        let url = |pattern| urls::of_ticket(pattern, &ticket.grant, &ticket.scan_code);
        let scan_path = scan_path(app, ticket, channel);
        let scan_url = app.site.absolute(&scan_path);
        let (drawing, ticket) = draw(
            app,
            visitor,
            ticket,
            channel.map(|channel| (channel, channel.shown_in(place, purpose))),
            &scan_url,
        )
        .await?;
        let ticket = &ticket;
        let query = channel.map(|channel| format!("?channel={}", channel.id)).unwrap_or_default();
        Ok(Self {
            mode: drawing.mode.as_str(),
            urls: Urls {
                page: url(urls::LOGIN_TICKET) + &query,
                status: url(urls::STATUS),
                events: url(urls::EVENTS),
                socket: app.site.socket(&url(urls::EVENTS)),
                refresh: url(urls::REFRESH) + &query,
                redeem: url(urls::REDEEM),
                cancel: url(urls::CANCEL),
            },
            continue_href: onward(app, visitor, channel, &scan_path),
            sandbox_phone_href: match (&drawing.qr, &drawing.picture) {
                (Some(text), _) => sandbox_phone(app, text, channel),
                (None, Some(_)) => {
                    channel.and_then(|channel| sandbox_phone_of_picture(app, channel, &ticket.scan_code))
                }
                (None, None) => None,
            },
            ticket: TicketFace {
                scan_code: ticket.scan_code.as_str().to_owned(),
                qr_svg: drawing.qr.as_deref().map(qr::svg),
                picture: drawing.picture,
                scan_url: (drawing.mode == Mode::Link).then_some(scan_url),
                number: ticket.number.digits(),
                status: status_word(ticket, ticket.status(app.now())),
                version: ticket.version,
                seconds_left: seconds_left(ticket, app.now()),
            },
            frame: drawing.frame,
            trouble: drawing.trouble,
        })
    }

    /// The page's own address.
    #[must_use]
    pub fn page(&self) -> &str {
        &self.urls.page
    }

    /// The origin of the platform's page in our frame.
    #[must_use]
    pub fn frame_origin(&self) -> Option<&str> {
        self.frame.as_ref().filter(|frame| !frame.src.is_empty()).map(|frame| frame.origin.as_str())
    }
}

/// Asks the channel what to show, and draws it.
async fn draw(
    app: &App,
    visitor: &Visitor,
    ticket: &Ticket,
    channel: Option<(&Channel, Shown)>,
    scan_url: &str,
) -> Result<(Drawing, Ticket), Problem> {
    let ours = || Drawing { qr: Some(scan_url.to_owned()), ..Drawing::default() };
    let Some((channel, shown)) = channel else { return Ok((ours(), ticket.clone())) };
    let waits = ticket.status(app.now()) == Status::Waiting;
    // Inside the platform's own app, and on the phone itself, our link is what works (SEC-11).
    let shown = match visitor.surroundings() {
        Surroundings::Inside(platform) if channel.platform() == platform && channel.opens_our_link() => {
            Shown::Link
        }
        Surroundings::Phone if channel.opens_our_link() => Shown::Link,
        _ => shown,
    };
    match shown {
        Shown::Link => Ok((ours(), ticket.clone())),
        Shown::Form => Ok((Drawing { mode: Mode::Form, ..Drawing::default() }, ticket.clone())),
        Shown::Page { framed } => {
            let framed = framed && waits && visitor.surroundings() == Surroundings::Desktop;
            let (frame, ticket) = frame(app, visitor, ticket, channel, framed).await?;
            Ok((Drawing { mode: Mode::Frame, frame: Some(frame), ..Drawing::default() }, ticket))
        }
        // A code is drawn for a ticket that waits; afterwards the page covers it anyway, and nothing need be asked.
        Shown::Code if !waits => Ok((
            Drawing { mode: Mode::Code, qr: Some(scan_url.to_owned()), ..Drawing::default() },
            ticket.clone(),
        )),
        Shown::Code => {
            let drawing = match code_for(app, visitor, channel, ticket).await {
                Ok(code) => {
                    Drawing { mode: Mode::Code, qr: code.text, picture: code.picture, ..Drawing::default() }
                }
                // The day's codes are used up, or the platform is busy: the same account is authorized through our link too.
                Err(failure) if failure.words == FailureWords::Busy && channel.opens_our_link() => {
                    tracing::warn!(channel.id = %channel.id, upstream.errcode = failure.errcode, "{} shows our own link instead of the platform's code: {}", channel.id, failure.log);
                    ours()
                }
                Err(failure) => trouble(app, visitor, ticket, channel, failure),
            };
            Ok((drawing, ticket.clone()))
        }
    }
}

/// The platform's code for a ticket, unless so many were drawn for this address that the account's would not last the day.
async fn code_for(
    app: &App,
    visitor: &Visitor,
    channel: &Channel,
    ticket: &Ticket,
) -> Result<Code, ChannelFailure> {
    if !channel.has_drawn(ticket) && app.count(Counted::Drawing, visitor.address).await.is_err() {
        let log = format!("{} has had as many codes drawn as one address gets in a minute", visitor.address);
        return Err(ChannelFailure { words: FailureWords::Busy, errcode: None, log });
    }
    code_in_time(app, channel, ticket).await
}

/// The platform's code for a ticket, if it comes in time: the page with its other tabs waits for nobody longer. The drawing
/// goes on, and is there when the page is asked for again.
async fn code_in_time(app: &App, channel: &Channel, ticket: &Ticket) -> Result<Code, ChannelFailure> {
    let (app, id, ticket) = (app.clone(), channel.id.clone(), ticket.clone());
    let drawing = tokio::spawn(traces::follow(async move {
        let channel = app.channels.get(id.as_str()).expect("channels do not change while the server runs");
        channel.draw_code(&app, &ticket).await
    }));
    match tokio::time::timeout(PATIENCE, drawing).await {
        Ok(Ok(drawn)) => drawn,
        Ok(Err(panic)) => Err(ChannelFailure::broken(&panic)),
        Err(_) => Err(ChannelFailure::too_slow()),
    }
}

async fn frame(
    app: &App,
    visitor: &Visitor,
    ticket: &Ticket,
    channel: &Channel,
    framed: bool,
) -> Result<(Frame, Ticket), Problem> {
    let redirect_href = urls::CHANNEL_START
        .replace("{channel}", channel.id.as_str())
        .replace("{grant}", ticket.grant.as_str())
        .replace("{ticket}", ticket.scan_code.as_str());
    let host = channel.page_host();
    let (src, ticket) = if framed {
        let traveller = (Traveller::BrowserFrame, ticket.browser);
        let (state, departed) = begin_trip(app, visitor, channel, ticket, traveller).await?;
        let src = channel.frame_page(&state, visitor.language).map(String::from).unwrap_or_default();
        (src, departed)
    } else {
        (String::new(), ticket.clone())
    };
    let (width, height) = channel.frame_size();
    let frame = Frame {
        src,
        redirect_href,
        host_label: host.and_then(Url::host_str).unwrap_or_default().to_owned(),
        width,
        height,
        origin: host.map(|host| host.origin().ascii_serialization()).unwrap_or_default(),
    };
    Ok((frame, ticket))
}

/// The platform failed while the page was drawn: the person is told, the operator finds it in the log, and the other
/// tabs go on working (promise 9).
fn trouble(
    app: &App,
    visitor: &Visitor,
    ticket: &Ticket,
    channel: &Channel,
    failure: ChannelFailure,
) -> Drawing {
    let retry = urls::of_ticket(urls::LOGIN_TICKET, &ticket.grant, &ticket.scan_code);
    let problem = Problem::Channel {
        words: failure.words,
        platform: channel.platform(),
        errcode: failure.errcode,
        channel: channel.id.clone(),
        log: Some(failure.log),
        retry: format!("{retry}?channel={}", channel.id),
    };
    let reference = problem::reference(app);
    problem.log(&reference);
    let told = problem::told(app, visitor, &problem);
    let trouble = Trouble {
        heading: told.heading,
        text: format!("{} [{reference}]", told.text),
        remedy: told.remedy,
        errcode: failure.errcode,
        retry_href: format!("?channel={}", channel.id),
    };
    Drawing { mode: Mode::Trouble, trouble: Some(trouble), ..Drawing::default() }
}

/// What our QR holds: the link of the ticket, and where the open tab is not the first that the platform's app would be led
/// to, which channel it is. A hint, as is all of the address: the proof decides.
fn scan_path(app: &App, ticket: &Ticket, channel: Option<&Channel>) -> String {
    let path = urls::of_scan(urls::SCAN, &ticket.scan_code);
    let Some(channel) = channel.filter(|channel| channel.opens_our_link()) else { return path };
    match app.channels.behind_our_link(channel.platform()) {
        Some(first) if first.id != channel.id => format!("{path}?c={}", channel.id),
        _ => path,
    }
}

/// Where the button on a phone leads: inside a platform's app through our own link, at once; to the operator's own app by the
/// link that it handles.
fn onward(app: &App, visitor: &Visitor, channel: Option<&Channel>, scan_path: &str) -> Option<String> {
    let is_own_app = |channel: &Channel| channel.platform() == Platform::OwnApp;
    let channel = channel.filter(|channel| channel.opens_our_link() || is_own_app(channel))?;
    match visitor.surroundings() {
        Surroundings::Inside(platform) if platform == channel.platform() => {
            let sign = if scan_path.contains('?') { '&' } else { '?' };
            Some(format!("{scan_path}{sign}via={}&{}=1", platform.as_str(), urls::TAPPED))
        }
        Surroundings::Phone | Surroundings::Inside(_) if is_own_app(channel) => Some(scan_path.to_owned()),
        Surroundings::Phone => app.site.sandbox.is_some().then(|| scan_path.to_owned()),
        Surroundings::Inside(_) | Surroundings::Desktop => None,
    }
}

/// The sandbox's phone page, opening `text` with the app of `channel`, when the sandbox stands in for the platforms.
#[must_use]
pub fn sandbox_phone(app: &App, text: &str, channel: Option<&Channel>) -> Option<String> {
    let mut phone = app.site.sandbox.as_ref()?.join("phone").ok()?;
    phone.query_pairs_mut().append_pair("open", text);
    // The phone keeps the app that scanned last in front; a tab says which it needs.
    if let Some(platform @ (Platform::WeChat | Platform::Wecom)) = channel.map(Channel::platform) {
        phone.query_pairs_mut().append_pair("app", platform.as_str());
    }
    Some(phone.into())
}

/// The same for a picture, which only the sandbox can read: it knows what it drew for a scene.
fn sandbox_phone_of_picture(app: &App, channel: &Channel, code: &ScanCode) -> Option<String> {
    let Means::WechatMini(mini) = &channel.means else { return None };
    let mut phone = app.site.sandbox.as_ref()?.join("phone/mini").ok()?;
    phone
        .query_pairs_mut()
        .append_pair("appid", mini.account.appid.as_str())
        .append_pair("scene", code.as_str());
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
    ticket.glance(now).seconds_left(now)
}
