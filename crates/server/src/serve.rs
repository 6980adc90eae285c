//! Listening. Not `axum::serve`: that never gives up on half a request head (SEC-71). Here a head must be complete
//! within ten seconds, a connection that says nothing is closed, and buffers are small, because most connections are
//! browsers that wait.

use std::convert::Infallible;
use std::io::{self, IoSlice};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::ServiceExt as _;
use axum::response::Response;
use axum_server::Handle;
use axum_server::accept::Accept;
use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tower::Service;

const HEAD_TIME: Duration = Duration::from_secs(10);
/// Room for a request's head, and the largest answer buffer of an idle connection.
const BUFFER: usize = 8 * 1024;
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

/// Serves `service` on `listener` until `stopping` is cancelled and requests have drained.
///
/// # Errors
/// When the listener breaks.
pub async fn serve<S>(listener: TcpListener, service: S, stopping: CancellationToken) -> io::Result<()>
where
    S: Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send>,
    S: Clone + Send + Sync + 'static,
{
    listener.set_nonblocking(true)?;
    let handle = Handle::new();
    let stop = handle.clone();
    let watcher = tokio::spawn(async move {
        stopping.cancelled().await;
        stop.graceful_shutdown(Some(DRAIN));
    });
    let mut server = axum_server::from_tcp(listener)?.acceptor(Talkative).handle(handle);
    // Proxies in front speak HTTP/1.1; without HTTP/2 no connection can sit in an endless preface.
    *server.http_builder() = Builder::new(TokioExecutor::new()).http1_only();
    server
        .http_builder()
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(BUFFER);
    let served = server.serve(service.into_make_service_with_connect_info::<SocketAddr>()).await;
    watcher.abort();
    served
}

/// Accepts connections whose first byte arrives in time.
#[derive(Debug, Clone, Copy)]
struct Talkative;

impl<S: Send + 'static> Accept<TcpStream, S> for Talkative {
    type Stream = InOnePiece;
    type Service = S;
    type Future = Pin<Box<dyn Future<Output = io::Result<(InOnePiece, S)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        Box::pin(async move {
            stream.set_nodelay(true)?;
            timeout(HEAD_TIME, stream.peek(&mut [0])).await.map_err(|_| io::ErrorKind::TimedOut)??;
            Ok((InOnePiece(stream), service))
        })
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
