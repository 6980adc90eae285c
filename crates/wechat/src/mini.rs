//! Mini-programs (小程序): codes that open a page of one, and what the page may then tell about the person.
//!
//! WeChat pushes nothing here. The code carries a scene; the page sends the scene and a fresh `wx.login` code to its
//! server, and [`Client::mini_session`](crate::Client::mini_session) says who the person is (mini-program fact sheet
//! §0). Scene and page come from a phone and prove nothing (SEC-34).
//!
//! An ordinary QR code can open the page too, if its address follows a published [link rule](link_rule).

pub mod code;
pub mod link_rule;
pub mod phone;
pub mod session;
pub mod session_key;

pub(crate) use session::SESSION;
