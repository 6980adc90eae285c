//! Why a call in an app's name came to nothing.

use std::sync::Arc;

use mashang_login::records::StoreError;
use mashang_wechat::{Error, FailureKind};

use crate::channel::{ChannelFailure, FailureWords};
use crate::outgoing::causes;

/// Why a call came to nothing. Carries no token. Cheap to clone: one failed fetch is told to everybody who waited for it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Failure {
    /// The platform refused, failed, or was not reached.
    #[error("{0}")]
    Platform(Arc<Error>),
    /// The breaker is open; no call was made.
    #[error("{app}: not called, because {whom} did not answer the last calls")]
    Resting {
        /// The breaker's name.
        app: String,
        /// Who did not answer, such as `the platform`.
        whom: &'static str,
    },
    /// Another node holds the lease to fetch the token and did not come back in time.
    #[error("another node has been fetching the token for too long")]
    Awaited,
    /// The operator's system that keeps the token did not hand it out.
    #[error("token_source: {0}")]
    Theirs(TheirsFailure),
    /// The store does not answer.
    #[error("{0}")]
    Store(Arc<StoreError>),
    /// Our own mistake.
    #[error("fetching the token panicked")]
    Broken,
}

/// What a failed call tells of whoever was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shows {
    /// They did not answer, not in time, not sensibly, or were busy; or the way to them is cut.
    Fault,
    /// They answered, and refused.
    Answer,
    /// Nothing: the call was not sent, or its outcome is not theirs.
    Nothing,
}

/// Why the operator's system did not hand out a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TheirsFailure {
    /// No connection, or none in time.
    #[error("could not be reached, or did not answer in time")]
    Unreachable,
    /// It refused our key.
    #[error("refused our key (HTTP {0}); compare token_source.key on both sides")]
    Refused(u16),
    /// Another HTTP status than 200, redirects included.
    #[error("answered with HTTP {0} instead of 200")]
    Status(u16),
    /// Not the JSON it should be.
    #[error("did not answer with {{\"access_token\": text, \"expires_in\": seconds}} of at most 64 KiB")]
    Malformed,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Platform(Arc::new(error))
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl Failure {
    /// What the platform's own failure means, if it is one.
    #[must_use]
    pub fn kind(&self) -> Option<FailureKind> {
        match self {
            Self::Platform(error) => Some(error.kind()),
            _ => None,
        }
    }

    /// What it tells of whoever was called.
    #[must_use]
    pub fn shows(&self) -> Shows {
        match self {
            Self::Platform(error) => match (&**error, error.kind()) {
                (Error::UnusableCode | Error::NotSendable { .. }, _) => Shows::Nothing,
                (_, FailureKind::Unreachable | FailureKind::Malformed | FailureKind::Busy) => Shows::Fault,
                _ => Shows::Answer,
            },
            Self::Theirs(TheirsFailure::Refused(_)) => Shows::Answer,
            Self::Theirs(_) => Shows::Fault,
            Self::Resting { .. } | Self::Awaited | Self::Store(_) | Self::Broken => Shows::Nothing,
        }
    }

    /// What metrics call it, and its errcode if it is one that the platform documents: no answer makes a new series.
    #[must_use]
    pub fn label(&self) -> (&'static str, Option<String>) {
        match self {
            Self::Platform(error) => match &**error {
                Error::Platform(refusal) => {
                    let code = refusal.code.0;
                    let is_known = mashang_wechat::errcodes::explain_on(refusal.platform, code).is_some();
                    ("refused", Some(if is_known { code.to_string() } else { "other".to_owned() }))
                }
                Error::Transport { .. } => ("unreachable", None),
                Error::UnusableCode | Error::NotSendable { .. } => ("not_sent", None),
                _ => ("malformed", None),
            },
            Self::Resting { .. } => ("resting", None),
            Self::Awaited => ("awaited", None),
            Self::Theirs(_) => ("token_source", None),
            Self::Store(_) => ("store", None),
            Self::Broken => ("broken", None),
        }
    }

    /// Whether whoever was called, or the way to them, is to blame.
    #[must_use]
    pub fn is_fault(&self) -> bool {
        self.shows() == Shows::Fault
    }
}

impl From<Failure> for ChannelFailure {
    fn from(failure: Failure) -> Self {
        let words = match &failure {
            Failure::Platform(error) => return told_again(error).into(),
            Failure::Resting { .. } => FailureWords::Down,
            Failure::Theirs(TheirsFailure::Refused(_)) => FailureWords::Setup,
            Failure::Theirs(_) => FailureWords::Down,
            Failure::Awaited | Failure::Store(_) | Failure::Broken => FailureWords::Busy,
        };
        let log = match &failure {
            Failure::Store(error) => causes(&**error),
            _ => failure.to_string(),
        };
        Self { words, errcode: None, log }
    }
}

/// The same error for one more listener.
fn told_again(error: &Error) -> Error {
    match error {
        Error::Platform(refusal) => Error::Platform(refusal.clone()),
        Error::Transport { kind, source } => {
            let mut causes = Vec::new();
            let mut cause = source.as_deref().map(|source| source as &dyn std::error::Error);
            while let Some(next) = cause {
                causes.push(next.to_string());
                cause = next.source();
            }
            let source = (!causes.is_empty()).then(|| causes.join(": ").into());
            Error::Transport { kind: *kind, source }
        }
        Error::UnusableCode => Error::UnusableCode,
        Error::NotSendable { what } => Error::NotSendable { what },
        other => Error::Malformed { what: other.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use mashang_wechat::TransportKind;

    use super::*;

    #[test]
    fn each_failure_has_words_for_the_person() {
        let words = |failure: Failure| ChannelFailure::from(failure).words;
        let timeout = Error::Transport { kind: TransportKind::Timeout, source: None };
        assert_eq!(words(timeout.into()), FailureWords::Down);
        assert_eq!(
            words(Failure::Resting { app: "wechat".into(), whom: "the platform" }),
            FailureWords::Down
        );
        assert_eq!(words(Failure::Awaited), FailureWords::Busy);
        assert_eq!(words(StoreError::Overloaded.into()), FailureWords::Busy);
        assert_eq!(words(Failure::Theirs(TheirsFailure::Refused(401))), FailureWords::Setup);
    }

    #[test]
    fn a_store_that_does_not_answer_is_logged_in_its_engines_words() {
        let failure = Failure::from(StoreError::Unavailable("connection refused".into()));
        let logged = ChannelFailure::from(failure).log;
        assert!(logged.contains("connection refused"), "{logged}");
    }
}
