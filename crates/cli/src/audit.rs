//! `mashang audit …`: what happened, and whether somebody changed what is told of it (SEC-78).

use anyhow::bail;
use mashang_login::audit::AuditEvent;
use mashang_login::trail::{self, Verified};
use mashang_server::open;

use crate::args::{Audit as Command, ListAudit, VerifyAudit};

/// Shows the trail, or compares it with its checkpoints.
///
/// # Errors
/// A database that does not open; a trail that is not as it was, with what is wrong on standard output.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List(asked) => list(&asked).await,
        Command::Verify(asked) => verify(&asked).await,
    }
}

async fn list(asked: &ListAudit) -> anyhow::Result<()> {
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    for event in records.audit_trail(asked.limit).await?.iter().rev() {
        say!("{}", line(event));
    }
    Ok(())
}

/// `2026-11-30 08:00:05 UTC  signed_in  ticket=…`; what is not known is left out.
fn line(event: &AuditEvent) -> String {
    let AuditEvent { at, kind, ticket, client, user, other, channel, address, device } = event;
    let mut line = format!("{}  {}", at.strftime("%Y-%m-%d %H:%M:%S UTC"), kind.as_str());
    let known = [
        ("ticket", ticket.clone()),
        ("client_id", client.as_ref().map(ToString::to_string)),
        ("user_id", user.as_ref().map(ToString::to_string)),
        ("other_user_id", other.as_ref().map(ToString::to_string)),
        ("channel", channel.as_ref().map(ToString::to_string)),
        ("address", address.clone()),
        ("device", device.clone()),
    ];
    for (name, value) in known {
        if let Some(value) = value {
            // What a browser calls itself must not write on the operator's terminal.
            let plain: String = value.chars().filter(|c| !c.is_control()).collect();
            line.push_str(&format!("  {name}={plain}"));
        }
    }
    line
}

async fn verify(asked: &VerifyAudit) -> anyhow::Result<()> {
    let config = asked.file.load()?;
    let (trail, sealer) = open::trail(&config).await?;
    let verified = trail::verify(&*trail, &sealer, asked.checkpoint.as_deref()).await?;
    for sentence in told(&verified) {
        say!("{sentence}");
    }
    if !verified.damage.is_empty() {
        bail!(
            "the audit trail was changed in {} place(s) by somebody who can write to the database; \
             a backup from before shows what it said",
            verified.damage.len()
        );
    }
    if verified.has_wanted == Some(false) {
        bail!(
            "the audit trail does not have that checkpoint: its end was cut off, another database is looked at, or it is \
             older than audit.keep_days"
        );
    }
    Ok(())
}

fn told(verified: &Verified) -> Vec<String> {
    let Verified { trimmed, checkpoints, covered, newest, uncovered, damage, has_wanted } = verified;
    let mut told: Vec<String> = damage.iter().map(|damage| format!("CHANGED: {damage}")).collect();
    if *trimmed > 0 {
        told.push(format!("Records up to {trimmed} are older than audit.keep_days and gone."));
    }
    match newest {
        None => {
            told.push("No checkpoint yet: a server takes the first one five minutes after its start.".into())
        }
        Some(newest) => {
            let whole = if damage.is_empty() { " All are as they were written." } else { "" };
            told.push(format!(
                "{covered} records under {checkpoints} checkpoint(s), up to record {}.{whole}",
                newest.last
            ));
            told.push(format!("Newest checkpoint: {}", newest.text()));
        }
    }
    if *uncovered > 0 {
        told.push(format!("{uncovered} newer record(s), not covered yet."));
    }
    if *has_wanted == Some(true) {
        told.push("The checkpoint asked for is there.".into());
    }
    told
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use mashang_login::Timestamp;
    use mashang_login::audit::AuditKind;

    use super::*;
    use crate::args::ConfigFile;

    const MORNING: Timestamp = Timestamp::UNIX_EPOCH;

    /// A folder with a configuration and a database, three of whose four records are under a checkpoint.
    async fn installation(folder: &Path) -> (ConfigFile, String) {
        let path = |name: &str| folder.join(name).display().to_string();
        std::fs::write(path("master.key"), [7; 32]).unwrap();
        let text = format!(
            "[store]\nurl = 'sqlite:{}'\nmaster_key_file = '{}'\n",
            path("mashang.db"),
            path("master.key")
        );
        let file = PathBuf::from(path("mashang.toml"));
        std::fs::write(&file, text).unwrap();
        let config = mashang_server::config::load(Some(&file)).unwrap();
        let records = open::records_with(&config, open::Tables::MadeIfNone).await.unwrap();
        for kind in [AuditKind::TicketStarted, AuditKind::TicketScanned, AuditKind::SignedIn] {
            let mut event = AuditEvent::new(MORNING, kind);
            event.device = Some("Chrome\u{1b}[2J · Windows".into());
            records.record(&event).await.unwrap();
        }
        let (trail, sealer) = open::trail(&config).await.unwrap();
        let checkpoint = trail::cover(&*trail, &sealer, i64::MAX).await.unwrap().unwrap();
        records.record(&AuditEvent::new(MORNING, AuditKind::SignedOut)).await.unwrap();
        (ConfigFile { config: Some(file) }, checkpoint.text())
    }

    #[tokio::test]
    async fn sec_78_verify_says_that_a_trail_is_whole_and_how_far_it_is_covered() {
        let folder = tempfile::tempdir().unwrap();
        let (file, checkpoint) = installation(folder.path()).await;
        let asked = VerifyAudit { checkpoint: Some(checkpoint[..10].to_owned()), file: file.clone() };
        verify(&asked).await.unwrap();
        let config = file.load().unwrap();
        let (trail, sealer) = open::trail(&config).await.unwrap();
        let verified = trail::verify(&*trail, &sealer, Some(&checkpoint)).await.unwrap();
        let told = told(&verified).join("\n");
        for word in
            ["3 records under 1 checkpoint(s)", "as they were written", &checkpoint, "1 newer", "is there"]
        {
            assert!(told.contains(word), "{told}");
        }
        let other = VerifyAudit { checkpoint: Some("nowhere".into()), file };
        let refusal = verify(&other).await.unwrap_err().to_string();
        assert!(refusal.contains("cut off"), "{refusal}");
    }

    #[tokio::test]
    async fn sec_78_verify_fails_with_another_master_key_and_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let (file, _) = installation(folder.path()).await;
        let key = folder.path().join("master.key");
        std::fs::write(&key, [8; 32]).unwrap();
        let asked = VerifyAudit { checkpoint: None, file };
        let refusal = verify(&asked).await.unwrap_err().to_string();
        assert!(refusal.contains("changed in 1 place"), "{refusal}");
        std::fs::remove_file(&key).unwrap();
        let refusal = verify(&asked).await.unwrap_err().to_string();
        assert!(refusal.contains("master.key: is missing"), "{refusal}");
    }

    #[test]
    fn a_line_names_what_is_known_and_writes_nothing_on_the_terminal() {
        let mut event = AuditEvent::new(MORNING, AuditKind::SignedIn);
        event.user = Some("person".parse().unwrap());
        event.device = Some("Chrome\u{1b}[2J · Windows\n".into());
        assert_eq!(
            line(&event),
            "1970-01-01 00:00:00 UTC  signed_in  user_id=person  device=Chrome[2J · Windows"
        );
    }
}
