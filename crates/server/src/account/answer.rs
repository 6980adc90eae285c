//! The end of a login at this page: an approval becomes a session, or a linked identity.

use mashang_login::accounts::{Linked, Linking};
use mashang_login::audit::AuditKind;
use mashang_login::identity::Proof;
use mashang_login::ids::UserId;
use mashang_login::records::{FreshLogin, Fulfilled};

use super::{FRESH, LINKING, Notice};
use crate::flow::{self, GoTo, Waiting};
use crate::state::App;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, urls};

/// Signs the person in, here and nowhere else.
///
/// # Errors
/// [`Problem::LoginOver`] if it was answered before, [`Problem::PersonDisabled`], [`Problem::Store`].
pub async fn open(
    app: &App,
    visitor: &Visitor,
    waiting: &Waiting,
    login: &FreshLogin,
    cookies: Vec<String>,
) -> Result<GoTo, Problem> {
    let grant = &waiting.grant;
    match app.records.open_account(&grant.id, login, app.now()).await? {
        Fulfilled::Done { user, union, .. } => {
            audit::warn_of_union(&user.id, union.as_ref());
            let was_asked_again = grant.request.hinted.is_some();
            let address = if was_asked_again { Notice::Fresh.address() } else { urls::ACCOUNT.to_owned() };
            Ok(GoTo { address, cookies })
        }
        Fulfilled::OtherPerson => back(app, waiting, Notice::OtherPerson).await,
        Fulfilled::NotOpen => Err(flow::over(waiting)),
        Fulfilled::UserDisabled => {
            audit::of_client(app, visitor, AuditKind::SignInRefused, &waiting.client.id, None).await;
            Err(Problem::PersonDisabled)
        }
    }
}

/// Adds what the phone proved to the person who asked, if their session is still there and fresh (SEC-38).
///
/// # Errors
/// [`Problem::PersonDisabled`], [`Problem::Store`].
pub async fn link(
    app: &App,
    visitor: &Visitor,
    waiting: &Waiting,
    user: &UserId,
    proof: Proof,
) -> Result<GoTo, Problem> {
    let now = app.now();
    let Some(secret) = &visitor.brought.session else { return back(app, waiting, Notice::NotFresh).await };
    let channel = proof.channel.clone();
    let linking = Linking {
        grant: waiting.grant.id.clone(),
        session: secret.hash(),
        fresh_since: now - FRESH - LINKING,
        proof,
    };
    let linked = app.records.link_identity(&linking, now).await?;
    let (kind, other, notice) = match linked {
        Linked::Done(_) => (AuditKind::IdentityLinked, None, Notice::Linked),
        Linked::OwnedByOther(other) => (AuditKind::LinkRefused, Some(other), Notice::OwnedByOther),
        Linked::AlreadyYours(_) => return back(app, waiting, Notice::AlreadyYours).await,
        Linked::NotOpen => return back(app, waiting, Notice::NotFresh).await,
        Linked::UserDisabled => return Err(Problem::PersonDisabled),
    };
    let mut event = waiting.event(app, visitor, kind, &channel);
    event.user = Some(user.clone());
    event.other.clone_from(&other);
    audit::write(app, event).await;
    if let Some(other) = other {
        tracing::info!(
            user.id = %user,
            other.id = %other,
            "{user} wanted to add what leads to {other}. To see whether they are one person, look with `mashang user show \
             {user}` and `mashang user show {other}`"
        );
        return back(app, waiting, notice).await;
    }
    Ok(GoTo { address: notice.address(), cookies: Vec::new() })
}

/// Ends the grant without its wish, and says why.
async fn back(app: &App, waiting: &Waiting, notice: Notice) -> Result<GoTo, Problem> {
    app.records.refuse_grant(&waiting.grant.id, app.now()).await?;
    Ok(GoTo { address: notice.address(), cookies: Vec::new() })
}
