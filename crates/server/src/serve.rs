//! Listening. Not `axum::serve`: that never gives up on half a request head (SEC-71). Here a head must be complete
//! within ten seconds, an answer must be read ([`must_read`]), a connection that says nothing is closed, and buffers are
//! small, because most connections are browsers that wait.

mod must_read;

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpListener};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::response::Response;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::Service;

use self::must_read::MustRead;

const HEAD_TIME: Duration = Duration::from_secs(10);
/// Room for a request's head, and the largest answer buffer of an idle connection.
const BUFFER: usize = 8 * 1024;
/// After a connection could not be taken.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);
/// How long running requests may take to finish after the server was asked to stop. Streams end at once.
const DRAIN: Duration = Duration::from_secs(10);

/// From being asked to stop to stopping: `drain` long everything goes on while readiness says no, so that balancers send new
/// browsers elsewhere. Then streams end, and their browsers come back to another node with the tickets they have.
pub async fn drain(leaving: CancellationToken, drain: Duration, stopping: CancellationToken) {
    leaving.cancelled().await;
    if !drain.is_zero() {
        tracing::info!("asked to stop: serving for {} more seconds while balancers notice", drain.as_secs());
    }
    tokio::select! {
        () = tokio::time::sleep(drain) => stopping.cancel(),
        () = stopping.cancelled() => {}
    }
}

/// Serves `service` on `listener` until `stopping` is cancelled and requests have drained. It is not asked whether it is
/// ready: routers always are.
///
/// # Errors
/// When `listener` cannot be listened on.
pub async fn serve<S>(listener: TcpListener, service: S, stopping: CancellationToken) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>,
    S: Clone + Send + Sync + 'static,
{
    serve_through(listener, async |stream| Ok(InOnePiece(stream)), service, stopping).await
}

/// As [`serve`], over what `accept` makes of each connection, such as TLS.
///
/// # Errors
/// As [`serve`].
pub async fn serve_through<S, A, I>(
    listener: TcpListener,
    accept: impl Fn(TcpStream) -> A + Send + Sync + 'static,
    service: S,
    stopping: CancellationToken,
) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>,
    S: Clone + Send + Sync + 'static,
    A: Future<Output = io::Result<I>> + Send + 'static,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    // Proxies in front speak HTTP/1.1, and no connection can sit in an endless preface of HTTP/2.
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIME).max_buf_size(BUFFER);
    let server = Arc::new(Server { http, accept, service, stopping: stopping.clone() });
    let connections = TaskTracker::new();
    while let Some((stream, peer)) = next(&listener, &stopping).await {
        // In a box, or the connection would keep its room.
        let begun = Box::pin(server.clone().begin(stream));
        connections.spawn(server.clone().attend(begun, peer));
    }
    connections.close();
    connections.wait().await;
    Ok(())
}

/// What all connections share. Each keeps as little as it can of its own: most are browsers that wait.
struct Server<S, A> {
    http: http1::Builder,
    accept: A,
    service: S,
    stopping: CancellationToken,
}

impl<S, A, F, I> Server<S, A>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>,
    S: Clone + Send + Sync + 'static,
    A: Fn(TcpStream) -> F + Send + Sync + 'static,
    F: Future<Output = io::Result<I>> + Send + 'static,
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    async fn attend<B>(self: Arc<Self>, begun: Pin<Box<B>>, peer: SocketAddr)
    where
        B: Future<Output = Option<I>> + Send,
    {
        let Some(stream) = begun.await else { return };
        let server = self.clone();
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ConnectInfo::<SocketAddr>(peer));
            server.service.clone().call(request)
        });
        let stream = TokioIo::new(MustRead::new(stream));
        let mut connection = pin!(self.http.serve_connection(stream, service).with_upgrades());
        // How a connection ended is the browser's business: it is gone.
        tokio::select! {
            _ = connection.as_mut() => {}
            () = self.stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                let _ = Box::pin(timeout(DRAIN, connection)).await;
            }
        }
    }

    /// What is spoken over, unless whoever connected says nothing or the server stops.
    async fn begin(self: Arc<Self>, stream: TcpStream) -> Option<I> {
        let begin = async {
            stream.set_nodelay(true)?;
            // Whoever says nothing is not waited for.
            stream.peek(&mut [0]).await?;
            (self.accept)(stream).await
        };
        tokio::select! {
            begun = timeout(HEAD_TIME, begin) => begun.ok()?.ok(),
            () = self.stopping.cancelled() => None,
        }
    }
}

/// The next connection; none once it is time to stop.
async fn next(
    listener: &tokio::net::TcpListener,
    stopping: &CancellationToken,
) -> Option<(TcpStream, SocketAddr)> {
    let mut told = false;
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stopping.cancelled() => return None,
        };
        match accepted {
            Ok(accepted) => return Some(accepted),
            // Given up by the other side before it was taken.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                // Most likely no more open files: those who are here go on, and soon some will have left.
                if !std::mem::replace(&mut told, true) {
                    tracing::warn!("cannot take a connection: {error}; trying again until some have left");
                }
                tokio::time::sleep(ACCEPT_AGAIN).await;
            }
        }
    }
}

/// A connection that sends a small answer, head and body, in one plain write: copying it costs less than what the system does
/// about a list of two. (hyper could put all answers together, but would then keep room for the largest while a browser waits.)
#[derive(Debug)]
struct InOnePiece(TcpStream);

/// Up to this size it is put together: polls, redirects and events are.
const SMALL: usize = 2 * 1024;

impl AsyncWrite for InOnePiece {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length: usize = pieces.iter().map(|piece| piece.len()).sum();
        if length > SMALL {
            return Pin::new(&mut self.0).poll_write_vectored(cx, pieces);
        }
        let mut whole = [0; SMALL];
        let mut end = 0;
        for piece in pieces {
            whole[end..end + piece.len()].copy_from_slice(piece);
            end += piece.len();
        }
        Pin::new(&mut self.0).poll_write(cx, &whole[..end])
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl AsyncRead for InOnePiece {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}
