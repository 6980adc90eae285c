//! `/sandbox/api`: the phone without a hand, for scripts and tests. Described in `templates/api.md`.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::StatusCode;
use minijinja::context;
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use crate::faults::{FaultOrder, OrderRefusal};
use crate::official::{Opened, answer_request};
use crate::open::{self, Answer, Refusal};
use crate::options::{App, AppKind, is_callback_domain};
use crate::pages::{ASSETS, Policy};
use crate::people::{Person, PersonChange, PersonRefusal};
use crate::phone::{self, PhoneApp, Reading};
use crate::state::Sandbox;
use crate::wecom::Declined;
use crate::words::Lang;
use crate::{cgi, clock, events, hosts, ids, manual, mini, official, outbox, wecom};

pub(crate) type Body<T> = Result<Json<T>, JsonRejection>;
pub(crate) type Answered = Result<Json<Value>, Refused>;

/// Below `/sandbox/api`.
pub(crate) fn router() -> Router<Sandbox> {
    Router::new()
        .route("/", get(describe))
        .route("/apps", get(apps))
        .route("/apps/{appid}", post(change_app))
        .route("/people", get(people).post(make_person))
        .route("/people/{id}", post(change_person))
        .route("/scan", post(scan))
        .route("/scans/{uuid}", get(scanned))
        .route("/allow", post(allow))
        .route("/deny", post(deny))
        .route("/authorize", post(authorize))
        .route("/faults", get(faults).post(order_fault))
        .route("/warnings", get(warnings))
        .route("/reset", post(reset))
        .merge(clock::router())
        .merge(cgi::script_router())
        .merge(events::script_router())
        .merge(official::script_router())
        .merge(mini::script_router())
        .merge(outbox::script_router())
        .nest("/wecom", wecom::manage_router())
}

/// A request that was not done, as status and JSON.
pub(crate) struct Refused {
    status: StatusCode,
    error: &'static str,
    message: String,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, error: &'static str, message: impl ToString) -> Self {
        Self { status, error, message: message.to_string() }
    }

    pub(crate) fn no_person() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown_person",
            "no such person; GET /sandbox/api/people lists them",
        )
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(json!({ "error": self.error, "message": self.message }))).into_response()
    }
}

impl From<JsonRejection> for Refused {
    fn from(rejection: JsonRejection) -> Self {
        Self::new(rejection.status(), "bad_request", rejection.body_text())
    }
}

impl From<PersonRefusal> for Refused {
    fn from(refusal: PersonRefusal) -> Self {
        match refusal {
            PersonRefusal::Unknown => Self::no_person(),
            PersonRefusal::Taken => Self::new(StatusCode::CONFLICT, "taken", refusal),
            _ => Self::new(StatusCode::BAD_REQUEST, "bad_person", refusal),
        }
    }
}

impl From<OrderRefusal> for Refused {
    fn from(refusal: OrderRefusal) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_fault", refusal)
    }
}

impl From<Declined> for Refused {
    fn from(declined: Declined) -> Self {
        match declined {
            Declined::Attempt(refusal) => refusal.into(),
            Declined::OutOfRange => Self::new(StatusCode::FORBIDDEN, "out_of_range", declined),
            Declined::SwitchedOff => Self::new(StatusCode::FORBIDDEN, "app_off", declined),
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let (status, error) = match refusal {
            Refusal::Unknown => (StatusCode::NOT_FOUND, "unknown_uuid"),
            Refusal::Expired => (StatusCode::GONE, "expired"),
            Refusal::ScannedByOther => (StatusCode::CONFLICT, "scanned_by_other"),
            Refusal::NotScanned => (StatusCode::CONFLICT, "not_scanned"),
            Refusal::Answered => (StatusCode::CONFLICT, "answered"),
        };
        Self::new(status, error, refusal)
    }
}

async fn describe(State(sandbox): State<Sandbox>) -> Response {
    let blocks = manual::blocks();
    sandbox.pages().show(
        "api.html",
        Lang::En,
        Policy::Phone,
        ASSETS,
        context! { blocks => minijinja::value::Serde(blocks) },
    )
}

/// Without secrets.
async fn apps(State(sandbox): State<Sandbox>) -> Json<Value> {
    let list = sandbox.options().apps.iter().map(|app| shown_app(&sandbox, app));
    Json(json!({ "apps": list.collect::<Vec<_>>() }))
}

fn shown_app(sandbox: &Sandbox, app: &App) -> Value {
    let domains = sandbox.callback_domains(app);
    json!({ "appid": app.appid, "kind": app.kind.name(), "name": app.name, "domains": domains, "platform": app.platform })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AppChange {
    /// 授权回调域 or 网页授权域名 of the console.
    domains: Vec<String>,
}

/// Sets where an app may send browsers back to.
async fn change_app(
    State(sandbox): State<Sandbox>,
    Path(appid): Path<String>,
    body: Body<AppChange>,
) -> Answered {
    let Json(AppChange { domains }) = body?;
    let app = known_app(&sandbox, &appid)?;
    if app.kind == AppKind::MiniProgram {
        return Err(Refused::new(StatusCode::CONFLICT, "other_kind", "a mini-program has no callback"));
    }
    if !domains.iter().all(|domain| is_callback_domain(domain)) {
        let message = "a callback domain is a bare host without scheme, port and path, or * for any";
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_domain", message));
    }
    sandbox.world().callback_domains.insert(appid, domains);
    Ok(Json(shown_app(&sandbox, app)))
}

async fn people(State(sandbox): State<Sandbox>) -> Json<Value> {
    let world = sandbox.world();
    let list: Vec<_> = world.people.all().iter().map(|person| described(&sandbox, person)).collect();
    Json(json!({ "people": list }))
}

/// A person with the names by which apps know them, so that a test can tell who logged in.
fn described(sandbox: &Sandbox, person: &Person) -> Value {
    let options = sandbox.options();
    let seed = &options.platform_seed;
    let openids =
        options.apps.iter().map(|app| (app.appid.clone(), ids::openid(seed, &app.appid, &person.id).into()));
    let bound = options.apps.iter().filter(|app| !app.platform.is_empty());
    let unionids =
        bound.map(|app| (app.platform.clone(), ids::unionid(seed, &app.platform, &person.id).into()));
    json!({
        "id": person.id,
        "name": person.name,
        "emoji": person.emoji,
        "colour": person.colour,
        "snapshot": person.snapshot,
        "no_avatar": person.no_avatar,
        "emoji_nickname": person.emoji_nickname,
        "nickname": person.nickname(),
        "openids": openids.collect::<serde_json::Map<_, _>>(),
        "unionids": unionids.collect::<serde_json::Map<_, _>>(),
    })
}

async fn make_person(State(sandbox): State<Sandbox>, body: Body<PersonChange>) -> Result<Response, Refused> {
    let Json(change) = body?;
    let fresh_id = ids::handle(sandbox.entropy()).to_ascii_lowercase();
    let person = sandbox.world().people.make(fresh_id, change)?;
    Ok((StatusCode::CREATED, Json(described(&sandbox, &person))).into_response())
}

async fn change_person(
    State(sandbox): State<Sandbox>,
    Path(id): Path<String>,
    body: Body<PersonChange>,
) -> Answered {
    let Json(change) = body?;
    let person = sandbox.world().people.change(&id, change)?;
    Ok(Json(described(&sandbox, &person)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Scan {
    uuid: Option<String>,
    url: Option<String>,
    person: String,
    /// The app that scans; it decides how the phone marks links that it opens.
    app: Option<PhoneApp>,
    /// Whether a stranger who scanned an official account's code taps 关注; yes, if absent.
    follow: Option<bool>,
}

/// Scans an Open Platform QR, or tells what the phone would open for any other link.
async fn scan(State(sandbox): State<Sandbox>, reached: hosts::Reached, body: Body<Scan>) -> Answered {
    let Json(Scan { uuid, url, person, app, follow }) = body?;
    let person = known(&sandbox, &person)?;
    let uuid = match (uuid, url) {
        (Some(uuid), None) => uuid,
        (None, Some(url)) => {
            match phone::scanned(
                &sandbox,
                &url,
                reached.authority.as_ref(),
                app.unwrap_or_default(),
                Some(&person),
            ) {
                Reading::Here(path) => match uuid_of(&path) {
                    Some(uuid) => uuid,
                    None => {
                        if path.starts_with(mini::CODES) {
                            return mini::launched(&sandbox, &path, &person, None).map(Json);
                        }
                        if let Some(link) = path.strip_prefix(&format!("/{}/q/", hosts::WEIXIN)) {
                            return official::scan_code(&sandbox, link, &person, follow.unwrap_or(true))
                                .await
                                .map(Json);
                        }
                        return Ok(Json(
                            json!({ "open": format!("{}{path}", sandbox.options().public_base()) }),
                        ));
                    }
                },
                Reading::Elsewhere(url) => return Ok(Json(json!({ "open": url }))),
                Reading::NotALink => {
                    return Err(Refused::new(
                        StatusCode::BAD_REQUEST,
                        "not_a_link",
                        "the phone opens http and https links",
                    ));
                }
            }
        }
        _ => return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", "send either uuid or url")),
    };
    let app = if wecom::knows(&sandbox, &uuid) {
        wecom::scan(&sandbox, &uuid, &person.id)?
    } else {
        open::scan(&sandbox, &uuid, &person.id)?
    };
    Ok(Json(json!({ "uuid": uuid, "stage": "scanned", "app": app })))
}

fn uuid_of(path: &str) -> Option<String> {
    let (path, query) = path.split_once('?')?;
    let name = if path.ends_with(wecom::CONFIRM) { "k" } else { "uuid" };
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let uuid = pairs.find(|(key, _)| key == name).map(|(_, uuid)| uuid.into_owned());
    uuid.filter(|_| path.ends_with("/connect/confirm") || path.ends_with(wecom::CONFIRM))
}

async fn scanned(State(sandbox): State<Sandbox>, Path(uuid): Path<String>) -> Answered {
    if let Some((stage, corpid)) = wecom::stage(&sandbox, &uuid) {
        return Ok(Json(json!({ "uuid": uuid, "stage": stage, "appid": corpid })));
    }
    let now = sandbox.now_ms();
    let world = sandbox.world();
    let login = world.qr_logins.get(&uuid).ok_or(Refusal::Unknown)?;
    Ok(Json(json!({ "uuid": uuid, "stage": login.stage_name(now), "appid": login.appid })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tap {
    uuid: String,
    person: String,
}

async fn allow(State(sandbox): State<Sandbox>, body: Body<Tap>) -> Answered {
    tap(&sandbox, body?.0, Answer::Allow)
}

async fn deny(State(sandbox): State<Sandbox>, body: Body<Tap>) -> Answered {
    tap(&sandbox, body?.0, Answer::Deny)
}

fn tap(sandbox: &Sandbox, Tap { uuid, person }: Tap, answer: Answer) -> Answered {
    let person = known(sandbox, &person)?;
    let redirect = if wecom::knows(sandbox, &uuid) {
        Some(wecom::answer(sandbox, &uuid, &person.id, answer)?)
    } else {
        open::answer(sandbox, &uuid, &person.id, answer)?
    };
    let stage = if answer == Answer::Allow { "allowed" } else { "cancelled" };
    Ok(Json(json!({ "uuid": uuid, "stage": stage, "redirect": redirect })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Authorize {
    url: Url,
    person: String,
    answer: Answer,
}

/// Opens a `connect/oauth2/authorize` URL as a person inside WeChat.
async fn authorize(State(sandbox): State<Sandbox>, body: Body<Authorize>) -> Answered {
    let Json(Authorize { url, person, answer }) = body?;
    let person = known(&sandbox, &person)?;
    if !url.path().ends_with("/connect/oauth2/authorize") {
        let message = "url is the full address of connect/oauth2/authorize";
        return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", message));
    }
    match answer_request(&sandbox, url.query().unwrap_or_default(), &person, answer) {
        Some(Opened::Redirect { url, twice }) => Ok(Json(json!({ "redirect": url, "twice": twice }))),
        Some(Opened::Closed) => Ok(Json(json!({ "redirect": null, "twice": false }))),
        Some(Opened::Error(text)) => Err(Refused::new(StatusCode::UNPROCESSABLE_ENTITY, "error_page", text)),
        None => Err(Refused::new(
            StatusCode::CONFLICT,
            "silent",
            "this request asks nothing, so nothing can be denied",
        )),
    }
}

async fn faults(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(sandbox.world().faults.list())
}

async fn order_fault(State(sandbox): State<Sandbox>, body: Body<FaultOrder>) -> Answered {
    let Json(order) = body?;
    let owner = order.appid.as_deref().and_then(|appid| sandbox.platform_of(appid));
    let mut world = sandbox.world();
    world.faults.order(order, owner)?;
    Ok(Json(world.faults.list()))
}

async fn warnings(State(sandbox): State<Sandbox>) -> Json<Value> {
    Json(json!({ "warnings": sandbox.world().warnings().collect::<Vec<_>>() }))
}

/// People, logins, codes, tokens, faults, warnings, time: all as at the start. Waiting polls wake and find their uuid gone.
async fn reset(State(sandbox): State<Sandbox>) -> Json<Value> {
    sandbox.reset();
    Json(json!({ "reset": true }))
}

/// The app with this appid.
pub(crate) fn known_app<'a>(sandbox: &'a Sandbox, appid: &str) -> Result<&'a App, Refused> {
    let message = "no such app; GET /sandbox/api/apps lists them";
    sandbox.options().app(appid).ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "unknown_app", message))
}

/// The person with this id.
pub(crate) fn known(sandbox: &Sandbox, person: &str) -> Result<Person, Refused> {
    sandbox.world().people.get(person).cloned().ok_or_else(Refused::no_person)
}
