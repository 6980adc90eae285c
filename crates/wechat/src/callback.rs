//! What the platforms send to us: events of official accounts and of WeCom, and the answers to them.
//!
//! One endpoint is an [`Inbox`]: it knows the secrets shared with the platform, and everything it does is a pure
//! function of the request and the time. Whoever owns the socket hands in query, body and `now`, answers an error with
//! a bare status, and writes the error itself to the log.
//!
//! ```
//! use mashang_wechat::callback::{CallbackQuery, CallbackToken, EncodingAesKey, Inbox, Mode, scene_of};
//!
//! let token: CallbackToken = "testtoken".parse()?;
//! let key: EncodingAesKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG".parse()?;
//! let inbox = Inbox::official(token, "wx0000000000000001".parse()?, Mode::Secure(key))
//!     .addressed_to("gh_000000000001");
//! let query = CallbackQuery::parse("signature=00&timestamp=1700000001&nonce=nonce123")?;
//! match inbox.accept(&query, b"<xml></xml>", 1_700_000_002) {
//!     Ok(accepted) => println!("{:?} was scanned", scene_of(&accepted.event)),
//!     Err(refusal) => println!("answer 403 and log: {refusal}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod authorization;
mod crypto;
mod inbox;
mod query;
mod reply;
mod scan;
mod signature;
mod xml;

pub use authorization::{AuthorizationChange, AuthorizationNews, UnreadableNews};
pub use crypto::{EncodingAesKey, InvalidAesKey, OpenError, Opened};
pub use inbox::{Accepted, FRESHNESS, Inbox, Mode, Refusal};
pub use query::{BadQuery, CallbackQuery};
pub use reply::text_reply;
pub use scan::scene_of;
pub(crate) use signature::hex;
pub use signature::{CallbackToken, InvalidToken, matches, sign};
pub use xml::{BODY_LIMIT, DEPTH_LIMIT, Event, XmlError};
