//! The audit trail over the years (SEC-78): that whoever changes it is found out, and how it is shortened.
//!
//! Appending must stay cheap and must not make nodes wait for each other, so records are not chained as they are written.
//! Instead some node now and then takes a [`Checkpoint`] of the records that nobody can still be writing: how many there
//! are, and a keyed hash of every word of them and of the checkpoint before. Whoever can write to the database but lacks the
//! master key cannot make one, so [`verify`] tells a record that was changed, removed or slipped in, and a checkpoint that
//! is missing, up to the newest checkpoint. What came after it is not covered yet; and whoever removes the newest
//! checkpoints with their records leaves a shorter chain that is whole, which is why each is told in the log: [`verify`]
//! says whether the chain still has that one.
//!
//! Shortening goes by whole checkpoints that are as they were, and leaves a [`Trimmed`] behind, which nobody can make without
//! the master key either.

use async_trait::async_trait;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use crate::audit::AuditEvent;
use crate::records::StoreError;
use crate::seal::Sealer;
use crate::secret::SecretHash;

/// What a checkpoint's hash is made of: the format's number. Another column of the trail is another format.
const FORMAT: i64 = 1;

/// Most records that one checkpoint covers; a backlog becomes several.
pub const MOST_COVERED: u32 = 2_000;

/// A record and its place in the trail. Numbers rise and may have gaps.
pub type Numbered = (i64, AuditEvent);

/// What one moment says of a stretch of the trail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of the last record before the stretch; 0 for the first one.
    pub after: i64,
    /// The number of its last record.
    pub last: i64,
    /// How many records it has.
    pub events: u64,
    /// The latest time that one of them has, UTC, in milliseconds.
    pub newest_at: Timestamp,
    /// What the hash is made of.
    pub format: i64,
    /// The hash of the checkpoint before.
    pub previous: SecretHash,
    /// The keyed hash of all this and of every record of the stretch.
    pub hash: SecretHash,
}

/// Up to where the trail was shortened on purpose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trimmed {
    /// The number of the last record that went.
    pub last: i64,
    /// The hash of the checkpoint that covered it.
    pub checkpoint: SecretHash,
    /// The keyed hash of both.
    pub hash: SecretHash,
}

/// The audit trail of one installation, as it is looked after. Appending to it is [`Records::record`].
///
/// [`Records::record`]: crate::records::Records::record
#[async_trait]
pub trait Trail: Send + Sync + std::fmt::Debug {
    /// The number of the newest record; 0 if there is none.
    async fn newest_record(&self) -> Result<i64, StoreError>;
    /// The records after the number `after`, up to and including `until`, in their order, at most `limit`.
    async fn records_between(&self, after: i64, until: i64, limit: u32) -> Result<Vec<Numbered>, StoreError>;
    /// The newest checkpoint.
    async fn newest_checkpoint(&self) -> Result<Option<Checkpoint>, StoreError>;
    /// The checkpoints of what comes after the number `after`, in their order, at most `limit`.
    async fn checkpoints_after(&self, after: i64, limit: u32) -> Result<Vec<Checkpoint>, StoreError>;
    /// Adds a checkpoint, unless another node took one of the same stretch's beginning: then nothing is written, and the
    /// answer is `false`.
    async fn add_checkpoint(&self, checkpoint: &Checkpoint) -> Result<bool, StoreError>;
    /// Up to where it was shortened.
    async fn trimmed(&self) -> Result<Option<Trimmed>, StoreError>;
    /// Says that the trail is shortened, and removes the checkpoints up to there, in one transaction; then the records, some
    /// at a time. Whatever is left behind by a process that died goes with the next call. Returns how many records went. What
    /// was shortened further already stays so.
    async fn trim(&self, to: &Trimmed) -> Result<u64, StoreError>;
}

/// Takes the next checkpoint of the records up to the number `until`. Whoever calls it knows that nobody is still writing a
/// record of a lower number. `None` if there is nothing more to cover, or another node was faster.
///
/// # Errors
/// [`StoreError`], also [`StoreError::Corrupt`] for a record of a later version.
pub async fn cover(trail: &dyn Trail, sealer: &Sealer, until: i64) -> Result<Option<Checkpoint>, StoreError> {
    let (after, previous) = end_of_chain(trail).await?;
    let records = trail.records_between(after, until, MOST_COVERED).await?;
    let Some((last, _)) = records.last() else { return Ok(None) };
    let mut checkpoint = Checkpoint {
        after,
        last: *last,
        events: records.len() as u64,
        newest_at: newest_of(&records),
        format: FORMAT,
        previous,
        hash: previous,
    };
    checkpoint.hash = checkpoint.hash_over(&records, sealer);
    Ok(trail.add_checkpoint(&checkpoint).await?.then_some(checkpoint))
}

/// Where the next checkpoint begins, and which hash it follows.
async fn end_of_chain(trail: &dyn Trail) -> Result<(i64, SecretHash), StoreError> {
    if let Some(newest) = trail.newest_checkpoint().await? {
        return Ok((newest.last, newest.hash));
    }
    Ok(beginning(trail.trimmed().await?.as_ref()))
}

fn beginning(trimmed: Option<&Trimmed>) -> (i64, SecretHash) {
    trimmed.map_or((0, SecretHash::from_digest([0; 32])), |trimmed| (trimmed.last, trimmed.checkpoint))
}

/// Removes records that a checkpoint covers and that are all older than `horizon`, of `most` checkpoints at once. Returns how
/// many went. What somebody has changed is not removed: the answer is then what is wrong, and all stays as it is.
///
/// # Errors
/// [`StoreError`].
pub async fn trim(
    trail: &dyn Trail,
    sealer: &Sealer,
    horizon: Timestamp,
    most: u32,
) -> Result<Result<u64, Damage>, StoreError> {
    let before = trail.trimmed().await?;
    if let Some(forged) = before.as_ref().and_then(|before| before.forgery(sealer)) {
        return Ok(Err(forged));
    }
    let (mut after, mut previous) = beginning(before.as_ref());
    let mut over = None;
    for checkpoint in trail.checkpoints_after(after, most).await? {
        // Its time counts only if the rest of it does: that is looked at before anything goes.
        if checkpoint.newest_at >= horizon {
            break;
        }
        if let Some(damage) = damage_of(trail, sealer, &checkpoint, (after, previous)).await?.pop() {
            // Unless another node shortens it just now: then this one has nothing to do.
            let is_under_way = trail.trimmed().await? != before;
            return Ok(if is_under_way { Ok(0) } else { Err(damage) });
        }
        (after, previous) = (checkpoint.last, checkpoint.hash);
        over = Some(Trimmed::at(&checkpoint, sealer));
    }
    match over.or(before) {
        Some(to) => Ok(Ok(trail.trim(&to).await?)),
        None => Ok(Ok(0)),
    }
}

/// Checkpoints read at once.
const PAGE: u32 = 500;

/// What [`verify`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Up to where it was shortened on purpose; 0 if it never was.
    pub trimmed: i64,
    /// How many checkpoints there are.
    pub checkpoints: u64,
    /// How many records they cover.
    pub covered: u64,
    /// The newest checkpoint.
    pub newest: Option<Checkpoint>,
    /// How many records are newer than it.
    pub uncovered: u64,
    /// What is not as it was, in the trail's order.
    pub damage: Vec<Damage>,
    /// Whether a checkpoint has the hash that was asked for, or begins like it; `None` where none was asked for.
    pub has_wanted: Option<bool>,
}

/// Something about the trail is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// There are fewer or more records than there were.
    #[error(
        "records {after} to {last}: {found} are there, the checkpoint counted {counted}: removed or slipped in"
    )]
    Count {
        /// The record before the stretch.
        after: i64,
        /// Its last one.
        last: i64,
        /// What the checkpoint says.
        counted: u64,
        /// What is there.
        found: u64,
    },
    /// A record, or the checkpoint itself, was changed.
    #[error("records {after} to {last}: changed since the checkpoint, or it belongs to another master key")]
    Changed {
        /// The record before the stretch.
        after: i64,
        /// Its last one.
        last: i64,
    },
    /// A record cannot be read.
    #[error("records {after} to {last}: {what}")]
    Unreadable {
        /// The record before the stretch.
        after: i64,
        /// Its last one.
        last: i64,
        /// Which one, and what is wrong with it.
        what: String,
    },
    /// The next checkpoint does not follow the one before.
    #[error(
        "after record {after}: the checkpoint that should follow is missing or was replaced; the next one begins at \
         {next}"
    )]
    Gap {
        /// Where the chain stops.
        after: i64,
        /// Where it goes on.
        next: i64,
    },
    /// What says that the trail was shortened was not said by this installation.
    #[error(
        "the trail begins after record {last}, but what says that it was shortened up to there is forged"
    )]
    ForgedTrim {
        /// Up to where.
        last: i64,
    },
}

/// Compares the trail with its checkpoints. `wanted` is the beginning of a checkpoint's [text](Checkpoint::text) that a log
/// or somebody's notebook has.
///
/// # Errors
/// [`StoreError`] when it cannot be read at all.
pub async fn verify(
    trail: &dyn Trail,
    sealer: &Sealer,
    wanted: Option<&str>,
) -> Result<Verified, StoreError> {
    let mut verified = Verified { has_wanted: wanted.map(|_| false), ..Verified::default() };
    // What is appended meanwhile does not count.
    let end = trail.newest_record().await?;
    let trimmed = trail.trimmed().await?;
    verified.trimmed = trimmed.as_ref().map_or(0, |trimmed| trimmed.last);
    verified.damage.extend(trimmed.as_ref().and_then(|trimmed| trimmed.forgery(sealer)));
    let (mut after, mut previous) = beginning(trimmed.as_ref());
    loop {
        let page = trail.checkpoints_after(after, PAGE).await?;
        if page.is_empty() {
            break;
        }
        for checkpoint in page {
            verified.damage.extend(damage_of(trail, sealer, &checkpoint, (after, previous)).await?);
            verified.checkpoints += 1;
            verified.covered += checkpoint.events;
            if let (Some(wanted), Some(has)) = (wanted, &mut verified.has_wanted) {
                *has |= checkpoint.text().starts_with(wanted);
            }
            (after, previous) = (checkpoint.last, checkpoint.hash);
            verified.newest = Some(checkpoint);
        }
    }
    loop {
        let newer = trail.records_between(after, end, MOST_COVERED).await?;
        let Some((last, _)) = newer.last() else { break };
        after = *last;
        verified.uncovered += newer.len() as u64;
    }
    excuse_trimming(trail, sealer, &mut verified).await?;
    Ok(verified)
}

/// What a node has shortened while it was looked at is no damage.
async fn excuse_trimming(
    trail: &dyn Trail,
    sealer: &Sealer,
    verified: &mut Verified,
) -> Result<(), StoreError> {
    let Some(trimmed) = trail.trimmed().await? else { return Ok(()) };
    if trimmed.last > verified.trimmed && trimmed.forgery(sealer).is_none() {
        verified.trimmed = trimmed.last;
        verified.damage.retain(|damage| damage.end() > trimmed.last);
    }
    Ok(())
}

/// Whether a checkpoint follows the one that ended at `after` with the hash `previous`, and its records are as they were.
async fn damage_of(
    trail: &dyn Trail,
    sealer: &Sealer,
    checkpoint: &Checkpoint,
    (after, previous): (i64, SecretHash),
) -> Result<Vec<Damage>, StoreError> {
    let is_next = checkpoint.after == after && checkpoint.previous == previous;
    let gap = (!is_next).then_some(Damage::Gap { after, next: checkpoint.after });
    let changed = look_at(trail, sealer, checkpoint).await?;
    Ok(gap.into_iter().chain(changed).collect())
}

async fn look_at(
    trail: &dyn Trail,
    sealer: &Sealer,
    checkpoint: &Checkpoint,
) -> Result<Option<Damage>, StoreError> {
    let Checkpoint { after, last, events: counted, .. } = *checkpoint;
    // One more than a checkpoint covers at most: what was slipped in is counted, not read to its end.
    let records = match trail.records_between(after, last, MOST_COVERED + 1).await {
        Ok(records) => records,
        Err(StoreError::Corrupt { key, what, .. }) => {
            return Ok(Some(Damage::Unreadable {
                after,
                last,
                what: format!("{key} cannot be read: {what}"),
            }));
        }
        Err(error) => return Err(error),
    };
    let found = records.len() as u64;
    if found != counted {
        return Ok(Some(Damage::Count { after, last, counted, found }));
    }
    let is_whole = checkpoint.format == FORMAT && checkpoint.hash == checkpoint.hash_over(&records, sealer);
    Ok((!is_whole).then_some(Damage::Changed { after, last }))
}

impl Checkpoint {
    /// Its hash as the log has it, 43 characters of base64url.
    #[must_use]
    pub fn text(&self) -> String {
        self.hash.to_text()
    }

    fn hash_over(&self, records: &[Numbered], sealer: &Sealer) -> SecretHash {
        let Self { after, last, events, newest_at, format, previous, hash: _ } = self;
        let (newest_at, previous) = (newest_at.as_millisecond(), previous.to_text());
        let words = SecretHash::from_digest(digest(records)).to_text();
        sealer.keyed_hash(
            &format!("{format} {after} {last} {events} {newest_at} {previous} {words}"),
            "audit_checkpoints/hash",
        )
    }
}

impl Damage {
    /// The number of the last record that it is about.
    fn end(&self) -> i64 {
        match self {
            Self::Count { last, .. }
            | Self::Changed { last, .. }
            | Self::Unreadable { last, .. }
            | Self::ForgedTrim { last } => *last,
            Self::Gap { next, .. } => *next,
        }
    }
}

impl Trimmed {
    /// What is wrong if nobody who has the master key said so.
    fn forgery(&self, sealer: &Sealer) -> Option<Damage> {
        (self.hash != self.keyed_hash(sealer)).then_some(Damage::ForgedTrim { last: self.last })
    }

    /// Shortened up to the end of what `checkpoint` covers.
    fn at(checkpoint: &Checkpoint, sealer: &Sealer) -> Self {
        let unsigned = Self { last: checkpoint.last, checkpoint: checkpoint.hash, hash: checkpoint.hash };
        Self { hash: unsigned.keyed_hash(sealer), ..unsigned }
    }

    fn keyed_hash(&self, sealer: &Sealer) -> SecretHash {
        let said = format!("{} {}", self.last, self.checkpoint.to_text());
        sealer.keyed_hash(&said, "audit_trimmed/hash")
    }
}

fn newest_of(records: &[Numbered]) -> Timestamp {
    records.iter().map(|(_, event)| event.at).max().unwrap_or(Timestamp::UNIX_EPOCH)
}

/// SHA-256 of every word of `records`, each behind its length, so that no two trails are the same bytes.
fn digest(records: &[Numbered]) -> [u8; 32] {
    let mut all = Sha256::new();
    for (number, event) in records {
        let AuditEvent { at, kind, ticket, client, user, other, channel, address, device } = event;
        all.update(number.to_be_bytes());
        all.update(at.as_millisecond().to_be_bytes());
        let words = [
            Some(kind.as_str()),
            ticket.as_deref(),
            client.as_ref().map(|client| client.as_str()),
            user.as_ref().map(|user| user.as_str()),
            other.as_ref().map(|other| other.as_str()),
            channel.as_ref().map(|channel| channel.as_str()),
            address.as_deref(),
            device.as_deref(),
        ];
        for word in words {
            match word {
                // No word is as long as this.
                None => all.update(u64::MAX.to_be_bytes()),
                Some(word) => {
                    all.update((word.len() as u64).to_be_bytes());
                    all.update(word);
                }
            }
        }
    }
    all.finalize().into()
}
