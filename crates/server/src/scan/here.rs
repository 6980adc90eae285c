//! A phone that says who holds it in its own browser, without a platform's app: what it may do for a ticket, and how the
//! ticket becomes its.

use mashang_login::Timestamp;
use mashang_login::audit::AuditKind;
use mashang_login::client::Client;
use mashang_login::grant::{Grant, Purpose};
use mashang_login::identity::{Attributes, Proof};
use mashang_login::ids::ScanCode;
use mashang_login::secret::SecretHash;
use mashang_login::session::Session;
use mashang_login::ticket::{Refusal, Stage, Status, Ticket};
use mashang_oidc::authorize;

use super::{Outcome, result_address};
use crate::channel::Channel;
use crate::passkey::{self, party::RelyingParty};
use crate::state::App;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow, urls};

/// How a ticket stands to the phone that opened its link.
pub enum Here {
    /// It waits for a scan.
    Waits(Box<Asked>),
    /// It does not, or waits for this phone's answer: an address of ours.
    Elsewhere(String),
}

/// A ticket that waits, and who asks by it.
pub struct Asked {
    ticket: Ticket,
    grant: Grant,
    client: Client,
}

/// Looks a ticket up for a phone.
///
/// # Errors
/// [`Problem::Store`] when a store does not answer.
pub async fn waiting(app: &App, visitor: &Visitor, code: &ScanCode) -> Result<Here, Problem> {
    let over = |outcome| Ok(Here::Elsewhere(result_address(code, outcome)));
    let now = app.now();
    let Some(ticket) = app.tickets.get(code, now).await? else { return over(Outcome::Unknown) };
    match (&ticket.stage, ticket.status(now)) {
        (_, Status::Waiting) => {}
        (Stage::Scanned { phone, .. }, Status::Scanned) if visitor.phone() == Some(*phone) => {
            return Ok(Here::Elsewhere(urls::of_scan(urls::CONFIRM, code)));
        }
        (_, Status::Scanned | Status::Approved) => return over(Outcome::Taken),
        (_, Status::Redeemed | Status::Denied | Status::Expired) => return over(Outcome::Unknown),
    }
    let Some((grant, client)) = flow::asked_by(app, visitor.language, &ticket.grant).await? else {
        return over(Outcome::Unknown);
    };
    Ok(Here::Waits(Box::new(Asked { ticket, grant, client })))
}

impl Asked {
    /// Until when the ticket waits.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.ticket.deadline()
    }

    /// The passkey channel by which this request may be answered.
    #[must_use]
    pub fn passkey<'a>(&self, app: &'a App) -> Option<(&'a Channel, &'a RelyingParty)> {
        passkey::offered(app, &self.client, &self.grant.purpose)
    }

    /// What the session of this phone's browser proves, where the website lets a session answer at all: it repeats a login
    /// and is no fresh one, so it changes no account and satisfies no `prompt=login`.
    ///
    /// # Errors
    /// [`Problem::Store`] when a store does not answer.
    pub async fn by_session(&self, app: &App, session: &Session) -> Result<Option<Proof>, Problem> {
        let now = app.now();
        let suffices = self.grant.purpose == Purpose::SignIn
            && app.channels.admit_session(&self.client, session)
            && matches!(
                authorize::decide(&self.grant.request, Some(session.clone()), now, now),
                authorize::Next::UseSession(_)
            );
        if !suffices {
            return Ok(None);
        }
        let Some(identity) = app.records.identity(&session.identity).await? else { return Ok(None) };
        let named = identity.channel.as_str();
        let Some(channel) = app.channels.get_for_client(named, &self.client, &self.grant.purpose) else {
            return Ok(None);
        };
        // The way of the session is told, or none: an identity may be proven by several (a corp's member by an app too).
        if channel.kind().as_str() != session.amr {
            return Ok(None);
        }
        // What was proven before the ticket was drawn counts as of then (`flow::answer`).
        let before = self.ticket.origin.at - std::time::Duration::from_millis(1);
        Ok(Some(Proof {
            channel: channel.id.clone(),
            key: identity.key,
            union: identity.union,
            profile: identity.profile,
            // Nobody received a code: the number is as old as it was.
            attributes: Attributes { phone_number: None, ..identity.attributes },
            proven_at: session.auth_time.min(before),
            password_set_at: None,
        }))
    }
}

/// Whoever holds the phone is proven: the ticket is theirs, if it is nobody's, and they are asked. The page to go to.
///
/// # Errors
/// [`Problem::PersonDisabled`]; [`Problem::Store`] when a store does not answer.
pub async fn bind(
    app: &App,
    visitor: &Visitor,
    code: &ScanCode,
    phone: SecretHash,
    proof: Proof,
) -> Result<String, Problem> {
    let channel = proof.channel.clone();
    if flow::turned_away(app, visitor, code, &proof).await? {
        return Err(Problem::PersonDisabled);
    }
    let moved =
        flow::advance(app, code, |ticket, now| ticket.scan(proof.clone(), phone, now, &app.site.lifetimes))
            .await?;
    match moved {
        Ok(ticket) => {
            audit::of_ticket(app, visitor, AuditKind::TicketScanned, &ticket, Some(&channel)).await;
            Ok(urls::of_scan(urls::CONFIRM, code))
        }
        Err(refusal) => {
            if refusal == Refusal::Taken {
                tracing::warn!(
                    ticket.id = code.short(),
                    "a second person scanned ticket {}; refused",
                    code.short()
                );
                audit::of_trip(app, visitor, AuditKind::SecondScanRefused, code, &channel).await;
            }
            Ok(result_address(code, Outcome::of(refusal)))
        }
    }
}
