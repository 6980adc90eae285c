//! `POST /account/unlink`: takes a way to sign in away, never the last one.

use axum::extract::rejection::FormRejection;
use axum::extract::{Form, State};
use axum::response::Response;
use mashang_login::accounts::{Unlinked, others_of_account};
use mashang_login::audit::AuditKind;
use serde::Deserialize;

use super::{Notice, ask_again, is_fresh, unlink_purpose};
use crate::state::App;
use crate::web::form_token;
use crate::web::limits::Counted;
use crate::web::pages::see_other;
use crate::web::problem::Problem;
use crate::web::visitor::Visitor;
use crate::{audit, flow, urls};

/// The page's form: the token names the identity.
#[derive(Deserialize)]
pub struct Asked {
    token: String,
}

/// Unlinks, or first asks for a fresh approval.
pub async fn unlink(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<Asked>, FormRejection>,
) -> Result<Response, Problem> {
    let Form(asked) = form.map_err(|_| Problem::BadRequest("the account page's form is incomplete"))?;
    let session = flow::session_of(&app, &visitor).await?;
    let (Some(secret), Some(session)) = (&visitor.brought.session, session) else {
        return Ok(see_other(urls::ACCOUNT, &[]));
    };
    let identities = app.records.identities_of(&session.user).await?;
    let named = identities
        .iter()
        .find(|one| form_token::is_valid(secret.expose(), &unlink_purpose(&one.key), &asked.token));
    // Also after a second click: the identity is gone, and its token names nothing.
    let Some(identity) = named else { return Err(Problem::CrossSite) };
    if !is_fresh(&app, &session) {
        app.limits.count(Counted::Start, visitor.address)?;
        return Ok(ask_again(&app, &visitor, &session).await?.into_redirect());
    }
    let notice = match app.records.unlink_identity(&session.user, &identity.key, app.now()).await? {
        Unlinked::Done => {
            let mut event = audit::by(&app, &visitor, AuditKind::IdentityUnlinked);
            event.user = Some(session.user);
            event.channel = Some(identity.channel.clone());
            audit::write(&app, event).await;
            let is_only_one = others_of_account(identity, &identities).next().is_none();
            if is_only_one { Notice::Unlinked } else { Notice::UnlinkedOne }
        }
        Unlinked::LastOne => Notice::LastOne,
        Unlinked::NotYours => return Err(Problem::CrossSite),
    };
    Ok(see_other(&notice.address(), &[]))
}
