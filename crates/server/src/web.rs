//! What every page and endpoint shares: who is visiting, cookies, languages, templates, errors, headers, limits.
//!
//! Nothing here knows what a login is for; start at [`visitor`].

pub mod address;
pub mod around;
pub mod assets;
pub mod cookies;
pub mod counts;
pub mod device;
pub mod form_token;
pub mod headers;
pub mod language;
pub mod limits;
pub mod pages;
pub mod problem;
pub mod qr;
pub mod request_id;
pub mod sdk;
pub mod seldom;
pub mod tally;
pub mod visitor;
