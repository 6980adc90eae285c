//! `grant_type=refresh_token` (RFC 6749 §6): every use spends the token and issues the next; a spent one coming back
//! revokes the family (RFC 9700 §4.14, SEC-50).

use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::Client;
use mashang_login::grant::{Family, Scope, ScopeSet};
use mashang_login::records::Spent;
use mashang_login::secret::RefreshToken;

use super::issue::{Minted, check_family};
use super::{Happened, Outcome, TokenError, TokenResponse};
use crate::params::Params;
use crate::provider::Provider;

/// One sentence for every refresh token that does not work.
fn refused() -> TokenError {
    TokenError::invalid_grant(
        "the refresh token is unknown, expired, revoked, already used, or was issued to another client",
    )
}

/// Rotates a refresh token.
pub(super) async fn refresh(
    provider: &Provider,
    client: &Client,
    params: &Params,
    from: &AuditEvent,
) -> Outcome {
    let mut happened = None;
    let answer = try_refresh(provider, client, params, from, &mut happened).await;
    (answer, happened)
}

async fn try_refresh(
    provider: &Provider,
    client: &Client,
    params: &Params,
    from: &AuditEvent,
    happened: &mut Option<Happened>,
) -> Result<TokenResponse, TokenError> {
    let now = provider.clock.now();
    let missing = || TokenError::invalid_request("the parameter refresh_token is missing");
    let token = params.get("refresh_token").ok_or_else(missing)?;
    let token = RefreshToken::parse(token).ok_or_else(refused)?.hash();
    let record = provider.records.refresh_token(&token).await?.ok_or_else(refused)?;
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
    if now >= record.expires_at {
        return Err(refused());
    }
    if !client.granted(&family.scope).contains(Scope::OfflineAccess) {
        return Err(TokenError::unauthorized_client("this application may not use refresh tokens"));
    }
    check_scope(params, family)?;
    let person = check_family(provider, client, family, now).await?;
    let minted = Minted::new(provider, client, family, person, now).await?;
    match provider
        .records
        .rotate_refresh_token(&token, &minted.record(from, AuditKind::TokensRefreshed), now)
        .await?
    {
        Spent::Issued => {}
        Spent::Replayed => {
            *happened = Some(replayed());
            return Err(refused());
        }
        Spent::Unknown => return Err(refused()),
    }
    *happened = Some(Happened::Refreshed);
    // OpenID Connect Core §12.2: an ID token from a refresh should not repeat the nonce.
    minted.answer(provider, client, None, now)
}

/// A wider scope is refused. A narrower one is allowed and not acted upon: the answer's `scope` says what the tokens
/// really carry (RFC 6749 §3.3, §6). Measured by what was granted then: to ask for it again is right even if the client may
/// have less by now.
fn check_scope(params: &Params, family: &Family) -> Result<(), TokenError> {
    match params.get("scope") {
        Some(scope) if !ScopeSet::parse(scope).is_subset(&family.scope) => Err(TokenError::invalid_scope()),
        _ => Ok(()),
    }
}
