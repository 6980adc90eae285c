//! `mashang doctor`: what people would meet who sign in now.

use anyhow::bail;
use mashang_server::config::Config;
use mashang_server::doctor::{self, Finding, Health};
use mashang_server::open::{self, Installation, Surroundings};
use mashang_server::state::App;
use tempfile::TempDir;

use crate::args::ConfigFile;

/// Looks at everything that a login needs, and prints a line for each.
///
/// # Errors
/// What keeps the server from starting; how many things are ill.
pub async fn run(file: &ConfigFile) -> anyhow::Result<()> {
    let config = file.load()?;
    let mut ill = 0;
    let mut tell = |finding: Finding| {
        ill += usize::from(finding.health == Health::Ill);
        say!("{}", line(&finding));
    };
    doctor::configuration(&config, &mut tell);
    match open::installation(&config, Surroundings::default()).await? {
        Installation::Started(app) => {
            if let Some(doubt) =
                open::sandbox_remains(&*app.records).await?.filter(|_| !config.sandbox.enabled)
            {
                tell(Finding::new("store.url", Health::Doubtful, doubt));
            }
            doctor::ours(&app, &mut tell).await;
            doctor::channels(&app, &mut tell).await;
        }
        Installation::NotStarted(why) => {
            let said = format!("{why}: store, tickets and server.public_url were not looked at");
            tell(Finding::new("store.url", Health::Doubtful, said));
            let (app, _folder) = elsewhere(config).await?;
            doctor::channels(&app, &mut tell).await;
        }
    }
    match ill {
        0 => Ok(()),
        1 => bail!("one thing is wrong"),
        several => bail!("{several} things are wrong"),
    }
}

/// With a store of its own: a first start is the server's, whose user the files must belong to.
async fn elsewhere(mut config: Config) -> anyhow::Result<(App, TempDir)> {
    let folder = tempfile::tempdir()?;
    config.store.url = format!("sqlite:{}", folder.path().join("doctor.db").display());
    config.store.master_key_file = folder.path().join("doctor.key");
    config.tickets.url = "memory:".to_owned();
    Ok((open::app(&config, Surroundings::default()).await?, folder))
}

fn line(finding: &Finding) -> String {
    let sign = match finding.health {
        Health::Well => "ok  ",
        Health::Doubtful => "note",
        Health::Ill => "ILL ",
    };
    // What a platform or a proxy said must not write on the operator's terminal.
    let said: String = finding.said.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{sign}  {}: {said}", finding.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_whatever_somebody_said() {
        let said = Finding::new("channel.wechat", Health::Ill, "no\n\u{1b}[2Jok  channel.wechat: fine");
        assert_eq!(line(&said), "ILL   channel.wechat: no  [2Jok  channel.wechat: fine");
    }
}
