//! The login page and what its script asks: `/login/{grant}/{ticket}/…`.
//!
//! Every address names the grant and the ticket; both are public and useless without the browser's cookie, which each
//! endpoint compares through [`crate::flow::of_browser`] (SEC-02). Whoever does not hold it gets the same answer as for
//! a ticket that never was (SEC-14).

pub mod cancel;
pub mod code;
pub mod events;
pub mod face;
pub mod form;
pub mod news;
pub mod page;
pub mod passkey;
pub mod password;
pub mod redeem;
pub mod refresh;
pub mod socket;
pub mod status;
pub mod way;
