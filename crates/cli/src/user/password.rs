//! `mashang user add` and `mashang user password`: people who sign in by name and password, and their passwords.

use std::io::IsTerminal as _;
use std::path::Path;

use anyhow::{Context, bail};
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::audit::{AuditEvent, AuditKind};
use mashang_login::credentials::{NewPassword, NewUser, SetPassword, Username, password_key};
use mashang_login::identity::{ChannelKind, clean_name};
use mashang_login::ids::{ChannelId, UserId};
use mashang_login::records::Records;
use mashang_login::{Clock, Entropy};
use mashang_server::channel::password::fitness::{LONGEST, SHORTEST};
use mashang_server::channel::password::hasher::Hasher;
use mashang_server::channel::password::{Unfit, fitness};
use mashang_server::config::Config;
use mashang_server::open::{self, Tables};

use super::{named, user_id};
use crate::args::{AddUser, PasswordSource, SetPassword as AskedPassword};
use crate::config::tell_if_nobody_served;

pub(super) async fn add(asked: &AddUser) -> anyhow::Result<()> {
    let config = asked.file.load()?;
    let channel = channel(&config)?;
    let nickname = match &asked.name {
        Some(name) => Some(clean_name(name).context("--name: there is nothing to show in this name")?),
        None => None,
    };
    let password = Secret::read(&asked.password)?;
    let username = checked(&asked.username, &password.text)?;
    let (records, credentials) = open::people_with(&config, Tables::MadeIfNone).await?;
    let user = NewUser { id: UserId::random(&SystemEntropy), nickname };
    let new = new_password(user.id.clone(), channel, username, &password).await?;
    let now = SystemClock.now();
    match credentials.create_user_with_password(&user, &new, now).await? {
        SetPassword::Done => {}
        SetPassword::UsernameTaken => bail!("--username: {} belongs to somebody else", new.username),
        SetPassword::NoSuchUser | SetPassword::SessionOver => bail!("nobody was created"),
    }
    for kind in [AuditKind::UserCreated, AuditKind::PasswordSet] {
        record(&*records, kind, &new).await?;
    }
    say!("{} can sign in as {}", user.id, new.username);
    password.tell();
    tell_if_nobody_served(&config, &*records).await
}

pub(super) async fn set(asked: &AskedPassword) -> anyhow::Result<()> {
    let config = asked.file.load()?;
    let channel = channel(&config)?;
    let (records, credentials) = open::people(&config).await?;
    let former = match (&asked.username, &asked.id) {
        (Some(name), _) => {
            let name = username(name)?;
            let found = credentials.password_by_username(&name).await?;
            Some(found.with_context(|| format!("nobody signs in as {name}"))?)
        }
        (None, Some(id)) => credentials.password_of(&user_id(id)?).await?,
        (None, None) => bail!("say whose password, by --username or --id"),
    };
    let user = match (&former, &asked.id) {
        (Some(former), _) => former.user.clone(),
        (None, Some(id)) => user_id(id)?,
        (None, None) => bail!("say whose password, by --username or --id"),
    };
    let Some(person) = records.user(&user).await? else { bail!("there is no person {user}") };
    let name = match (&asked.new_username, &former) {
        (Some(name), _) => name.clone(),
        (None, Some(former)) => former.username.to_string(),
        (None, None) => {
            bail!("{} has no name to sign in by yet; give one with --new-username", named(&person))
        }
    };
    let password = Secret::read(&asked.password)?;
    let username = checked(&name, &password.text)?;
    let new = new_password(user, channel, username, &password).await?;
    match credentials.set_password(&new, SystemClock.now()).await? {
        SetPassword::Done => {}
        SetPassword::UsernameTaken => bail!("{} belongs to somebody else", new.username),
        SetPassword::NoSuchUser | SetPassword::SessionOver => {
            bail!("{} was merged into somebody else; set the password there", named(&person))
        }
    }
    record(&*records, AuditKind::PasswordSet, &new).await?;
    let ended =
        if former.is_some() { "; whatever was signed in by the former password is signed out" } else { "" };
    say!("{} signs in as {}{ended}", named(&person), new.username);
    password.tell();
    Ok(())
}

/// A password on its way in; one that was made up is printed once.
struct Secret {
    text: String,
    is_made_up: bool,
}

impl Secret {
    fn read(source: &PasswordSource) -> anyhow::Result<Self> {
        if source.generate {
            return Ok(Self { text: made_up(&SystemEntropy), is_made_up: true });
        }
        let text = match &source.password_file {
            Some(path) if path == Path::new("-") => first_line(std::io::stdin().lock())?,
            Some(path) => {
                let file = std::fs::File::open(path)
                    .with_context(|| format!("--password-file: {}", path.display()))?;
                first_line(std::io::BufReader::new(file))?
            }
            None if std::io::stdin().is_terminal() => asked_for()?,
            None => bail!(
                "there is no terminal to ask on; use --password-file FILE, --password-file - or --generate"
            ),
        };
        Ok(Self { text, is_made_up: false })
    }

    fn tell(&self) {
        if self.is_made_up {
            say!("password: {}", self.text);
            say!("This is the only time it is shown.");
        }
    }
}

fn first_line(mut from: impl std::io::BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    from.read_line(&mut line).context("the password cannot be read")?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn asked_for() -> anyhow::Result<String> {
    let first = rpassword::prompt_password("Password: ")?;
    let second = rpassword::prompt_password("Once more: ")?;
    if first != second {
        bail!("the two are not the same; nothing was changed");
    }
    Ok(first)
}

/// Four times five letters and digits that nobody confuses: 100 bits, and still to be typed from a piece of paper.
pub(crate) fn made_up(entropy: &dyn Entropy) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut bytes = [0; 20];
    entropy.fill(&mut bytes);
    let letters: Vec<char> = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect();
    letters.chunks(5).map(String::from_iter).collect::<Vec<_>>().join("-")
}

fn username(text: &str) -> anyhow::Result<Username> {
    Ok(Username::parse(text)?)
}

fn checked(name: &str, password: &str) -> anyhow::Result<Username> {
    fitness::check(name, password).map_err(|unfit| match unfit {
        Unfit::Name => anyhow::anyhow!("a user name is 2 to 64 letters, digits or . _ - @"),
        Unfit::NameTaken => anyhow::anyhow!("the name belongs to somebody else"),
        Unfit::TooShort => anyhow::anyhow!("a password has at least {SHORTEST} characters"),
        Unfit::TooLong => anyhow::anyhow!("a password has at most {LONGEST} characters"),
        Unfit::IsName => anyhow::anyhow!("the password must not be the user name"),
        Unfit::Common => anyhow::anyhow!("this password is among those that everybody tries first"),
    })
}

/// Passwords belong to the channel that asks for them.
fn channel(config: &Config) -> anyhow::Result<ChannelId> {
    let mut passwords = config.channel.iter().filter(|(_, section)| section.kind() == ChannelKind::Password);
    let Some((id, _)) = passwords.next() else {
        bail!(
            "no channel asks for a password; add to the configuration:\n\n[channel.password]\nkind = \"password\""
        )
    };
    Ok(id.clone())
}

async fn new_password(
    user: UserId,
    channel: ChannelId,
    username: Username,
    password: &Secret,
) -> anyhow::Result<NewPassword> {
    let hash = Hasher::default().hash(&password.text, &SystemEntropy).await?;
    let key = password_key(&SystemEntropy);
    Ok(NewPassword { key, user, channel, username, is_assigned: true, hash, keep: None })
}

async fn record(records: &dyn Records, kind: AuditKind, new: &NewPassword) -> anyhow::Result<()> {
    let mut event = AuditEvent::new(SystemClock.now(), kind);
    event.user = Some(new.user.clone());
    event.channel = Some(new.channel.clone());
    Ok(records.record(&event).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_passwords_are_fit_to_be_set_and_easy_to_type() {
        let (one, two) = (made_up(&SystemEntropy), made_up(&SystemEntropy));
        assert_ne!(one, two);
        assert!(fitness::check("ada", &one).is_ok());
        assert!(!one.contains(['l', 'o', '0', '1']), "{one}");
        assert_eq!(one.len(), 23);
    }

    #[test]
    fn a_file_gives_its_first_line() {
        assert_eq!(first_line("correct horse \r\nmore\n".as_bytes()).unwrap(), "correct horse ");
        assert_eq!(first_line("battery".as_bytes()).unwrap(), "battery");
    }
}
