//! Passwords and passkeys, and that each lives and dies with its identity.

use std::time::Duration;

use mashang_login::accounts::{Linked, Unlinked};
use mashang_login::credentials::{
    AddPasskey, NewPassword, NewUser, PasskeyRecord, PasswordRecord, SetPassword, passkey_key,
};
use mashang_login::identity::{IdentityKey, Proof};
use mashang_login::ids::{SessionId, UserId};
use mashang_login::records::{FreshLogin, Fulfilled, StoreError};

use super::super::{Nodes, at_once, count};
use super::{Done, People, Scene};

/// `credential_suite!(engine)`: runs every case on `async fn engine() -> Nodes<dyn People>`.
#[macro_export]
macro_rules! credential_suite {
    ($engine:expr) => {
        $crate::conformance_cases!(
            records,
            ($engine)(),
            [
                // passwords
                a_password_is_found_by_its_name_in_any_case_and_signs_its_person_in,
                a_changed_password_ends_what_the_former_opened_but_the_session_that_asked,
                a_second_password_of_a_person_is_a_change_of_the_first,
                promise_3_of_20_people_who_want_one_name_one_gets_it,
                promise_3_of_20_first_passwords_of_one_person_all_are_one,
                a_name_that_is_taken_changes_nothing,
                nobody_and_a_merged_person_get_neither_password_nor_passkey,
                a_person_is_created_together_with_a_password_or_not_at_all,
                a_stronger_hash_does_not_undo_a_change,
                // passkeys
                passkeys_read_back_oldest_first,
                a_passkey_remembers_its_use_and_its_name,
                promise_3_a_credential_is_added_by_one_of_20_people,
                // both
                nothing_is_added_or_changed_by_a_session_that_ended_meanwhile,
                a_password_that_was_changed_since_it_was_typed_signs_nobody_in,
                // with their identities
                what_is_unlinked_is_gone_with_its_password_or_passkey,
                the_last_way_in_keeps_its_password,
                what_is_held_here_makes_nobody,
                what_is_held_here_follows_its_person_through_a_merge_and_back,
                a_name_that_was_given_stays_so_until_it_is_changed,
            ]
        );
    };
}

impl Scene<dyn People> {
    async fn set_password(&self, new: &NewPassword) -> SetPassword {
        self.nodes.a.set_password(new, self.now()).await.unwrap()
    }

    async fn by_name(&self, name: &str) -> Option<PasswordRecord> {
        self.nodes.b.password_by_username(&name.parse().unwrap()).await.unwrap()
    }

    async fn add(&self, passkey: &PasskeyRecord) -> AddPasskey {
        // Whoever adds one is signed in, by the oldest identity they have.
        let signed_in = self.by(&self.keys_of(&passkey.user).await[0]).await;
        self.add_by(&self.session_id(&signed_in).await, passkey).await
    }

    async fn add_by(&self, session: &SessionId, passkey: &PasskeyRecord) -> AddPasskey {
        let channel = "passkey".parse().unwrap();
        self.nodes.a.add_passkey(passkey, &channel, session, self.now()).await.unwrap()
    }

    /// Signs in by a password or passkey.
    async fn by(&self, key: &IdentityKey) -> Done {
        self.approve(self.world.proof_here(key)).await
    }

    async fn keys_of(&self, user: &UserId) -> Vec<IdentityKey> {
        let identities = self.nodes.b.identities_of(user).await.unwrap();
        identities.into_iter().map(|identity| identity.key).collect()
    }
}

pub async fn a_password_is_found_by_its_name_in_any_case_and_signs_its_person_in(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let new = scene.world.password(&done.user.id, "ZhangSan");
    assert_eq!(scene.nodes.a.password_of(&done.user.id).await.unwrap(), None);
    assert_eq!(scene.set_password(&new).await, SetPassword::Done);

    let stored = scene.by_name("zhangsan").await.unwrap();
    assert_eq!(stored.username.as_str(), "ZhangSan", "as its owner writes it");
    let expected = PasswordRecord {
        key: new.key.clone(),
        user: done.user.id.clone(),
        username: new.username.clone(),
        is_assigned: false,
        hash: new.hash.clone(),
        changed_at: scene.now(),
    };
    assert_eq!(stored, expected);
    assert_eq!(scene.by_name("ＺＨＡＮＧＳＡＮ").await, Some(expected.clone()));
    assert_eq!(scene.nodes.b.password_of(&done.user.id).await.unwrap(), Some(expected));
    assert_eq!(scene.by_name("zhang.san").await, None);

    let identity = scene.nodes.b.identity(&new.key).await.unwrap().unwrap();
    assert_eq!((&identity.user, &identity.channel), (&done.user.id, &new.channel));
    let again = scene.by(&new.key).await;
    assert_eq!((again.created, again.user), (false, done.user), "the nickname stays too");
    assert!(scene.is_live(&done.session).await, "a first password ends nothing");
}

pub async fn a_changed_password_ends_what_the_former_opened_but_the_session_that_asked(
    nodes: Nodes<dyn People>,
) {
    let scene = Scene::set(nodes).await;
    let scanned = scene.sign_in().await;
    let user = &scanned.user.id;
    let first = scene.world.password(user, "zhangsan");
    scene.set_password(&first).await;
    let (mine, theirs) = (scene.by(&first.key).await, scene.by(&first.key).await);
    let mut tokens = Vec::new();
    for done in [&mine, &theirs, &scanned] {
        tokens.push(scene.tokens(done).await);
    }

    let keep = Some(scene.session_id(&mine).await);
    let changed = NewPassword { key: first.key.clone(), keep, ..scene.world.password(user, "lisi") };
    let later = scene.world.after(60);
    assert_eq!(scene.nodes.a.set_password(&changed, later).await.unwrap(), SetPassword::Done);
    let stored = scene.by_name("lisi").await.unwrap();
    assert_eq!((&stored.key, &stored.hash, stored.changed_at), (&first.key, &changed.hash, later));
    assert_eq!(scene.by_name("zhangsan").await, None, "the former name leads nowhere");
    for (done, issued, lives) in
        [(&mine, &tokens[0], true), (&theirs, &tokens[1], false), (&scanned, &tokens[2], true)]
    {
        assert_eq!((scene.is_live(&done.session).await, scene.speaks(issued).await), (lives, lives));
    }

    let unasked = NewPassword { key: first.key, ..scene.world.password(user, "lisi") };
    assert_eq!(scene.set_password(&unasked).await, SetPassword::Done, "its own name is no obstacle");
    assert!(!scene.is_live(&mine.session).await && !scene.speaks(&tokens[0]).await);
}

pub async fn a_second_password_of_a_person_is_a_change_of_the_first(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let first = scene.world.password(&user, "zhangsan");
    scene.set_password(&first).await;
    let second = scene.world.password(&user, "zhangsan");
    assert_ne!(first.key, second.key);
    assert_eq!(scene.set_password(&second).await, SetPassword::Done);
    let stored = scene.by_name("zhangsan").await.unwrap();
    assert_eq!((stored.key, stored.hash), (first.key, second.hash));
    assert_eq!(scene.keys_of(&user).await.len(), 2, "what they scanned with, and one password");
}

pub async fn promise_3_of_20_people_who_want_one_name_one_gets_it(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let mut wishes = Vec::new();
    for n in 0..20 {
        let user = scene.person(&format!("wx{n}")).await.user.id;
        let name = if n % 2 == 0 { "admin" } else { "ADMIN" };
        wishes.push(scene.world.password(&user, name));
    }
    let answers = at_once(20, |n| {
        let (engine, new, now) = (scene.nodes.nth(n), wishes[n].clone(), scene.now());
        async move { (new.user.clone(), engine.set_password(&new, now).await.unwrap()) }
    })
    .await;
    let owner = scene.by_name("admin").await.unwrap().user;
    for (user, answer) in answers {
        let has_it = user == owner;
        let expected = if has_it { SetPassword::Done } else { SetPassword::UsernameTaken };
        assert_eq!(answer, expected);
        assert_eq!(scene.keys_of(&user).await.len(), 1 + usize::from(has_it), "all or nothing");
    }
}

pub async fn promise_3_of_20_first_passwords_of_one_person_all_are_one(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let wishes: Vec<_> = (0..20).map(|n| scene.world.password(&user, &format!("name{n}"))).collect();
    let answers = at_once(20, |n| {
        let (engine, new, now) = (scene.nodes.nth(n), wishes[n].clone(), scene.now());
        async move { engine.set_password(&new, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &SetPassword::Done), 20);
    assert_eq!(scene.keys_of(&user).await.len(), 2);
    let last = scene.nodes.a.password_of(&user).await.unwrap().unwrap();
    let mut found = 0;
    for wish in &wishes {
        found += usize::from(scene.by_name(wish.username.as_str()).await.is_some());
    }
    assert_eq!((found, scene.by_name(last.username.as_str()).await), (1, Some(last)));
}

pub async fn a_name_that_is_taken_changes_nothing(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (one, two) = (scene.person("wx1").await.user.id, scene.person("wx2").await.user.id);
    let (first, second) = (scene.world.password(&one, "one"), scene.world.password(&two, "two"));
    scene.set_password(&first).await;
    scene.set_password(&second).await;
    let session = scene.by(&second.key).await.session;
    let before = scene.by_name("two").await;
    let greedy = scene.world.password(&two, "ONE");
    assert_eq!(scene.set_password(&greedy).await, SetPassword::UsernameTaken);
    assert_eq!(scene.by_name("two").await, before);
    assert_eq!(scene.by_name("one").await.unwrap().user, one);
    assert!(scene.is_live(&session).await);
}

pub async fn nobody_and_a_merged_person_get_neither_password_nor_passkey(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let from = scene.person("wx1").await;
    let into = scene.person("wx2").await.user.id;
    let asks = scene.session_id(&from).await;
    scene.merge(&from.user.id, &into).await.unwrap();
    for user in ["nobody".parse().unwrap(), from.user.id] {
        let new = scene.world.password(&user, "zhangsan");
        assert_eq!(scene.set_password(&new).await, SetPassword::NoSuchUser);
        assert_eq!(scene.add_by(&asks, &scene.world.passkey(&user)).await, AddPasskey::SessionOver);
        assert_eq!(scene.keys_of(&user).await, []);
    }
    assert_eq!(scene.by_name("zhangsan").await, None);
}

pub async fn a_person_is_created_together_with_a_password_or_not_at_all(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let create = async |id: &str, new: &NewPassword| {
        let user = NewUser { id: id.parse().unwrap(), nickname: Some("张三".into()) };
        scene.nodes.a.create_user_with_password(&user, new, scene.now()).await
    };
    let new = scene.world.password(&"first".parse().unwrap(), "zhangsan");
    assert_eq!(create("somebody-else", &new).await.unwrap(), SetPassword::NoSuchUser);
    assert_eq!(create("first", &new).await.unwrap(), SetPassword::Done);
    let done = scene.by(&new.key).await;
    assert_eq!((done.created, done.user.id.as_str()), (false, "first"));
    assert_eq!(done.user.nickname.as_deref(), Some("张三"));

    let double = scene.world.password(&"first".parse().unwrap(), "lisi");
    let answer = create("first", &double).await;
    assert!(matches!(answer, Err(StoreError::Conflict)), "{answer:?}");
    assert_eq!(scene.by_name("lisi").await, None);
    let taken = scene.world.password(&"second".parse().unwrap(), "ZhangSan");
    assert_eq!(create("second", &taken).await.unwrap(), SetPassword::UsernameTaken);
    assert_eq!(scene.nodes.b.users("", 10).await.unwrap(), [done.user]);
}

pub async fn a_stronger_hash_does_not_undo_a_change(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let new = scene.world.password(&user, "zhangsan");
    scene.nodes.a.set_password(&new, scene.now()).await.unwrap();
    let session = scene.by(&new.key).await.session;
    let stronger = scene.world.password(&user, "zhangsan").hash;
    assert!(scene.nodes.b.rehash_password(&new.key, &new.hash, &stronger).await.unwrap());
    let stored = scene.by_name("zhangsan").await.unwrap();
    assert_eq!((&stored.hash, stored.changed_at), (&stronger, scene.now()));
    assert!(scene.is_live(&session).await);

    // Another node still holds what it read before.
    assert!(!scene.nodes.a.rehash_password(&new.key, &new.hash, &new.hash).await.unwrap());
    assert_eq!(scene.by_name("zhangsan").await.unwrap().hash, stronger);
}

pub async fn passkeys_read_back_oldest_first(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let mut added = Vec::new();
    for second in [0, 1, 2] {
        let passkey = PasskeyRecord { created_at: scene.world.after(second), ..scene.world.passkey(&user) };
        assert_eq!(scene.add(&passkey).await, AddPasskey::Done);
        added.push(passkey);
    }
    assert_eq!(scene.nodes.b.passkeys_of(&user).await.unwrap(), added);
    assert_eq!(scene.nodes.b.passkey(&added[1].key).await.unwrap().as_ref(), Some(&added[1]));
    // One credential id at two addresses of ours is two passkeys.
    let elsewhere = IdentityKey { app: "other.example".into(), ..added[1].key.clone() };
    assert_eq!(scene.nodes.b.passkey(&elsewhere).await.unwrap(), None);
    let done = scene.by(&added[2].key).await;
    assert_eq!((done.created, &done.user.id), (false, &user));
    assert_eq!(scene.keys_of(&user).await.len(), 4);
}

pub async fn a_passkey_remembers_its_use_and_its_name(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (mine, other) = (scene.person("wx1").await.user.id, scene.person("wx2").await.user.id);
    let passkey = scene.world.passkey(&mine);
    scene.add(&passkey).await;
    let later = scene.world.after(60);
    assert!(scene.nodes.a.passkey_used(&passkey.key, r#"{"counter":1}"#, later).await.unwrap());
    assert!(!scene.nodes.b.rename_passkey(&other, &passkey.key, "stolen").await.unwrap());
    assert!(scene.nodes.b.rename_passkey(&mine, &passkey.key, "办公室").await.unwrap());
    let expected = PasskeyRecord {
        name: "办公室".into(),
        data: r#"{"counter":1}"#.into(),
        last_used_at: Some(later),
        ..passkey
    };
    assert_eq!(scene.nodes.a.passkeys_of(&mine).await.unwrap(), [expected]);
    let unknown = passkey_key("login.example", b"unknown");
    assert!(!scene.nodes.a.passkey_used(&unknown, "{}", later).await.unwrap());
    assert!(!scene.nodes.a.rename_passkey(&mine, &unknown, "x").await.unwrap());
}

pub async fn promise_3_a_credential_is_added_by_one_of_20_people(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (mut wishes, mut sessions) = (Vec::new(), Vec::new());
    let mut key = None;
    for n in 0..20 {
        let person = scene.person(&format!("wx{n}")).await;
        sessions.push(scene.session_id(&person).await);
        let passkey = scene.world.passkey(&person.user.id);
        let key = key.get_or_insert_with(|| passkey.key.clone()).clone();
        wishes.push(PasskeyRecord { key, ..passkey });
    }
    let answers = at_once(20, |n| {
        let (engine, passkey, asks) = (scene.nodes.nth(n), wishes[n].clone(), sessions[n].clone());
        let now = scene.now();
        async move { engine.add_passkey(&passkey, &"passkey".parse().unwrap(), &asks, now).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &AddPasskey::Done), 1);
    assert_eq!(count(&answers, &AddPasskey::Known), 19);
    let stored = scene.nodes.a.passkey(&wishes[0].key).await.unwrap().unwrap();
    for wish in wishes {
        let owns = wish.user == stored.user;
        assert_eq!(scene.keys_of(&wish.user).await.len(), 1 + usize::from(owns));
    }
}

pub async fn nothing_is_added_or_changed_by_a_session_that_ended_meanwhile(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (mine, other) = (scene.person("wx1").await, scene.person("wx2").await);
    let (user, passkey) = (&mine.user.id, scene.world.passkey(&mine.user.id));
    let (asks, foreign) = (scene.session_id(&mine).await, scene.session_id(&other).await);
    let password =
        |keep: &SessionId| NewPassword { keep: Some(keep.clone()), ..scene.world.password(user, "zhangsan") };
    let refused = async |session: &SessionId| {
        assert_eq!(scene.add_by(session, &passkey).await, AddPasskey::SessionOver);
        assert_eq!(scene.set_password(&password(session)).await, SetPassword::SessionOver);
        assert_eq!(scene.keys_of(user).await.len(), 1);
    };
    refused(&foreign).await;
    assert!(scene.nodes.b.end_session_of(user, &asks, scene.now()).await.unwrap());
    refused(&asks).await;
    let again = scene.session_id(&scene.by(&scene.keys_of(user).await[0]).await).await;
    assert_eq!(scene.set_password(&password(&again)).await, SetPassword::Done);
    assert_eq!(scene.add_by(&again, &passkey).await, AddPasskey::Done);
    scene.nodes.b.set_user_disabled(user, Some(scene.now())).await.unwrap();
    assert_eq!(scene.add_by(&again, &scene.world.passkey(user)).await, AddPasskey::SessionOver);
    assert_eq!(scene.set_password(&password(&again)).await, SetPassword::SessionOver);
}

pub async fn a_password_that_was_changed_since_it_was_typed_signs_nobody_in(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let new = scene.world.password(&user, "zhangsan");
    scene.set_password(&new).await;
    let typed = |set_at| Proof { password_set_at: Some(set_at), ..scene.world.proof_here(&new.key) };
    let first = typed(scene.by_name("zhangsan").await.unwrap().changed_at);
    scene.approve(first.clone()).await;
    // By a node whose clock is behind.
    let before = scene.world.now - Duration::from_secs(20);
    let changed = scene.world.password(&user, "zhangsan");
    assert_eq!(scene.nodes.b.set_password(&changed, before).await.unwrap(), SetPassword::Done);
    let grant = scene.pending().await;
    let late = scene.world.approval(&grant, first);
    assert_eq!(scene.nodes.a.fulfil_grant(&late, scene.now()).await.unwrap(), Fulfilled::NotOpen);
    assert_eq!(scene.nodes.b.grant(&grant.id).await.unwrap(), Some(grant), "nothing was written");
    scene.approve(typed(before)).await;
}

pub async fn what_is_unlinked_is_gone_with_its_password_or_passkey(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.sign_in().await.user.id;
    let other = scene.person("wx2").await.user.id;
    let (password, passkey) = (scene.world.password(&user, "zhangsan"), scene.world.passkey(&user));
    for _ in 0..2 {
        assert_eq!(scene.set_password(&password).await, SetPassword::Done);
        assert_eq!(scene.add(&passkey).await, AddPasskey::Done, "and once more after it was removed");
        for key in [&password.key, &passkey.key] {
            let proof = scene.world.proof_here(key);
            let session = scene.approve(proof.clone()).await.session;
            assert_eq!(scene.unlink(&other, &proof).await, Unlinked::NotYours);
            assert_eq!(scene.unlink(&user, &proof).await, Unlinked::Done);
            assert!(!scene.is_live(&session).await);
        }
        assert_eq!(scene.by_name("zhangsan").await, None);
        assert_eq!(scene.nodes.b.password_of(&user).await.unwrap(), None);
        assert_eq!(scene.nodes.b.passkey(&passkey.key).await.unwrap(), None);
    }
    let free = scene.world.password(&other, "zhangsan");
    assert_eq!(scene.set_password(&free).await, SetPassword::Done, "the name is free");
    assert_eq!(scene.add(&PasskeyRecord { user: other, ..passkey }).await, AddPasskey::Done);
}

pub async fn the_last_way_in_keeps_its_password(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let id: UserId = "person".parse().unwrap();
    let new = scene.world.password(&id, "zhangsan");
    let user = NewUser { id: id.clone(), nickname: None };
    scene.nodes.a.create_user_with_password(&user, &new, scene.now()).await.unwrap();
    let proof = scene.world.proof_here(&new.key);
    assert_eq!(scene.unlink(&id, &proof).await, Unlinked::LastOne);
    assert_eq!(scene.by_name("zhangsan").await.unwrap().hash, new.hash, "undone with the rest");
    scene.add(&scene.world.passkey(&id)).await;
    assert_eq!(scene.unlink(&id, &proof).await, Unlinked::Done);
}

pub async fn what_is_held_here_makes_nobody(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let done = scene.sign_in().await;
    let password = scene.world.password(&done.user.id, "zhangsan").key;
    for key in [password, passkey_key("login.example", b"unknown")] {
        let proof = scene.world.proof_here(&key);
        let grant = scene.pending().await;
        let approval = scene.world.approval(&grant, proof.clone());
        let answer = scene.nodes.a.fulfil_grant(&approval, scene.now()).await.unwrap();
        assert_eq!(answer, Fulfilled::UserDisabled);
        assert_eq!(scene.nodes.b.grant(&grant.id).await.unwrap(), Some(grant), "nothing was written");
        let login = FreshLogin { replaces: Some(done.session), ..scene.world.fresh(proof.clone()) };
        assert_eq!(scene.begin(&login, None).await, Fulfilled::UserDisabled);
        assert_eq!(scene.link(&done, proof).await, Linked::NotOpen);
        assert_eq!(scene.nodes.b.identity(&key).await.unwrap(), None);
    }
    assert!(scene.is_live(&done.session).await);
    assert_eq!(scene.nodes.a.users("", 10).await.unwrap(), [done.user]);
}

pub async fn a_name_that_was_given_stays_so_until_it_is_changed(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let user = scene.person("wx1").await.user.id;
    let given = NewPassword { is_assigned: true, ..scene.world.password(&user, "zhangsan") };
    scene.set_password(&given).await;
    scene.set_password(&scene.world.password(&user, "ZhangSan")).await;
    let same = scene.by_name("zhangsan").await.unwrap();
    assert!(same.is_assigned, "another password, the same name");
    assert_eq!(same.username.as_str(), "zhangsan", "to the letter: websites are told it");
    scene.set_password(&scene.world.password(&user, "admin")).await;
    assert!(!scene.by_name("admin").await.unwrap().is_assigned);
}

pub async fn what_is_held_here_follows_its_person_through_a_merge_and_back(nodes: Nodes<dyn People>) {
    let scene = Scene::set(nodes).await;
    let (from, into) = (scene.person("wx1").await.user.id, scene.person("wx2").await.user.id);
    let theirs = scene.world.password(&from, "theirs");
    let passkey = scene.world.passkey(&from);
    scene.set_password(&theirs).await;
    scene.add(&passkey).await;
    let own = scene.world.password(&into, "own");
    scene.nodes.a.set_password(&own, scene.world.after(1)).await.unwrap();

    let merge = scene.merge(&from, &into).await.unwrap();
    assert_eq!(scene.by_name("theirs").await.unwrap().user, into);
    assert_eq!(scene.by(&theirs.key).await.user.id, into);
    assert_eq!(scene.nodes.b.passkeys_of(&into).await.unwrap()[0].user, into);
    assert_eq!(scene.nodes.b.password_of(&into).await.unwrap().unwrap().key, own.key, "set last");
    let renamed = NewPassword { key: theirs.key.clone(), ..scene.world.password(&into, "own") };
    assert_eq!(scene.set_password(&renamed).await, SetPassword::Done, "the name was theirs");
    assert_eq!(scene.by_name("own").await.unwrap().key, theirs.key, "the one that is named");
    assert_eq!(scene.by_name("theirs").await, None, "a former password is worth nothing under any name");

    scene.undo(&merge.id).await;
    assert_eq!(scene.by_name("own").await.unwrap().user, from);
    assert_eq!(scene.nodes.b.passkeys_of(&from).await.unwrap()[0].user, from);
    assert_eq!(scene.nodes.b.passkeys_of(&into).await.unwrap(), []);
    assert_eq!(scene.nodes.b.password_of(&into).await.unwrap(), None, "and no other's leads to them");
}
