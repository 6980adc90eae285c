//! Signing keys: made once, rotated with overlap, agreed upon by every node (SEC-60).

use std::collections::BTreeSet;
use std::sync::Arc;

use mashang_login::Clock as _;
use mashang_login::ambient::{SeededEntropy, TestClock};
use mashang_login::ids::KeyId;
use mashang_login::key::SigningAlgorithm;
use mashang_login::records::Records as _;
use mashang_login::seal::{MasterKey, SealError, Sealer};
use mashang_oidc::Issuer;
use mashang_oidc::keys::{KeyError, KeyRing, RotationPolicy, SignError};
use serde_json::{Value, json};

use crate::fake::Fake;
use crate::house::{House, ISSUER, house, ring};

const DAY: u64 = 24 * 3600;

fn kids(house: &House) -> BTreeSet<String> {
    let jwks = house.provider.keys.jwks(house.clock.now());
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn kid_of(token: &str) -> String {
    use base64::Engine as _;
    let header = token.split('.').next().unwrap();
    let header = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(header).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

fn signed(ring: &KeyRing, algorithm: SigningAlgorithm) -> String {
    ring.sign(algorithm, None, &json!({ "iss": ISSUER, "sub": "u", "aud": "site" })).unwrap()
}

/// The key that signs with the algorithm that is cheapest to make keys for.
fn signer(ring: &KeyRing) -> String {
    kid_of(&signed(ring, SigningAlgorithm::EdDsa))
}

#[tokio::test]
async fn sec_60_only_the_public_half_is_published() {
    let house = house().await;
    let jwks = house.provider.keys.jwks(house.clock.now());
    let keys = jwks["keys"].as_array().unwrap();
    let algorithms: Vec<_> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
    assert_eq!(algorithms, ["RS256", "ES256", "EdDSA"]);
    for key in keys {
        assert_eq!(key["use"], "sig");
        for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
            assert_eq!(key.get(private), None, "{private}");
        }
    }
    assert_eq!(kids(&house).len(), 3);
    assert!(!format!("{:?}", house.provider.keys).contains("PRIVATE"));
}

#[tokio::test]
async fn sec_60_keys_survive_a_restart_and_are_sealed_in_the_store() {
    let house = house().await;
    let again = ring(house.records.clone(), house.clock.clone()).await;
    assert_eq!(signer(&again), signer(&house.provider.keys));
    assert_eq!(house.records.signing_keys().await.unwrap().len(), 3, "nothing was made anew");
    let refused = load_with([8; 32], &house.records, &house.clock).await;
    assert!(matches!(refused, Err(KeyError::OtherMasterKey(SealError::OtherKey))), "another master key");
}

/// As a node does that has this master key.
async fn load_with(key: [u8; 32], records: &Arc<Fake>, clock: &Arc<TestClock>) -> Result<KeyRing, KeyError> {
    let sealer = Arc::new(Sealer::new(&MasterKey::from_bytes(key)));
    let entropy = Arc::new(SeededEntropy::new(1));
    KeyRing::load(records.clone(), sealer, clock.clone(), entropy, RotationPolicy::default()).await
}

#[tokio::test]
async fn of_two_nodes_with_two_master_keys_the_second_makes_nothing() {
    let (records, clock) = (Arc::new(Fake::default()), Arc::new(TestClock::default()));
    // The first has said whose the records are, and made no key yet.
    let first = Sealer::new(&MasterKey::from_bytes([7; 32]));
    records.claim_for_master_key(&first.check(&SeededEntropy::new(2))).await.unwrap();
    let refused = load_with([8; 32], &records, &clock).await;
    assert!(matches!(refused, Err(KeyError::OtherMasterKey(SealError::OtherKey))), "{refused:?}");
    assert_eq!(records.signing_keys().await.unwrap(), [], "nothing is sealed with the second master key");
    load_with([7; 32], &records, &clock).await.unwrap();
}

#[tokio::test]
async fn records_from_before_claims_are_claimed_by_whoever_opens_their_keys() {
    let house = house().await;
    let old = Arc::new(Fake::default());
    for key in house.records.signing_keys().await.unwrap() {
        old.add_signing_key(&key, &[], house.clock.now()).await.unwrap();
    }
    let refused = load_with([8; 32], &old, &house.clock).await;
    assert!(matches!(refused, Err(KeyError::Sealed { source: SealError::OtherKey, .. })), "{refused:?}");
    assert_eq!(old.master_key_check().await.unwrap(), None, "it has no claim");
    let opened = ring(old.clone(), house.clock.clone()).await;
    assert_eq!(signer(&opened), signer(&house.provider.keys));
    assert!(old.master_key_check().await.unwrap().is_some());
}

#[tokio::test]
async fn sec_75_a_sealed_key_moved_to_another_row_does_not_open() {
    let house = house().await;
    let mut keys = house.records.signing_keys().await.unwrap();
    keys[1].sealed_private = keys[0].sealed_private.clone();
    let moved = Arc::new(Fake::default());
    for key in &keys {
        moved.add_signing_key(key, &[], house.clock.now()).await.unwrap();
    }
    let entropy = Arc::new(SeededEntropy::new(1));
    let policy = RotationPolicy::default();
    let sealer = crate::house::sealer();
    let refused = KeyRing::load(moved, sealer, house.clock.clone(), entropy, policy).await;
    assert!(matches!(refused, Err(KeyError::Sealed { key, .. }) if key == keys[1].id));
}

#[tokio::test]
async fn two_nodes_starting_for_the_first_time_at_once_make_one_key_of_each_algorithm() {
    let records = Arc::new(Fake::default());
    let clock = Arc::new(TestClock::default());
    let (one, two) = tokio::join!(ring(records.clone(), clock.clone()), ring(records.clone(), clock.clone()));
    assert_eq!(records.signing_keys().await.unwrap().len(), SigningAlgorithm::ALL.len());
    assert_eq!(signer(&one), signer(&two));
    assert_eq!(one.jwks(clock.now()), two.jwks(clock.now()), "each publishes what the other signs with");
}

#[tokio::test]
async fn nodes_agree_on_who_signs_though_one_knows_of_a_key_more() {
    let records = Arc::new(Fake::default());
    let clock = Arc::new(TestClock::default());
    let (one, two) = tokio::join!(ring(records.clone(), clock.clone()), ring(records.clone(), clock.clone()));
    // What two nodes leave behind that rotate at once, whoever was first: two current keys for one algorithm.
    let foreign = Arc::new(Fake::default());
    clock.advance(std::time::Duration::from_millis(5));
    ring(foreign.clone(), clock.clone()).await;
    for key in foreign.signing_keys().await.unwrap() {
        records.add_signing_key(&key, &[], clock.now()).await.unwrap();
    }
    let before = signer(&one);
    two.reload().await.unwrap();
    assert_eq!(signer(&two), before, "the node that knows the newcomers agrees with the one that does not");
    one.reload().await.unwrap();
    assert_eq!(signer(&one), before);
    assert_eq!(one.jwks(clock.now()), two.jwks(clock.now()));
    assert_eq!(one.jwks(clock.now())["keys"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn a_node_with_a_slower_clock_uses_the_keys_of_the_faster_one() {
    let house = house().await;
    let earlier = house.clock.now() - std::time::Duration::from_secs(30);
    let slow = ring(house.records.clone(), Arc::new(TestClock::at(earlier))).await;
    assert_eq!(signer(&slow), signer(&house.provider.keys));
    assert_eq!(house.records.signing_keys().await.unwrap().len(), 3, "nothing was made or retired");
    assert_eq!(slow.rotate_if_due().await.unwrap(), []);
}

#[tokio::test]
async fn sec_60_rotation_announces_then_signs_then_retires() {
    let house = house().await;
    let ring = &house.provider.keys;
    let issuer = Issuer::parse(ISSUER).unwrap();
    let (old_kids, old) = (kids(&house), signer(ring));
    let old_token = signed(ring, SigningAlgorithm::EdDsa);
    house.wait(89 * DAY - 1);
    assert_eq!(ring.rotate_if_due().await.unwrap(), []);
    house.wait(1);
    assert_eq!(ring.rotate_if_due().await.unwrap(), SigningAlgorithm::ALL);
    assert_eq!(ring.rotate_if_due().await.unwrap(), [], "once");
    assert_eq!(kids(&house).len(), 6);
    assert_eq!(signer(ring), old, "announced, not yet signing");
    house.wait(DAY);
    let new = signer(ring);
    assert!(!old_kids.contains(&new));
    assert!(kids(&house).is_superset(&old_kids), "tokens of the old keys still verify");
    house.wait(7 * DAY);
    assert!(kids(&house).is_disjoint(&old_kids));
    assert_eq!(signer(ring), new);
    // Long after, and after a restart, an old ID token is still recognised as a hint.
    let restarted = crate::house::ring(house.records.clone(), house.clock.clone()).await;
    for ring in [ring, &restarted] {
        assert_eq!(ring.verify_own_id_token(&old_token, &issuer).unwrap().sub.as_str(), "u");
    }
}

#[tokio::test]
async fn sec_60_no_node_signs_with_an_early_successor_before_all_publish_it() {
    const RELOAD: u64 = 300;
    let house = house().await;
    let ring = &house.provider.keys;
    let other = crate::house::ring(house.records.clone(), house.clock.clone()).await;
    let old = signer(ring);
    house.wait(1);
    let (first, _) = ring.rotate_early(SigningAlgorithm::EdDsa).await.unwrap();
    let publishes =
        |ring: &KeyRing, kid: &KeyId| ring.jwks(house.clock.now()).to_string().contains(kid.as_str());
    assert!(publishes(ring, &first) && !publishes(&other, &first), "not yet heard of everywhere");
    assert_eq!((signer(ring), signer(&other)), (old.clone(), old.clone()));
    // Once more, before the first could sign.
    house.wait(1);
    let (second, signs_from) = ring.rotate_early(SigningAlgorithm::EdDsa).await.unwrap();
    assert_eq!(signer(ring), old);
    house.wait(RELOAD);
    other.reload().await.unwrap();
    assert!(publishes(&other, &first) && publishes(&other, &second));
    assert_eq!((signer(ring), signer(&other)), (old.clone(), old.clone()));
    // Until whoever keeps a key set of just before that for an hour has asked again.
    house.wait(3_600);
    assert_eq!((signer(ring), signer(&other)), (old.clone(), old.clone()));
    house.wait(RELOAD);
    assert!(house.clock.now() >= signs_from);
    assert_eq!((signer(ring), signer(&other)), (second.to_string(), second.to_string()));
    assert!(kids(&house).contains(&old));
    house.wait(7 * DAY);
    assert!(!kids(&house).contains(&old));
}

#[tokio::test]
async fn sec_60_a_leaked_key_leaves_the_key_set_and_so_do_those_that_lay_beside_it() {
    let house = house().await;
    let ring = &house.provider.keys;
    let other = crate::house::ring(house.records.clone(), house.clock.clone()).await;
    let old = signer(ring);
    let issuer = house.provider.issuer.clone();
    let claims = json!({ "iss": issuer.as_str(), "sub": "u", "aud": "site" });
    let hint = ring.sign(SigningAlgorithm::EdDsa, None, &claims).unwrap();
    assert!(ring.verify_own_id_token(&hint, &issuer).is_some());
    let others: Vec<_> = kids(&house).into_iter().filter(|kid| *kid != old).collect();
    house.wait(1);
    let (retired, _) = ring.rotate_early(SigningAlgorithm::EdDsa).await.unwrap();
    house.wait(1);
    let new = ring.replace_leaked(SigningAlgorithm::EdDsa).await.unwrap();
    assert_eq!(signer(ring), new.as_str());
    let now = kids(&house);
    assert!(
        now.contains(&new.to_string()) && !now.contains(&old) && !now.contains(&retired.to_string()),
        "{now:?}"
    );
    assert!(others.iter().all(|kid| now.contains(kid)), "other algorithms' keys stay");
    assert!(ring.verify_own_id_token(&hint, &issuer).is_none(), "who holds it may have made the hint");
    // A node that has not heard of it makes the successor that is due: the leaked one does not come back.
    house.wait(90 * DAY);
    assert!(other.rotate_if_due().await.unwrap().contains(&SigningAlgorithm::EdDsa));
    assert!(!kids(&house).contains(&old) && other.verify_own_id_token(&hint, &issuer).is_none());
}

#[tokio::test]
async fn sec_82_a_store_that_does_not_answer_leaves_the_known_keys_in_use() {
    let house = house().await;
    let before = signer(&house.provider.keys);
    house.records.cut();
    assert!(matches!(house.provider.keys.reload().await, Err(KeyError::Store(_))));
    assert_eq!(signer(&house.provider.keys), before);
}

#[tokio::test]
async fn sec_51_hints_of_other_types_issuers_and_algorithms_are_refused() {
    let house = house().await;
    let ring = &house.provider.keys;
    let issuer = &house.provider.issuer;
    let claims = json!({ "iss": ISSUER, "sub": "u", "aud": "site" });
    for algorithm in SigningAlgorithm::ALL {
        let token = ring.sign(algorithm, None, &claims).unwrap();
        assert!(ring.verify_own_id_token(&token, issuer).is_some());
        let logout = ring.sign(algorithm, Some("logout+jwt"), &claims).unwrap();
        assert!(ring.verify_own_id_token(&logout, issuer).is_none(), "typed tokens do not mix");
        let elsewhere = Issuer::parse("https://login.example/other").unwrap();
        assert!(ring.verify_own_id_token(&token, &elsewhere).is_none());
        for at in 0..token.len() {
            let mut bytes = token.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let altered = String::from_utf8(bytes).unwrap();
            // The last character of a signature may hold unused bits, which strict decoding refuses too.
            assert!(ring.verify_own_id_token(&altered, issuer).is_none(), "{algorithm:?} {at}");
        }
    }
    let huge = "x".repeat(9000);
    assert!(ring.verify_own_id_token(&huge, issuer).is_none());
    assert_eq!(SignError::NoKey(SigningAlgorithm::EdDsa).to_string(), "there is no signing key for EdDSA");
}
