//! What a client is told about a person: by the scopes that were granted, by the operator's [`Rule`]s, and by what was
//! switched for the client. The userinfo endpoint, ID tokens and the page that asks for consent all tell by [`told`].
//!
//! Only what was proven is told. An address is made from a pattern where the operator set one, and is not verified then.

mod email;
mod person;
mod rules;

use std::time::Duration;

use mashang_login::Timestamp;
use mashang_login::client::Client;
use mashang_login::grant::{Scope, ScopeSet};
use mashang_login::identity::{ChannelKind, Identity};
use serde_json::{Map, Value, json};

pub use self::email::{EmailPattern, InvalidEmailPattern};
pub use self::person::Person;
pub use self::rules::{Given, MemberName, Rule};

/// How long a telephone number counts as verified: less than the operators wait before they give it to somebody else (90
/// days in China).
const PHONE_VERIFIED_FOR: Duration = Duration::from_secs(30 * 86_400);

/// What the operator set about claims.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClaimPolicy {
    /// The e-mail address of a corp's member, where they proved none.
    pub email_pattern: Option<EmailPattern>,
    /// Who has which roles and is in which groups.
    pub rules: Vec<Rule>,
}

/// The claims that `scope` opens to a client at `now`, and no others (SEC-51); of a scope that was taken from the client
/// after it had been granted, none (SEC-90). Names and pictures are the person's own
/// choice and must be encoded where they are shown (SEC-68).
#[must_use]
pub fn told(
    policy: &ClaimPolicy,
    client: &Client,
    scope: &ScopeSet,
    person: &Person,
    now: Timestamp,
) -> Map<String, Value> {
    let scope = &client.granted(scope);
    let mut claims = Map::new();
    if scope.contains(Scope::Profile) {
        profile(&mut claims, person);
    }
    if scope.contains(Scope::Phone) {
        phone(&mut claims, person, now);
    }
    if scope.contains(Scope::Email) {
        email(&mut claims, policy, person);
    }
    if let Some(used) = &person.used {
        of_wechat(&mut claims, scope, used);
        of_wecom(&mut claims, scope, used);
    }
    if scope.contains(Scope::Wecom)
        && let Some(member) = person.member()
    {
        claims.insert("userid".into(), json!(member.attributes.member_id));
        claims.insert("departments".into(), json!(member.attributes.departments));
    }
    given(&mut claims, &Given::by(&policy.rules, client, person), client, scope);
    claims
}

/// Roles and groups: where they were asked for, where the client is told everything at once, and as Keycloak tells them.
/// Whoever named the client's scopes without them, means it; `realm_roles` is a word for them of its own.
pub(crate) fn given(claims: &mut Map<String, Value>, given: &Given, client: &Client, scope: &ScopeSet) {
    let Given { roles, groups } = given;
    // Who is told in the ID token cannot ask for a scope that only we know.
    let is_told = |asked: Scope| {
        client.settings.allows(asked) && (scope.contains(asked) || client.settings.claims_in_id_token)
    };
    if is_told(Scope::Roles) {
        claims.insert("roles".into(), json!(roles));
    }
    if is_told(Scope::Groups) {
        claims.insert("groups".into(), json!(groups));
    }
    if client.settings.realm_roles {
        claims.insert("realm_access".into(), json!({ "roles": roles }));
        claims.insert("resource_access".into(), json!({ client.id.as_str(): { "roles": roles } }));
    }
}

fn profile(claims: &mut Map<String, Value>, person: &Person) {
    let user = &person.user;
    if let Some(nickname) = &user.nickname {
        claims.insert("name".into(), json!(nickname));
        claims.insert("nickname".into(), json!(nickname));
    }
    if let Some(name) = person.account_name() {
        claims.insert("preferred_username".into(), json!(name));
    }
    if let Some(picture) = &user.picture {
        claims.insert("picture".into(), json!(picture));
    }
    claims.insert("updated_at".into(), json!(user.updated_at.as_second()));
}

/// A number that the platform of the identity used told, or one that received our code. Numbers are given to other people,
/// so a number is verified for a while only.
fn phone(claims: &mut Map<String, Value>, person: &Person, now: Timestamp) {
    let Some((number, proven_at)) = person.phone_number() else { return };
    let is_verified = proven_at.is_some_and(|at| now < at + PHONE_VERIFIED_FOR);
    claims.insert("phone_number".into(), json!(number));
    claims.insert("phone_number_verified".into(), json!(is_verified));
}

/// An address is verified if it received our code. Who typed an address into a corp's directory, nobody knows; and what a
/// pattern makes is a guess of the operator's.
fn email(claims: &mut Map<String, Value>, policy: &ClaimPolicy, person: &Person) {
    let guessed = || policy.email_pattern.as_ref()?.of(person.member()?.attributes.member_id.as_deref()?);
    let (address, is_verified) = match person.email() {
        Some((address, is_verified)) => (address.to_owned(), is_verified),
        None => match guessed() {
            Some(address) => (address, false),
            None => return,
        },
    };
    claims.insert("email".into(), json!(address));
    claims.insert("email_verified".into(), json!(is_verified));
}

fn of_wechat(claims: &mut Map<String, Value>, scope: &ScopeSet, used: &Identity) {
    if !used.key.kind.is_wechat() {
        return;
    }
    if scope.contains(Scope::WechatOpenid) {
        claims.insert("wechat_openid".into(), json!(used.key.subject));
        claims.insert("wechat_appid".into(), json!(used.key.app));
    }
    if scope.contains(Scope::WechatUnionid)
        && let Some(union) = &used.union
    {
        claims.insert("wechat_unionid".into(), json!(union.unionid));
    }
}

/// The member's id is told as the directory writes it, never taken from the key: that one is in lower case, and people
/// who are no members have keys too (WeCom fact sheet §1, §7).
fn of_wecom(claims: &mut Map<String, Value>, scope: &ScopeSet, used: &Identity) {
    if used.key.kind != ChannelKind::Wecom || !scope.contains(Scope::Wecom) {
        return;
    }
    claims.insert("wecom_corpid".into(), json!(used.key.app));
    if let Some(member) = &used.attributes.member_id {
        claims.insert("wecom_userid".into(), json!(member));
        claims.insert("wecom_departments".into(), json!(used.attributes.departments));
    }
}
