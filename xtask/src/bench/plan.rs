//! What is measured, in which order, how long.
//!
//! Rates are taken in rounds, yardstick first in each: a machine that is busy with something else for a second then
//! disturbs one round and not the ratio, and the middle round is reported.

use std::cell::RefCell;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use tokio::task::LocalSet;
use tokio::time::sleep;

use super::Options;
use super::http::{Connection, request};
use super::load::{self, Load, median};
use super::login::{Browser, Course, Party, Site, Step, Way};
use super::machine::{Machine, raise_open_files};
use super::parts::Parts;
use super::process::{Engines, Installation, Server, start_hello, start_provider, start_sandbox};
use super::report::{self, Figures, Kind, Nodes, Rate, Waking};
use super::waiting::{self, Memory, Pace};
use super::{history, plot, yardstick};

/// Visitors at once in every rate.
pub const VISITORS: usize = 64;
/// Signing algorithm of the usual client, and the fast one.
const ALGORITHMS: [&str; 2] = ["RS256", "EdDSA"];
const PEOPLE: usize = 200;

/// Sizes of a run.
struct Scale {
    rounds: usize,
    rate: Duration,
    /// Logins that go forward together, for what each of their requests costs.
    logins: usize,
    approvals: usize,
    approving: Duration,
    /// Approvals as fast as they are answered.
    saturated: usize,
    /// Browsers that only wait meanwhile, and for their memory, if the open-file limit allows.
    waiting: usize,
    /// The same, of the way that is fallen back to.
    streaming: usize,
    starts: usize,
}

impl Scale {
    fn of(options: Options) -> Self {
        let ms = Duration::from_millis;
        if options.quick {
            Self {
                rounds: 1,
                rate: ms(300),
                logins: 100,
                approvals: 100,
                approving: ms(800),
                saturated: 100,
                waiting: 1_000,
                streaming: 500,
                starts: 1,
            }
        } else {
            Self {
                rounds: 3,
                rate: ms(3_000),
                logins: 2_000,
                approvals: 4_000,
                approving: ms(4_000),
                saturated: 2_000,
                waiting: 50_000,
                streaming: 10_000,
                starts: 5,
            }
        }
    }
}

/// Measures everything and reports it.
///
/// # Errors
/// When a program does not start or a request fails.
pub fn run(program: &Path, options: Options) -> anyhow::Result<()> {
    let target = program.parent().and_then(Path::parent).context("the program is not in a target folder")?;
    // On the target folder's disk: /tmp may be memory, where a commit costs nothing.
    let folder = tempfile::Builder::new().prefix("bench-").tempdir_in(target)?;
    // One thread for the generator; the servers take what is left.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if options.rates {
        println!("{}", LocalSet::new().block_on(&runtime, measure_rates(program, folder.path(), options))?);
        return Ok(());
    }
    let figures = LocalSet::new().block_on(&runtime, measure(program, folder.path(), options))?;
    let tables = report::tables(&figures);
    println!("{tables}");
    if options.write {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let earlier = history::append(&docs.join("performance-history.jsonl"), &figures)?;
        report::write(&docs.join("performance.md"), &format!("{tables}\n{}", plot::LINKS))?;
        plot::write(&docs.join("images"), &figures, &earlier)?;
    }
    Ok(())
}

/// Requests and logins alone, for whoever makes them faster.
async fn measure_rates(program: &Path, folder: &Path, options: Options) -> anyhow::Result<String> {
    let scale = Scale::of(options);
    let sandbox = start_sandbox(program).await?;
    make_people(sandbox.address).await?;
    let bench = Bench { program, folder, sandbox };
    let hello = start_hello().await?;
    let (rates, steps) = bench.rates(&scale, &hello, None).await?;
    Ok(report::costs(&rates, &steps))
}

async fn measure(program: &Path, folder: &Path, options: Options) -> anyhow::Result<Figures> {
    let scale = Scale::of(options);
    let files = raise_open_files()?;
    // Some for the database, the log and connections that are being made.
    let room = usize::try_from(files)?.saturating_sub(500);
    let waiting = scale.waiting.min(room);
    let bystanders = scale.waiting.min(room.saturating_sub(scale.approvals + scale.saturated));
    let machine = Machine::look(folder)?;
    let sandbox = start_sandbox(program).await?;
    make_people(sandbox.address).await?;
    let bench = Bench { program, folder, sandbox };
    say("starts");
    let starts = bench.starts(scale.starts).await?;
    let hello = start_hello().await?;
    let provider = match yardstick::program()? {
        Some(program) => Some(start_provider(&program).await?),
        None => None,
    };
    sleep(Duration::from_secs(1)).await;
    let idle_provider = match &provider {
        Some((server, _)) => Some(server.running.resident_bytes()?),
        None => None,
    };
    say("rates");
    let (rates, steps) = bench.rates(&scale, &hello, provider.as_ref().map(|(server, _)| server)).await?;
    say("parts");
    let parts = Parts::measure(program, options)?;
    say("approvals");
    let waking = bench.approvals(&scale, bystanders).await?;
    say("nodes");
    let nodes = match Engines::of_environment() {
        Some(engines) => Some(bench.nodes(&scale, &hello, &engines).await?),
        None => None,
    };
    say("memory");
    let (idle, socket) = bench.memory("sockets", waiting, Way::Socket).await?;
    let (_, stream) = bench.memory("streams", scale.streaming.min(room), Way::Stream).await?;
    Ok(Figures {
        machine,
        rates,
        steps,
        parts,
        waking,
        nodes,
        socket,
        stream,
        idle,
        idle_provider,
        provider_start: provider.map(|(_, start)| start),
        idle_hello: start_hello().await?.running.resident_bytes()?,
        first_start: median(&starts, |(first, _)| first.as_secs_f64()).0,
        later_start: median(&starts, |(_, later)| later.as_secs_f64()).1,
        program_bytes: fs::metadata(program)?.len(),
    })
}

fn say(what: &str) {
    eprintln!("measuring {what} …");
}

async fn make_people(sandbox: SocketAddr) -> anyhow::Result<()> {
    let mut connection = Connection::new(sandbox);
    for number in 0..PEOPLE {
        let body = format!(r#"{{"id":"{}","name":"Person {number}"}}"#, person(number));
        let bytes =
            request("POST", sandbox, "/sandbox/api/people", &["content-type: application/json"], &body);
        connection.send(&bytes).await?.expect(201)?;
    }
    Ok(())
}

fn person(number: usize) -> String {
    format!("bench-{}", number % PEOPLE)
}

/// The program under measurement and its surroundings.
struct Bench<'a> {
    program: &'a Path,
    folder: &'a Path,
    sandbox: Server,
}

impl Bench<'_> {
    fn install(&self, name: &str) -> anyhow::Result<Installation> {
        let folder: PathBuf = self.folder.join(name);
        Installation::new(self.program, folder, self.sandbox.address, None)
    }

    fn parties(&self, server: &Server, site: &Site) -> Vec<Party> {
        let party = |number| Party::new(server.address, self.sandbox.address, site.clone(), person(number));
        (0..VISITORS).map(party).collect()
    }

    /// First starts (new database, new keys) and later ones.
    async fn starts(&self, count: usize) -> anyhow::Result<Vec<(Duration, Duration)>> {
        let mut starts = Vec::new();
        for number in 0..count {
            let installation = self.install(&format!("start-{number}"))?;
            let (server, first) = installation.start().await?;
            drop(server);
            let (server, later) = installation.start().await?;
            drop(server);
            starts.push((first, later));
        }
        Ok(starts)
    }

    async fn rates(
        &self,
        scale: &Scale,
        hello: &Server,
        provider: Option<&Server>,
    ) -> anyhow::Result<(Vec<Rate>, Vec<(Step, f64)>)> {
        let installation = self.install("rates")?;
        let sites =
            ALGORITHMS.map(|algorithm| installation.add_client(&format!("site-{algorithm}"), algorithm));
        let [usual, fast] = sites;
        let (usual, fast) = (usual?, fast?);
        let (server, _) = installation.start().await?;
        let mut rounds: Vec<Vec<Load>> = Vec::new();
        // The first round warms up and is not counted.
        for round in 0..=scale.rounds {
            let length = if round == 0 { scale.rate / 5 } else { scale.rate };
            let mut loads = vec![
                hello_load(hello, length).await.context("the bare hello")?,
                self.status_load(&server, &usual, length).await.context("status polls")?,
                self.begin_load(&server, &usual, length).await.context("new logins")?,
                self.draw_load(&server, &usual, length).await.context("new tickets")?,
                self.login_load(&server, &usual, length).await.context("whole logins")?,
                self.login_load(&server, &fast, length).await.context("whole logins, EdDSA")?,
            ];
            if let Some(provider) = provider {
                loads.push(provider_load(provider, length).await.context("oidc-provider")?);
            }
            if round > 0 {
                rounds.push(loads);
            }
        }
        let measured = rounds.first().map_or(0, Vec::len);
        let kinds = Kind::ALL.into_iter().take(measured).enumerate();
        let rates = kinds.map(|(at, kind)| Rate::of(kind, at, &rounds)).collect();
        Ok((rates, self.steps(&server, &usual, scale.logins).await?))
    }

    /// What each request of a login costs: many logins go forward together, one request at a time.
    async fn steps(&self, server: &Server, site: &Site, logins: usize) -> anyhow::Result<Vec<(Step, f64)>> {
        let mut parties = self.parties(server, site);
        let mut courses: Vec<Course> = (0..logins).map(|_| Course::default()).collect();
        let mut costs = Vec::new();
        for step in Step::ALL {
            let before = server.running.cpu_seconds()?;
            let waiting = RefCell::new(courses);
            let go = async move |party: &mut Party, _| {
                let course = waiting.borrow_mut().pop();
                let mut course = course.context("one for each")?;
                party.go(step, &mut course).await?;
                Ok(course)
            };
            (parties, courses) = load::make(parties, logins, go).await?;
            let spent = server.running.cpu_seconds()? - before;
            costs.push((step, spent * 1e6 / logins as f64));
        }
        Ok(costs)
    }

    async fn browsers(&self, server: &Server, site: &Site) -> anyhow::Result<Vec<(Party, Browser)>> {
        let mut browsers = Vec::new();
        for mut party in self.parties(server, site) {
            let browser = party.begin().await?;
            browsers.push((party, browser));
        }
        Ok(browsers)
    }

    async fn status_load(&self, server: &Server, site: &Site, length: Duration) -> anyhow::Result<Load> {
        let browsers = self.browsers(server, site).await?;
        let asking = browsers
            .into_iter()
            .map(|(party, browser)| (party, browser.status_request(server.address)))
            .collect();
        let ask = async |(party, bytes): &mut (Party, Vec<u8>)| party.ask(bytes).await;
        Ok(load::during(&[server], asking, length, ask).await?.1)
    }

    async fn begin_load(&self, server: &Server, site: &Site, length: Duration) -> anyhow::Result<Load> {
        let begin = async |party: &mut Party| party.begin().await.map(drop);
        Ok(load::during(&[server], self.parties(server, site), length, begin).await?.1)
    }

    async fn draw_load(&self, server: &Server, site: &Site, length: Duration) -> anyhow::Result<Load> {
        let browsers = self.browsers(server, site).await?;
        let draw = async |(party, browser): &mut (Party, Browser)| party.draw(browser).await;
        Ok(load::during(&[server], browsers, length, draw).await?.1)
    }

    async fn login_load(&self, server: &Server, site: &Site, length: Duration) -> anyhow::Result<Load> {
        let log_in = async |party: &mut Party| party.whole_login().await;
        Ok(load::during(&[server], self.parties(server, site), length, log_in).await?.1)
    }

    async fn approvals(&self, scale: &Scale, bystanders: usize) -> anyhow::Result<Waking> {
        let installation = self.install("approvals")?;
        let site = installation.add_client("site", ALGORITHMS[0])?;
        let (server, _) = installation.start().await?;
        let parties = self.parties(&server, &site);
        let (parties, held) = waiting::bystanders(parties, &server, bystanders).await?;
        let pace = Pace::Steady(scale.approving);
        let (parties, steady) =
            waiting::approvals(parties, &server, server.address, scale.approvals, pace).await?;
        let (_, saturated) =
            waiting::approvals(parties, &server, server.address, scale.saturated, Pace::Saturated).await?;
        Ok(Waking {
            waiting: held.len(),
            a_second: scale.approvals as f64 / scale.approving.as_secs_f64(),
            steady,
            saturated,
        })
    }

    /// One node and two over PostgreSQL and Redis.
    async fn nodes(&self, scale: &Scale, hello: &Server, engines: &Engines) -> anyhow::Result<Nodes> {
        let folder = self.folder.join("nodes");
        let one = Installation::new(self.program, folder, self.sandbox.address, Some(engines))?;
        let site = one.add_client("bench-nodes", ALGORITHMS[0])?;
        let (first, _) = one.start().await?;
        let (second, _) = one.another_node()?.start().await?;
        let both = || {
            let halves = [self.parties(&first, &site), self.parties(&second, &site)];
            halves.into_iter().flat_map(|parties| parties.into_iter().take(VISITORS / 2)).collect()
        };
        let log_in = async |party: &mut Party| party.whole_login().await;
        let (mut rounds, mut status) = (Vec::new(), Vec::new());
        for round in 0..=scale.rounds {
            let length = if round == 0 { scale.rate / 5 } else { scale.rate };
            let bare = hello_load(hello, length).await?;
            let poll = self.status_load(&first, &site, length).await?;
            let alone = self.login_load(&first, &site, length).await?;
            let together = load::during(&[&first, &second], both(), length, log_in).await?.1;
            if round > 0 {
                status.push(bare.cpu_micros / poll.cpu_micros);
                rounds.push(alone.cpu_micros / together.cpu_micros);
            }
        }
        let pace = Pace::Steady(scale.approving);
        let parties = self.parties(&second, &site);
        let (_, reached) = waiting::approvals(parties, &first, second.address, scale.approvals, pace).await?;
        Ok(Nodes { status: median(&status, |one| *one), two: median(&rounds, |one| *one), reached })
    }

    async fn memory(&self, name: &str, count: usize, way: Way) -> anyhow::Result<(u64, Memory)> {
        let installation = self.install(name)?;
        let site = installation.add_client("site", ALGORITHMS[0])?;
        let (server, _) = installation.start().await?;
        sleep(Duration::from_secs(1)).await;
        let idle = server.running.resident_bytes()?;
        Ok((idle, waiting::memory(self.parties(&server, &site), &server, count, way).await?))
    }
}

async fn hello_load(hello: &Server, length: Duration) -> anyhow::Result<Load> {
    let bytes = request("GET", hello.address, "/", &["accept: application/json"], "");
    let visitors = (0..VISITORS).map(|_| Connection::new(hello.address)).collect();
    let ask = async move |connection: &mut Connection| {
        connection.send(&bytes).await?.expect(200)?;
        Ok(())
    };
    Ok(load::during(&[hello], visitors, length, ask).await?.1)
}

async fn provider_load(provider: &Server, length: Duration) -> anyhow::Result<Load> {
    let visitors = (0..VISITORS).map(|_| yardstick::Visitor::new(provider.address)).collect();
    let log_in = async |visitor: &mut yardstick::Visitor| visitor.whole_login().await;
    Ok(load::during(&[provider], visitors, length, log_in).await?.1)
}
