use std::sync::Arc;

use mashang_store::tickets::TicketsAddress;

use super::*;
use crate::channel::Channels;
use crate::state::Site;

const CHANNEL: &str = "[channel.wechat]\nkind = \"wechat-official\"\nappid = \"wx0123456789abcdef\"\n";

fn complaint(text: &str) -> String {
    from_text(text).unwrap_err().to_string()
}

#[test]
fn a_database_address_that_cannot_be_read_says_what_to_write_and_shows_no_password() {
    for url in ["postgresq://m:hunter2@db/m", "postgres://m:hunter2@db:port/m", "hunter2"] {
        let complaint = complaint(&format!("[store]\nurl = {url:?}"));
        assert!(complaint.contains("store.url") && complaint.contains("postgres://<user>"), "{complaint}");
        assert!(!complaint.contains("hunter2"), "{complaint}");
    }
}

#[test]
fn the_manual_alone_is_a_valid_configuration() {
    let config = from_text("").unwrap();
    assert!(config.channel.is_empty());
    assert!(!config.sandbox.enabled);
}

#[test]
fn unknown_keys_are_refused_by_name() {
    assert!(complaint("[server]\npublik_url = \"x\"").contains("publik_url"));
    assert!(complaint("[colour]\nx = 1").contains("colour"));
    assert!(complaint(&format!("{CHANNEL}secret = \"0123\"\ncolour = 1")).contains("colour"));
}

#[test]
fn cleartext_on_other_hosts_is_refused_unless_asked_for() {
    let text = "[server]\npublic_url = \"http://login.example.com\"";
    assert!(complaint(text).contains("allow_cleartext"));
    assert!(from_text(&format!("{text}\nallow_cleartext = true")).is_ok());
    assert!(from_text("[server]\npublic_url = \"https://login.example.com\"").is_ok());
}

#[test]
fn sec_76_sample_secrets_are_refused() {
    assert!(complaint(&format!("{CHANNEL}secret = \"changeme\"")).contains("sample"));
    assert!(complaint(CHANNEL).contains("secret_file"));
}

#[test]
fn promise_12_the_sandbox_is_refused_on_a_public_address() {
    let text = "[server]\npublic_url = \"https://login.example.com\"\n[sandbox]\nenabled = true\nurl = \"http://127.0.0.1:1\"";
    assert!(complaint(text).contains("anyone can be anyone"));
    assert!(complaint("[sandbox]\nlisten = \"127.0.0.1:1\"").contains("enabled"));
}

#[test]
fn a_proxy_nobody_trusts_is_pointed_out() {
    let config = from_text("[server]\npublic_url = \"https://login.example.com\"").unwrap();
    assert!(config.hints().iter().any(|hint| hint.contains("trusted_proxies")));
    let text = "[server]\npublic_url = \"https://login.example.com\"\ntrusted_proxies = [\"127.0.0.1\"]";
    assert!(!from_text(text).unwrap().hints().iter().any(|hint| hint.contains("trusted_proxies")));
}

#[test]
fn sec_72_a_network_in_which_visitors_may_be_is_pointed_out_as_a_proxy() {
    let hints = |network: &str| {
        let text = format!("[server]\ntrusted_proxies = [\"{network}\"]");
        from_text(&text).unwrap().hints().iter().filter(|hint| hint.contains("trusted_proxies")).count()
    };
    assert_eq!(["10.0.0.0/8", "10.0.3.0/23", "0.0.0.0/0", "fd00::/8"].map(hints), [1; 4]);
    assert_eq!(["10.0.3.7", "10.0.3.0/24", "127.0.0.1", "::1", "fd00::/64"].map(hints), [0; 5]);
}

#[test]
fn sec_78_a_trail_that_is_kept_for_less_than_half_a_year_is_pointed_out() {
    let hints = |days: u32| from_text(&format!("[audit]\nkeep_days = {days}")).unwrap().hints();
    assert!(hints(90).iter().any(|hint| hint.contains("keep_days") && hint.contains("六个月")));
    for days in [184, 400] {
        assert!(!hints(days).iter().any(|hint| hint.contains("keep_days")), "{days}");
    }
    let for_ever = hints(0);
    assert!(for_ever.iter().any(|hint| hint.contains("kept for ever") && hint.contains("第十九条")));
    assert!(complaint("[audit]\nkeep_days = 36501").contains("36500"));
}

#[test]
fn a_url_with_a_password_may_come_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("store_url");
    std::fs::write(&file, "sqlite:elsewhere.db\n").unwrap();
    let text = format!("[store]\nurl_file = {file:?}\n");
    assert_eq!(from_text(&text).unwrap().store.url, "sqlite:elsewhere.db");
    assert!(complaint(&format!("{text}url = \"sqlite:mine.db\"")).contains("url or url_file, not both"));
    std::fs::write(&file, "\n").unwrap();
    assert!(complaint(&text).contains("store_url holds no url"));
    std::fs::remove_file(&file).unwrap();
    assert!(complaint(&text).contains("cannot read"));
    assert_eq!(from_text("").unwrap().store.url, UNSAID_STORE_URL, "the manual's own");
    std::fs::write(&file, "redis://app:hunter2@cache\n").unwrap();
    let text = format!("[tickets]\nurl_file = {file:?}\n");
    assert_eq!(from_text(&text).unwrap().tickets.url, "redis://app:hunter2@cache");
    assert!(complaint(&format!("{text}url = \"redis://cache\"")).contains("url or url_file, not both"));
    assert_eq!(from_text("").unwrap().tickets.url, UNSAID_TICKETS_URL, "the manual's own");
}

#[test]
fn tickets_live_in_memory_unless_an_engine_is_named() {
    let at = |url: &str| format!("[tickets]\nurl = \"{url}\"");
    let named = |url: &str| from_text(&at(url)).unwrap().tickets.address().unwrap().to_string();
    assert_eq!(named("memory:"), "memory:");
    assert_eq!(named("redis://:secret@cache.internal"), "redis://cache.internal:6379");
    assert_eq!(from_text("").unwrap().tickets.address().unwrap(), TicketsAddress::Memory);
    let redeem = |text: &str| Site::new(&from_text(text).unwrap()).lifetimes.redeem.as_secs();
    assert_eq!((redeem(""), redeem(&at("redis://a"))), (30, 60), "clocks of nodes differ");
    let refused = complaint(&at("redis+sentinel://a,b"));
    assert!(refused.contains("tickets.url") && refused.contains("mymaster"), "{refused}");
    assert!(complaint(&at("memcached://a")).contains("redis://127.0.0.1:6379"));
    assert!(complaint(&at("postgres:")).contains("store.url"), "the records are in SQLite");
}

#[test]
fn promise_10_the_password_of_redis_is_in_no_complaint_and_no_debug() {
    for url in ["redis://app:hunter2@", "redis+cluster://app:hunter2@a/1"] {
        let refused = complaint(&format!("[tickets]\nurl = \"{url}\""));
        assert!(!refused.contains("hunter2"), "{refused}");
    }
    let config = from_text("[tickets]\nurl = \"redis://app:hunter2@a\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_private_authority_of_redis_is_a_file_with_certificates_for_an_address_with_tls() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    let at = |url: &str| format!("[tickets]\nurl = \"{url}\"\nca_file = {file:?}");
    let refused = complaint(&at("rediss://a"));
    assert!(refused.contains("tickets.ca_file: cannot read") && refused.contains("ca.pem"), "{refused}");
    for (content, what) in [
        ("", "holds no certificate"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "cannot be read"),
    ] {
        std::fs::write(&file, content).unwrap();
        assert!(complaint(&at("rediss://a")).contains(what), "{content}");
    }
    let authority = rcgen::generate_simple_self_signed(["authority".to_owned()]).unwrap();
    std::fs::write(&file, authority.cert.pem()).unwrap();
    for url in ["rediss://a", "rediss+sentinel://a/m", "rediss+cluster://a,b"] {
        from_text(&at(url)).unwrap();
    }
    for url in ["redis://a", "memory:", "redis+cluster://a"] {
        let refused = complaint(&at(url));
        assert!(refused.contains("ca.pem is of no use without TLS: write rediss://"), "{url}: {refused}");
    }
}

#[test]
fn every_problem_is_named_at_once() {
    let all = complaint("[login]\nscan_seconds = 0\nsession_hours = 999999\n");
    assert!(all.contains("scan_seconds") && all.contains("session_hours"), "{all}");
}

#[test]
fn secrets_are_not_shown() {
    let config = from_text(&format!("{CHANNEL}secret = \"0123456789abcdef0123456789abcdef\"")).unwrap();
    assert!(!format!("{config:?}").contains("0123456789abcdef0123456789abcdef"));
    let config = from_text("[store]\nurl = \"postgres://mashang:hunter2@db/mashang\"").unwrap();
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
}

#[test]
fn sec_76_what_the_sandbox_publishes_is_refused_without_it() {
    use mashang_sandbox as sandbox;
    let refused = |text: &str| {
        let config = from_text(text).unwrap();
        Channels::new(&config, &Arc::default()).map(drop).unwrap_err().to_string()
    };
    for (appid, secret) in [
        (sandbox::DEMO_WEBSITE_APPID, sandbox::DEMO_WEBSITE_SECRET),
        (sandbox::DEMO_OFFICIAL_APPID, sandbox::DEMO_OFFICIAL_SECRET),
        (sandbox::DEMO_MINI_APPID, sandbox::DEMO_MINI_SECRET),
    ] {
        let section =
            format!("[channel.a]\nkind = \"wechat-open\"\nappid = \"{appid}\"\nsecret = \"{secret}\"\n");
        let told = refused(&section);
        assert!(told.contains("channel.a.appid: this is the sandbox's"), "{told}");
        assert!(told.contains("channel.a.secret: this is the sandbox's"), "{told}");
        let with = format!("{section}[sandbox]\nenabled = true\nurl = \"http://127.0.0.1:1\"\n");
        Channels::new(&from_text(&with).unwrap(), &Arc::default()).unwrap();
    }
    // Taken over while trying things out: whoever knows these sends us events in the corp's name.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("key");
    std::fs::write(&file, format!("{}\n", sandbox::DEMO_OFFICIAL_AES_KEY)).unwrap();
    let told = refused(&format!(
        "[channel.corp]\nkind = \"wecom\"\ncorpid = \"{}\"\nagentid = 1000002\nsecret = \"{}\"\n\
         [channel.corp.events]\ntoken = \"{}\"\naes_key_file = {file:?}\n",
        sandbox::DEMO_CORPID,
        sandbox::DEMO_CORP_CONTACT_SECRET,
        sandbox::DEMO_OFFICIAL_TOKEN,
    ));
    for key in ["corpid", "secret", "events.token", "events.aes_key"] {
        assert!(told.contains(&format!("channel.corp.{key}: this is the sandbox's")), "{key}: {told}");
    }
    assert!(super::going_live::SANDBOXES.contains(&sandbox::DEMO_CORP_SECRET));
}

#[test]
fn all_channels_that_cannot_be_read_are_named_at_once() {
    let told = complaint(
        "[channel.a]\nkind = \"wechat-open\"\nappid = \"wx 1\"\nsecret = \"0123\"\n\
         [channel.b]\nkind = \"wecom\"\ncorpid = \"ww0123456789abcdef\"\nagentid = \"1000002\"\nsecret = \"0123\"\n\
         [channel.c]\nkind = \"wechat-opened\"\n[channel.d]\nkind = \"password\"\n",
    );
    for place in ["channel.a", "channel.b", "channel.c"] {
        assert_eq!(told.matches(place).count(), 1, "{told}");
    }
    assert!(!told.contains("channel.d"), "{told}");
    let missing = |id: &str| {
        format!(
            "[channel.{id}]\nkind = \"wechat-open\"\nappid = \"wx0123456789abcdef\"\nsecret_file = \"/nowhere/{id}\"\n"
        )
    };
    let config = from_text(&format!("{}{}", missing("a"), missing("b"))).unwrap();
    let told = Channels::new(&config, &Arc::default()).map(drop).unwrap_err().to_string();
    for id in ["a", "b"] {
        assert!(told.contains(&format!("cannot read /nowhere/{id}: No such file")), "{told}");
    }
    assert!(complaint("[log]\nfilter = \"info,mashang_server[x]=debug\"").contains("log.filter"));
}

#[test]
fn what_wechat_will_not_take_is_pointed_out() {
    let hints = |appid: &str, url: &str| {
        let text = format!(
            "[server]\npublic_url = \"{url}\"\n[channel.a]\nkind = \"wechat-official\"\nappid = \"{appid}\"\nsecret = \"0123\"\n"
        );
        let hints = from_text(&text).unwrap().hints();
        hints.into_iter().filter(|hint| hint.contains("channel.a")).collect::<Vec<_>>().join("\n")
    };
    let appid = "wx0123456789abcdef";
    assert_eq!(hints(appid, "https://login.example.com"), "");
    for url in ["https://login.example.com:8443", "http://127.0.0.1:8080", "http://localhost:8080"] {
        assert!(hints(appid, url).contains("10003"), "{url}");
    }
    assert!(hints("wx0123456789abcde", "https://login.example.com").contains("16 characters"));
}
