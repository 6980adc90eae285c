//! Events and messages of an official account, pushed to its server (WeChat fact sheet §4.5–4.8).
//!
//! `message` is what happened, `parcel` makes it ready to post (and forges it on demand), `delivery` brings it there,
//! `batch` often, `reply` understands the answer. WeCom's directory events use `parcel` and `batch` too. `envelope` and `xml` are the wire formats; this crate's own, so that a misreading in
//! a client is not repeated here. Only addresses that the operator or a script configured are called.

mod batch;
mod delivery;
mod envelope;
mod message;
mod parcel;
mod reply;
mod script;
mod target;
mod verify;
mod xml;

pub(crate) use batch::Batch;
pub(crate) use delivery::{Deliveries, Delivery, push};
pub(crate) use envelope::{EnvelopeKey, signature};
pub(crate) use message::Happening;
pub(crate) use parcel::{Flaw, Packing, Parcel, Style};
pub(crate) use script::{known_account, router as script_router};
pub use target::{DEMO_OFFICIAL_AES_KEY, DEMO_OFFICIAL_TOKEN, EventMode, EventTarget};
pub(crate) use xml::Element;
