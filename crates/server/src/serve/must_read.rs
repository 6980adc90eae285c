//! An answer must be read (SEC-71). A request has limits of time, its head and its body; whoever asks and then keeps their
//! receive window shut would hold a connection, its descriptor and what it was about to be told for ever.

use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How long the system may take nothing of what is to be written. Each piece that it takes begins it anew, so a phone with a
/// slow line gets all of its page.
const TIME: Duration = Duration::from_secs(30);

/// A connection that fails once nobody has read for thirty seconds what there is to be read. To one that waits it adds a pointer: its timer
/// is made when something cannot be written, and most never have one.
#[derive(Debug)]
pub(super) struct MustRead<I> {
    io: I,
    stuck: Option<Pin<Box<Sleep>>>,
}

impl<I: AsyncWrite + Unpin> MustRead<I> {
    pub(super) fn new(io: I) -> Self {
        Self { io, stuck: None }
    }

    /// What became of writing, or that it has been stuck for too long.
    fn in_time<T>(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut I>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if let Poll::Ready(written) = write(Pin::new(&mut self.io), cx) {
            self.stuck = None;
            return Poll::Ready(written);
        }
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(TIME)));
        ready!(stuck.as_mut().poll(cx));
        // It stays stuck, so that what is tried next, such as a farewell, fails at once.
        Poll::Ready(Err(ErrorKind::TimedOut.into()))
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for MustRead<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.in_time(cx, |io, cx| io.poll_write(cx, bytes))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.in_time(cx, |io, cx| io.poll_write_vectored(cx, pieces))
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx, |io, cx| io.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.in_time(cx, |io, cx| io.poll_shutdown(cx))
    }
}

impl<I: AsyncRead + Unpin> AsyncRead for MustRead<I> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::routing::get;
    use futures_util::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::net::TcpStream;
    use tokio::sync::oneshot;
    use tokio::time::{Instant, timeout};
    use tokio_util::sync::CancellationToken;

    use super::*;

    const PAGE: usize = 1000;

    #[tokio::test(start_paused = true)]
    async fn sec_71_whoever_reads_nothing_for_thirty_seconds_is_hung_up_on() {
        let (ours, _theirs) = duplex(PAGE);
        let mut connection = MustRead::new(ours);
        connection.write_all(&[0; PAGE]).await.unwrap();
        // As a browser that waits: nothing is written, so nothing is late.
        sleep(10 * TIME).await;
        let began = Instant::now();
        let error = connection.write_all(&[0; PAGE]).await.unwrap_err();
        assert_eq!((error.kind(), began.elapsed().as_secs()), (ErrorKind::TimedOut, 30));
        assert!(connection.write_all(b"farewell").await.is_err() && began.elapsed().as_secs() == 30);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_reads_slowly_gets_all_of_it() {
        let (ours, mut theirs) = duplex(PAGE);
        let writing = tokio::spawn(async move { MustRead::new(ours).write_all(&[0; 10 * PAGE]).await });
        let (mut some, mut read) = ([0; PAGE], 0);
        loop {
            sleep(TIME - Duration::from_secs(1)).await;
            match theirs.read(&mut some).await.unwrap() {
                0 => break,
                n => read += n,
            }
        }
        assert!(writing.await.unwrap().is_ok());
        assert_eq!(read, 10 * PAGE);
    }

    #[tokio::test(start_paused = true)]
    async fn sec_71_a_connection_whose_answer_is_not_read_is_given_back() {
        let (gone, is_gone) = oneshot::channel::<()>();
        let gone = std::sync::Arc::new(std::sync::Mutex::new(Some(gone)));
        // Without end, as no system's buffers are. What it holds is dropped with it.
        let handler = async move || {
            let held = gone.lock().unwrap().take();
            Body::from_stream(stream::repeat_with(move || {
                let _ = &held;
                Ok::<_, io::Error>(vec![0; 64 * 1024])
            }))
        };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopping = CancellationToken::new();
        let router = Router::new().route("/", get(handler));
        let serving = tokio::spawn(super::super::serve(listener, router, stopping.clone()));
        let began = Instant::now();
        let mut client = TcpStream::connect(address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        let dropped = timeout(10 * TIME, is_gone).await.expect("the server gives up");
        assert!(dropped.is_err() && began.elapsed() >= TIME);
        stopping.cancel();
        serving.await.unwrap().unwrap();
        drop(client);
    }
}
