//! A proxy between a node and its database server, which can misbehave as networks do.

#![allow(dead_code, reason = "each test file uses its part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

/// What the network does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    Works,
    /// Nothing arrives any more, for now: a paused server, a cut cable.
    Frozen,
    /// A commit arrives, and the connection ends before the answer.
    CutsAtCommit,
}

/// Forwards to a server until dropped.
#[derive(Debug)]
pub struct Proxy {
    pub address: SocketAddr,
    network: watch::Sender<Network>,
    /// Connections made before the last change of the generation never hear of anything again.
    generation: watch::Sender<u64>,
    accepting: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Proxy {
    pub async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (network, watching) = watch::channel(Network::Works);
        let (generation, generations) = watch::channel(0);
        let accepting = tokio::spawn(async move {
            while let Ok((node, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&server).await else { continue };
                node.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let born = *generations.borrow();
                let line = Line {
                    network: watching.clone(),
                    generation: generations.clone(),
                    born,
                    commit_asked: Arc::default(),
                    server_answered: Arc::default(),
                };
                tokio::spawn(line.join(node, server));
            }
        });
        Self { address, network, generation, accepting }
    }

    pub fn set(&self, network: Network) {
        self.network.send_replace(network);
    }

    /// From now on, the connections that are there lead nowhere; new ones work.
    pub fn forget_connections(&self) {
        self.generation.send_modify(|generation| *generation += 1);
    }
}

#[derive(Clone)]
struct Line {
    network: watch::Receiver<Network>,
    generation: watch::Receiver<u64>,
    born: u64,
    commit_asked: Arc<AtomicBool>,
    server_answered: Arc<Notify>,
}

impl Line {
    async fn join(self, node: TcpStream, server: TcpStream) {
        let ((from_node, to_node), (from_server, to_server)) = (node.into_split(), server.into_split());
        // Whichever way ends first ends both.
        tokio::select! {
            () = self.clone().forward(from_node, to_server, true) => {}
            () = self.forward(from_server, to_node, false) => {}
        }
    }

    async fn forward(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf, is_asking: bool) {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let Ok(length @ 1..) = from.read(&mut buffer).await else { return };
            self.thaw().await;
            if !is_asking && self.commit_asked.load(Ordering::SeqCst) {
                // It is done, and nobody hears of it.
                self.server_answered.notify_one();
                std::future::pending::<()>().await;
            }
            let is_commit = || buffer[..length].windows(6).any(|word| word.eq_ignore_ascii_case(b"commit"));
            let cuts = is_asking && *self.network.borrow() == Network::CutsAtCommit && is_commit();
            self.commit_asked.fetch_or(cuts, Ordering::SeqCst);
            if to.write_all(&buffer[..length]).await.is_err() {
                return;
            }
            if cuts {
                self.server_answered.notified().await;
                return;
            }
        }
    }

    /// Waits while nothing may pass.
    async fn thaw(&mut self) {
        let _ = self.network.wait_for(|network| *network != Network::Frozen).await;
        if *self.generation.borrow() != self.born {
            std::future::pending::<()>().await;
        }
    }
}
