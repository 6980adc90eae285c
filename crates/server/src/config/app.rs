//! `[channel.<id>]` with `kind = "app"`: the operator's own app, and how it vouches for its people.

use mashang_login::client::is_loopback;
use mashang_login::ids::{ChannelId, ClientId};
use serde::Deserialize;
use url::Url;

/// `kind = "app"`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AppSection {
    /// Text of its tab.
    pub label: Option<String>,
    /// Position of its tab.
    #[serde(default)]
    pub order: i32,
    /// `iss` of the tokens that the app's back end gives its people, compared as text.
    pub issuer: Option<String>,
    /// What `aud` of those tokens must contain.
    pub audience: Option<String>,
    /// Where the issuer's public keys are; by default its OpenID Connect discovery document says so.
    pub jwks_url: Option<Url>,
    /// Which signatures are accepted. All are asymmetric: a secret shared with the app would be no proof.
    #[serde(default = "JwtAlgorithm::all")]
    pub algorithms: Vec<JwtAlgorithm>,
    /// The claim that holds the person's name.
    #[serde(default = "name")]
    pub name_claim: String,
    /// The claim that holds the address of the person's picture.
    #[serde(default = "picture")]
    pub picture_claim: String,
    /// Clients of ours whose access tokens count too: an app that signs its people in through us. Never list a website
    /// here that is not yours: whoever holds such a token can approve logins.
    #[serde(default)]
    pub accept_tokens_of: Vec<ClientId>,
    /// The address that opens the app on a phone, such as `myapp://login?code={scan_code}`.
    pub link_template: Option<String>,
    /// The Android package that our links open (App Links).
    pub android_package: Option<String>,
    /// SHA-256 fingerprints of the certificates it is signed with, `AB:CD:…`.
    #[serde(default)]
    pub sha256_cert_fingerprints: Vec<String>,
    /// The iOS apps that our links open (Universal Links), `<team id>.<bundle id>`.
    #[serde(default)]
    pub ios_app_ids: Vec<String>,
}

fn name() -> String {
    "name".into()
}

fn picture() -> String {
    "picture".into()
}

/// A JWS algorithm (RFC 7518 §3.1, RFC 8037 §3.1) that an app's tokens may be signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum JwtAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    RS256,
    /// ECDSA over P-256 with SHA-256.
    ES256,
    /// Ed25519.
    #[serde(alias = "Ed25519")]
    EdDSA,
}

impl JwtAlgorithm {
    fn all() -> Vec<Self> {
        vec![Self::RS256, Self::ES256, Self::EdDSA]
    }
}

/// What [`AppSection::link_template`] has in the code's place.
pub const SCAN_CODE_PLACE: &str = "{scan_code}";

impl AppSection {
    /// What is wrong with it, in sentences.
    pub(super) fn check(&self, id: &ChannelId, wrong: &mut Vec<String>) {
        let place = format!("channel.{id}");
        match (&self.issuer, &self.audience) {
            (None, None) if self.accept_tokens_of.is_empty() => wrong.push(format!(
                "{place}: needs issuer and audience (your back end's tokens), or accept_tokens_of (access tokens of this server)"
            )),
            (Some(_), None) => wrong.push(format!(
                "{place}.audience: the `aud` of the tokens that are meant for logging in here; without it any token of the issuer would do"
            )),
            (None, Some(_)) => wrong.push(format!("{place}.issuer: the `iss` of the tokens")),
            _ => {}
        }
        if self.audience.as_deref() == Some("") {
            wrong.push(format!("{place}.audience: must not be empty"));
        }
        if let Some(issuer) = &self.issuer
            && self.jwks_url.is_none()
            && !Url::parse(issuer).is_ok_and(|url| may_be_asked(&url))
        {
            wrong.push(format!(
                "{place}.issuer: `{issuer}` is no https address, so say where its keys are: jwks_url"
            ));
        }
        if let Some(url) = &self.jwks_url
            && !may_be_asked(url)
        {
            wrong.push(format!("{place}.jwks_url: `{url}` must be https (http only on this machine)"));
        }
        if self.algorithms.is_empty() {
            wrong.push(format!("{place}.algorithms: at least one of RS256, ES256, EdDSA"));
        }
        self.check_links(&place, wrong);
    }

    fn check_links(&self, place: &str, wrong: &mut Vec<String>) {
        if let Some(template) = &self.link_template
            && !is_link_template(template)
        {
            wrong.push(format!(
                "{place}.link_template: `{template}` must be an address of your app that contains {SCAN_CODE_PLACE}, such as myapp://login?code={SCAN_CODE_PLACE}"
            ));
        }
        if self.android_package.is_some() == self.sha256_cert_fingerprints.is_empty() {
            wrong.push(format!(
                "{place}: android_package and sha256_cert_fingerprints belong together; `keytool -list -v` and the Play Console show the fingerprint"
            ));
        }
        for print in &self.sha256_cert_fingerprints {
            let is_hex = |pair: &str| pair.len() == 2 && pair.bytes().all(|b| b.is_ascii_hexdigit());
            if print.split(':').count() != 32 || !print.split(':').all(is_hex) {
                wrong.push(format!("{place}.sha256_cert_fingerprints: `{print}` is not 32 bytes as AB:CD:…"));
            }
        }
        for app in &self.ios_app_ids {
            if !app.split_once('.').is_some_and(|(team, bundle)| team.len() == 10 && !bundle.is_empty()) {
                wrong.push(format!("{place}.ios_app_ids: `{app}` is not <team id>.<bundle id>, such as A1B2C3D4E5.com.example.app"));
            }
        }
    }
}

/// Whether we call this address at all (SEC-70).
#[must_use]
pub fn may_be_asked(url: &Url) -> bool {
    let is_plain = url.username().is_empty() && url.password().is_none();
    is_plain && (url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url)))
}

/// A link runs in the person's browser when tapped, so nothing that a browser would execute or open itself.
fn is_link_template(template: &str) -> bool {
    let filled = template.replace(SCAN_CODE_PLACE, "x");
    let scheme = Url::parse(&filled).map(|url| url.scheme().to_owned()).unwrap_or_default();
    template.contains(SCAN_CODE_PLACE)
        && !matches!(
            scheme.as_str(),
            "" | "javascript" | "data" | "vbscript" | "file" | "blob" | "about" | "http"
        )
}

#[cfg(test)]
mod tests {
    use figment::Figment;
    use figment::providers::{Format, Toml};

    use super::*;

    fn read(text: &str) -> Result<AppSection, Box<figment::Error>> {
        Figment::from(Toml::string(text)).extract().map_err(Box::new)
    }

    fn wrong(text: &str) -> Vec<String> {
        let section = read(text).unwrap();
        let mut wrong = Vec::new();
        section.check(&"myapp".parse().unwrap(), &mut wrong);
        wrong
    }

    #[test]
    fn an_app_says_whose_tokens_count() {
        assert_eq!(wrong("issuer = 'https://id.example'\naudience = 'login'"), [""; 0]);
        assert_eq!(wrong("accept_tokens_of = ['my-app']"), [""; 0]);
        for text in [
            "",
            "issuer = 'https://id.example'",
            "audience = 'login'",
            "issuer = 'my-issuer'\naudience = 'login'",
            "issuer = 'http://id.example'\naudience = 'login'",
            "issuer = 'x'\naudience = 'login'\njwks_url = 'http://10.0.0.1/jwks'",
            "issuer = 'x'\naudience = 'login'\njwks_url = 'file:///etc/passwd'",
            "issuer = 'https://id.example'\naudience = 'login'\nalgorithms = []",
        ] {
            assert_eq!(wrong(text).len(), 1, "{text}: {:?}", wrong(text));
        }
    }

    #[test]
    fn sec_36_shared_secrets_and_no_signature_cannot_even_be_configured() {
        for algorithm in ["HS256", "none", "RS1"] {
            let text = format!("accept_tokens_of = ['a']\nalgorithms = ['{algorithm}']");
            assert!(read(&text).is_err(), "{algorithm}");
        }
    }

    #[test]
    fn links_lead_to_the_app_and_run_nothing() {
        let with = |line: &str| wrong(&format!("accept_tokens_of = ['a']\n{line}"));
        assert_eq!(with("link_template = 'myapp://login?code={scan_code}'"), [""; 0]);
        assert_eq!(with("link_template = 'https://app.example/login/{scan_code}'"), [""; 0]);
        for line in [
            "link_template = 'myapp://login'",
            "link_template = 'javascript:alert(\"{scan_code}\")'",
            "link_template = '{scan_code}'",
            "android_package = 'com.example'",
            "ios_app_ids = ['com']",
        ] {
            assert_eq!(with(line).len(), 1, "{line}");
        }
    }
}
