//! The route table, and the layers around it. Read it from top to bottom: it is the whole server.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;

use crate::state::App;
use crate::web::{assets, headers, problem};
use crate::{body, channel, csrf, finish, health, index, login, oauth, scan, urls};

/// All of it.
pub fn router(app: App) -> Router {
    let watched = Router::new()
        .route(urls::STATUS, get(login::status::status))
        .route(urls::EVENTS, get(login::events::events));
    let pages = Router::new()
        .route(urls::INDEX, get(index::index))
        .route(urls::LOGIN, get(login::page::without_ticket))
        .route(urls::LOGIN_TICKET, get(login::page::show))
        .route(urls::REDEEM, post(login::redeem::redeem))
        .route(urls::REFRESH, post(login::refresh::refresh))
        .route(urls::CANCEL, post(login::cancel::cancel))
        .route(urls::SCAN, get(scan::entry::entry))
        .route(urls::CONFIRM, get(scan::confirm::confirm))
        .route(urls::APPROVE, post(scan::answer::approve))
        .route(urls::DENY, post(scan::answer::deny))
        .route(urls::RESULT, get(scan::result::result))
        .route(urls::CHANNEL_START, get(channel::start::start))
        .route(urls::CHANNEL_CALLBACK, get(channel::callback::callback))
        .route(urls::CHANNEL_RETURNED, get(channel::returned::returned))
        // A state change sent by another site's page is refused before any handler sees it (SEC-64).
        .layer(from_fn_with_state(app.clone(), csrf::layer));
    let protocol = Router::new()
        // Websites send people here, by link or by form: cross-site by nature, and nothing is changed by it.
        .route(urls::AUTHORIZE, get(oauth::authorize::authorize).post(oauth::authorize::authorize))
        .route(urls::LOGOUT, get(oauth::logout::logout).post(oauth::logout::logout));
    let called_by_apps = Router::new()
        .route(urls::TOKEN, post(oauth::token::token).options(oauth::cors::preflight))
        .route(urls::REVOKE, post(oauth::revoke::revoke).options(oauth::cors::preflight))
        .route(
            urls::USERINFO,
            get(oauth::userinfo::userinfo).post(oauth::userinfo::userinfo).options(oauth::cors::preflight),
        )
        .layer(from_fn_with_state(app.clone(), oauth::cors::of_clients));
    let public = Router::new()
        .route(urls::DISCOVERY, get(oauth::discovery::discovery))
        .route(urls::JWKS, get(oauth::jwks::jwks))
        .layer(from_fn(oauth::cors::public));
    let files = Router::new()
        .route(urls::ASSET, get(assets::serve))
        .route(urls::LIVE, get(health::live))
        .route(urls::READY, get(health::ready));
    // A request arrives whole and in time; what spends something is finished even if the caller hangs up; watching is not.
    let acting = Router::new()
        .merge(pages)
        .merge(protocol)
        .merge(called_by_apps)
        .layer(from_fn(finish::layer))
        .layer(from_fn(body::layer));
    Router::new()
        .merge(acting)
        .merge(watched)
        .merge(public)
        .merge(files)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        .layer(DefaultBodyLimit::max(body::LIMIT))
        .layer(from_fn_with_state(app.clone(), problem::layer))
        .layer(CatchPanicLayer::new())
        .layer(from_fn_with_state(app.clone(), headers::layer))
        .with_state(app)
}
