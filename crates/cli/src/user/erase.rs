//! `mashang user erase`: a person deleted for good, after a look at what goes, what stays, and which websites must be told (SEC-90).

use mashang_login::Clock;
use mashang_login::ambient::SystemClock;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::erasure::ErasurePreview;
use mashang_server::open;

use super::{identity, named, user_id};
use crate::args::EraseUser;

pub(super) async fn erase(asked: &EraseUser) -> anyhow::Result<()> {
    let id = user_id(&asked.id)?;
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let now = SystemClock.now();
    let preview = records.erasure_preview(&id, now).await??;
    for sentence in told(&preview, config.audit.keep_days) {
        say!("{sentence}");
    }
    if !asked.yes {
        say!("\nNothing has been changed. To do it, run the same with --yes: it cannot be undone");
        return Ok(());
    }
    // The store writes the audit record in the same transaction.
    let told = AuditEvent::new(now, AuditKind::PersonErased);
    let erased = records.erase_user(&id, &told, now).await??;
    say!("\nDone: {} is erased, and {} browsers are signed out", erased.user, erased.sessions);
    Ok(())
}

/// What goes, who must be told, and what stays.
fn told(preview: &ErasurePreview, keep_days: u32) -> Vec<String> {
    let ErasurePreview { user, merged, identities, sessions, clients } = preview;
    let id = &user.id;
    let mut told = vec![format!("{} is deleted for good, and nobody will be {id} again:", named(user))];
    for one in merged {
        told.push(format!("  {} was merged into {id}, and goes with them", named(one)));
    }
    for one in identities {
        let name = identity::name(one, identities);
        told.push(format!("  {name} leads nowhere afterwards; who signs in by it is somebody new"));
    }
    told.push(format!(
        "  {sessions} browsers will be signed out, and websites can refresh nothing of theirs"
    ));
    if user.disabled_at.is_some() {
        let back = "as somebody new, who is switched on. To keep them out, leave it at that";
        told.push(format!("  {id} is switched off: once erased, they can come back {back}"));
    }
    if clients.is_empty() {
        told.push("  no website has met them lately".to_owned());
    }
    for client in clients {
        told.push(format!(
            "  website {client} knows them: what it keeps stays there, so tell it to erase {id} too"
        ));
    }
    let trail = match keep_days {
        0 => "for ever, as audit.keep_days is 0".to_owned(),
        days => format!("until they are {days} days old (audit.keep_days)"),
    };
    told.push("What stays:".to_owned());
    told.push(format!(
        "  records of the audit trail, which name {id}, network addresses and devices, {trail}"
    ));
    told.push("  backups, exports and logs, as long as you keep them".to_owned());
    told
}

#[cfg(test)]
mod tests {
    use mashang_login::user::User;

    use super::*;

    fn preview() -> ErasurePreview {
        let now = SystemClock.now();
        let user = |id: &str| User {
            id: id.parse().unwrap(),
            nickname: Some("小明".into()),
            picture: None,
            created_at: now,
            updated_at: now,
            disabled_at: None,
            merged_into: None,
        };
        ErasurePreview {
            user: user("person"),
            merged: vec![user("former")],
            identities: Vec::new(),
            sessions: 2,
            clients: vec!["gitlab".parse().unwrap(), "zentao".parse().unwrap()],
        }
    }

    #[test]
    fn sec_90_the_look_before_names_what_goes_whom_to_tell_and_what_stays() {
        let text = told(&preview(), 400).join("\n");
        for said in [
            "person (小明) is deleted",
            "former (小明) was merged into person",
            "2 browsers",
            "website gitlab knows them",
            "website zentao knows them",
            "until they are 400 days old",
            "backups, exports and logs",
        ] {
            assert!(text.contains(said), "{said}:\n{text}");
        }
        assert!(!text.contains("switched off"));
        assert!(told(&preview(), 0).join("\n").contains("for ever"));
    }

    #[test]
    fn sec_40_erasing_who_is_switched_off_is_told_to_let_them_back_in() {
        let mut preview = preview();
        preview.user.disabled_at = Some(SystemClock.now());
        preview.clients.clear();
        let text = told(&preview, 400).join("\n");
        assert!(text.contains("person is switched off: once erased, they can come back"), "{text}");
        assert!(text.contains("no website has met them lately"), "{text}");
    }
}
