//! `GET /jwks`: the public halves of the signing keys (RFC 7517).

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header;

use crate::state::App;

/// For how long anybody may keep the set. `RotationPolicy::publish_early` is longer than this and the time in which nodes reload.
const KEPT: Duration = Duration::from_secs(600);

/// Keys that sign now, will soon, or did until lately.
pub async fn jwks(State(app): State<App>) -> Response {
    let kept = format!("public, max-age={}", KEPT.as_secs());
    ([(header::CACHE_CONTROL, kept)], Json(app.provider.keys.jwks(app.now()))).into_response()
}

#[cfg(test)]
mod tests {
    use mashang_oidc::keys::RotationPolicy;

    use super::*;
    use crate::background::TIDY_EVERY;

    #[test]
    fn sec_60_a_key_signs_only_when_every_kept_key_set_has_it() {
        let policy = RotationPolicy::default();
        // Nextcloud's user_oidc, whatever `max-age` says.
        let longest_kept = KEPT.max(Duration::from_secs(3_600));
        assert!(
            policy.publish_early > TIDY_EVERY + longest_kept && policy.publish_before > policy.publish_early
        );
    }
}
