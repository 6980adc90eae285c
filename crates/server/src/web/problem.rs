//! What went wrong, as people and programs are told. Handlers return a [`Problem`]; one layer at the edge turns it into
//! a page in the visitor's language or a small JSON object, and logs its cause once with the same reference (promise 9).

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use mashang_login::Entropy;
use mashang_login::client::mismatch::Mismatch;
use mashang_login::grant::Grant;
use mashang_login::ids::{ChannelId, ClientId, UserId};
use mashang_login::records::StoreError;
use mashang_login::secret::random_text;
use minijinja::context;
use serde_json::json;

use super::headers::Csp;
use super::limits::TooMany;
use super::seldom::comes_back;
use super::visitor::Visitor;
use crate::channel::{FailureWords, Platform};
use crate::login::form::time;
use crate::outgoing::causes;
use crate::state::App;
use crate::urls;

/// Why a request is not answered as asked.
#[derive(Debug)]
pub enum Problem {
    /// No such page.
    NotFound,
    /// No such method on this page.
    MethodNotAllowed,
    /// Unknown, expired, used and foreign logins: one and the same answer (SEC-14).
    UnknownLogin,
    /// The website's request is over: answered, cancelled or too old. With the way back to the website.
    LoginOver {
        /// The website's name and address.
        back: Option<(String, String)>,
    },
    /// The request does not have the expected form.
    BadRequest(&'static str),
    /// A browser sent this from another site (SEC-64).
    CrossSite,
    /// Over a limit.
    TooMany(TooMany),
    /// The authorization request cannot be answered at the website (SEC-46): the error code and a sentence for the
    /// integrator.
    Authorization {
        /// RFC 6749 code.
        code: &'static str,
        /// For the integrator.
        description: String,
        /// The website that is said to ask.
        client: Option<ClientId>,
        /// Where it wanted the answer, if that is the trouble.
        mismatch: Option<Mismatch>,
    },
    /// The platform failed, in the person's words, with the errcode for the operator.
    Channel {
        /// Which words.
        words: FailureWords,
        /// Whose app.
        platform: Platform,
        /// The platform's errcode.
        errcode: Option<i64>,
        /// Which channel.
        channel: ChannelId,
        /// For the operator's log: what happened and what to do; `None` when it has been said already.
        log: Option<String>,
        /// Where to try again.
        retry: String,
    },
    /// No channel is configured, so there is no way to sign in yet.
    NoChannel,
    /// The person was switched off by an administrator.
    PersonDisabled,
    /// The website admits only people in groups that this one is not in.
    NotAdmitted {
        /// The website's name.
        site: String,
        /// Who they are, for whoever may let them in.
        user: UserId,
        /// Where somebody else signs in.
        retry: String,
    },
    /// The website does not admit people who come by this channel.
    WayNotAdmitted {
        /// Where the request goes on: with the ways that it does admit.
        retry: String,
    },
    /// The store does not answer, or holds too much.
    Store(StoreError),
    /// Our own mistake.
    Broken(String),
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<TooMany> for Problem {
    fn from(error: TooMany) -> Self {
        Self::TooMany(error)
    }
}

impl Problem {
    /// A proof by a channel that the website does not admit; the request itself goes on.
    #[must_use]
    pub fn way_not_admitted(grant: &Grant) -> Self {
        Self::WayNotAdmitted { retry: urls::login(&grant.id) }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::UnknownLogin => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::LoginOver { .. } => StatusCode::GONE,
            Self::BadRequest(_) | Self::Authorization { .. } => StatusCode::BAD_REQUEST,
            Self::CrossSite
            | Self::PersonDisabled
            | Self::NotAdmitted { .. }
            | Self::WayNotAdmitted { .. } => StatusCode::FORBIDDEN,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Channel { .. } => StatusCode::BAD_GATEWAY,
            Self::Store(_) | Self::NoChannel => StatusCode::SERVICE_UNAVAILABLE,
            Self::Broken(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The group of words, and the `error` of the JSON form.
    fn key(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::UnknownLogin => "unknown_login",
            Self::LoginOver { .. } => "login_over",
            Self::BadRequest(_) => "bad_request",
            Self::CrossSite => "cross_site",
            Self::TooMany(_) => "too_many",
            Self::Authorization { .. } => "authorization",
            Self::Channel { words, .. } => words.as_str(),
            Self::NoChannel => "no_channel",
            Self::PersonDisabled => "person_disabled",
            Self::NotAdmitted { .. } => "not_admitted",
            Self::WayNotAdmitted { .. } => "way_not_admitted",
            Self::Store(_) => "busy",
            Self::Broken(_) => "broken",
        }
    }

    fn retry_after(&self, entropy: &dyn Entropy) -> Option<Duration> {
        match self {
            Self::TooMany(limit) => Some(limit.retry_after),
            Self::Store(_) => Some(comes_back(entropy)),
            _ => None,
        }
    }

    fn details(&self) -> Vec<(String, String)> {
        match self {
            Self::Authorization { code, description, client, mismatch } => {
                let address = mismatch.as_ref().map(|mismatch| mismatch.shown.clone());
                let told =
                    [("client_id", client.as_ref().map(ToString::to_string)), ("redirect_uri", address)];
                [("error", Some((*code).to_owned())), ("error_description", Some(description.clone()))]
                    .into_iter()
                    .chain(told)
                    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
                    .collect()
            }
            Self::Channel { errcode: Some(code), .. } => vec![("errcode".into(), code.to_string())],
            // What the administrator writes into a rule, or looks up by `mashang user show`.
            Self::NotAdmitted { user, .. } => vec![("sub".into(), user.to_string())],
            Self::BadRequest(why) => vec![("error_description".into(), (*why).into())],
            _ => Vec::new(),
        }
    }

    /// Tells the operator, once, under the reference that the person sees.
    pub fn log(&self, reference: &str) {
        match self {
            Self::Store(error) => {
                let error = causes(error);
                tracing::error!(reference, error, "the store failed [{reference}]: {error}");
            }
            Self::NoChannel => tracing::warn!(
                reference,
                "nobody can log in: no channel is configured; see [channel.<name>] in `mashang config show` [{reference}]"
            ),
            Self::Broken(what) => tracing::error!(reference, what, "our own mistake [{reference}]: {what}"),
            Self::Authorization { code, description, client, mismatch } => {
                let client = client.as_ref().map(ToString::to_string).unwrap_or_default();
                let came = mismatch.as_ref().map_or_else(String::new, |mismatch| {
                    format!("; it came with {} ({})", mismatch.shown, mismatch.words())
                });
                tracing::info!(
                    reference,
                    client.id = client,
                    code,
                    description,
                    "authorization request of `{client}` refused [{reference}]: {description}{came}"
                );
            }
            Self::Channel { errcode, channel, log: Some(log), .. } => {
                tracing::warn!(reference, channel.id = %channel, upstream.errcode = errcode, "channel {channel} failed [{reference}]: {log}");
            }
            other => tracing::debug!(reference, problem = other.key(), "refused [{reference}]"),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// An answer, in words if it is a problem.
#[must_use]
pub fn worded(app: &App, visitor: &Visitor, response: Response) -> Response {
    let told = response.extensions().get::<Arc<Problem>>().cloned();
    let Some(problem) = told.or_else(|| of_plain_refusal(&response)) else { return response };
    let reference = reference(app);
    // Who sees a page may name its reference. A script that asks again every few seconds does not, and there may be thousands.
    let is_outage = matches!(&*problem, Problem::Store(StoreError::Unavailable(_)));
    if matches!(&*problem, Problem::Store(StoreError::Overloaded)) {
        app.limits.note_full();
    }
    if is_outage && visitor.wants_json {
        app.outages.tell(|| problem.log(&reference));
    } else {
        problem.log(&reference);
    }
    let mut told = if visitor.wants_json {
        as_json(app, visitor, &problem, &reference)
    } else {
        as_page(app, visitor, &problem, &reference)
    };
    if let Some(wait) = problem.retry_after(&*app.entropy) {
        told.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    told
}

/// A fresh reference: what the person sees and the operator looks for.
#[must_use]
pub fn reference(app: &App) -> String {
    random_text(&*app.entropy, 6)
}

/// A problem in words.
#[derive(Debug)]
pub struct Told {
    /// What happened.
    pub heading: String,
    /// Whose turn it is.
    pub text: String,
    /// What the operator can do about a platform's errcode.
    pub remedy: Option<String>,
}

/// Puts a problem into the visitor's language.
#[must_use]
pub fn told(app: &App, visitor: &Visitor, problem: &Problem) -> Told {
    let key = problem.key();
    let words = &app.pages.words;
    let name = match problem {
        Problem::Channel { platform, .. } => platform.name(words, visitor.language),
        Problem::NotAdmitted { site, .. } => site.clone(),
        _ => String::new(),
    };
    let time = match problem {
        Problem::TooMany(limit) => time(words, visitor.language, limit.retry_after),
        _ => String::new(),
    };
    let values = [("app", name.as_str()), ("time", &time)];
    let say = |part: &str| words.say(visitor.language, &format!("problem.{key}.{part}"), &values);
    Told { heading: say("heading"), text: say("text"), remedy: remedy(app, visitor, problem) }
}

/// The web framework refuses some requests itself (a path that is not UTF-8, a body that is too large), in plain
/// English; people get a page instead.
fn of_plain_refusal(response: &Response) -> Option<Arc<Problem>> {
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    (response.status().is_client_error() && is_plain)
        .then(|| Arc::new(Problem::BadRequest("the request cannot be read")))
}

/// For scripts: what the page would say, too.
fn as_json(app: &App, visitor: &Visitor, problem: &Problem, reference: &str) -> Response {
    let Told { heading, text, .. } = told(app, visitor, problem);
    let onward = way_on(app, visitor, problem).map(|(href, label)| json!({ "href": href, "label": label }));
    let body = json!({
        "error": problem.key(),
        "reference": reference,
        "gone": matches!(problem, Problem::LoginOver { .. }),
        "title": heading,
        "detail": text,
        "onward": onward,
    });
    (problem.status(), Json(body)).into_response()
}

/// Where a problem's page leads, and how the link is called.
fn way_on(app: &App, visitor: &Visitor, problem: &Problem) -> Option<(String, String)> {
    let say = |key, values: &[(&str, &str)]| app.pages.words.say(visitor.language, key, values);
    match problem {
        Problem::LoginOver { back: Some((name, href)) } => {
            Some((href.clone(), say("problem.back_to_site", &[("site", name)])))
        }
        Problem::NotAdmitted { retry, .. } => Some((retry.clone(), say("problem.not_admitted.another", &[]))),
        Problem::Channel { retry, .. } | Problem::WayNotAdmitted { retry } => {
            Some((retry.clone(), say("problem.try_again", &[])))
        }
        Problem::TooMany(_) => visitor.here().map(|href| (href, say("problem.try_again", &[]))),
        _ => None,
    }
}

fn as_page(app: &App, visitor: &Visitor, problem: &Problem, reference: &str) -> Response {
    let Told { heading, text, remedy } = told(app, visitor, problem);
    let (back_href, back_label) = way_on(app, visitor, problem).unzip();
    let values = context! {
        heading => heading.clone(),
        text,
        remedy,
        details => problem.details().into_iter().map(|(name, value)| context! { name, value }).collect::<Vec<_>>(),
        reference,
        back_href,
        back_label => back_label.unwrap_or_default(),
        framed => visitor.is_framed,
    };
    match app.pages.render_titled(visitor, "error.html", &heading, values) {
        Ok(page) => {
            // Inside our own login page's frame the page must be seen; nobody else's page may ever frame it.
            let csp = Csp { framed_by_self: visitor.is_framed, ..Csp::default() };
            page.with_status(problem.status()).with_csp(csp).into_response()
        }
        Err(error) => {
            error.log(reference);
            (problem.status(), format!("{heading} [{reference}]\n")).into_response()
        }
    }
}

/// How an address differs from the registered one, or what the operator can do about a platform's errcode.
fn remedy(app: &App, visitor: &Visitor, problem: &Problem) -> Option<String> {
    if let Problem::Authorization { mismatch: Some(mismatch), .. } = problem {
        let say = |key: &str, values: &[(&str, &str)]| app.pages.words.say(visitor.language, key, values);
        let named: Vec<String> = mismatch
            .differences
            .iter()
            .map(|one| say(&format!("problem.redirect.{}", one.as_str().replace(' ', "_")), &[]))
            .collect();
        let told = || say("problem.redirect.differs", &[("parts", &named.join(" · "))]);
        return (!named.is_empty()).then(told);
    }
    let Problem::Channel { errcode: Some(code), platform, .. } = problem else { return None };
    let table = match platform {
        Platform::WeChat => mashang_wechat::Platform::WeChat,
        Platform::Wecom => mashang_wechat::Platform::WeCom,
        Platform::OwnApp | Platform::ThisDevice => return None,
    };
    let explanation = mashang_wechat::errcodes::explain_on(table, *code)?;
    let sentence = match visitor.language {
        super::language::Language::ZhCn => &explanation.zh,
        super::language::Language::En => &explanation.en,
    };
    Some(format!("{} {}", sentence.what, sentence.remedy))
}

/// What [`axum`] falls back to for unknown paths.
pub async fn not_found() -> Problem {
    Problem::NotFound
}

/// What [`axum`] falls back to for unknown methods.
pub async fn method_not_allowed() -> Problem {
    Problem::MethodNotAllowed
}
