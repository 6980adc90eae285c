//! The route table, and the layers around it. Read it from top to bottom: it is the whole server.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower::ServiceBuilder;

use crate::front::Front;
use crate::state::App;
use crate::web::{around, assets, problem, sdk};
use crate::{
    account, body, brand, browser, channel, consent, csrf, finish, health, index, login, named_person, oauth,
    phone, platform, scan, traces, urls, verification,
};

/// All of it.
#[must_use]
pub fn service(app: App) -> Front {
    Front::new(app.clone(), router(app))
}

fn router(app: App) -> Router {
    let finished = from_fn_with_state(app.begun.clone(), finish::layer);
    let watched = Router::new()
        .route(urls::STATUS, get(login::status::status))
        .route(urls::EVENTS, get(login::events::events));
    let pages = Router::new()
        .route(urls::INDEX, get(index::index))
        .route(urls::LOGIN, get(login::page::without_ticket))
        .route(urls::LOGIN_TICKET, get(login::page::show))
        .route(urls::REDEEM, post(login::redeem::redeem))
        .route(urls::REFRESH, post(login::refresh::refresh))
        .route(urls::PASSWORD, get(login::form::back).post(login::password::submit))
        .route(urls::PASSKEY_OPTIONS, post(login::passkey::options))
        .route(urls::PASSKEY_VERIFY, post(login::passkey::verify))
        .route(urls::CODE_SEND, get(login::form::back).post(login::code::send))
        .route(urls::CODE_VERIFY, get(login::form::back).post(login::code::verify))
        .route(urls::CANCEL, post(login::cancel::cancel))
        .route(urls::CONSENT, get(consent::page::page).post(consent::answer::answer))
        .route(urls::ACCOUNT, get(account::page::page))
        .route(urls::ACCOUNT_LINK, post(account::link::link))
        .route(urls::ACCOUNT_UNLINK, post(account::unlink::unlink))
        .route(urls::ACCOUNT_PASSKEY_OPTIONS, post(account::passkey::options))
        .route(urls::ACCOUNT_PASSKEY_ADD, post(account::passkey::add))
        .route(urls::ACCOUNT_PASSKEY_RENAME, post(account::passkey::rename))
        .route(urls::ACCOUNT_PASSWORD, get(account::page::back).post(account::password::set))
        .route(urls::ACCOUNT_END_SESSION, post(account::sessions::end))
        .route(urls::ACCOUNT_END_OTHERS, post(account::sessions::end_others))
        .route(urls::ACCOUNT_WITHDRAW, post(account::websites::withdraw))
        .route(urls::ACCOUNT_ERASE, get(account::erase::look).post(account::erase::erase))
        .route(urls::ACCOUNT_NOT_ME, get(account::not_me::advice).post(account::not_me::disown))
        .route(urls::SCAN, get(scan::entry::entry))
        .route(urls::CONFIRM, get(scan::confirm::confirm))
        .route(urls::ARRIVE, get(scan::arrive::page).post(scan::arrive::arrive))
        .route(urls::SCAN_PASSKEY_OPTIONS, post(scan::passkey::options))
        .route(urls::SCAN_PASSKEY_VERIFY, post(scan::passkey::verify))
        .route(urls::SCAN_CONTINUE, post(scan::proceed::proceed))
        .route(urls::APPROVE, post(scan::answer::approve))
        .route(urls::DENY, post(scan::answer::deny))
        .route(urls::RESULT, get(scan::result::result))
        .route(urls::CHANNEL_START, get(channel::start::start))
        .route(urls::CHANNEL_CALLBACK, get(channel::callback::callback))
        .route(urls::CHANNEL_RETURNED, get(channel::returned::returned))
        .layer(from_fn_with_state(app.clone(), named_person::layer))
        // A state change sent by another site's page is refused before any handler sees it (SEC-64).
        .layer(from_fn_with_state(app.clone(), csrf::layer));
    let protocol = Router::new()
        // Websites send people here, by link or by form: cross-site by nature, and nothing is changed by it.
        .route(urls::AUTHORIZE, get(oauth::authorize::authorize).post(oauth::authorize::authorize))
        .route(urls::AUTHORIZE_ANSWER, get(oauth::message::answer))
        .route(urls::LOGOUT, get(oauth::logout::logout).post(oauth::logout::logout));
    let called_by_apps = Router::new()
        .route(urls::TOKEN, post(oauth::token::token).options(oauth::cors::preflight))
        .route(urls::REVOKE, post(oauth::revoke::revoke).options(oauth::cors::preflight))
        .route(
            urls::USERINFO,
            get(oauth::userinfo::userinfo).post(oauth::userinfo::userinfo).options(oauth::cors::preflight),
        )
        .layer(from_fn_with_state(app.clone(), oauth::cors::of_clients));
    // No browser of anybody's: no cookies, no cross-origin answers, refusals in JSON.
    let phones = Router::new()
        .route(urls::PHONE_SCAN, post(phone::scan::scan).fallback(phone::refused::wrong_method))
        .route(urls::PHONE_CONTEXT, post(phone::context::context).fallback(phone::refused::wrong_method))
        .route(
            urls::PHONE_NUMBER,
            post(phone::phone_number::phone_number).fallback(phone::refused::wrong_method),
        )
        .route(urls::PHONE_APPROVE, post(phone::answer::approve).fallback(phone::refused::wrong_method))
        .route(urls::PHONE_DENY, post(phone::answer::deny).fallback(phone::refused::wrong_method))
        .layer(finished.clone())
        .layer(from_fn(body::layer))
        .layer(from_fn_with_state(app.clone(), phone::refused::layer));
    // A website's own page: its origin and its secret instead of cookies, refusals in JSON.
    let not_post = browser::refused::not_post;
    let begun_by_pages = Router::new()
        .route(
            urls::BROWSER_LOGINS,
            post(browser::start::start).options(oauth::cors::preflight).fallback(not_post),
        )
        .route(
            urls::BROWSER_REFRESH,
            post(browser::refresh::refresh).options(oauth::cors::preflight).fallback(not_post),
        )
        .route(
            urls::BROWSER_REDEEM,
            post(browser::finish::redeem).options(oauth::cors::preflight).fallback(not_post),
        )
        .route(
            urls::BROWSER_CANCEL,
            post(browser::finish::cancel).options(oauth::cors::preflight).fallback(not_post),
        )
        .layer(finished.clone())
        .layer(from_fn(body::layer));
    let not_get = browser::refused::not_get;
    let watched_by_pages = Router::new()
        .route(
            urls::BROWSER_STATUS,
            get(browser::watch::status).options(oauth::cors::preflight).head(not_get).fallback(not_get),
        )
        .route(
            urls::BROWSER_EVENTS,
            get(browser::watch::events).options(oauth::cors::preflight).head(not_get).fallback(not_get),
        );
    let browsers = begun_by_pages
        .merge(watched_by_pages)
        .layer(from_fn_with_state(app.clone(), browser::refused::layer))
        .layer(from_fn_with_state(app.clone(), oauth::cors::of_clients))
        .layer(from_fn_with_state(app.clone(), browser::without_cookies));
    let public = Router::new()
        .route(urls::DISCOVERY, get(oauth::discovery::discovery))
        .route(urls::JWKS, get(oauth::jwks::jwks))
        .route(urls::SDK, get(sdk::manual))
        .route(urls::SDK_FILE, get(sdk::serve))
        .layer(from_fn(oauth::cors::public));
    // The operator's other systems, with a key of their own.
    let systems = Router::new()
        .route(urls::CHANNEL_TOKEN, get(platform::hub::give).post(platform::hub::report))
        .layer(finished.clone())
        .layer(from_fn(body::layer));
    // Platforms send what may be larger than a form, and watch the clock themselves.
    let events = Router::new()
        .route(urls::CHANNEL_EVENTS, get(channel::events::verify).post(channel::events::deliver))
        .layer(DefaultBodyLimit::max(body::EVENT_LIMIT))
        .layer(from_fn(body::event_layer));
    let files = Router::new()
        .route(urls::VERIFICATION, get(verification::file))
        .route(urls::ASSET, get(assets::serve))
        .route(urls::CLIENT_LOGO, get(brand::logo))
        .route(urls::CLIENT_STYLE, get(brand::style))
        .route(urls::ASSET_LINKS, get(channel::app::links::android))
        .route(urls::SITE_ASSOCIATION, get(channel::app::links::ios))
        .route(urls::LIVE, get(health::live))
        .route(urls::READY, get(health::ready));
    // A request arrives whole and in time; what spends something is finished even if the caller hangs up; watching is not.
    let acting = Router::new()
        .merge(pages)
        .merge(protocol)
        .merge(called_by_apps)
        .layer(finished)
        .layer(from_fn(body::layer));
    Router::new()
        .merge(acting)
        .merge(phones)
        .merge(browsers)
        .merge(watched)
        .merge(public)
        .merge(events)
        .merge(systems)
        .merge(files)
        .fallback(problem::not_found)
        .method_not_allowed_fallback(problem::method_not_allowed)
        // One stack, outermost first: a layer that is added by itself costs every request a boxed service more.
        .layer(
            ServiceBuilder::new()
                // Where requests are traced, their spans; elsewhere nothing. It names the lines of the layer below.
                .option_layer(
                    app.traces
                        .clone()
                        .map(|traces| from_fn_with_state((app.clone(), traces), traces::layer::layer)),
                )
                .layer(from_fn_with_state(app.clone(), around::layer))
                .layer(DefaultBodyLimit::max(body::LIMIT)),
        )
        .with_state(app)
}
