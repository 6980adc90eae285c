//! What a bearer token is worth: the person it proves, and which logins it may answer.

use mashang_login::Timestamp;
use mashang_login::grant::{Grant, Purpose};
use mashang_login::identity::Proof;

/// A person for whom a token vouches.
#[derive(Debug, Clone)]
pub struct Vouched {
    /// Who it is.
    pub proof: Proof,
    /// Who issued the token.
    pub by: Voucher,
}

/// Who issued a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voucher {
    /// The app's own issuer; its word counts as of now.
    Issuer,
    /// We, in a login that may be long ago: [`Proof::proven_at`] is that login's `auth_time`.
    Us,
}

impl Vouched {
    /// Whether the token may answer this request. One of ours repeats an earlier login: it opens no door to the person's
    /// own account (SEC-38), and is no fresh approval where the website demands one (SEC-55).
    ///
    /// # Errors
    /// For the operator's log: why not.
    pub fn may_answer(&self, grant: &Grant, now: Timestamp) -> Result<(), &'static str> {
        match self.by {
            Voucher::Issuer => Ok(()),
            Voucher::Us if grant.purpose != Purpose::SignIn => {
                Err("access tokens of this server do not count at the account page")
            }
            Voucher::Us if is_too_old(self.proof.proven_at, grant, now) => {
                Err("the website wants a login that is fresher than the one it comes from")
            }
            Voucher::Us => Ok(()),
        }
    }
}

/// As for a session, except that a login made since the request is fresh by any measure.
fn is_too_old(proven_at: Timestamp, grant: &Grant, now: Timestamp) -> bool {
    let age = now.as_second().saturating_sub(proven_at.as_second());
    let is_within = |most: u64| most > 0 && u64::try_from(age).unwrap_or(0) <= most;
    let request = &grant.request;
    let will_do = !request.force_login && request.max_age.is_none_or(is_within);
    !will_do && proven_at < grant.created_at
}
