//! The authorization endpoint (OpenID Connect Core §3.1.2, RFC 6749 §4.1) in three questions, asked in this order:
//!
//! 1. [`prove`]: who asks, and where may we answer? Until this succeeds an error is shown here and nothing is
//!    redirected (SEC-46).
//! 2. [`check`]: what is asked? From here on errors travel to the proven address, as an
//!    [`AuthorizationResponse`].
//! 3. [`decide`]: may the browser's session answer, or must a person scan?

mod check;
mod decide;
mod error;
mod prove;
mod response;

pub use check::{Checked, check};
pub(crate) use decide::session_answers;
pub use decide::{Next, decide};
pub use error::{AuthorizeError, LocalError};
pub use prove::{Proven, prove};
pub use response::AuthorizationResponse;
