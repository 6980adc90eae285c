//! Browsers that wait: how soon an approval reaches them, and how much memory each holds.

use std::cell::RefCell;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::http::{Connection, Events};
use super::load;
use super::login::{Browser, Party, Way, approve};
use super::process::Server;

/// Longer than the 15 seconds between two keep-alive comments, so that each stream has written one.
const SETTLING: Duration = Duration::from_secs(17);
/// Source addresses of waiting browsers: few enough ports and places for each.
const ADDRESSES: usize = 20;
/// Phones that answer at once when as many approvals are sent as the server takes.
const PHONES: usize = 16;

/// Times of one approval, from the moment the phone's request is sent.
#[derive(Debug, Clone, Copy)]
pub struct Reached {
    /// Until the waiting browser has read the event.
    pub event: Duration,
    /// Until the phone has its answer.
    pub answer: Duration,
}

/// Memory of a server with many browsers waiting, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// How many wait.
    pub browsers: usize,
    /// Before they came.
    pub before: u64,
    /// With their tickets, before they opened their streams.
    pub with_tickets: u64,
    /// With their streams.
    pub waiting: u64,
}

impl Memory {
    /// What one open socket or stream adds.
    pub fn per_stream(&self) -> f64 {
        self.waiting.saturating_sub(self.with_tickets) as f64 / self.browsers as f64
    }

    /// What one waiting browser adds: its ticket and its stream.
    pub fn per_browser(&self) -> f64 {
        self.waiting.saturating_sub(self.before) as f64 / self.browsers as f64
    }
}

fn watch_from(server: &Server, number: usize) -> Connection {
    let last = 1 + (number % ADDRESSES) as u8;
    Connection::from(server.address, Ipv4Addr::new(127, 0, 1, last))
}

async fn open(
    parties: Vec<Party>,
    server: &Server,
    browsers: Vec<Browser>,
    way: Way,
) -> anyhow::Result<(Vec<Party>, Vec<Events>)> {
    let address = server.address;
    let browsers = Rc::new(browsers);
    let connections: RefCell<Vec<Option<Connection>>> =
        RefCell::new((0..browsers.len()).map(|number| Some(watch_from(server, number))).collect());
    load::make(parties, browsers.len(), async move |_, number| {
        let connection = connections.borrow_mut()[number].take().unwrap_or_else(|| Connection::new(address));
        let (request, status) = browsers[number].watch_request(address, way);
        Ok((number, connection.open_events(&request, status).await?))
    })
    .await
    .map(|(parties, mut numbered)| {
        // As the browsers were given.
        numbered.sort_by_key(|(number, _)| *number);
        (parties, numbered.into_iter().map(|(_, events)| events).collect())
    })
}

/// How fast approvals are sent.
#[derive(Debug, Clone, Copy)]
pub enum Pace {
    /// Evenly over this time, whatever the answers take.
    Steady(Duration),
    /// As fast as a few phones get their answers.
    Saturated,
}

/// Browsers that only wait.
///
/// # Errors
/// When a login does not begin or a socket does not open.
pub async fn bystanders(
    parties: Vec<Party>,
    server: &Server,
    count: usize,
) -> anyhow::Result<(Vec<Party>, Vec<Events>)> {
    let (parties, waiting) =
        load::make(parties, count, async |party: &mut Party, _| party.begin().await).await?;
    open(parties, server, waiting, Way::Socket).await
}

/// Approves `count` scanned tickets at one node; each one's browser waits on a socket of `server`, which may be another.
///
/// # Errors
/// When a login step fails or an event does not come.
pub async fn approvals(
    parties: Vec<Party>,
    server: &Server,
    approved_at: SocketAddr,
    count: usize,
    pace: Pace,
) -> anyhow::Result<(Vec<Party>, Vec<Reached>)> {
    let address = approved_at;
    let (parties, scanned) = load::make(parties, count, async move |party: &mut Party, _| {
        let browser = party.begin().await?;
        let number = party.read_number(&browser).await?;
        let phone = party.scan(&browser).await?;
        Ok((browser, phone.approval(address, &number)))
    })
    .await?;
    let (browsers, approvals): (Vec<_>, Vec<_>) = scanned.into_iter().unzip();
    let (parties, streams) = open(parties, server, browsers, Way::Socket).await?;
    let phones: Rc<RefCell<Vec<Connection>>> = Rc::default();
    let turn = Rc::new(tokio::sync::Semaphore::new(match pace {
        Pace::Steady(_) => count.max(1),
        Pace::Saturated => PHONES,
    }));
    let begun = Instant::now() + Duration::from_millis(500);
    let mut tasks = JoinSet::new();
    for (number, (mut stream, approval)) in streams.into_iter().zip(approvals).enumerate() {
        let phones = Rc::clone(&phones);
        let turn = Rc::clone(&turn);
        tasks.spawn_local(async move {
            if let Pace::Steady(length) = pace {
                sleep_until(begun + length.mul_f64(number as f64 / count as f64)).await;
            }
            let _turn = turn.acquire().await?;
            let mut phone = phones.borrow_mut().pop().unwrap_or_else(|| Connection::new(address));
            let sent = Instant::now();
            let (event, answer) = tokio::join!(
                async { stream.wait_for("\"approved\"").await.map(|()| sent.elapsed()) },
                async { approve(&mut phone, &approval).await.map(|()| sent.elapsed()) },
            );
            phones.borrow_mut().push(phone);
            anyhow::Ok(Reached { event: event?, answer: answer? })
        });
    }
    let mut reached = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        reached.push(ended??);
    }
    Ok((parties, reached))
}

/// Lets `count` browsers wait at once.
///
/// # Errors
/// When a stream does not open.
pub async fn memory(parties: Vec<Party>, server: &Server, count: usize, way: Way) -> anyhow::Result<Memory> {
    let resident = || server.running.resident_bytes();
    // What is made once, with the first visitors, is nobody's memory.
    let (parties, _) =
        load::make(parties, 200, async |party: &mut Party, _| party.whole_login().await).await?;
    let before = resident()?;
    let (parties, browsers) =
        load::make(parties, count, async |party: &mut Party, _| party.begin().await).await?;
    let with_tickets = resident()?;
    let (_parties, held) = open(parties, server, browsers, way).await?;
    sleep(SETTLING).await;
    let waiting = resident()?;
    Ok(Memory { browsers: held.len(), before, with_tickets, waiting })
}

/// The value below which `share` of all lie; `values` is sorted here.
pub fn percentile(values: &mut [Duration], share: f64) -> Duration {
    values.sort_unstable();
    let index = (values.len() as f64 * share).ceil() as usize;
    values.get(index.saturating_sub(1)).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let mut values: Vec<_> = (1..=100).rev().map(Duration::from_millis).collect();
        assert_eq!(percentile(&mut values, 0.5), Duration::from_millis(50));
        assert_eq!(percentile(&mut values, 0.99), Duration::from_millis(99));
        assert_eq!(percentile(&mut [], 0.99), Duration::ZERO);
    }

    #[test]
    fn memory_is_shared_out_among_the_browsers() {
        let memory = Memory { browsers: 10, before: 1_000, with_tickets: 3_000, waiting: 13_000 };
        assert_eq!((memory.per_stream(), memory.per_browser()), (1_000.0, 1_200.0));
    }
}
