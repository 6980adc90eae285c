//! Why the Browser API refuses: a word for programs, a sentence for people.

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use mashang_login::records::StoreError;
use mashang_login::ticket::Status;
use serde_json::json;

use crate::outgoing::causes;
use crate::state::App;
use crate::web::limits::TooMany;
use crate::web::problem::Problem;
use crate::web::seldom::comes_back;
use crate::web::visitor::Visitor;

/// The refusals of the Browser API.
#[derive(Debug)]
pub enum Refused {
    /// Not as documented, with a sentence for whoever writes the page.
    InvalidRequest(String),
    /// The page is of no origin of this client (SEC-59).
    OriginNotAllowed,
    /// Unknown, foreign, or with another secret: one and the same answer (SEC-14).
    UnknownLogin,
    /// There is nothing to collect yet, or any more; with the ticket's status.
    NotApproved(Status),
    /// Answered, cancelled, or too old: begin anew.
    LoginOver,
    /// The person was switched off (SEC-40).
    PersonDisabled,
    /// The person is in none of the groups that the client requires.
    NotAdmitted,
    /// The person came by a way that the client does not admit.
    WayNotAdmitted,
    /// Over a limit.
    TooMany(TooMany),
    /// Our store does not answer or is full.
    Store(StoreError),
    /// There is no way to sign in.
    Unavailable,
    /// Another method than documented.
    WrongMethod,
}

impl Refused {
    /// [`Refused::InvalidRequest`] with its sentence.
    #[must_use]
    pub fn invalid(why: impl Into<String>) -> Self {
        Self::InvalidRequest(why.into())
    }

    /// The `error` of the answer; also the end of its words' key in the locales.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) | Self::WrongMethod => "invalid_request",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::UnknownLogin => "unknown_login",
            Self::NotApproved(_) => "not_approved",
            Self::LoginOver => "login_over",
            Self::PersonDisabled => "person_disabled",
            Self::NotAdmitted => "not_admitted",
            Self::WayNotAdmitted => "way_not_admitted",
            Self::TooMany(_) => "rate_limited",
            Self::Store(_) | Self::Unavailable => "unavailable",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::InvalidRequest(_) => StatusCode::BAD_REQUEST,
            Self::OriginNotAllowed | Self::PersonDisabled | Self::NotAdmitted | Self::WayNotAdmitted => {
                StatusCode::FORBIDDEN
            }
            Self::UnknownLogin => StatusCode::NOT_FOUND,
            Self::NotApproved(_) => StatusCode::CONFLICT,
            Self::LoginOver => StatusCode::GONE,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(_) | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
        }
    }

    /// The answer, in the page's language.
    #[must_use]
    pub fn tell(&self, app: &App, visitor: &Visitor) -> Response {
        let why = match self {
            Self::InvalidRequest(why) => why,
            Self::WrongMethod => "another method is documented for this address",
            _ => "",
        };
        if let Self::Store(error) = self {
            let line = || {
                let error = causes(error);
                tracing::error!(error, "the store failed under a website's page: {error}");
            };
            if matches!(error, StoreError::Unavailable(_)) {
                app.outages.tell(line)
            } else {
                line()
            }
            if matches!(error, StoreError::Overloaded) {
                app.limits.note_full();
            }
        }
        let key = format!("browser.{}", self.name());
        let description = app.pages.words.say(visitor.language, &key, &[("why", why)]);
        let mut body = json!({ "error": self.name(), "error_description": description });
        if let Self::NotApproved(status) = self {
            body["status"] = json!(status);
        }
        let mut response = (self.status(), Json(body)).into_response();
        let wait = match self {
            Self::TooMany(limit) => Some(limit.retry_after.as_secs().max(1)),
            Self::Store(_) => Some(comes_back(&*app.entropy).as_secs()),
            Self::Unavailable => Some(2),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

impl From<TooMany> for Refused {
    fn from(limit: TooMany) -> Self {
        Self::TooMany(limit)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Store(error) => error.into(),
            Problem::TooMany(limit) => limit.into(),
            Problem::UnknownLogin => Self::UnknownLogin,
            Problem::LoginOver { .. } => Self::LoginOver,
            Problem::PersonDisabled => Self::PersonDisabled,
            Problem::NotAdmitted { .. } => Self::NotAdmitted,
            Problem::WayNotAdmitted { .. } => Self::WayNotAdmitted,
            other => {
                tracing::error!("our own mistake under a website's page: {other:?}");
                Self::Unavailable
            }
        }
    }
}

/// The layer that makes JSON of what is refused before a handler sees it: a body that is too large, or too slow, or an
/// address that cannot be read.
pub async fn layer(State(app): State<App>, visitor: Visitor, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if response.status().is_client_error() && is_plain {
        return Refused::invalid("the request cannot be read").tell(&app, &visitor);
    }
    response
}

/// Everything but POST.
pub async fn not_post(State(app): State<App>, visitor: Visitor) -> Response {
    wrong_method(&app, &visitor, "POST, OPTIONS")
}

/// Everything but GET.
pub async fn not_get(State(app): State<App>, visitor: Visitor) -> Response {
    wrong_method(&app, &visitor, "GET, OPTIONS")
}

fn wrong_method(app: &App, visitor: &Visitor, allowed: &'static str) -> Response {
    let mut response = Refused::WrongMethod.tell(app, visitor);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}
