//! `/s/…`: the phone.

use http::StatusCode;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::ids::ScanCode;
use mashang_login::ticket::{Answer, Lifetimes, Stage};

use crate::support::*;

#[tokio::test]
async fn the_confirm_page_names_site_browser_address_and_person_but_not_the_number() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    app.scan(&phone, &page.ticket, &person).await;
    let confirm = phone.get(&format!("/s/{}/confirm", page.ticket)).await;
    for shown in ["127.0.0.1:9", "Chrome · Windows", "小明", "2026-11-22 16:00:00", "样例 &lt;Site&gt;"]
    {
        assert!(confirm.body.contains(shown), "sec_08: {shown} in {}", confirm.body);
    }
    for holder in [format!(">{}<", page.number), format!("\"{}\"", page.number)] {
        assert!(!confirm.body.contains(&holder), "sec_09: the number is only in the browser");
    }
    assert!(confirm.header("content-security-policy").contains("frame-ancestors 'none'"));
    assert_eq!(confirm.header("x-frame-options"), "DENY");
}

#[tokio::test]
async fn a_denial_is_final() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    let denied = phone.post(&format!("/s/{}/deny", page.ticket), &[("confirm_token", &token)]).await;
    assert!(denied.location().ends_with("outcome=denied"));
    let yes = app.approve(&phone, &page, &token, &page.number).await;
    assert!(yes.location().ends_with("outcome=denied"), "sec_12: {}", yes.location());
    assert_eq!(page.stage().await, "denied");
    assert_eq!(phone.get(denied.location()).await.status, StatusCode::OK);
}

#[tokio::test]
async fn sec_09_one_wrong_number_ends_the_login() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    let wrong = app.approve(&phone, &page, &token, page.wrong_number()).await;
    assert!(wrong.location().ends_with("outcome=wrong_number"));
    let right = app.approve(&phone, &page, &token, &page.number).await;
    assert!(right.location().ends_with("outcome=wrong_number"), "{}", right.location());
    assert_eq!(page.status().await.json()["reason"], "wrong_number");
}

#[tokio::test]
async fn a_second_tap_is_told_what_the_first_one_did_and_does_nothing() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    let token = app.scan(&phone, &page.ticket, &person).await;
    let tap = async || app.approve(&phone, &page, &token, &page.number).await.location().to_owned();
    let first = tap().await;
    assert!(first.ends_with("outcome=approved"), "{first}");
    assert_eq!(tap().await, first, "while the browser has not collected it");
    assert!(page.redeem().await.starts_with(SITE));
    assert_eq!(tap().await, first, "after it has");
    assert_eq!(phone.get(&format!("/s/{}/confirm", page.ticket)).await.location(), first, "the page again");
    assert_eq!(phone.get(&format!("/s/{}", page.ticket)).await.location(), first, "the QR again");
    let no = phone.post(&format!("/s/{}/deny", page.ticket), &[("confirm_token", &token)]).await;
    assert_eq!(no.location(), first, "too late for a no, and it is not told that it counted");
    let approvals = app.app.records.audit_trail(50).await.unwrap();
    let approvals = approvals.iter().filter(|event| event.kind == AuditKind::TicketApproved).count();
    assert_eq!(approvals, 1);
}

#[tokio::test]
async fn sec_78_what_a_node_did_and_did_not_live_to_record_leads_nobody_in_unrecorded() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let (tickets, now) = (&app.app.tickets, app.app.now());
    let (first, page) = (app.open_login(&app.desktop()).await, app.open_login(&app.desktop()).await);
    let phone = app.phone();
    app.scan(&phone, &first.ticket, &person).await;
    let of = async |code: &str| tickets.get(&ScanCode::parse(code).unwrap(), now).await.unwrap().unwrap();
    let Stage::Scanned { by, phone: secret, .. } = of(&first.ticket).await.stage else { panic!("scanned") };
    let recorded = async |kind| {
        let trail = app.app.records.audit_trail(50).await.unwrap();
        let of_page = |event: &&AuditEvent| event.ticket.as_deref() == Some(&page.ticket[..6]);
        trail.iter().filter(of_page).filter(|event| event.kind == kind).count()
    };

    // As by a node that writes the scan, and is gone.
    let lifetimes = Lifetimes::default();
    let waiting = of(&page.ticket).await;
    let scanned = waiting.scan(by, secret, now, &lifetimes).unwrap();
    tickets.advance(&waiting, &scanned, now).await.unwrap();
    assert_eq!(recorded(AuditKind::TicketScanned).await, 0);
    for _ in 0..2 {
        let again = phone.get(&format!("/s/{}", page.ticket)).await;
        assert_eq!(again.location(), format!("/s/{}/confirm", page.ticket));
        assert_eq!(recorded(AuditKind::TicketScanned).await, 1);
    }

    let confirm = phone.get(&format!("/s/{}/confirm", page.ticket)).await;
    let token = confirm.between("name=\"confirm_token\" value=\"", "\"").to_owned();
    let yes = Answer::Approve { number: &page.number };
    let approved = scanned.answer(&secret, yes, now, &lifetimes).unwrap();
    tickets.advance(&scanned, &approved, now).await.unwrap();
    let told = app.approve(&phone, &page, &token, &page.number).await;
    assert!(told.location().ends_with("outcome=expired"), "it begins anew: {}", told.location());
    assert_eq!(recorded(AuditKind::TicketApproved).await, 0);
}

#[tokio::test]
async fn sec_06_a_second_phone_is_refused_recorded_and_does_not_disturb_the_first() {
    let app = TestApp::start().await;
    let (first, second) = (app.person("小明").await, app.person("小红").await);
    let page = app.open_login(&app.desktop()).await;
    let (phone, late) = (app.phone(), app.phone());
    // Both are at WeChat at the same time; the first one back owns the ticket.
    let late_back = app.authorize_at_wechat(&late, &page.ticket, &second).await;
    let token = app.scan(&phone, &page.ticket, &first).await;
    let refused = late.get(&late_back).await;
    assert!(refused.location().ends_with("outcome=taken"), "{}", refused.location());
    assert!(late.get(&format!("/s/{}", page.ticket)).await.location().ends_with("outcome=taken"));
    assert!(late.get(&format!("/s/{}/confirm", page.ticket)).await.location().ends_with("outcome=taken"));
    // Even with the first phone's token the second one cannot answer.
    let stolen = app.approve(&late, &page, &token, &page.number).await;
    assert_eq!(stolen.status, StatusCode::FORBIDDEN);
    app.approve(&phone, &page, &token, &page.number).await;
    assert!(page.redeem().await.starts_with(SITE));
    let trail = app.app.records.audit_trail(50).await.unwrap();
    assert!(trail.iter().any(|event| event.kind == AuditKind::SecondScanRefused));
}

#[tokio::test]
async fn sec_07_approving_needs_the_token_of_the_confirm_page() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let other = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    app.scan(&phone, &page.ticket, &person).await;
    let foreign = app.scan(&phone, &other.ticket, &person).await;
    for token in ["", "x", foreign.as_str()] {
        assert_eq!(
            app.approve(&phone, &page, token, &page.number).await.status,
            StatusCode::FORBIDDEN,
            "{token}"
        );
    }
    let nothing = phone.post(&format!("/s/{}/approve", page.ticket), &[]).await;
    assert_eq!(nothing.status, StatusCode::BAD_REQUEST);
    assert_eq!(page.stage().await, "scanned");
}

#[tokio::test]
async fn sec_14_unknown_expired_and_used_codes_look_alike_on_the_phone() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let phone = app.phone();
    let used = app.open_login(&app.desktop()).await;
    let token = app.scan(&phone, &used.ticket, &person).await;
    app.approve(&phone, &used, &token, &used.number).await;
    used.redeem().await;
    let unknown = "A".repeat(32);
    let mut seen = Vec::new();
    for code in [&used.ticket, &unknown] {
        let answer = app.phone().get(&format!("/s/{code}")).await;
        let page = app.phone().get(answer.location()).await;
        seen.push((
            answer.status,
            answer.location().replace(code.as_str(), ""),
            page.body.replace(code.as_str(), ""),
        ));
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn a_plain_camera_is_handed_to_the_sandbox_phone() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    let answer = app.device(PHONE).get(&format!("/s/{}", page.ticket)).await;
    assert!(
        answer.location().starts_with(&format!("{}/phone?open=", app.sandbox_url)),
        "{}",
        answer.location()
    );
    assert_eq!(page.stage().await, "waiting");
}

#[tokio::test]
async fn the_same_phone_opening_the_qr_again_is_led_back_to_its_confirm_page() {
    let app = TestApp::start().await;
    let person = app.person("小明").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    app.scan(&phone, &page.ticket, &person).await;
    let again = phone.get(&format!("/s/{}", page.ticket)).await;
    assert_eq!(again.location(), format!("/s/{}/confirm", page.ticket));
}

#[tokio::test]
async fn sec_68_hostile_nicknames_are_shown_inert() {
    let app = TestApp::start().await;
    let person = app.person("<script>alert(1)</script>\u{202e}").await;
    let page = app.open_login(&app.desktop()).await;
    let phone = app.phone();
    app.scan(&phone, &page.ticket, &person).await;
    let confirm = phone.get(&format!("/s/{}/confirm", page.ticket)).await;
    assert!(!confirm.body.contains("<script>alert"));
    assert!(!confirm.body.contains('\u{202e}'));
}

/// WeChat shows a page that asks at once as a snapshot, in which nobody can sign in.
#[tokio::test]
async fn inside_wechat_the_person_is_told_what_is_asked_and_sets_out_by_a_tap() {
    let app = TestApp::start().await;
    let page = app.open_login(&app.desktop()).await;
    for language in ["zh-CN", "en"] {
        let phone = app.phone().with("accept-language", language);
        let told = phone.get(&format!("/s/{}?c=wechat", page.ticket)).await;
        assert_eq!(
            (told.status, told.location()),
            (StatusCode::OK, ""),
            "nobody is sent to WeChat by opening a link"
        );
        assert!(told.body.contains("127.0.0.1:9"), "which site: {}", told.body);
        assert!(told.header("set-cookie").is_empty(), "and nothing has begun");
        let sent = phone.get(&onward(&told.body)).await;
        assert!(sent.location().contains("scope=snsapi_userinfo"), "{}", sent.location());
        assert!(sent.header("set-cookie").contains("mashang_phone="));
    }
    assert_eq!(page.stage().await, "waiting");
}

#[tokio::test]
async fn without_the_sandbox_a_plain_camera_is_told_which_app_to_use_and_wechat_is_sent_to_wechat() {
    let app = TestApp::without_sandbox().await;
    let page = app.open_login(&app.desktop()).await;
    assert!(!page.html.contains("sandbox"));
    for language in ["zh-CN", "en"] {
        let told =
            app.device(PHONE).with("accept-language", language).get(&format!("/s/{}", page.ticket)).await;
        assert_eq!(told.status, StatusCode::OK);
        assert!(told.body.contains(&format!("<html lang=\"{language}\"")), "{}", told.body);
        assert!(told.body.contains(&page.ticket), "the link to copy");
    }
    let sent = app.set_out(&app.phone(), &format!("/s/{}", page.ticket)).await;
    assert!(
        sent.location().starts_with("https://open.weixin.qq.com/connect/oauth2/authorize?appid="),
        "{}",
        sent.location()
    );
    assert!(sent.location().ends_with("#wechat_redirect"));
    let cookie = sent.header("set-cookie");
    assert!(
        cookie.starts_with("mashang_phone=msp_")
            && cookie.contains("HttpOnly")
            && cookie.contains("SameSite=Lax")
    );
}
