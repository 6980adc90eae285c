//! A client for WeChat's web login: Open Platform website login and official-account web authorization.
//!
//! It knows Tencent's addresses, parameters, answers and error codes, and nothing about who calls it: no storage,
//! no web framework, no session. Every sentence of the form "WeChat fact sheet §n" names a section of the protocol
//! notes this crate was written from.
//!
//! One login, in order:
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
//! TLS uses rustls: its process-wide crypto provider if one was installed, otherwise aws-lc-rs.

mod answer;
pub mod callback;
mod client;
pub mod errcodes;
mod error;
mod hosts;
mod ids;
mod lang;
mod mend;
pub mod mini;
pub mod official;
pub mod open;
mod query;
mod secret;
pub mod sns;
mod token;
pub mod wecom;

pub use client::{BuildError, Client, ClientOptions};
pub use error::{ErrCode, Error, FailureKind, PlatformError, TransportKind};
pub use hosts::{Hosts, Platform};
pub use ids::{AppId, InvalidId, OpenId, UnionId};
pub use lang::Lang;
pub use secret::{AccessToken, AppSecret, RefreshToken};
pub use token::IssuedToken;
