//! Tencent in a box: a pretend WeChat for local development, demos and CI.
//!
//! It plays the far side of the wire: the Open Platform's QR page and long poll, the official account with its web
//! authorization, codes and events, mini-programs, WeCom, their APIs, and the phone that scans. It knows nothing of the
//! server it is used to try out and has its own wire types and crypto, so that a misreading over there is not repeated
//! over here. It listens on no socket: [`Sandbox::router`] is mounted by the caller. It calls only addresses that the
//! operator or a script gave it: an account's event server, and the login server of the demo mini-program.
//!
//! # Where things are
//!
//! | module | what it plays |
//! |---|---|
//! | `options` | which apps WeChat has registered |
//! | `hosts` | many pretend hosts on one listener: `{public_url}/api.weixin.qq.com/…`, or a real `Host` header |
//! | `open` | Open Platform website login: QR page, image, long poll, `wxLogin.js`, the confirm page on the phone |
//! | `official` | official account: web authorization (`/connect/oauth2/authorize`), parametric codes, the chat on the phone |
//! | `events` | what an official account's server is told: signed, encrypted, retried, forged on demand |
//! | `cgi` | `cgi-bin`: access tokens, parametric codes, followers, customer-service messages |
//! | `mini` | mini-programs: codes, `wx.login`, rules for ordinary links, the page in which one runs |
//! | `wecom` | WeCom (企业微信): scan login, panel, in-app OAuth, `qyapi` |
//! | `sns` | code → token, refresh, auth, userinfo |
//! | `outbox` | where a server's e-mails and SMS end: a page, and the script API |
//! | `phone` | the phone page at `/phone`: who holds it, scanning, opening links |
//! | `tls` | certificates for Tencent's names, on demand |
//! | `api`, `manual` | the script API at `/sandbox/api`: the phone without a hand; and its description as a page |
//! | `clock` | time that a script moves on |
//! | `troubles` | the faults as a page |
//! | `people`, `ids`, `faults`, `spoil`, `state` | who exists, what they are called where, what goes wrong, what is remembered |
//!
//! # One login through it
//!
//! 1. A browser opens `/open.weixin.qq.com/connect/qrconnect?appid=…`; the page shows a QR whose content is
//!    `{public_url}/open.weixin.qq.com/connect/confirm?uuid=…` and long-polls `/lp.open.weixin.qq.com/connect/l/qrconnect`.
//! 2. A phone opens that link (its own camera app, `/phone`, or `POST /sandbox/api/scan`): the poll says 404, *scanned*.
//! 3. The person taps 允许 (or `POST /sandbox/api/allow`): the poll says 405 with a code, and the page's script goes
//!    to `redirect_uri` with `code` and `state`.
//! 4. The site's server calls `/api.weixin.qq.com/sns/oauth2/access_token` and, if it likes, `/sns/userinfo`.
//!
//! # Script API
//!
//! All answers are JSON; a refusal is a 4xx with `{"error": "...", "message": "..."}`. The same table is served at
//! `GET /sandbox/api`.
//!
#![doc = include_str!("../templates/api.md")]
//!
//! # The phone and "inside WeChat"
//!
//! The sandbox phone is an ordinary browser tab and cannot change its User-Agent. So it marks the links it opens with
//! the query parameter `via=wechat`, and leaves a cookie for ten minutes by which `/connect/oauth2/authorize` lets a
//! browser without `MicroMessenger` (for a corp, `wxwork`) in its User-Agent pass. Every other browser is told to open
//! the link in WeChat.
//!
//! # Where it knowingly differs from the real one
//!
//! - Pages carry a ribbon saying that this is a sandbox; their wording is the real one, their looks are ours.
//! - Desktop quick login is not played; `fast_login` is accepted and ignored.
//! - An allowed link whose callback host is `*` may be localhost, an IP address, or have a port.
//! - A mini code is a QR in a ring of rays; the real round one is not public. The mini-program in it is the sandbox's own.
//! - Any port will do for an official account's server, and its deliveries have no request log but ours.
//! - Order of parameters at `/connect/oauth2/authorize` is recorded as a warning, not refused.

mod api;
mod cgi;
mod clock;
mod events;
mod faults;
mod hosts;
mod ids;
mod manual;
mod mini;
mod official;
mod open;
mod options;
mod outbox;
mod pages;
mod params;
mod people;
mod phone;
mod sns;
mod spoil;
mod state;
mod tls;
mod troubles;
mod wecom;
mod words;

pub use events::{DEMO_OFFICIAL_AES_KEY, DEMO_OFFICIAL_TOKEN, EventMode, EventTarget};
pub use ids::Entropy;
pub use mini::{DEMO_MINI_PAGE, MiniProgram};
pub use options::{
    App, AppKind, DEMO_MINI_APPID, DEMO_MINI_SECRET, DEMO_OFFICIAL_APPID, DEMO_OFFICIAL_ORIGINAL_ID,
    DEMO_OFFICIAL_SECRET, DEMO_PLATFORM, DEMO_WEBSITE_APPID, DEMO_WEBSITE_SECRET, Options, default_apps,
};
pub use state::{Clock, Sandbox};
pub use tls::{CertificateAuthority, TlsError, tencent_hosts};
pub use wecom::{
    Agent, Corp, DEMO_CORP_AGENTID, DEMO_CORP_CONTACT_SECRET, DEMO_CORP_SECRET, DEMO_CORPID, Department,
    Member, MemberStatus, Visible, default_corps,
};
