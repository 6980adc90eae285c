//! People whom an administrator switched off: they are told when they scan, not after their yes.

use mashang_login::audit::AuditKind;
use mashang_login::identity::{IdentityKey, Proof};
use mashang_login::ids::{ScanCode, UserId};
use mashang_login::records::StoreError;

use crate::audit;
use crate::state::App;
use crate::web::visitor::Visitor;

/// The person behind an identity, if an administrator switched them off.
///
/// # Errors
/// When the store does not answer.
pub async fn switched_off(app: &App, key: &IdentityKey) -> Result<Option<UserId>, StoreError> {
    let Some(identity) = app.records.identity(key).await? else { return Ok(None) };
    let user = app.records.user(&identity.user).await?;
    Ok(user.filter(|user| user.disabled_at.is_some()).map(|user| user.id))
}

/// Whether the one who scanned a ticket was switched off, which is then recorded.
///
/// # Errors
/// When the store does not answer.
pub async fn turned_away(
    app: &App,
    visitor: &Visitor,
    ticket: &ScanCode,
    proof: &Proof,
) -> Result<bool, StoreError> {
    let is_off = switched_off(app, &proof.key).await?.is_some();
    if is_off {
        audit::of_trip(app, visitor, AuditKind::SignInRefused, ticket, &proof.channel).await;
    }
    Ok(is_off)
}
