//! WeCom (企业微信): who of a company is logging in, and what the company's directory says about them.
//!
//! It is not OAuth 2 (WeCom fact sheet §0): the code is worth nothing without the app's own token, there is no token
//! for the person, and every refusal is an HTTP 200 with an errcode. One login, in order:
//!
//! 1. Send the browser to [`WebLogin`] (desktop: QR code, or one click in the desktop app), frame it as a [`Panel`] in
//!    a page of your own, or send a page opened inside the app to [`InAppAuthorize`].
//! 2. WeCom sends it back with `code` and `state`. Without a `code` the person refused; that is no fault.
//! 3. [`Client::corp_token`](crate::Client::corp_token) gives the app's token. Keep one for each corp and secret, for
//!    all servers; when a call fails with [`FailureKind::TokenInvalid`](crate::FailureKind::TokenInvalid), ask anew,
//!    once.
//! 4. [`Client::corp_login`](crate::Client::corp_login) spends the code and gives a [`CorpLogin`]: a member, a member
//!    of a linked corp, or somebody who is neither. Admit members; an openid is not a member's id (§7).
//! 5. [`Client::member`](crate::Client::member) tells name, departments and whether they are still there, and
//!    [`Client::member_detail`](crate::Client::member_detail) what they agreed to show.
//!
//! Between logins, [`DirectoryChange`] reads from the app's callback who left.

pub(crate) mod department;
pub(crate) mod detail;
mod directory;
mod ids;
mod in_app;
pub(crate) mod login;
pub(crate) mod member;
mod panel;
pub(crate) mod refusal;
mod secret;
mod token;
mod web_login;

pub use department::Department;
pub use detail::MemberDetail;
pub use directory::{DirectoryChange, UnreadableChange};
pub use ids::{AgentId, CorpId, ExternalUserId, InvalidId, MemberId};
pub use in_app::{AddressError, InAppAuthorize, InAppScope, STATE_LIMIT};
pub use login::CorpLogin;
pub use member::{Member, MemberStatus};
pub use panel::{Panel, PanelRedirect, PanelSize};
pub use secret::{CorpSecret, UserTicket};
pub use web_login::{OldQrConnect, WebLogin};
