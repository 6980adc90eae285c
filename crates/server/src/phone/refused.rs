//! Why the phone API refuses: a name for programs, a sentence for people.

use axum::Json;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use mashang_login::records::StoreError;
use mashang_login::ticket::Refusal;
use serde_json::json;

use crate::channel::{ChannelFailure, FailureWords};
use crate::outgoing::causes;
use crate::state::App;
use crate::web::limits::TooMany;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;

/// The refusals of the phone API.
#[derive(Debug)]
pub enum Refused {
    /// Unknown, expired, another channel's, another phone's: one and the same answer (SEC-14).
    UnknownLogin,
    /// Another phone scanned first (SEC-06).
    Taken,
    /// It has been answered.
    Finished,
    /// The app's token proves nobody, or somebody else than at the scan (SEC-36).
    Unauthorized,
    /// The person was switched off (SEC-40).
    PersonDisabled,
    /// The platform refuses this person, whatever they scan.
    PersonRefused,
    /// The website does not admit people by this channel.
    WayNotAdmitted,
    /// The platform refused the code, or it was used before (SEC-26).
    CodeRefused,
    /// The request names a person or carries a platform's token (SEC-22, SEC-24).
    IdentityInRequest,
    /// The request does not have the documented form.
    BadRequest,
    /// Over a limit.
    TooMany(TooMany),
    /// The platform, or the app's issuer, does not answer.
    PlatformUnavailable,
    /// The operator must change a setting.
    PlatformSetup,
    /// Our own store does not answer.
    Busy,
}

impl Refused {
    /// The `error` of the answer; also the end of its words' key in the locales.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::UnknownLogin => "unknown_login",
            Self::Taken => "taken",
            Self::Finished => "finished",
            Self::Unauthorized => "unauthorized",
            Self::PersonDisabled => "person_disabled",
            Self::PersonRefused => "person_refused",
            Self::WayNotAdmitted => "way_not_admitted",
            Self::CodeRefused => "code_refused",
            Self::IdentityInRequest => "identity_in_request",
            Self::BadRequest => "bad_request",
            Self::TooMany(_) => "too_many",
            Self::PlatformUnavailable => "platform_unavailable",
            Self::PlatformSetup => "platform_setup",
            Self::Busy => "busy",
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Self::UnknownLogin => StatusCode::NOT_FOUND,
            Self::Taken | Self::Finished => StatusCode::CONFLICT,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::PersonDisabled | Self::PersonRefused | Self::WayNotAdmitted => StatusCode::FORBIDDEN,
            Self::CodeRefused | Self::IdentityInRequest | Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::PlatformUnavailable | Self::PlatformSetup | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The answer, in the caller's language.
    #[must_use]
    pub fn tell(&self, app: &App, visitor: &Visitor) -> Response {
        let message = app.pages.words.say(visitor.language, &format!("phone.{}", self.name()), &[]);
        let body = Json(json!({ "error": self.name(), "message": message }));
        let mut response = (self.status(), body).into_response();
        let headers = response.headers_mut();
        if let Self::TooMany(limit) = self {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(limit.retry_after.as_secs().max(1)));
        }
        if matches!(self, Self::Unauthorized) {
            headers
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
        }
        response
    }
}

impl From<Refusal> for Refused {
    /// What a ticket's refusal means to a phone that presents a token of the scan.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Taken => Self::Taken,
            Refusal::Finished => Self::Finished,
            Refusal::NotYours | Refusal::TooEarly | Refusal::Expired => Self::UnknownLogin,
        }
    }
}

impl From<TooMany> for Refused {
    fn from(limit: TooMany) -> Self {
        Self::TooMany(limit)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        let error = causes(&error);
        tracing::error!(error, "the store failed under a phone: {error}");
        Self::Busy
    }
}

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::Store(error) => error.into(),
            Problem::TooMany(limit) => limit.into(),
            other => {
                tracing::error!("our own mistake under a phone: {other:?}");
                Self::Busy
            }
        }
    }
}

impl From<&ChannelFailure> for Refused {
    fn from(failure: &ChannelFailure) -> Self {
        match failure.words {
            FailureWords::Code | FailureWords::Snapshot => Self::CodeRefused,
            FailureWords::Person => Self::PersonRefused,
            FailureWords::Setup => Self::PlatformSetup,
            _ => Self::PlatformUnavailable,
        }
    }
}

/// The layer that makes JSON of what is refused before a handler sees it: a body that is too large, or too slow.
pub async fn layer(State(app): State<App>, visitor: Visitor, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let is_plain = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if response.status().is_client_error() && is_plain {
        return Refused::BadRequest.tell(&app, &visitor);
    }
    response
}

/// Everything but POST.
pub async fn wrong_method(State(app): State<App>, visitor: Visitor) -> Response {
    let mut response = Refused::BadRequest.tell(&app, &visitor);
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::Overheard;

    #[test]
    fn a_store_that_failed_is_told_with_its_cause_to_operators_alone() {
        let overheard = Overheard::by("error");
        let refused = Refused::from(StoreError::Unavailable("connection refused".into()));
        assert!(matches!(refused, Refused::Busy));
        let told = overheard.told();
        assert!(told.contains("under a phone: the store is unavailable: connection refused"), "{told}");
    }
}
