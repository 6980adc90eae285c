//! What a phone sees: `/s/{scan code}`, the address inside our QR, and the pages behind it.
//!
//! Opening, following or prefetching any of these approves nothing; only the form on the confirm page does, by POST, with
//! the phone's own cookie and a token of that page (SEC-06, SEC-07).

pub mod answer;
pub mod arrive;
pub mod confirm;
pub mod entry;
pub mod here;
pub mod passkey;
pub mod proceed;
pub mod result;

use axum::response::Response;
use mashang_login::ids::ScanCode;
use mashang_login::secret::{PhoneSecret, SecretHash};
use mashang_login::ticket::{Denial, Refusal, Ticket};

use crate::urls;
use crate::web::form_token;
use crate::web::pages::see_other;

/// How a scan ended, as the result page tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Yes.
    Approved,
    /// No, or closed on the platform's page.
    Declined,
    /// The number was wrong.
    WrongNumber,
    /// Somebody else scanned first.
    Taken,
    /// Too late, or never there: the same answer (SEC-14).
    Unknown,
}

impl Outcome {
    const ALL: [Self; 5] = [Self::Approved, Self::Declined, Self::WrongNumber, Self::Taken, Self::Unknown];

    /// The word in addresses and locale keys.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Declined => "denied",
            Self::WrongNumber => "wrong_number",
            Self::Taken => "taken",
            Self::Unknown => "expired",
        }
    }

    /// Reads [`Outcome::as_str`]; anything else is [`Outcome::Unknown`].
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text).unwrap_or(Self::Unknown)
    }

    /// What this phone answered, if it did.
    #[must_use]
    pub fn answered_by(ticket: &Ticket, phone: &SecretHash) -> Option<Self> {
        ticket.answer_of(phone).map(|answer| match answer {
            Ok(()) => Self::Approved,
            Err(Denial::WrongNumber) => Self::WrongNumber,
            Err(Denial::Declined) => Self::Declined,
        })
    }

    /// What a refused transition means to the phone.
    #[must_use]
    pub fn of(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Taken | Refusal::NotYours => Self::Taken,
            Refusal::TooEarly | Refusal::Expired | Refusal::Finished => Self::Unknown,
        }
    }
}

/// `303` to the page that tells the outcome.
#[must_use]
pub fn result_page(ticket: &ScanCode, outcome: Outcome) -> Response {
    see_other(&result_address(ticket, outcome), &[])
}

/// The address of that page.
#[must_use]
pub fn result_address(ticket: &ScanCode, outcome: Outcome) -> String {
    format!("{}?outcome={}", urls::of_scan(urls::RESULT, ticket), outcome.as_str())
}

/// The confirm page's token, bound to the phone and the ticket (SEC-07).
#[must_use]
pub fn confirm_token(phone: &PhoneSecret, ticket: &ScanCode) -> String {
    form_token::mint(phone.expose(), &format!("confirm:{ticket}"))
}

/// Whether `presented` is the token of this phone's confirm page.
#[must_use]
pub fn is_confirm_token(phone: &PhoneSecret, ticket: &ScanCode, presented: &str) -> bool {
    form_token::is_valid(phone.expose(), &format!("confirm:{ticket}"), presented)
}
