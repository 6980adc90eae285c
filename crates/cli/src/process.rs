//! What every long-running command does: listen, and stop when asked to.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;

/// How many connections may wait to be taken, as many as the standard library asks for at least; the system has a limit of its own.
const BACKLOG: u32 = 4096;

/// Listens, or says who is in the way.
///
/// # Errors
/// When the address is in use or not ours.
pub fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).map_err(|error| refused(address, error))
}

/// An address that is ours, where nobody is let in yet.
pub struct Reserved {
    socket: TcpSocket,
    address: SocketAddr,
}

/// Takes an address without listening there, or says who is in the way: whoever connects is refused until
/// [`Reserved::listen`], so that a proxy goes to another node meanwhile instead of waiting for this one.
///
/// # Errors
/// When the address is in use or not ours.
pub fn reserve(address: SocketAddr) -> anyhow::Result<Reserved> {
    let take = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // As the standard library does: connections of a process that has just ended are not in the way.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    let socket = take().map_err(|error: io::Error| refused(address, error))?;
    Ok(Reserved { socket, address })
}

impl Reserved {
    /// Lets people in.
    ///
    /// # Errors
    /// When somebody else listens there by now.
    pub fn listen(self) -> anyhow::Result<TcpListener> {
        let listener = self.socket.listen(BACKLOG).and_then(tokio::net::TcpListener::into_std);
        listener.map_err(|error| refused(self.address, error))
    }
}

fn refused(address: SocketAddr, error: io::Error) -> anyhow::Error {
    anyhow::Error::new(error).context(format!("cannot listen on {address}"))
}

/// A token that is cancelled by Ctrl-C or SIGTERM.
pub fn stop_on_signal() -> CancellationToken {
    let token = CancellationToken::new();
    let cancelled = token.clone();
    tokio::spawn(async move {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            match signal(SignalKind::terminate()) {
                Ok(mut terminate) => {
                    tokio::select! {
                        _ = tokio::signal::ctrl_c() => {}
                        _ = terminate.recv() => {}
                    }
                }
                Err(_) => drop(tokio::signal::ctrl_c().await),
            }
        }
        #[cfg(not(unix))]
        drop(tokio::signal::ctrl_c().await);
        cancelled.cancel();
    });
    token
}
