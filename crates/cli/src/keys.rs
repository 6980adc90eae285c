//! `mashang keys …`: the keys that sign tokens.

use mashang_login::ambient::SystemClock;
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::key::{SigningAlgorithm, SigningKey};
use mashang_login::{Clock, Timestamp};
use mashang_server::open;

use crate::args::{ConfigFile, Keys as Command, RotateKeys};
use crate::user::minute;

/// Lists or changes the keys.
///
/// # Errors
/// A database that does not open, another master key.
pub async fn run(command: Command) -> anyhow::Result<()> {
    match command {
        Command::List(file) => list(&file).await,
        Command::Rotate(asked) => rotate(&asked).await,
    }
}

async fn list(file: &ConfigFile) -> anyhow::Result<()> {
    let config = file.load()?;
    let keys = open::records(&config).await?.signing_keys().await?;
    if keys.is_empty() {
        say!("none yet: the server makes them at its first start");
    }
    let now = SystemClock.now();
    for key in &keys {
        say!("{:<6} {}  {}", key.algorithm.as_str(), key.id, standing(key, now));
    }
    Ok(())
}

fn standing(key: &SigningKey, now: Timestamp) -> String {
    match key.published_until {
        Some(until) if until == SigningKey::LEAKED => "leaked: counts for nothing".to_owned(),
        Some(until) if until <= now => format!("published no more since {}", minute(until)),
        Some(until) if key.signs_from <= now => format!("retired, published until {}", minute(until)),
        _ if key.signs_from <= now => format!("signs since {}", minute(key.signs_from)),
        _ => format!("announced, signs from {}", minute(key.signs_from)),
    }
}

async fn rotate(asked: &RotateKeys) -> anyhow::Result<()> {
    let algorithms = asked.algorithm.map_or(SigningAlgorithm::ALL.to_vec(), |named| vec![named.into()]);
    let config = asked.file.load()?;
    let (keys, records) = open::keys(&config).await?;
    // Nothing is said or recorded until all of it is done: what stops half-way leaves keys that others hold.
    let mut done = Vec::new();
    let replacing = async {
        for algorithm in algorithms {
            let name = algorithm.as_str();
            done.push(if asked.leaked {
                format!("{name:<6} {}  signs from now on", keys.replace_leaked(algorithm).await?)
            } else {
                let (id, from) = keys.rotate_early(algorithm).await?;
                format!("{name:<6} {id}  announced, signs from {}", minute(from))
            });
        }
        anyhow::Ok(())
    };
    let outcome = replacing.await;
    for line in &done {
        say!("{line}");
    }
    // One for each, also if a later one failed.
    for _ in &done {
        records.record(&AuditEvent::new(SystemClock.now(), AuditKind::KeysRotated)).await?;
    }
    outcome?;
    if asked.leaked {
        say!(
            "Restart every node now: until then, five minutes at most, it signs with the old keys and publishes them.\n\
             ID tokens of before are good at no website that has read the keys again; restart one that does not by itself.\n\
             Sessions, refresh tokens and access tokens go on here: people stay signed in."
        );
    } else {
        say!(
            "Running nodes publish them within five minutes, before any signs with them. The old ones stay published for a week."
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::args::Algorithm;

    async fn installation(folder: &Path) -> ConfigFile {
        let path = |name: &str| folder.join(name).display().to_string();
        std::fs::write(path("master.key"), [7; 32]).unwrap();
        let (db, key) = (path("mashang.db"), path("master.key"));
        let file = folder.join("mashang.toml");
        std::fs::write(&file, format!("[store]\nurl = 'sqlite:{db}'\nmaster_key_file = '{key}'\n")).unwrap();
        let file = ConfigFile { config: Some(file) };
        open::migrate(&file.load().unwrap()).await.unwrap();
        file
    }

    async fn keys(file: &ConfigFile) -> Vec<SigningKey> {
        let config = file.load().unwrap();
        open::records(&config).await.unwrap().signing_keys().await.unwrap()
    }

    #[tokio::test]
    async fn sec_60_leaked_keys_are_published_no_more_and_others_retire_with_an_overlap() {
        let folder = tempfile::tempdir().unwrap();
        let file = installation(folder.path()).await;
        let asked =
            |leaked: bool| RotateKeys { leaked, algorithm: Some(Algorithm::EdDsa), file: file.clone() };
        rotate(&asked(false)).await.unwrap();
        let of_eddsa = |keys: Vec<SigningKey>| -> Vec<String> {
            let these = keys.iter().filter(|key| key.algorithm == SigningAlgorithm::EdDsa);
            these.map(|key| standing(key, SystemClock.now())).collect()
        };
        let told = of_eddsa(keys(&file).await);
        assert_eq!(told.len(), 2);
        assert!(
            told[0].starts_with("retired, published until ") && told[1].starts_with("announced, signs from "),
            "{told:?}"
        );
        rotate(&asked(true)).await.unwrap();
        let told = of_eddsa(keys(&file).await);
        assert_eq!(told.iter().filter(|told| told.starts_with("leaked")).count(), 2, "{told:?}");
        assert_eq!(told.iter().filter(|told| told.starts_with("signs since")).count(), 1, "{told:?}");
        let untouched = keys(&file).await;
        let mut others = untouched.iter().filter(|key| key.algorithm != SigningAlgorithm::EdDsa);
        assert!(others.all(|key| key.published_until.is_none()));
        let config = file.load().unwrap();
        let trail = open::records(&config).await.unwrap().audit_trail(10).await.unwrap();
        assert_eq!(trail.iter().filter(|event| event.kind == AuditKind::KeysRotated).count(), 2);
    }

    #[tokio::test]
    async fn a_missing_master_key_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = installation(folder.path()).await;
        rotate(&RotateKeys { leaked: false, algorithm: None, file: file.clone() }).await.unwrap();
        std::fs::remove_file(folder.path().join("master.key")).unwrap();
        let asked = RotateKeys { leaked: true, algorithm: None, file };
        let refusal = rotate(&asked).await.unwrap_err().to_string();
        assert!(refusal.contains("master.key: is missing"), "{refusal}");
    }
}
