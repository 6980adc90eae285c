//! The sample website: an ordinary OpenID Connect client (code flow, PKCE, state, nonce, RS256) that knows nothing about
//! Mashang but its issuer, its own id and its secret. It reads discovery, so it would work with any provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use axum::Router;
use axum::extract::{Query, State};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{StatusCode, header};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use mashang_login::ambient::SystemEntropy;
use mashang_login::secret::{ClientSecret, random_text};
use minijinja::{Environment, context};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use url::Url;

/// The cookie that holds a visitor's place in [`Memory`].
const COOKIE: &str = "sample_site";
/// More visitors than a demo has; the oldest half goes when it is full.
const MOST_VISITORS: usize = 1000;

/// The website.
#[derive(Clone)]
pub struct Site(Arc<Parts>);

struct Parts {
    issuer: String,
    own_url: String,
    client_id: String,
    secret: ClientSecret,
    http: reqwest::Client,
    pages: Environment<'static>,
    memory: Mutex<Memory>,
}

/// What the website remembers of its visitors.
#[derive(Default)]
struct Memory {
    visitors: HashMap<String, Visitor>,
}

/// One visitor.
#[derive(Clone)]
enum Visitor {
    /// On the way to the provider.
    Leaving { state: String, nonce: String, verifier: String },
    /// Signed in.
    Known { claims: Map<String, Value>, id_token: String },
}

/// The part of the discovery document that a client needs.
#[derive(Deserialize)]
struct Provider {
    issuer: String,
    authorization_endpoint: Url,
    token_endpoint: Url,
    userinfo_endpoint: Url,
    jwks_uri: Url,
    end_session_endpoint: Url,
}

#[derive(Deserialize)]
struct Tokens {
    access_token: String,
    id_token: String,
}

#[derive(Deserialize)]
struct Returned {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Site {
    /// A website at `own_url` that trusts `issuer`.
    ///
    /// # Errors
    /// When the HTTP client or the page cannot be set up.
    pub fn new(issuer: &str, own_url: &str, client_id: &str, secret: ClientSecret) -> anyhow::Result<Self> {
        let mut pages = Environment::new();
        pages.set_auto_escape_callback(|_| minijinja::AutoEscape::Html);
        pages.add_template("site.html", include_str!("../../assets/site.html"))?;
        // A connection that rested is not used again: the server hangs up on those after ten seconds, perhaps just then.
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(10))
            .pool_idle_timeout(Duration::from_secs(5))
            .build()?;
        Ok(Self(Arc::new(Parts {
            issuer: issuer.to_owned(),
            own_url: own_url.to_owned(),
            client_id: client_id.to_owned(),
            secret,
            http,
            pages,
            memory: Mutex::default(),
        })))
    }

    /// Its pages.
    pub fn router(self) -> Router {
        Router::new()
            .route("/", get(home))
            .route("/site.css", get(style))
            .route("/login", get(login))
            .route("/callback", get(callback))
            .route("/logout", get(logout))
            .with_state(self)
    }

    async fn provider(&self) -> anyhow::Result<Provider> {
        let address = format!("{}/.well-known/openid-configuration", self.0.issuer);
        let provider: Provider = self.0.http.get(address).send().await?.error_for_status()?.json().await?;
        ensure!(provider.issuer == self.0.issuer, "the discovery document names another issuer");
        Ok(provider)
    }

    fn remember(&self, visitor: Visitor) -> Cookie<'static> {
        let name = random_text(&SystemEntropy, 24);
        let mut memory = self.0.memory.lock().expect("nothing panics while holding it");
        if memory.visitors.len() >= MOST_VISITORS {
            memory.visitors.clear();
        }
        memory.visitors.insert(name.clone(), visitor);
        Cookie::build((COOKIE, name)).path("/").http_only(true).same_site(SameSite::Lax).build()
    }

    fn visitor(&self, jar: &CookieJar) -> Option<Visitor> {
        let name = jar.get(COOKIE)?.value();
        self.0.memory.lock().expect("nothing panics while holding it").visitors.get(name).cloned()
    }

    fn forget(&self, jar: &CookieJar) -> Option<Visitor> {
        let name = jar.get(COOKIE)?.value();
        self.0.memory.lock().expect("nothing panics while holding it").visitors.remove(name)
    }

    fn page(
        &self,
        status: StatusCode,
        claims: Option<&Map<String, Value>>,
        trouble: Option<&str>,
    ) -> Response {
        let claims: Option<Vec<(&String, String)>> = claims.map(|claims| {
            claims
                .iter()
                .map(|(name, value)| (name, value.as_str().map_or_else(|| value.to_string(), str::to_owned)))
                .collect()
        });
        let name = claims
            .as_ref()
            .and_then(|all| all.iter().find(|(name, _)| *name == "name"))
            .map(|(_, value)| value.clone());
        let values = context! { claims => claims.map(minijinja::value::Serde).map(minijinja::Value::from), name, trouble };
        match self.0.pages.get_template("site.html").and_then(|page| page.render(values)) {
            Ok(html) => (
                status,
                [
                    (header::CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
                    (header::CACHE_CONTROL, "no-store"),
                ],
                Html(html),
            )
                .into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }

    /// Code → tokens → verified claims. Everything a client must check is checked here.
    async fn sign_in(
        &self,
        returned: Returned,
        state: &str,
        nonce: &str,
        verifier: &str,
    ) -> anyhow::Result<Visitor> {
        ensure!(
            returned.state.as_deref() == Some(state),
            "the answer does not belong to this visitor's question"
        );
        ensure!(
            returned.iss.as_deref() == Some(&*self.0.issuer),
            "the answer comes from another issuer (RFC 9207)"
        );
        let code = returned.code.context("the answer has no code")?;
        let provider = self.provider().await?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", &format!("{}/callback", self.0.own_url)),
            ("code_verifier", verifier),
        ];
        let answer = self
            .0
            .http
            .post(provider.token_endpoint)
            .basic_auth(&self.0.client_id, Some(self.0.secret.expose()))
            .form(&form)
            .send()
            .await?;
        if !answer.status().is_success() {
            bail!("the token endpoint refused: {}", answer.text().await?);
        }
        let tokens: Tokens = answer.json().await?;
        let keys: JwkSet =
            self.0.http.get(provider.jwks_uri).send().await?.error_for_status()?.json().await?;
        let mut claims = self.verify(&tokens.id_token, &keys, nonce)?;
        let profile: Map<String, Value> = self
            .0
            .http
            .get(provider.userinfo_endpoint)
            .bearer_auth(&tokens.access_token)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        ensure!(profile.get("sub") == claims.get("sub"), "userinfo speaks about somebody else");
        claims.extend(profile);
        Ok(Visitor::Known { claims, id_token: tokens.id_token })
    }

    fn verify(&self, id_token: &str, keys: &JwkSet, nonce: &str) -> anyhow::Result<Map<String, Value>> {
        let kid = decode_header(id_token)?.kid.context("the ID token names no key")?;
        let key = keys.find(&kid).context("the ID token is signed by an unknown key")?;
        let mut rules = Validation::new(Algorithm::RS256);
        rules.set_audience(&[&self.0.client_id]);
        rules.set_issuer(&[&self.0.issuer]);
        rules.set_required_spec_claims(&["exp", "iat", "iss", "aud", "sub"]);
        let claims = decode::<Map<String, Value>>(id_token, &DecodingKey::from_jwk(key)?, &rules)?.claims;
        ensure!(
            claims.get("nonce").and_then(Value::as_str) == Some(nonce),
            "the ID token answers another question"
        );
        Ok(claims)
    }
}

async fn home(State(site): State<Site>, jar: CookieJar) -> Response {
    match site.visitor(&jar) {
        Some(Visitor::Known { claims, .. }) => site.page(StatusCode::OK, Some(&claims), None),
        _ => site.page(StatusCode::OK, None, None),
    }
}

async fn style() -> Response {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../../assets/site.css"))
        .into_response()
}

async fn login(State(site): State<Site>, jar: CookieJar) -> Response {
    let provider = match site.provider().await {
        Ok(provider) => provider,
        Err(error) => return site.page(StatusCode::BAD_GATEWAY, None, Some(&format!("{error:#}"))),
    };
    let [state, nonce, verifier] = std::array::from_fn(|_| random_text(&SystemEntropy, 32));
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
    let mut to = provider.authorization_endpoint;
    to.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &site.0.client_id)
        .append_pair("redirect_uri", &format!("{}/callback", site.0.own_url))
        .append_pair("scope", "openid profile wechat_openid wechat_unionid")
        .append_pair("state", &state)
        .append_pair("nonce", &nonce)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    let cookie = site.remember(Visitor::Leaving { state, nonce, verifier });
    (jar.add(cookie), Redirect::to(to.as_str())).into_response()
}

async fn callback(State(site): State<Site>, jar: CookieJar, Query(returned): Query<Returned>) -> Response {
    if let Some(error) = &returned.error {
        let words = returned.error_description.as_deref().unwrap_or_default();
        return site.page(StatusCode::OK, None, Some(&format!("{error}: {words}")));
    }
    let Some(Visitor::Leaving { state, nonce, verifier }) = site.forget(&jar) else {
        return site.page(
            StatusCode::BAD_REQUEST,
            None,
            Some("没有进行中的登录。 No login is under way here."),
        );
    };
    match site.sign_in(returned, &state, &nonce, &verifier).await {
        Ok(known) => (jar.add(site.remember(known)), Redirect::to("/")).into_response(),
        Err(error) => site.page(StatusCode::BAD_GATEWAY, None, Some(&format!("{error:#}"))),
    }
}

async fn logout(State(site): State<Site>, jar: CookieJar) -> Response {
    let known = site.forget(&jar);
    let jar = jar.remove(Cookie::build(COOKIE).path("/").build());
    match (known, site.provider().await) {
        (Some(Visitor::Known { id_token, .. }), Ok(provider)) => {
            let mut to = provider.end_session_endpoint;
            to.query_pairs_mut()
                .append_pair("id_token_hint", &id_token)
                .append_pair("post_logout_redirect_uri", &format!("{}/", site.0.own_url));
            (jar, Redirect::to(to.as_str())).into_response()
        }
        _ => (jar, Redirect::to("/")).into_response(),
    }
}
