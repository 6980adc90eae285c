//! What is asked: every parameter of the authorization request, checked, in our words.

use mashang_login::grant::{AuthorizationRequest, ResponseMode, Scope, ScopeSet};
use mashang_login::ids::ChannelId;

use super::error::AuthorizeError;
use super::prove::{MAX_STATE, Proven};
use crate::params::Params;
use crate::pkce;

/// The longest `nonce` that is carried, in bytes.
const MAX_NONCE: usize = 512;
/// The most languages that are looked at.
const MAX_LOCALES: usize = 8;

/// Every parameter with a meaning, ours or not: none may be sent twice.
const KNOWN: [&str; 21] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "max_age",
    "ui_locales",
    "login_hint",
    "id_token_hint",
    "display",
    "acr_values",
    "claims",
    "claims_locales",
    "request",
    "request_uri",
    "registration",
];

/// A request that may be answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Checked {
    /// What is asked.
    pub request: AuthorizationRequest,
    /// Known scopes that were asked for and are not granted, because the operator named the client's scopes.
    pub left_out: ScopeSet,
    /// An ID token naming the person the client expects; to be verified by
    /// [`crate::keys::KeyRing::verify_own_id_token`].
    pub id_token_hint: Option<String>,
}

impl std::fmt::Debug for Checked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hint = self.id_token_hint.as_ref().map(|_| "[redacted]");
        f.debug_struct("Checked")
            .field("request", &self.request)
            .field("left_out", &self.left_out)
            .field("id_token_hint", &hint)
            .finish()
    }
}

/// Checks the rest of a request whose client and address are proven. `display`, `acr_values`, `claims` and
/// `claims_locales` are accepted and ignored, as is anything unknown (OpenID Connect Core §3.1.2.1).
///
/// # Errors
/// [`AuthorizeError`], to be carried by an [`super::AuthorizationResponse`].
pub fn check(proven: &Proven, params: &Params) -> Result<Checked, AuthorizeError> {
    params.refuse_duplicates(&KNOWN)?;
    refuse_request_objects(params)?;
    check_response(params)?;
    let asked = scope(params)?;
    let prompt = Prompt::read(params.get("prompt"), proven.client.settings.consent)?;
    Ok(Checked {
        request: AuthorizationRequest {
            redirect_uri: proven.redirect_uri.clone(),
            response_mode: proven.response_mode,
            // RFC 6749 §3.3: less than was asked is no error, and the token answer says so.
            scope: proven.client.granted(&asked),
            state: limited(params, "state", MAX_STATE)?,
            nonce: limited(params, "nonce", MAX_NONCE)?,
            code_challenge: code_challenge(proven, params)?,
            force_login: prompt.force_login,
            force_consent: prompt.force_consent,
            silent: prompt.silent,
            max_age: max_age(params)?,
            login_hint: login_hint(params),
            hinted: None,
            ui_locales: ui_locales(params),
        },
        left_out: asked.iter().filter(|scope| !proven.client.settings.allows(*scope)).collect(),
        id_token_hint: params.get("id_token_hint").map(str::to_owned),
    })
}

/// OpenID Connect Core §6 and §7.2.1: what we do not support is named, and nothing is fetched (SEC-53).
fn refuse_request_objects(params: &Params) -> Result<(), AuthorizeError> {
    for (name, code) in [
        ("request", "request_not_supported"),
        ("request_uri", "request_uri_not_supported"),
        ("registration", "registration_not_supported"),
    ] {
        if params.get(name).is_some() {
            return Err(AuthorizeError::new(code, format!("the parameter {name} is not supported")));
        }
    }
    Ok(())
}

/// SEC-47: the authorization code flow, answered in the query or to the window that asked, and nothing else.
fn check_response(params: &Params) -> Result<(), AuthorizeError> {
    match params.get("response_type") {
        Some("code") => {}
        None => return Err(AuthorizeError::invalid("the parameter response_type is missing")),
        Some(_) => {
            let only = "only response_type=code is supported";
            return Err(AuthorizeError::new("unsupported_response_type", only));
        }
    }
    match params.get("response_mode").map(ResponseMode::parse) {
        None | Some(Some(_)) => Ok(()),
        Some(None) => Err(AuthorizeError::invalid(
            "only response_mode=query and response_mode=web_message are supported",
        )),
    }
}

fn scope(params: &Params) -> Result<ScopeSet, AuthorizeError> {
    let scope = ScopeSet::parse(params.get("scope").unwrap_or_default());
    if !scope.contains(Scope::Openid) {
        return Err(AuthorizeError::new("invalid_scope", "the scope must contain openid"));
    }
    Ok(scope)
}

/// SEC-48: S256 or nothing, and nothing only where the operator allowed it.
fn code_challenge(proven: &Proven, params: &Params) -> Result<Option<String>, AuthorizeError> {
    let Some(challenge) = params.get("code_challenge") else {
        return if params.get("code_challenge_method").is_some() {
            Err(AuthorizeError::invalid("code_challenge_method was sent without code_challenge"))
        } else if pkce::is_required(&proven.client) {
            Err(AuthorizeError::invalid(
                "PKCE is required: send code_challenge and code_challenge_method=S256",
            ))
        } else {
            Ok(None)
        };
    };
    // RFC 7636 §4.3: without a method the challenge would be plain.
    if params.get("code_challenge_method") != Some("S256") {
        return Err(AuthorizeError::invalid("only code_challenge_method=S256 is supported"));
    }
    if !pkce::is_challenge(challenge) {
        return Err(AuthorizeError::invalid("code_challenge must be 43 characters of base64url"));
    }
    Ok(Some(challenge.to_owned()))
}

#[derive(Default)]
struct Prompt {
    silent: bool,
    force_login: bool,
    force_consent: bool,
}

impl Prompt {
    /// `asks_consent`: whether the client's people see a page of their own for it; else the approval is the consent.
    fn read(text: Option<&str>, asks_consent: bool) -> Result<Self, AuthorizeError> {
        let mut prompt = Self::default();
        for word in text.unwrap_or_default().split(' ').filter(|word| !word.is_empty()) {
            match word {
                "none" => prompt.silent = true,
                "consent" if asks_consent => prompt.force_consent = true,
                "login" | "select_account" | "consent" => prompt.force_login = true,
                _ => {
                    let known = "prompt knows none, login, select_account and consent";
                    return Err(AuthorizeError::invalid(known));
                }
            }
        }
        if prompt.silent && (prompt.force_login || prompt.force_consent) {
            return Err(AuthorizeError::invalid("prompt=none cannot be combined with another value"));
        }
        Ok(prompt)
    }
}

fn max_age(params: &Params) -> Result<Option<u64>, AuthorizeError> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    let digits = text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if digits => Ok(Some(seconds)),
        _ => Err(AuthorizeError::invalid("max_age must be a number of seconds of at most 10 digits")),
    }
}

fn limited(params: &Params, name: &'static str, most: usize) -> Result<Option<String>, AuthorizeError> {
    match params.get(name) {
        Some(value) if value.len() > most => {
            Err(AuthorizeError::invalid(format!("{name} is longer than {most} bytes")))
        }
        value => Ok(value.map(str::to_owned)),
    }
}

/// A hint only: one that cannot name a channel (an e-mail address, say) is dropped, not refused. Which channels there are is not
/// known here; who stores the request drops what names none of them (a telephone number can look like one).
fn login_hint(params: &Params) -> Option<String> {
    let hint = params.get("login_hint").and_then(|hint| ChannelId::parse(hint).ok());
    hint.map(|channel| channel.to_string())
}

/// BCP 47 tags, best first; OpenID Connect Core §3.1.2.1 forbids an error over unsupported ones.
fn ui_locales(params: &Params) -> Vec<String> {
    let is_tag = |tag: &&str| {
        (1..=35).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let text = params.get("ui_locales").unwrap_or_default();
    text.split(' ').filter(is_tag).take(MAX_LOCALES).map(str::to_owned).collect()
}
