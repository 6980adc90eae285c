//! One call of the phone API, from the request to what its step needs: counted, read, and of a login that is there.

use axum::extract::Request;
use axum::extract::{Path, State};
use http::HeaderMap;
use mashang_login::Timestamp;
use mashang_login::audit::AuditKind;
use mashang_login::grant::Grant;
use mashang_login::identity::{IdentityKey, Proof};
use mashang_login::ids::{ChannelId, ScanCode};
use mashang_login::secret::{PhoneSecret, SecretHash};
use mashang_login::ticket::{Refusal, Ticket};

use super::body::{self, Fields};
use super::prover::{self, Prover};
use super::refused::Refused;
use crate::channel::Channel;
use crate::channel::app::vouched::Vouched;
use crate::state::App;
use crate::web::limits::Counted;
use crate::web::visitor::Visitor;
use crate::{audit, flow};

/// What every handler takes: the server, the device, and the channel and scan code of the address.
pub type At = (State<App>, Visitor, Path<(String, String)>);

/// A call that was let in.
pub struct Call<'a> {
    /// The server.
    pub app: &'a App,
    /// The device that calls.
    pub visitor: &'a Visitor,
    /// The channel it calls.
    pub channel: &'a Channel,
    /// How that channel's people prove themselves.
    pub prover: Prover<'a>,
    /// Who calls, for an app; a mini-program says so at the scan alone.
    pub caller: Option<Proof>,
    /// The ticket, as it was seen.
    pub ticket: Ticket,
    /// What it answers.
    pub grant: Grant,
    /// The request's fields.
    pub fields: Fields,
}

impl<'a> Call<'a> {
    /// Lets a call in, or not.
    ///
    /// # Errors
    /// Any [`Refused`]; a request that names a person is recorded.
    pub async fn read(
        app: &'a App,
        visitor: &'a Visitor,
        (channel, code): &(String, String),
        request: Request,
        documented: &[&str],
        counted: Counted,
    ) -> Result<Self, Refused> {
        app.count(counted, visitor.address).await?;
        let channel = app.channels.get(channel);
        let code = ScanCode::parse(code);
        let (parts, body) = request.into_parts();
        let body = axum::body::to_bytes(body, crate::body::LIMIT).await.map_err(|_| Refused::BadRequest)?;
        let named = |refused| (refused, channel.map(|channel| &channel.id), code.as_ref().ok());
        let read = body::read(&parts.headers, parts.uri.query(), &body, documented);
        let fields = recorded(app, visitor, read.map_err(named)).await?;
        let (Some(channel), Ok(code)) = (channel, &code) else { return Err(Refused::UnknownLogin) };
        let prover = Prover::of(channel).ok_or(Refused::UnknownLogin)?;
        let caller = caller(app, visitor, channel, prover, &parts.headers, code).await?;
        let ticket = app.tickets.get(code, app.now()).await?.ok_or(Refused::UnknownLogin)?;
        let asked = flow::asked_by(app, visitor.language, &ticket.grant).await?;
        let (grant, client) = asked.ok_or(Refused::UnknownLogin)?;
        if !client.settings.admits(&channel.id) {
            return Err(Refused::WayNotAdmitted);
        }
        let caller = match caller {
            Some(caller) => Some(prover::admit(app, visitor, channel, caller, &grant).await?),
            None => None,
        };
        if let Some(caller) = &caller {
            allowed(app, visitor, &ticket, &caller.key).await?;
        }
        Ok(Self { app, visitor, channel, prover, caller, ticket, grant, fields })
    }

    /// The phone's own secret, from the scan's answer.
    ///
    /// # Errors
    /// [`Refused::UnknownLogin`] for anything that is not one: it cannot belong to a login.
    pub fn phone(&self) -> Result<SecretHash, Refused> {
        let token = self.fields.text("phone_token")?;
        PhoneSecret::parse(token).map(|secret| secret.hash()).ok_or(Refused::UnknownLogin)
    }

    /// Whether the ticket, as it now stands, was scanned by this phone through this channel, and by the person who now
    /// calls (SEC-36).
    ///
    /// # Errors
    /// The ticket's refusal; another person is told as such by [`Call::is_other_person`].
    pub fn owns<'t>(
        &self,
        ticket: &'t Ticket,
        phone: &SecretHash,
        now: Timestamp,
    ) -> Result<&'t Proof, Refusal> {
        let (by, _) = ticket.scanned_by(phone, now)?;
        if by.channel != self.channel.id || self.is_other_person(&by.key) {
            return Err(Refusal::NotYours);
        }
        Ok(by)
    }

    /// Whether the token of this call is not of the person who scanned.
    #[must_use]
    pub fn is_other_person(&self, scanned_by: &IdentityKey) -> bool {
        self.caller.as_ref().is_some_and(|caller| caller.key != *scanned_by)
    }

    /// What a refused step means: the holder of the right phone token is told that the bearer token is another
    /// person's, everybody else that there is no such login.
    pub fn refused(&self, refusal: Refusal, phone: &SecretHash) -> Refused {
        match self.ticket.scanned_by(phone, self.app.now()) {
            Ok((by, _)) if refusal == Refusal::NotYours && self.is_other_person(&by.key) => {
                Refused::Unauthorized
            }
            _ => refusal.into(),
        }
    }

    /// Moves the ticket by a step that only the phone that scanned may take. The person must not have been switched off
    /// since (SEC-40).
    ///
    /// # Errors
    /// [`Refused`].
    pub async fn advance(
        &self,
        phone: &SecretHash,
        mut step: impl FnMut(&Ticket, Timestamp) -> Result<Ticket, Refusal>,
    ) -> Result<Ticket, Refused> {
        if let Ok(by) = self.owns(&self.ticket, phone, self.app.now()) {
            allowed(self.app, self.visitor, &self.ticket, &by.key).await?;
        }
        let moved = flow::advance(self.app, &self.ticket.scan_code, |ticket, now| {
            self.owns(ticket, phone, now)?;
            step(ticket, now)
        });
        moved.await?.map_err(|refusal| self.refused(refusal, phone))
    }

    /// Records what happened.
    pub async fn record(&self, kind: AuditKind, ticket: &Ticket) {
        audit::of_ticket(self.app, self.visitor, kind, ticket, Some(&self.channel.id)).await;
    }
}

/// A refusal with what is known of the login that it was about.
type About<'a> = (Refused, Option<&'a ChannelId>, Option<&'a ScanCode>);

/// Passes on an outcome, and records a request that names a person (SEC-22).
async fn recorded<T>(app: &App, visitor: &Visitor, outcome: Result<T, About<'_>>) -> Result<T, Refused> {
    let (refused, channel, code) = match outcome {
        Ok(value) => return Ok(value),
        Err(about) => about,
    };
    if matches!(refused, Refused::IdentityInRequest)
        && app.count(Counted::Refusal, visitor.address).await.is_ok()
    {
        tracing::warn!("a phone sent an identity or a platform's token; refused");
        let mut event = audit::by(app, visitor, AuditKind::IdentityInRequestRefused);
        event.channel = channel.cloned();
        event.ticket = code.map(|code| code.short().to_owned());
        audit::write(app, event).await;
    }
    Err(refused)
}

async fn caller(
    app: &App,
    visitor: &Visitor,
    channel: &Channel,
    prover: Prover<'_>,
    headers: &HeaderMap,
    code: &ScanCode,
) -> Result<Option<Vouched>, Refused> {
    let caller = prover.caller(app, visitor, channel, headers).await;
    recorded(app, visitor, caller.map_err(|refused| (refused, Some(&channel.id), Some(code)))).await
}

/// Whether the person behind an identity may sign in. A new person may.
///
/// # Errors
/// [`Refused::PersonDisabled`], which is recorded.
pub async fn allowed(
    app: &App,
    visitor: &Visitor,
    ticket: &Ticket,
    key: &IdentityKey,
) -> Result<(), Refused> {
    let Some(user) = flow::switched_off(app, key).await? else { return Ok(()) };
    audit::of_client(app, visitor, AuditKind::SignInRefused, &ticket.origin.client, Some(&user)).await;
    Err(Refused::PersonDisabled)
}
