//! `grant_type=authorization_code` (RFC 6749 §4.1.3, RFC 7636 §4.5).

use jiff::Timestamp;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::Client;
use mashang_login::records::Spent;
use mashang_login::secret::AuthorizationCode;
use mashang_login::token::CodeRecord;

use super::issue::{Minted, check_family};
use super::{Happened, Outcome, TokenError, TokenResponse};
use crate::params::Params;
use crate::pkce;
use crate::provider::Provider;

/// One sentence for every code that does not work, so that nothing is learned from trying.
fn refused() -> TokenError {
    TokenError::invalid_grant("the code is unknown, expired, already used, or was issued to another client")
}

/// Exchanges a code, once (SEC-49).
pub(super) async fn exchange(
    provider: &Provider,
    client: &Client,
    params: &Params,
    from: &AuditEvent,
) -> Outcome {
    let mut happened = None;
    let answer = try_exchange(provider, client, params, from, &mut happened).await;
    (answer, happened)
}

async fn try_exchange(
    provider: &Provider,
    client: &Client,
    params: &Params,
    from: &AuditEvent,
    happened: &mut Option<Happened>,
) -> Result<TokenResponse, TokenError> {
    let now = provider.clock.now();
    let code =
        params.get("code").ok_or_else(|| TokenError::invalid_request("the parameter code is missing"))?;
    let code = AuthorizationCode::parse(code).ok_or_else(refused)?.hash();
    let record = provider.records.code(&code).await?.ok_or_else(refused)?;
    let family = &record.family;
    if family.client != client.id {
        return Err(refused());
    }
    let replayed = || Happened::Replayed { client: client.id.clone(), user: family.user.clone() };
    if record.spent_at.is_some() {
        provider.records.revoke_family(&family.id, now).await?;
        *happened = Some(replayed());
        return Err(refused());
    }
    check(&record, client, params, now)?;
    let person = check_family(provider, client, family, now).await?;
    let minted = Minted::new(provider, client, family, person, now).await?;
    match provider.records.exchange_code(&code, &minted.record(from, AuditKind::TokensIssued), now).await? {
        Spent::Issued => {}
        Spent::Replayed => {
            *happened = Some(replayed());
            return Err(refused());
        }
        Spent::Unknown => return Err(refused()),
    }
    *happened = Some(Happened::Issued);
    minted.answer(provider, client, record.nonce.as_deref(), now)
}

/// What the request must repeat and prove: the address and the PKCE verifier, in both directions (SEC-48).
fn check(record: &CodeRecord, client: &Client, params: &Params, now: Timestamp) -> Result<(), TokenError> {
    if now >= record.expires_at {
        return Err(refused());
    }
    match params.get("redirect_uri") {
        Some(uri) if uri == record.redirect_uri => {}
        Some(_) => {
            let other = "redirect_uri is not the one of the authorization request";
            return Err(TokenError::invalid_grant(other));
        }
        None => return Err(TokenError::invalid_request("the parameter redirect_uri is missing")),
    }
    match (record.code_challenge.as_deref(), params.get("code_verifier")) {
        (Some(challenge), Some(verifier)) if pkce::verifies(verifier, challenge) => Ok(()),
        (Some(_), _) => Err(TokenError::invalid_grant("code_verifier is missing or wrong")),
        // RFC 9700 §4.8.2: a verifier without a challenge shows that somebody took the challenge away.
        (None, Some(_)) => {
            Err(TokenError::invalid_grant("code_verifier was sent, but the request had no code_challenge"))
        }
        (None, None) if pkce::is_required(client) => Err(TokenError::invalid_grant("PKCE is required")),
        (None, None) => Ok(()),
    }
}
