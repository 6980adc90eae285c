//! Things to store: plausible, distinct, the same on every run.

use std::time::Duration;

use mashang_login::ambient::{SeededEntropy, TestClock};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::challenge::{Challenge, ChallengeKind};
use mashang_login::client::{Client, ClientAuthentication, ClientSettings, PkcePolicy};
use mashang_login::credentials::{NewPassword, PasskeyRecord, PasswordHash, passkey_key, password_key};
use mashang_login::grant::{AuthorizationRequest, Grant, GrantStage, Purpose, ResponseMode, ScopeSet};
use mashang_login::handshake::{Handshake, Traveller};
use mashang_login::identity::{Attributes, ChannelKind, IdentityKey, Profile, Proof, UnionLink};
use mashang_login::ids::{FamilyId, GrantId, MergeId, ScanCode, SessionId, UserId};
use mashang_login::key::{SigningAlgorithm, SigningKey};
use mashang_login::records::{ContinuedLogin, FreshLogin, Fulfilment, Login, NewSession};
use mashang_login::secret::{SecretHash, random_text};
use mashang_login::session::Session;
use mashang_login::ticket::{Lifetimes, Origin, Ticket};
use mashang_login::token::NewTokens;
use mashang_login::{Clock, Timestamp};

/// A morning, and a source of names.
#[derive(Debug)]
pub struct World {
    /// The present moment; cases add to it.
    pub now: Timestamp,
    entropy: SeededEntropy,
}

impl Default for World {
    fn default() -> Self {
        Self { now: TestClock::default().now(), entropy: SeededEntropy::new(1) }
    }
}

impl World {
    /// `seconds` from now.
    #[must_use]
    pub fn after(&self, seconds: u64) -> Timestamp {
        self.now + Duration::from_secs(seconds)
    }

    /// The hash of a fresh bearer value.
    #[must_use]
    pub fn hash(&self) -> SecretHash {
        SecretHash::of(&random_text(&self.entropy, 32))
    }

    /// The name of a merge.
    #[must_use]
    pub fn merge_id(&self) -> MergeId {
        MergeId::random(&self.entropy)
    }

    /// A confidential client.
    #[must_use]
    pub fn client(&self, id: &str) -> Client {
        Client {
            id: id.parse().unwrap(),
            name: "示例网站 🐼".into(),
            authentication: ClientAuthentication::Secret(SecretHash::of("msk_secret")),
            redirect_uris: vec!["https://site.example/cb?a=1&b=2".into(), "http://127.0.0.1/cb".into()],
            post_logout_redirect_uris: vec!["https://site.example/bye".into()],
            pkce: PkcePolicy::Required,
            id_token_alg: SigningAlgorithm::Es256,
            refresh_tokens: true,
            settings: ClientSettings::default(),
            created_at: self.now,
            disabled_at: None,
        }
    }

    /// A grant of `client`, open for ten minutes.
    #[must_use]
    pub fn grant(&self, client: &Client) -> Grant {
        Grant {
            id: GrantId::random(&self.entropy),
            client: client.id.clone(),
            request: AuthorizationRequest {
                redirect_uri: client.redirect_uris[0].clone(),
                response_mode: ResponseMode::Query,
                scope: ScopeSet::parse("openid profile offline_access"),
                state: Some("stäte/码".into()),
                nonce: Some("n-0S6_WzA2Mj".into()),
                code_challenge: Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into()),
                force_login: true,
                force_consent: false,
                silent: false,
                max_age: Some(3_600),
                login_hint: None,
                hinted: None,
                ui_locales: vec!["zh-CN".into(), "en".into()],
            },
            purpose: Purpose::SignIn,
            browser: self.hash(),
            created_at: self.now,
            expires_at: self.after(600),
            stage: GrantStage::Pending,
        }
    }

    /// What an official account proved about `subject` of `app`.
    #[must_use]
    pub fn proof(&self, app: &str, subject: &str) -> Proof {
        Proof {
            channel: "wechat".parse().unwrap(),
            key: IdentityKey { kind: ChannelKind::WechatOfficial, app: app.into(), subject: subject.into() },
            union: None,
            profile: Profile { nickname: Some("小明".into()), picture: None },
            attributes: Attributes::default(),
            proven_at: self.now,
            password_set_at: None,
        }
    }

    /// As [`World::proof`], with a unionid of the platform account `platform`.
    #[must_use]
    pub fn linked_proof(&self, app: &str, subject: &str, platform: &str, unionid: &str) -> Proof {
        let union = Some(UnionLink { platform: platform.into(), unionid: unionid.into() });
        Proof { union, ..self.proof(app, subject) }
    }

    /// A fresh approval that answers `grant`: session of a day, code of a minute, family of thirty days.
    #[must_use]
    pub fn approval(&self, grant: &Grant, proof: Proof) -> Fulfilment {
        self.fulfilment(grant, Login::Fresh(Box::new(self.fresh(proof))))
    }

    /// A session of a day about to begin.
    #[must_use]
    pub fn fresh(&self, proof: Proof) -> FreshLogin {
        let session = NewSession {
            id: SessionId::random(&self.entropy),
            secret: self.hash(),
            amr: proof.key.kind.as_str().into(),
            auth_time: self.now,
            expires_at: self.after(86_400),
            device: "Chrome · macOS".into(),
            address: "203.0.113.7".into(),
            confirmed_at: Some(self.now),
        };
        let new_user = UserId::random(&self.entropy);
        FreshLogin { proof, new_user, session, replaces: None, told: self.told(AuditKind::SignedIn) }
    }

    /// What our own page proved by the password or passkey of an identity.
    #[must_use]
    pub fn proof_here(&self, key: &IdentityKey) -> Proof {
        Proof {
            channel: key.kind.as_str().parse().unwrap(),
            key: key.clone(),
            profile: Profile::default(),
            ..self.proof("", "")
        }
    }

    /// A name and a fresh password for a person.
    #[must_use]
    pub fn password(&self, user: &UserId, username: &str) -> NewPassword {
        let hash = format!("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${}", random_text(&self.entropy, 32));
        NewPassword {
            key: password_key(&self.entropy),
            user: user.clone(),
            channel: "password".parse().unwrap(),
            username: username.parse().unwrap(),
            is_assigned: false,
            hash: PasswordHash::from_phc(&hash).unwrap(),
            keep: None,
        }
    }

    /// A passkey that a person just made.
    #[must_use]
    pub fn passkey(&self, user: &UserId) -> PasskeyRecord {
        PasskeyRecord {
            key: passkey_key("login.example", random_text(&self.entropy, 16).as_bytes()),
            user: user.clone(),
            name: "我的手机 📱".into(),
            data: r#"{"counter":0,"说明":"'\""}"#.into(),
            created_at: self.now,
            last_used_at: None,
        }
    }

    /// A code by SMS, open for five minutes and five attempts.
    #[must_use]
    pub fn challenge(&self) -> Challenge {
        Challenge {
            id: self.hash(),
            bound_to: self.hash(),
            kind: ChallengeKind::SmsCode,
            state: r#"{"to":"+8613800138000"}"#.into(),
            answer: Some(self.hash()),
            attempts_left: 5,
            expires_at: self.after(300),
        }
    }

    /// An answer out of a session that is there.
    #[must_use]
    pub fn continuation(&self, grant: &Grant, session: &Session) -> Fulfilment {
        let (session, told) = (session.clone(), self.told(AuditKind::SessionContinued));
        self.fulfilment(grant, Login::Continued(Box::new(ContinuedLogin { session, told })))
    }

    fn fulfilment(&self, grant: &Grant, login: Login) -> Fulfilment {
        Fulfilment {
            grant: grant.id.clone(),
            login,
            code: self.hash(),
            code_expires_at: self.after(60),
            family: FamilyId::random(&self.entropy),
            family_expires_at: self.after(30 * 86_400),
        }
    }

    /// Tokens about to be issued: access for an hour, refresh for two weeks.
    #[must_use]
    pub fn tokens(&self) -> NewTokens {
        NewTokens {
            access: self.hash(),
            access_expires_at: self.after(3_600),
            refresh: Some((self.hash(), self.after(14 * 86_400))),
            told: self.told(AuditKind::TokensIssued),
        }
    }

    /// What the trail says of something that this website's browser did.
    #[must_use]
    pub fn told(&self, kind: AuditKind) -> AuditEvent {
        AuditEvent {
            client: Some("site".parse().unwrap()),
            address: Some("203.0.113.7".into()),
            device: Some("Chrome · macOS".into()),
            ..AuditEvent::new(self.now, kind)
        }
    }

    /// A ticket that has just begun.
    #[must_use]
    pub fn ticket(&self) -> Ticket {
        let origin = Origin {
            client: "site".parse().unwrap(),
            site_name: "示例网站 🐼".into(),
            site_host: "site.example".into(),
            device: "Chrome · Windows".into(),
            on_phone: false,
            address: "203.0.113.7".into(),
            at: self.now,
        };
        let grant = GrantId::random(&self.entropy);
        Ticket::begin(grant, self.hash(), origin, self.now, &Lifetimes::default(), &self.entropy)
    }

    /// A trip of ten minutes.
    #[must_use]
    pub fn handshake(&self) -> Handshake {
        Handshake {
            state: self.hash(),
            channel: "wechat".parse().unwrap(),
            ticket: ScanCode::random(&self.entropy),
            grant: GrantId::random(&self.entropy),
            device: self.hash(),
            traveller: Traveller::Phone,
            expires_at: self.after(600),
        }
    }

    /// A signing key made at `created_at`.
    #[must_use]
    pub fn key(&self, id: &str, created_at: Timestamp) -> SigningKey {
        SigningKey {
            id: id.parse().unwrap(),
            algorithm: SigningAlgorithm::Rs256,
            sealed_private: vec![0, 1, 2, 0xff, 0x27],
            public_jwk: r#"{"kty":"RSA","n":"…"}"#.into(),
            created_at,
            signs_from: created_at + Duration::from_secs(3_600),
            published_until: None,
        }
    }
}
