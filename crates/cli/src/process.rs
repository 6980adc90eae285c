//! What every long-running command does: listen, and stop when asked to.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use tokio::net::TcpSocket;
#[cfg(unix)]
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How many connections may wait to be taken, as many as the standard library asks for at least; the system has a limit of its own.
const BACKLOG: u32 = 4096;

/// Listens, or says which `setting` to look at.
///
/// # Errors
/// When the address is in use or not ours.
pub fn listen(setting: &'static str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| refused(setting, address, error))
}

/// An address that is ours, where nobody is let in yet.
pub struct Reserved {
    setting: &'static str,
    socket: TcpSocket,
    address: SocketAddr,
}

/// Takes an address without listening there, or says which `setting` to look at: whoever connects is refused until
/// [`Reserved::listen`], so that a proxy goes to another node meanwhile instead of waiting for this one.
///
/// # Errors
/// When the address is in use or not ours.
pub fn reserve(setting: &'static str, address: SocketAddr) -> anyhow::Result<Reserved> {
    let take = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // As the standard library does: connections of a process that has just ended are not in the way.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    let socket = take().map_err(|error: io::Error| refused(setting, address, error))?;
    Ok(Reserved { setting, socket, address })
}

impl Reserved {
    /// Lets people in.
    ///
    /// # Errors
    /// When somebody else listens there by now.
    pub fn listen(self) -> anyhow::Result<TcpListener> {
        let listener = self.socket.listen(BACKLOG).and_then(tokio::net::TcpListener::into_std);
        listener.map_err(|error| refused(self.setting, self.address, error))
    }
}

fn refused(setting: &str, address: SocketAddr, error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("{setting}: cannot listen on {address}"))
}

/// What `opening` opens; `None` if somebody asks the process to stop meanwhile. That is heeded at once: an engine, or another node that
/// changes tables, may keep a start waiting for minutes. Where it may not be cut short, it ends first.
///
/// # Errors
/// Those of `opening`.
pub async fn unless_asked_to_stop<T, E>(
    leaving: &CancellationToken,
    may_be_cut_short: bool,
    mut opening: impl Future<Output = Result<T, E>> + Unpin,
) -> Result<Option<T>, E> {
    if may_be_cut_short {
        return leaving.run_until_cancelled(opening).await.transpose();
    }
    tokio::select! {
        // As above, what comes in the same moment counts as asked before.
        biased;
        () = leaving.cancelled() => tracing::warn!(
            "asked to stop while tables may be changing, which MySQL and MariaDB cannot take up again: ending once that \
             is done. Ended by force before, the database may need its backup"
        ),
        opened = &mut opening => return opened.map(Some),
    }
    opening.await?;
    Ok(None)
}

/// A token that is cancelled by Ctrl-C or SIGTERM. The next one does not wait: it ends the process with status 1.
pub fn stop_on_signal() -> CancellationToken {
    stop_on(signals(&ENDING))
}

/// As [`stop_on_signal`]; also by the end of the terminal that the command was typed at.
pub fn stop_on_signal_or_hangup() -> CancellationToken {
    stop_on(signals(&ENDING_OR_HANGUP))
}

fn stop_on(signals: mpsc::Receiver<()>) -> CancellationToken {
    let asked = CancellationToken::new();
    let token = asked.clone();
    tokio::spawn(async move {
        if heed(&token, ONE, signals).await.is_some() {
            tracing::error!("asked to stop once more: ending at once; whatever is under way is lost");
            std::process::exit(1);
        }
    });
    asked
}

/// Signals so close together are one: `timeout` sends its own to the process and to its group, and a Ctrl-C reaches the process
/// and whoever passes it on.
const ONE: Duration = Duration::from_millis(500);

/// Cancels `token` at the first signal, and ends with the second; with `None` if no more can come. What comes within `one` is still the
/// first.
async fn heed(token: &CancellationToken, one: Duration, mut signals: mpsc::Receiver<()>) -> Option<()> {
    signals.recv().await?;
    token.cancel();
    let first = Instant::now();
    loop {
        signals.recv().await?;
        if first.elapsed() >= one {
            return Some(());
        }
    }
}

#[cfg(unix)]
type Signal = fn() -> SignalKind;
#[cfg(unix)]
const ENDING: [Signal; 2] = [SignalKind::terminate, SignalKind::interrupt];
#[cfg(unix)]
const ENDING_OR_HANGUP: [Signal; 3] = [SignalKind::terminate, SignalKind::interrupt, SignalKind::hangup];
/// Elsewhere there is Ctrl-C alone.
#[cfg(not(unix))]
type Signal = ();
#[cfg(not(unix))]
const ENDING: [Signal; 0] = [];
#[cfg(not(unix))]
const ENDING_OR_HANGUP: [Signal; 0] = [];

/// Each time somebody asks the process to stop. From here on that ends it no longer by itself.
fn signals(kinds: &'static [Signal]) -> mpsc::Receiver<()> {
    let (tell, heard) = mpsc::channel(1);
    #[cfg(unix)]
    for kind in kinds {
        // One that cannot be listened to keeps its own effect.
        let Ok(mut signal) = signal(kind()) else { continue };
        let tell = tell.clone();
        tokio::spawn(async move { while signal.recv().await.is_some() && tell.send(()).await.is_ok() {} });
    }
    #[cfg(not(unix))]
    let _ = kinds;
    #[cfg(not(unix))]
    tokio::spawn(
        async move { while tokio::signal::ctrl_c().await.is_ok() && tell.send(()).await.is_ok() {} },
    );
    heard
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{pending, ready};

    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn an_address_where_somebody_listens_is_told_with_its_setting() {
        let there = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = there.local_addr().unwrap();
        let listening = listen("sandbox.listen", address).map(drop).unwrap_err();
        let reserving = reserve("operations.listen", address).map(drop).unwrap_err();
        for (error, setting) in [(listening, "sandbox.listen"), (reserving, "operations.listen")] {
            let told = format!("{error:#}");
            assert!(told.starts_with(&format!("{setting}: cannot listen on {address}: ")), "{told}");
        }
    }

    #[tokio::test]
    async fn the_first_signal_stops_and_the_second_ends() {
        let (token, (tell, heard)) = (CancellationToken::new(), mpsc::channel(1));
        let (ended, ()) = tokio::join!(heed(&token, Duration::ZERO, heard), async {
            tell.send(()).await.unwrap();
            token.cancelled().await;
            tell.send(()).await.unwrap();
        });
        assert_eq!(ended, Some(()));
    }

    #[tokio::test]
    async fn one_request_that_arrives_twice_is_one() {
        let (token, (tell, heard)) = (CancellationToken::new(), mpsc::channel(2));
        tell.try_send(()).and_then(|()| tell.try_send(())).unwrap();
        drop(tell);
        assert_eq!(heed(&token, Duration::MAX, heard).await, None);
        assert!(token.is_cancelled());
    }

    #[tokio::test]
    async fn whoever_is_asked_to_stop_waits_for_no_engine() {
        let leaving = CancellationToken::new();
        let opening = unless_asked_to_stop(&leaving, true, pending::<Result<(), Infallible>>());
        let (started, ()) = tokio::join!(opening, async { leaving.cancel() });
        assert_eq!(started, Ok(None));
    }

    #[tokio::test]
    async fn tables_that_may_not_be_left_half_changed_are_changed_first() {
        let (leaving, (done, changed)) = (CancellationToken::new(), oneshot::channel());
        let (started, changed) = tokio::join!(unless_asked_to_stop(&leaving, false, changed), async {
            leaving.cancel();
            tokio::task::yield_now().await;
            done.send(())
        });
        assert_eq!(changed, Ok(()), "somebody still waited for it");
        assert_eq!(started, Ok(None), "and then nobody is served");
    }

    #[tokio::test]
    async fn a_start_that_nobody_stops_serves_or_says_why_not() {
        let leaving = CancellationToken::new();
        for may_be_cut_short in [true, false] {
            for opened in [Ok(1), Err("no such engine")] {
                let starting = unless_asked_to_stop(&leaving, may_be_cut_short, ready(opened));
                assert_eq!(starting.await, opened.map(Some));
            }
        }
    }
}
