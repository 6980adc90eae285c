//! Events and messages of an official account, pushed to its server.

mod target;

pub use target::{DEMO_OFFICIAL_AES_KEY, DEMO_OFFICIAL_TOKEN, EventMode, EventTarget};
