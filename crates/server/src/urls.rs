//! Every address of the server, written once: routes, redirects and tests use these.

use mashang_login::ids::{ChannelId, ClientId, GrantId, ScanCode};

/// The server's root page.
pub const INDEX: &str = "/";
/// Liveness: the process answers.
pub const LIVE: &str = "/healthz";
/// Readiness: the stores answer.
pub const READY: &str = "/readyz";
/// Stylesheets and scripts, by content hash.
pub const ASSET: &str = "/assets/{version}/{file}";

/// OpenID Connect Discovery §4.
pub const DISCOVERY: &str = "/.well-known/openid-configuration";
/// RFC 6749 §3.1.
pub const AUTHORIZE: &str = "/authorize";
/// An answer on its way to the window that opened us.
pub const AUTHORIZE_ANSWER: &str = "/authorize/answer";
/// RFC 6749 §3.2.
pub const TOKEN: &str = "/token";
/// OpenID Connect Core §5.3.
pub const USERINFO: &str = "/userinfo";
/// RFC 7517.
pub const JWKS: &str = "/jwks";
/// RFC 7009.
pub const REVOKE: &str = "/revoke";
/// RP-Initiated Logout.
pub const LOGOUT: &str = "/logout";

/// Asks the person before a website is told who they are.
pub const CONSENT: &str = "/consent/{grant}";
/// A client's picture.
pub const CLIENT_LOGO: &str = "/client/{client}/logo";
/// A client's colour, as a stylesheet.
pub const CLIENT_STYLE: &str = "/client/{client}/brand.css";

/// The person's own page.
pub const ACCOUNT: &str = "/account";
/// Begins to add a way to sign in.
pub const ACCOUNT_LINK: &str = "/account/link";
/// Takes a way to sign in away.
pub const ACCOUNT_UNLINK: &str = "/account/unlink";
/// A question for a new passkey.
pub const ACCOUNT_PASSKEY_OPTIONS: &str = "/account/passkey/options";
/// The new passkey.
pub const ACCOUNT_PASSKEY_ADD: &str = "/account/passkey/add";
/// Another name for a passkey.
pub const ACCOUNT_PASSKEY_RENAME: &str = "/account/passkey/rename";
/// Sets name and password.
pub const ACCOUNT_PASSWORD: &str = "/account/password";
/// Signs one browser out.
pub const ACCOUNT_END_SESSION: &str = "/account/sessions/end";
/// Signs all other browsers out.
pub const ACCOUNT_END_OTHERS: &str = "/account/sessions/end-others";
/// Takes back what a website may be told.
pub const ACCOUNT_WITHDRAW: &str = "/account/websites/withdraw";
/// A login was not the person's own.
pub const ACCOUNT_NOT_ME: &str = "/account/not-me";
/// Deletes the account.
pub const ACCOUNT_ERASE: &str = "/account/erase";

/// A grant without a ticket: draws one.
pub const LOGIN: &str = "/login/{grant}";
/// The login page of a ticket.
pub const LOGIN_TICKET: &str = "/login/{grant}/{ticket}";
/// What the ticket's status is; waits with `?wait=seconds&seen=version`.
pub const STATUS: &str = "/login/{grant}/{ticket}/status";
/// The same, pushed.
pub const EVENTS: &str = "/login/{grant}/{ticket}/events";
/// Collects the approval.
pub const REDEEM: &str = "/login/{grant}/{ticket}/redeem";
/// A fresh ticket instead of this one.
pub const REFRESH: &str = "/login/{grant}/{ticket}/refresh";
/// Name and password from the login page's form.
pub const PASSWORD: &str = "/login/{grant}/{ticket}/password";
/// Sends a code to the address or number typed into the login page's form.
pub const CODE_SEND: &str = "/login/{grant}/{ticket}/code/send";
/// The code that was sent.
pub const CODE_VERIFY: &str = "/login/{grant}/{ticket}/code/verify";
/// A question for a passkey of the waiting browser's device.
pub const PASSKEY_OPTIONS: &str = "/login/{grant}/{ticket}/passkey/options";
/// The passkey's answer.
pub const PASSKEY_VERIFY: &str = "/login/{grant}/{ticket}/passkey/verify";
/// Back to the website without a login.
pub const CANCEL: &str = "/login/{grant}/{ticket}/cancel";

/// What the QR holds (聚合码).
pub const SCAN: &str = "/s/{ticket}";
/// The confirm page on the phone.
pub const CONFIRM: &str = "/s/{ticket}/confirm";
/// The one-time link that a scanner got by message.
pub const ARRIVE: &str = "/s/{ticket}/from/{link}";
/// A question for a passkey of the phone that opened our link.
pub const SCAN_PASSKEY_OPTIONS: &str = "/s/{ticket}/passkey/options";
/// The passkey's answer.
pub const SCAN_PASSKEY_VERIFY: &str = "/s/{ticket}/passkey/verify";
/// Goes on as whoever is signed in on the phone.
pub const SCAN_CONTINUE: &str = "/s/{ticket}/continue";
/// The person's yes.
pub const APPROVE: &str = "/s/{ticket}/approve";
/// The person's no.
pub const DENY: &str = "/s/{ticket}/deny";
/// What came of it.
pub const RESULT: &str = "/s/{ticket}/result";

/// Phone API: who holds the phone.
pub const PHONE_SCAN: &str = "/api/phone/{channel}/{ticket}/scan";
/// Phone API: the facts again.
pub const PHONE_CONTEXT: &str = "/api/phone/{channel}/{ticket}/context";
/// Phone API: the code of a phone-number button.
pub const PHONE_NUMBER: &str = "/api/phone/{channel}/{ticket}/phone-number";
/// Phone API: the person's yes.
pub const PHONE_APPROVE: &str = "/api/phone/{channel}/{ticket}/approve";
/// Phone API: the person's no.
pub const PHONE_DENY: &str = "/api/phone/{channel}/{ticket}/deny";

/// Browser API: a website's own page begins a login.
pub const BROWSER_LOGINS: &str = "/api/browser/logins";
/// Browser API: how the ticket stands.
pub const BROWSER_STATUS: &str = "/api/browser/logins/{grant}/{ticket}/status";
/// Browser API: the same, pushed.
pub const BROWSER_EVENTS: &str = "/api/browser/logins/{grant}/{ticket}/events";
/// Browser API: a fresh ticket instead of this one.
pub const BROWSER_REFRESH: &str = "/api/browser/logins/{grant}/{ticket}/refresh";
/// Browser API: collects the approval.
pub const BROWSER_REDEEM: &str = "/api/browser/logins/{grant}/{ticket}/redeem";
/// Browser API: the page gives up.
pub const BROWSER_CANCEL: &str = "/api/browser/logins/{grant}/{ticket}/cancel";

/// The browser SDK: version, addresses and integrity values.
pub const SDK: &str = "/sdk";
/// A file of the browser SDK, by the version of all of them.
pub const SDK_FILE: &str = "/sdk/{version}/{file}";

/// Android App Links.
pub const ASSET_LINKS: &str = "/.well-known/assetlinks.json";
/// iOS Universal Links.
pub const SITE_ASSOCIATION: &str = "/.well-known/apple-app-site-association";

/// Leads the waiting browser to a platform's page.
pub const CHANNEL_START: &str = "/channel/{channel}/start/{grant}/{ticket}";
/// Where platforms send people back.
pub const CHANNEL_CALLBACK: &str = "/channel/{channel}/callback";
/// Shown in the frame after the platform's page.
pub const CHANNEL_RETURNED: &str = "/channel/{channel}/returned";

/// Where a platform tells what happened; also the address its console checks.
pub const CHANNEL_EVENTS: &str = "/channel/{channel}/events";

/// An app's token, for the operator's other systems.
pub const CHANNEL_TOKEN: &str = "/channel/{channel}/access-token";

/// Files by which platforms check that this domain is ours.
pub const VERIFICATION: &str = "/{file}";

/// Fills a login-page pattern such as [`STATUS`].
#[must_use]
pub fn of_ticket(pattern: &str, grant: &GrantId, ticket: &ScanCode) -> String {
    pattern.replace("{grant}", grant.as_str()).replace("{ticket}", ticket.as_str())
}

/// Fills [`LOGIN`].
#[must_use]
pub fn login(grant: &GrantId) -> String {
    LOGIN.replace("{grant}", grant.as_str())
}

/// The parameter of [`LOGIN`] by which somebody else than whoever is signed in wants to sign in, and its value.
pub const AS: &str = "as";
/// See [`AS`].
pub const AS_ANOTHER: &str = "another";

/// [`login`] for somebody else than whoever is signed in in this browser.
#[must_use]
pub fn login_as_another(grant: &GrantId) -> String {
    format!("{}?{AS}={AS_ANOTHER}", login(grant))
}

/// Fills [`CONSENT`].
#[must_use]
pub fn consent(grant: &GrantId) -> String {
    CONSENT.replace("{grant}", grant.as_str())
}

/// Fills a client's pattern such as [`CLIENT_LOGO`].
#[must_use]
pub fn of_client(pattern: &str, client: &ClientId) -> String {
    pattern.replace("{client}", client.as_str())
}

/// What is added to the address of [`SCAN`] where the person has tapped something that says what it is for: then they are led
/// on at once. It approves nothing, so whoever sends somebody there with it saves them a tap and gains nothing.
pub const TAPPED: &str = "tapped";

/// Fills a phone pattern such as [`SCAN`].
#[must_use]
pub fn of_scan(pattern: &str, ticket: &ScanCode) -> String {
    pattern.replace("{ticket}", ticket.as_str())
}

/// Fills a channel pattern such as [`CHANNEL_CALLBACK`].
#[must_use]
pub fn of_channel(pattern: &str, channel: &ChannelId) -> String {
    pattern.replace("{channel}", channel.as_str())
}
