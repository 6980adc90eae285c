//! A socket on a free port that plays back one reply per request and remembers what was asked.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

/// What to do with one request.
pub(crate) enum Reply {
    /// Send these bytes and close.
    Bytes(Vec<u8>),
    /// Close without a word.
    HangUp,
    /// Never answer.
    Silence,
    /// A 200 whose body does not end.
    Flood,
}

impl Reply {
    /// An HTTP 200 with `text/plain`, as `sns` calls answer.
    pub(crate) fn text(body: &str) -> Self {
        Self::http("200 OK", "Content-Type: text/plain", body.as_bytes())
    }

    pub(crate) fn http(status: &str, header: &str, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\n{header}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        Self::Bytes([head.as_bytes(), body].concat())
    }
}

/// What was asked: the request line, the headers in lower case, and the body.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Request {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("the client sends JSON")
    }
}

pub(crate) struct Server {
    base: Url,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Starts a server with these replies; a request beyond them is answered 599, which no test expects.
    pub(crate) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let base = format!("http://127.0.0.1:{port}/pretend").parse().expect("a valid address");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let mut replies: Vec<Reply> = replies.into_iter().collect();
        replies.reverse();
        let seen = Arc::clone(&requests);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let reply = replies.pop().unwrap_or_else(|| Reply::http("599 Unexpected", "X: y", b""));
                tokio::spawn(serve(stream, reply, Arc::clone(&seen)));
            }
        });
        Self { base, requests }
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// The request lines so far, such as `GET /pretend/… HTTP/1.1`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.whole_requests().into_iter().map(|request| request.line).collect()
    }

    /// The requests so far, bodies included.
    pub(crate) fn whole_requests(&self) -> Vec<Request> {
        self.requests.lock().expect("no test panics while holding it").clone()
    }
}

async fn serve(mut stream: TcpStream, reply: Reply, seen: Arc<Mutex<Vec<Request>>>) {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let (line, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let headers = headers.to_ascii_lowercase();
    let length = headers.lines().find_map(|header| header.strip_prefix("content-length: "));
    let mut body = vec![0; length.and_then(|length| length.parse().ok()).unwrap_or(0)];
    if stream.read_exact(&mut body).await.is_err() {
        return;
    }
    let body = String::from_utf8(body).expect("the client sends UTF-8");
    let request = Request { line: line.to_owned(), headers, body };
    seen.lock().expect("no test panics while holding it").push(request);
    // The client may be gone already; that is its right.
    match reply {
        Reply::Bytes(bytes) => {
            let _ = stream.write_all(&bytes).await;
        }
        Reply::HangUp => {}
        Reply::Silence => {
            let _ = stream.read(&mut byte).await;
        }
        Reply::Flood => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").await;
            while stream.write_all(format!("1000\r\n{}\r\n", "x".repeat(0x1000)).as_bytes()).await.is_ok() {}
        }
    }
}
