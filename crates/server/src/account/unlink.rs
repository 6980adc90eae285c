//! `POST /account/unlink`: takes a way to sign in away, never the last one.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::Response;
use mashang_login::accounts::{Unlinked, others_of_account};
use mashang_login::audit::AuditKind;
use mashang_login::identity::{ChannelKind, Identity};

use super::{Asked, INCOMPLETE, Notice, Person, unlinks};
use crate::state::App;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, urls};

/// Unlinks, or first asks for a fresh approval.
pub async fn unlink(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(asked) = form.map_err(|_| INCOMPLETE)?;
    let Some(person) = Person::of(&app, &visitor).await? else { return Ok(see_other(urls::ACCOUNT, &[])) };
    let identities = app.records.identities_of(person.user()).await?;
    let named = identities.iter().find(|one| person.holds(&unlinks(&one.key), &asked.token));
    // Also after a second click: the identity is gone, and its token names nothing.
    let Some(identity) = named else { return Err(Problem::CrossSite) };
    if !person.is_fresh(&app) {
        return Ok(person.ask_again(&app, &visitor).await?.into_redirect());
    }
    let notice = match app.records.unlink_identity(person.user(), &identity.key, app.now()).await? {
        Unlinked::Done => {
            let mut event = audit::by(&app, &visitor, AuditKind::IdentityUnlinked);
            event.user = Some(person.session.user);
            event.channel = Some(identity.channel.clone());
            audit::write(&app, event).await;
            done(identity, &identities)
        }
        Unlinked::LastOne => Notice::LastOne,
        Unlinked::NotYours => return Err(Problem::CrossSite),
    };
    Ok(see_other(&notice.address(), &[]))
}

fn done(identity: &Identity, all: &[Identity]) -> Notice {
    if identity.key.kind == ChannelKind::Passkey {
        return Notice::PasskeyRemoved;
    }
    let is_only_one = others_of_account(identity, all).next().is_none();
    if is_only_one { Notice::Unlinked } else { Notice::UnlinkedOne }
}
