//! `mashang user merge` and `mashang user unmerge`: the only ways two people become one, or two again.

use anyhow::bail;
use mashang_login::Clock;
use mashang_login::accounts::{MergePreview, Undone};
use mashang_login::ambient::{SystemClock, SystemEntropy};
use mashang_login::ids::MergeId;
use mashang_server::open;

use super::{identity, named, user_id};
use crate::args::{MergeUsers, Unmerge};

pub(super) async fn merge(asked: &MergeUsers) -> anyhow::Result<()> {
    let (from, into) = (user_id(&asked.from)?, user_id(&asked.into)?);
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    let now = SystemClock.now();
    tell(&records.merge_preview(&from, &into, now).await??);
    if !asked.yes {
        say!("\nNothing has been changed. To do it, run the same with --yes");
        return Ok(());
    }
    // The store writes the audit record in the same transaction.
    let merge = records.merge_users(&MergeId::random(&SystemEntropy), &from, &into, now).await??;
    say!("\nDone. To undo it: mashang user unmerge {}", merge.id);
    Ok(())
}

fn tell(preview: &MergePreview) {
    let MergePreview { from, into, identities, sessions, clients } = preview;
    say!("{} becomes {}:", named(from), named(into));
    for one in identities {
        say!("  {} will lead there", identity::name(one, identities));
    }
    say!("  {sessions} browsers will be signed out");
    if clients.is_empty() {
        say!("  no website has met {} lately", from.id);
    }
    for client in clients {
        say!(
            "  {client} knows {}, and will meet {} instead: what it keeps for the former stays there",
            from.id,
            into.id
        );
    }
}

pub(super) async fn unmerge(asked: &Unmerge) -> anyhow::Result<()> {
    let Ok(id) = asked.merge.parse::<MergeId>() else {
        bail!("that is no id of a merge; `mashang user show` shows them")
    };
    let config = asked.file.load()?;
    let records = open::records(&config).await?;
    match records.undo_merge(&id, SystemClock.now()).await? {
        Undone::Done { merge, identities } => {
            say!("{} is a person again, with {} ways to sign in", merge.from, identities.len());
            if identities.is_empty() {
                say!("None was still with {}, so nobody can sign in as {} now", merge.into, merge.from);
            }
            Ok(())
        }
        Undone::Unknown => bail!("there is no merge {id}"),
        Undone::Before => bail!("that merge was undone before"),
        Undone::MergedFurther(into) => {
            bail!("the person who stayed was merged into {into} later; undo that first")
        }
        Undone::Disabled(into) => {
            bail!(
                "{into}, who stayed, is switched off, and by undoing whoever is locked out would come back; if they \
                 may, `mashang user enable {into}` first"
            )
        }
    }
}
