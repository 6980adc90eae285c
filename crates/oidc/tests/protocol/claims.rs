//! What a website is told about a person: facts of theirs, the operator's rules, and the client's switches.

use mashang_login::Clock as _;
use mashang_login::client::ClientSettings;
use mashang_login::credentials::{PasswordHash, PasswordRecord, Username};
use mashang_login::identity::{Attributes, ChannelKind, Identity, IdentityKey, Profile};
use mashang_login::ids::UserId;
use mashang_oidc::claims::{ClaimPolicy, Rule};
use mashang_oidc::userinfo::userinfo;
use serde_json::{Value, json};

use crate::house::{House, claims_of, house};

const CORP: &str = "ww0123456789abcdef";

fn identity(house: &House, user: &UserId, kind: ChannelKind, app: &str, subject: &str) -> Identity {
    let now = house.clock.now();
    Identity {
        key: IdentityKey { kind, app: app.into(), subject: subject.into() },
        union: None,
        user: user.clone(),
        channel: kind.as_str().parse().unwrap(),
        profile: Profile::default(),
        attributes: Attributes::default(),
        created_at: now,
        last_used_at: now,
    }
}

fn member(house: &House, user: &UserId, corp: &str, member: &str, departments: &[u64]) -> Identity {
    let attributes = Attributes {
        member_id: Some(member.into()),
        departments: departments.to_vec(),
        ..Attributes::default()
    };
    let subject = member.to_ascii_lowercase();
    Identity { attributes, ..identity(house, user, ChannelKind::Wecom, corp, &subject) }
}

/// Who signs in here: by WeChat, at `wechat`.
async fn ming(house: &House) -> UserId {
    house.sign_in("other", &[]).await.1.user
}

/// What userinfo tells at `site`, and the ID token beside it.
async fn told(house: &House, scope: &str) -> (Value, Value) {
    let code = house.sign_in("site", &[("scope", scope)]).await.0;
    let tokens = house.exchange("site", &code).await.0.unwrap();
    let claims = userinfo(&house.provider, &tokens.access_token).await.unwrap();
    (claims, claims_of(&tokens.id_token.unwrap()))
}

async fn switched(house: &House, settings: ClientSettings) {
    house.change("site", |site| site.settings = settings).await;
}

fn admins_of_department_2() -> ClaimPolicy {
    let rule = |role: &str| Rule { roles: vec![role.into()], ..Rule::default() };
    let rules = vec![
        Rule { groups: vec!["staff".into()], departments: Some(vec![2, 3]), ..rule("admin") },
        rule("user"),
        Rule { client: Some(vec!["other".parse().unwrap()]), ..rule("stranger") },
    ];
    ClaimPolicy { rules, email_pattern: None }
}

#[tokio::test]
async fn what_the_identity_used_does_not_tell_another_of_the_person_does() {
    let house = house().await;
    let user = ming(&house).await;
    let scope = "openid profile email phone wecom";
    let (before, _) = told(&house, scope).await;
    for absent in ["preferred_username", "email", "phone_number", "userid", "wecom_userid"] {
        assert_eq!(before.get(absent), None, "{absent} is never invented");
    }
    house.records.add_identity(identity(&house, &user, ChannelKind::Email, "email", "ming@mail.example"));
    let mut sms = identity(&house, &user, ChannelKind::Sms, "sms", "+8613800138000");
    sms.attributes.phone_proven_at = Some(house.clock.now());
    house.records.add_identity(sms);
    house.records.add_identity(member(&house, &user, CORP, "XiaoMing", &[2]));
    let (claims, _) = told(&house, scope).await;
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("ming@mail.example"), &json!(true)));
    assert_eq!(
        (&claims["phone_number"], &claims["phone_number_verified"]),
        (&json!("+8613800138000"), &json!(true))
    );
    assert_eq!((&claims["userid"], &claims["departments"]), (&json!("XiaoMing"), &json!([2])));
    assert_eq!(claims["preferred_username"], "XiaoMing");
    assert_eq!(claims.get("wecom_userid"), None, "they did not sign in by WeCom");
    house.wait(31 * 86_400);
    assert_eq!(told(&house, scope).await.0["phone_number_verified"], false, "numbers are given away");
}

#[tokio::test]
async fn a_member_s_id_is_the_account_s_name_else_what_an_administrator_gave_and_never_what_people_choose() {
    let house = house().await;
    let user = ming(&house).await;
    let password = identity(&house, &user, ChannelKind::Password, "local", "random");
    let record = |is_assigned| PasswordRecord {
        key: password.key.clone(),
        user: user.clone(),
        username: Username::parse("小明.zhang").unwrap(),
        is_assigned,
        hash: PasswordHash::from_phc("$argon2id$v=19$c2FsdA$aGFzaA").unwrap(),
        changed_at: house.clock.now(),
    };
    house.records.add_identity(password.clone());
    house.records.add_password(record(false));
    assert_eq!(
        told(&house, "openid profile").await.0.get("preferred_username"),
        None,
        "anybody may choose `admin`"
    );
    house.records.add_password(record(true));
    assert_eq!(told(&house, "openid profile").await.0["preferred_username"], "小明.zhang");
    assert_eq!(told(&house, "openid email").await.0.get("preferred_username"), None);
    house.records.add_identity(member(&house, &user, CORP, "XiaoMing", &[]));
    assert_eq!(told(&house, "openid profile").await.0["preferred_username"], "XiaoMing");
}

#[tokio::test]
async fn a_leaver_is_no_member_and_of_two_corps_none_is_chosen() {
    let house = house().await;
    let user = ming(&house).await;
    let mut left = member(&house, &user, CORP, "XiaoMing", &[2]);
    left.key = left.key.tombstone(house.clock.now()).unwrap();
    house.records.add_identity(left);
    let house = house.telling(ClaimPolicy {
        email_pattern: Some("{userid}@corp.example".parse().unwrap()),
        ..admins_of_department_2()
    });
    let scope = "openid profile email wecom roles";
    let (claims, _) = told(&house, scope).await;
    assert_eq!((claims.get("userid"), claims.get("email")), (None, None));
    assert_eq!(claims["roles"], json!(["user"]), "SEC-35: what a member was given is gone");
    house.records.add_identity(member(&house, &user, "wwaaaaaaaaaaaaaaaa", "ming", &[2]));
    assert_eq!(told(&house, scope).await.0["userid"], "ming");
    house.records.add_identity(member(&house, &user, "wwbbbbbbbbbbbbbbbb", "root", &[2]));
    assert_eq!(told(&house, scope).await.0.get("userid"), None);
}

#[tokio::test]
async fn an_address_is_made_from_the_pattern_only_where_none_was_proven() {
    let pattern = |text: &str| ClaimPolicy { email_pattern: Some(text.parse().unwrap()), rules: vec![] };
    let house = house().await.telling(pattern("{userid}@corp.example"));
    let user = ming(&house).await;
    assert_eq!(told(&house, "openid email").await.0.get("email"), None, "no member, no address");
    house.records.add_identity(member(&house, &user, CORP, "XiaoMing", &[]));
    let (claims, _) = told(&house, "openid email").await;
    assert_eq!(
        (&claims["email"], &claims["email_verified"]),
        (&json!("xiaoming@corp.example"), &json!(false))
    );
    house.records.add_identity(identity(&house, &user, ChannelKind::Email, "email", "ming@mail.example"));
    let (claims, _) = told(&house, "openid email").await;
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("ming@mail.example"), &json!(true)));
}

#[tokio::test]
async fn roles_and_groups_come_by_rules_and_only_where_they_are_asked_for() {
    let house = house().await.telling(admins_of_department_2());
    let user = ming(&house).await;
    assert_eq!(told(&house, "openid roles groups").await.0["roles"], json!(["user"]));
    house.records.add_identity(member(&house, &user, CORP, "XiaoMing", &[1, 3]));
    let (claims, id_token) = told(&house, "openid roles").await;
    assert_eq!(claims["roles"], json!(["admin", "user"]));
    assert_eq!((claims.get("groups"), id_token.get("roles")), (None, None));
    let (claims, _) = told(&house, "openid groups").await;
    assert_eq!((claims.get("roles"), &claims["groups"]), (None, &json!(["staff"])));
}

#[tokio::test]
async fn every_condition_of_a_rule_must_hold() {
    let house = house().await;
    let user = ming(&house).await;
    house.records.add_identity(identity(&house, &user, ChannelKind::Email, "email", "ming@corp.example"));
    house.records.add_identity(member(&house, &user, CORP, "XiaoMing", &[2]));
    let all = Rule {
        roles: vec!["yes".into()],
        groups: vec![],
        client: Some(vec!["site".parse().unwrap()]),
        users: Some(vec!["somebody".parse().unwrap(), user.clone()]),
        members: Some(vec![format!("{CORP}/xiaoming").parse().unwrap()]),
        departments: Some(vec![2]),
        emails: Some(vec!["*@Corp.example".into()]),
        channels: Some(vec!["wechat".parse().unwrap()]),
    };
    let holds = async |rule: Rule| {
        let house = House {
            records: house.records.clone(),
            clock: house.clock.clone(),
            provider: house.provider.clone(),
        };
        let house = house.telling(ClaimPolicy { rules: vec![rule], email_pattern: None });
        told(&house, "openid roles").await.0["roles"] == json!(["yes"])
    };
    assert!(holds(all.clone()).await);
    assert!(holds(Rule { roles: vec!["yes".into()], ..Rule::default() }).await, "no condition");
    for not in [
        Rule { client: Some(vec!["other".parse().unwrap()]), ..all.clone() },
        Rule { users: Some(vec!["somebody".parse().unwrap()]), ..all.clone() },
        Rule { members: Some(vec!["ww9/xiaoming".parse().unwrap()]), ..all.clone() },
        Rule { departments: Some(vec![3]), ..all.clone() },
        Rule { emails: Some(vec!["*@example".into()]), ..all.clone() },
        Rule { emails: Some(vec!["*@orp.example".into()]), ..all.clone() },
        Rule { emails: Some(vec!["g@corp.example".into()]), ..all.clone() },
        Rule { channels: Some(vec!["wecom".parse().unwrap()]), ..all.clone() },
        Rule { channels: Some(vec![]), ..all.clone() },
    ] {
        assert!(!holds(not.clone()).await, "{not:?}");
    }
}

#[tokio::test]
async fn an_address_of_a_directory_proves_nothing_to_a_rule() {
    let house = house().await.telling(ClaimPolicy {
        rules: vec![Rule {
            roles: vec!["admin".into()],
            emails: Some(vec!["boss@corp.example".into()]),
            ..Rule::default()
        }],
        email_pattern: Some("{userid}@corp.example".parse().unwrap()),
    });
    let user = ming(&house).await;
    let mut typed = member(&house, &user, CORP, "boss", &[]);
    typed.attributes.email = Some("boss@corp.example".into());
    house.records.add_identity(typed);
    let (claims, _) = told(&house, "openid email roles").await;
    assert_eq!((&claims["email_verified"], &claims["roles"]), (&json!(false), &json!([])));
}

#[tokio::test]
async fn a_client_that_never_asks_userinfo_is_told_everything_in_its_id_token() {
    let house = house().await.telling(admins_of_department_2());
    switched(&house, ClientSettings { claims_in_id_token: true, ..ClientSettings::default() }).await;
    let (claims, id_token) = told(&house, "openid profile").await;
    assert_eq!((&id_token["name"], &id_token["roles"]), (&json!("小明"), &json!(["user"])));
    assert_eq!(id_token["groups"], json!([]));
    for (name, value) in claims.as_object().unwrap() {
        assert_eq!(&id_token[name], value, "{name}");
    }
    assert_eq!(id_token.get("email"), None, "scopes hold there too");
    assert_eq!(id_token["aud"], "site");
}

#[tokio::test]
async fn roles_are_told_as_keycloak_tells_them_where_that_is_switched_on() {
    let house = house().await.telling(admins_of_department_2());
    switched(&house, ClientSettings { realm_roles: true, ..ClientSettings::default() }).await;
    let (claims, id_token) = told(&house, "openid").await;
    for told in [&claims, &id_token] {
        assert_eq!(told["realm_access"], json!({ "roles": ["user"] }));
        assert_eq!(told["resource_access"], json!({ "site": { "roles": ["user"] } }));
        assert_eq!(told.get("roles"), None);
    }
}
