//! One provider with a few clients and one person, and the steps that a website and a browser take.

use std::sync::Arc;
use std::time::Duration;

use mashang_login::ambient::{SeededEntropy, TestClock};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::client::{Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::grant::{Grant, GrantStage, Purpose};
use mashang_login::identity::{Attributes, ChannelKind, IdentityKey, Profile, Proof, UnionLink};
use mashang_login::ids::{GrantId, SessionId, UserId};
use mashang_login::key::{SigningAlgorithm, SigningKey};
use mashang_login::records::{ContinuedLogin, FreshLogin, Login, NewSession, Records};
use mashang_login::seal::{MasterKey, Sealer};
use mashang_login::secret::{BrowserSecret, SecretHash, SessionSecret};
use mashang_login::session::Session;
use mashang_login::{Clock, Timestamp};
use mashang_oidc::answer::{Answered, fulfil};
use mashang_oidc::authorize::{self, AuthorizeError, Checked, Proven};
use mashang_oidc::claims::ClaimPolicy;
use mashang_oidc::keys::{KeyRing, RotationPolicy};
use mashang_oidc::params::Params;
use mashang_oidc::token::{Happened, TokenError, TokenPolicy, TokenRequest, TokenResponse, token};
use mashang_oidc::{Issuer, Provider};
use tokio::sync::OnceCell;

use crate::fake::Fake;

pub(crate) const ISSUER: &str = "https://login.example";
pub(crate) const SECRET: &str = "msk_the secret of: site & co";
/// RFC 7636 appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The redirect address of every client here: with a query, as ZenTao has it.
pub(crate) fn callback(client: &str) -> String {
    format!("https://{client}.example/index.php?m=sso&f=callback")
}

pub(crate) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

pub(crate) fn params(raw: &str) -> Params {
    Params::parse(raw.as_bytes()).unwrap()
}

/// Parameters from pairs, encoded.
pub(crate) fn form(pairs: &[(&str, &str)]) -> Params {
    params(&url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}

pub(crate) fn sealer() -> Arc<Sealer> {
    Arc::new(Sealer::new(&MasterKey::from_bytes([7; 32])))
}

/// Making RSA keys is slow, so all tests share one set.
async fn shared_keys() -> &'static [SigningKey] {
    static KEYS: OnceCell<Vec<SigningKey>> = OnceCell::const_new();
    KEYS.get_or_init(|| async {
        let records = Arc::new(Fake::default());
        ring(records.clone(), Arc::new(TestClock::default())).await;
        records.signing_keys().await.unwrap()
    })
    .await
}

pub(crate) async fn ring(records: Arc<Fake>, clock: Arc<TestClock>) -> KeyRing {
    let entropy = Arc::new(SeededEntropy::new(1));
    KeyRing::load(records, sealer(), clock, entropy, RotationPolicy::default()).await.unwrap()
}

pub(crate) struct House {
    pub(crate) records: Arc<Fake>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) provider: Provider,
}

pub(crate) fn client(id: &str) -> Client {
    Client {
        id: id.parse().unwrap(),
        name: id.into(),
        authentication: ClientAuthentication::Secret(SecretHash::of(SECRET)),
        redirect_uris: vec![callback(id)],
        post_logout_redirect_uris: vec![format!("https://{id}.example/bye")],
        pkce: PkcePolicy::Required,
        id_token_alg: SigningAlgorithm::Rs256,
        refresh_tokens: true,
        settings: ClientSettings::default(),
        created_at: Timestamp::UNIX_EPOCH,
        disabled_at: None,
    }
}

/// A provider with the clients `site` (confidential), `other` (the same again), `old` (confidential, without PKCE or
/// refresh tokens) and `app` (public).
pub(crate) async fn house() -> House {
    let records = Arc::new(Fake::default());
    let clock = Arc::new(TestClock::default());
    for key in shared_keys().await {
        records.add_signing_key(key, &[], clock.now()).await.unwrap();
    }
    let old = Client { pkce: PkcePolicy::Optional, refresh_tokens: false, ..client("old") };
    let app = Client { authentication: ClientAuthentication::Public, ..client("app") };
    for client in [client("site"), client("other"), old, app] {
        records.save_client(&client).await.unwrap();
    }
    let provider = Provider {
        records: records.clone(),
        credentials: records.clone(),
        keys: ring(records.clone(), clock.clone()).await,
        clock: clock.clone(),
        entropy: Arc::new(SeededEntropy::new(2)),
        issuer: Issuer::parse(ISSUER).unwrap(),
        policy: TokenPolicy::default(),
        claims: Arc::default(),
    };
    House { records, clock, provider }
}

pub(crate) type Answer = (Result<TokenResponse, TokenError>, Option<Happened>);

impl House {
    pub(crate) fn wait(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    pub(crate) async fn change(&self, id: &str, change: impl FnOnce(&mut Client)) {
        let mut client = self.records.client(&id.parse().unwrap()).await.unwrap().unwrap();
        change(&mut client);
        self.records.save_client(&client).await.unwrap();
    }

    /// With other rules about claims.
    pub(crate) fn telling(self, claims: ClaimPolicy) -> Self {
        let provider = Provider { claims: Arc::new(claims), ..self.provider };
        Self { provider, ..self }
    }

    pub(crate) async fn disable_client(&self, id: &str) {
        let now = self.clock.now();
        self.change(id, |client| client.disabled_at = Some(now)).await;
    }

    /// A valid authorization request of `client`, with `extra` replacing parameters of the same name; an empty value
    /// removes one.
    pub(crate) fn request(client: &str, extra: &[(&str, &str)]) -> Params {
        let callback = callback(client);
        let mut pairs = vec![
            ("client_id", client),
            ("redirect_uri", &callback),
            ("response_type", "code"),
            ("scope", "openid profile offline_access wechat_openid wechat_unionid"),
            ("state", "st&te"),
            ("nonce", "n-0S6"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        pairs.retain(|(name, _)| extra.iter().all(|(other, _)| other != name));
        pairs.extend_from_slice(extra);
        form(&pairs)
    }

    pub(crate) async fn proven(&self, params: &Params) -> Proven {
        authorize::prove(&*self.records, params).await.unwrap()
    }

    pub(crate) async fn check(&self, params: &Params) -> Result<Checked, AuthorizeError> {
        authorize::check(&self.proven(params).await, params)
    }

    /// The request becomes a grant.
    pub(crate) async fn grant(&self, params: &Params) -> Grant {
        let proven = self.proven(params).await;
        let request = authorize::check(&proven, params).unwrap().request;
        let now = self.clock.now();
        let entropy = &*self.provider.entropy;
        let grant = Grant {
            id: GrantId::random(entropy),
            client: proven.client.id,
            request,
            purpose: Purpose::SignIn,
            browser: BrowserSecret::random(entropy).hash(),
            created_at: now,
            expires_at: now + Duration::from_secs(600),
            stage: GrantStage::Pending,
        };
        self.records.begin_grant(&grant).await.unwrap();
        grant
    }

    /// A fresh approval by the person behind `openid`.
    pub(crate) fn fresh(&self, openid: &str) -> (SecretHash, Login) {
        let key = IdentityKey {
            kind: ChannelKind::WechatOfficial,
            app: "wx0123456789abcdef".into(),
            subject: openid.into(),
        };
        let union = Some(UnionLink { platform: "main".into(), unionid: format!("union-of-{openid}") });
        let profile = Profile {
            nickname: Some("小明".into()),
            picture: Some("https://img.example/1.png".parse().unwrap()),
        };
        let attributes = Attributes::default();
        let channel = "wechat".parse().unwrap();
        self.fresh_by(Proof {
            channel,
            key,
            union,
            profile,
            attributes,
            proven_at: self.clock.now(),
            password_set_at: None,
        })
    }

    /// A fresh approval by whom `proof` names.
    pub(crate) fn fresh_by(&self, proof: Proof) -> (SecretHash, Login) {
        let (now, entropy) = (self.clock.now(), &*self.provider.entropy);
        let secret = SessionSecret::random(entropy).hash();
        let amr = proof.key.kind.as_str().into();
        let login = Login::Fresh(Box::new(FreshLogin {
            proof,
            new_user: UserId::random(entropy),
            session: NewSession {
                id: SessionId::random(entropy),
                secret,
                amr,
                auth_time: now,
                expires_at: now + Duration::from_secs(8 * 3600),
                device: "Chrome · Linux".into(),
                address: "192.0.2.1".into(),
                confirmed_at: None,
            },
            replaces: None,
            told: AuditEvent::new(now, AuditKind::SignedIn),
        }));
        (secret, login)
    }

    /// A session that is there answers.
    pub(crate) fn continued(&self, session: Session) -> Login {
        let told = AuditEvent::new(self.clock.now(), AuditKind::SessionContinued);
        Login::Continued(Box::new(ContinuedLogin { session, told }))
    }

    /// Signs in at `client`: the code, and the browser's session.
    pub(crate) async fn sign_in(&self, client: &str, extra: &[(&str, &str)]) -> (String, Session) {
        let grant = self.grant(&Self::request(client, extra)).await;
        let (secret, login) = self.fresh("openid-of-ming");
        let Answered::Done { response, .. } = fulfil(&self.provider, &grant, login).await.unwrap() else {
            panic!("the grant was open");
        };
        let session = self.records.session(&secret, self.clock.now()).await.unwrap().unwrap();
        (response.get("code").unwrap().to_owned(), session)
    }

    pub(crate) async fn code(&self, client: &str) -> String {
        self.sign_in(client, &[]).await.0
    }

    /// A token request with the form's own client authentication.
    pub(crate) async fn token(&self, pairs: &[(&str, &str)]) -> Answer {
        self.token_with(None, pairs).await
    }

    pub(crate) async fn token_with(&self, authorization: Option<&str>, pairs: &[(&str, &str)]) -> Answer {
        let from = AuditEvent {
            address: Some("192.0.2.7".into()),
            ..AuditEvent::new(self.clock.now(), AuditKind::ClientRefused)
        };
        token(&self.provider, TokenRequest { authorization, params: &form(pairs) }, &from).await
    }

    /// Exchanges a code correctly.
    pub(crate) async fn exchange(&self, client: &str, code: &str) -> Answer {
        let callback = callback(client);
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &callback),
            ("code_verifier", VERIFIER),
            ("client_id", client),
        ];
        if client != "app" {
            pairs.push(("client_secret", SECRET));
        }
        self.token(&pairs).await
    }

    /// Signs in and exchanges.
    pub(crate) async fn tokens(&self, client: &str) -> TokenResponse {
        let code = self.code(client).await;
        self.exchange(client, &code).await.0.unwrap()
    }

    pub(crate) async fn refresh(&self, client: &str, refresh_token: &str) -> Answer {
        let mut pairs =
            vec![("grant_type", "refresh_token"), ("refresh_token", refresh_token), ("client_id", client)];
        if client != "app" {
            pairs.push(("client_secret", SECRET));
        }
        self.token(&pairs).await
    }
}

/// One parameter of an address.
pub(crate) fn query_of(address: &str, name: &str) -> Option<String> {
    let address = url::Url::parse(address).unwrap();
    address.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// The claims of a JWS, unverified.
pub(crate) fn claims_of(token: &str) -> serde_json::Value {
    use base64::Engine as _;
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).unwrap())
        .unwrap()
}
