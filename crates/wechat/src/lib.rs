//! A client for every way that WeChat and WeCom can log a person in: website apps, official accounts, mini-programs and
//! corps.
//!
//! It knows Tencent's addresses, parameters, answers and error codes, and nothing about who calls it: no storage,
//! no web framework, no session. Every sentence of the form "WeChat fact sheet §n" names a section of the protocol
//! notes this crate was written from.
//!
//! # A page that comes back with a code
//!
//! 1. Send the browser to [`open::QrConnect`] (desktop, QR code) or [`official::WebAuthorize`] (inside WeChat).
//! 2. WeChat sends it back with `code` and `state`. Check `state`, and claim the code once: a second exchange of
//!    the same code is refused by WeChat.
//! 3. [`Client::exchange_code`] gives an [`sns::SnsToken`] with the openid; refuse it when it is a snapshot user.
//! 4. [`Client::userinfo`] gives nickname and picture, where the scope allows it.
//!
//! ```
//! use mashang_wechat::{AppId, Hosts, Lang, open::{Look, QrConnect}};
//! use url::Url;
//!
//! let appid: AppId = "wx0123456789abcdef".parse()?;
//! let redirect_uri = Url::parse("https://login.example.com/wechat/callback")?;
//! let page = QrConnect {
//!     appid: &appid,
//!     redirect_uri: &redirect_uri,
//!     state: "kq3w9x",
//!     lang: Lang::ZhCn,
//!     look: Look::default(),
//! };
//! assert!(page.url(&Hosts::default()).as_str().starts_with("https://open.weixin.qq.com/connect/qrconnect?appid="));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # An official account's QR code
//!
//! 1. [`Client::stable_token`] gives the account's own [`AccessToken`]. Keep it once for all servers; after
//!    [`FailureKind::TokenInvalid`] get a new one and make the call again, once.
//! 2. [`Client::create_login_qr`] makes a [code](official::qr::ParametricQr) for a random, one-time scene. Draw its
//!    `url`.
//! 3. The person scans, and WeChat tells the account's server: [`callback::Inbox::accept`] proves that it was WeChat,
//!    [`callback::scene_of`] says which code, `FromUserName` who. Act once per
//!    [`dedupe_key`](callback::Accepted::dedupe_key), and answer within five seconds: `success`, or
//!    [`callback::Inbox::reply`].
//! 4. WeChat asked the person nothing. Ask them yourself, on a page that the reply links to.
//! 5. [`Client::official_user`] adds the unionid.
//!
//! # A mini-program
//!
//! 1. [`Client::mini_code`] draws a code for a random, one-time scene, or an ordinary QR code opens the mini-program by
//!    a [link rule](mini::link_rule).
//! 2. The mini-program's page sends the scene and a fresh `wx.login` code to its server.
//! 3. [`Client::mini_session`] says who the person is. The [session key](mini::session_key::SessionKey) stays on the
//!    server.
//! 4. The page shows who asks and takes a yes or no. [`Client::mini_phone`] gives the phone number, if the person taps
//!    for it.
//!
//! # WeCom
//!
//! See [`wecom`]: its pages, its calls, and who a code stands for. Its messages arrive at the same
//! [`callback::Inbox`].
//!
//! TLS uses rustls: its process-wide crypto provider if one was installed, otherwise aws-lc-rs.

mod answer;
pub mod callback;
mod client;
pub mod errcodes;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod hosts;
mod ids;
mod lang;
mod mend;
pub mod mini;
mod object;
pub mod official;
pub mod open;
mod query;
mod secret;
pub mod sns;
mod token;
pub mod wecom;

pub use client::{BuildError, Client, ClientOptions, FinishedCall, Observer};
pub use error::{ErrCode, Error, FailureKind, PlatformError, TransportKind};
pub use hosts::{Hosts, Platform};
pub use ids::{AppId, InvalidId, OpenId, UnionId};
pub use lang::Lang;
pub use secret::{AccessToken, AppSecret, RefreshToken};
pub use token::IssuedToken;
