//! Token revocation (RFC 7009).

use mashang_login::ids::{ClientId, FamilyId, UserId};

use crate::provider::Provider;
use crate::token::{TokenError, TokenRequest, authenticate, presented};

/// What was taken back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// For whom it had been issued.
    pub client: ClientId,
    /// About whom it spoke.
    pub user: UserId,
    /// Everything issued together with it.
    pub family: FamilyId,
}

/// Revokes everything issued together with the token (RFC 7009 §2.1 lets an access token take its refresh token along).
/// The answer to any `Ok` is an empty 200: an unknown token is as good as a revoked one (§2.2). `token_type_hint` is
/// not needed, because our tokens show their kind (SEC-61).
///
/// # Errors
/// [`TokenError`]: the client did not prove itself, the token is another client's (SEC-57), or the store did not
/// answer, in which case nothing may be taken as revoked (SEC-82).
pub async fn revoke(provider: &Provider, request: TokenRequest<'_>) -> Result<Option<Revoked>, TokenError> {
    let client = authenticate(&*provider.records, request).await?;
    let missing = || TokenError::invalid_request("the parameter token is missing");
    let token = request.params.get("token").ok_or_else(|| missing().of(&client.id))?;
    let Some(hash) = presented(token) else { return Ok(None) };
    let Some(family) = provider.records.family_of(&hash).await? else { return Ok(None) };
    if family.client != client.id {
        return Err(TokenError::invalid_grant("the token was issued to another client").of(&client.id));
    }
    provider.records.revoke_family(&family.id, provider.clock.now()).await?;
    Ok(Some(Revoked { client: client.id, user: family.user, family: family.id }))
}
