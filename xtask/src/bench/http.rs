//! A small HTTP/1.1 client over kept connections. It reads what Mashang, the sandbox and the yardstick send (a
//! `content-length` on every answer but event streams) and refuses anything else, because a general client would take
//! as much of the shared processor as the servers it measures.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, bail, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

const HEAD_END: &[u8] = b"\r\n\r\n";

/// A connection to one server, made when first needed and again when the server has closed it.
pub struct Connection {
    to: SocketAddr,
    from: Ipv4Addr,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer, read to its end.
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    head: &'a str,
    /// The body.
    pub body: &'a str,
}

/// Where an answer's parts lie in the buffer.
struct Shape {
    status: u16,
    head: usize,
    end: usize,
}

impl Connection {
    /// To `to`, from the usual loopback address.
    pub fn new(to: SocketAddr) -> Self {
        Self::from(to, Ipv4Addr::LOCALHOST)
    }

    /// To `to`, from another address of the loopback network.
    pub fn from(to: SocketAddr, from: Ipv4Addr) -> Self {
        Self { to, from, stream: None, buffer: Vec::new() }
    }

    /// Sends a whole request and reads the whole answer.
    pub async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        let is_reused = self.stream.is_some();
        let shape = match self.exchange(request).await {
            Ok(shape) => shape,
            // A kept connection may have been closed for being idle; then nothing of an answer came.
            Err(_) if is_reused && self.buffer.is_empty() => {
                self.stream = None;
                self.exchange(request).await?
            }
            Err(error) => return Err(error),
        };
        let head = std::str::from_utf8(&self.buffer[..shape.head])?;
        let body = std::str::from_utf8(&self.buffer[shape.head + HEAD_END.len()..shape.end])?;
        Ok(Answer { status: shape.status, head, body })
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Shape> {
        self.buffer.clear();
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.to, self.from).await?,
        };
        stream.write_all(request).await?;
        let (status, head) = read_head(&mut stream, &mut self.buffer).await?;
        let text = std::str::from_utf8(&self.buffer[..head])?;
        let length: usize = match field(text, "content-length") {
            Some(length) => length.parse()?,
            None if (300..400).contains(&status) => 0,
            None => bail!("an answer without content-length: {text}"),
        };
        let end = head + HEAD_END.len() + length;
        while self.buffer.len() < end {
            ensure!(stream.read_buf(&mut self.buffer).await? > 0, "an answer ended early");
        }
        self.stream = Some(stream);
        Ok(Shape { status, head, end })
    }

    /// Opens an event stream (200) or a WebSocket (101) and reads up to its first news. What the server writes into
    /// either is not masked, compressed or split, so the news can be found in the bytes as they come.
    pub async fn open_events(self, request: &[u8], status: u16) -> anyhow::Result<Events> {
        let mut stream = connect(self.to, self.from).await?;
        stream.write_all(request).await?;
        let mut buffer = Vec::with_capacity(1024);
        let (found, head) = read_head(&mut stream, &mut buffer).await?;
        ensure!(found == status, "{}", String::from_utf8_lossy(&buffer));
        buffer.drain(..head);
        let mut events = Events { stream, buffer };
        events.wait_for("\"status\":").await?;
        // Thousands of these are held: the room goes back.
        events.buffer = Vec::new();
        Ok(events)
    }
}

impl Answer<'_> {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        field(self.head, name)
    }

    /// Where it redirects to.
    pub fn location(&self) -> anyhow::Result<&str> {
        self.header("location").with_context(|| format!("no redirect: {}\n\n{}", self.head, self.body))
    }

    /// The `name=value` of the first cookie it sets.
    pub fn cookie(&self) -> anyhow::Result<&str> {
        let cookie = self.header("set-cookie").with_context(|| format!("no cookie: {}", self.head))?;
        Ok(cookie.split(';').next().unwrap_or(cookie))
    }

    /// The `name=value` of every cookie it sets, as a browser sends them back.
    pub fn cookies(&self) -> String {
        let lines = self.head.lines().filter_map(|line| line.split_once(':'));
        let set = lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie"));
        let pairs: Vec<&str> = set.filter_map(|(_, value)| value.trim().split(';').next()).collect();
        pairs.join("; ")
    }

    /// Itself, if the status is the expected one.
    pub fn expect(self, status: u16) -> anyhow::Result<Self> {
        ensure!(self.status == status, "expected {status}: {}\n\n{}", self.head, self.body);
        Ok(self)
    }
}

/// An open event stream or WebSocket.
pub struct Events {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Events {
    /// Reads until `text` has come.
    pub async fn wait_for(&mut self, text: &str) -> anyhow::Result<()> {
        while find(&self.buffer, text.as_bytes()).is_none() {
            ensure!(
                self.stream.read_buf(&mut self.buffer).await? > 0,
                "the stream ended before {text}: {}",
                String::from_utf8_lossy(&self.buffer)
            );
        }
        Ok(())
    }
}

async fn connect(to: SocketAddr, from: Ipv4Addr) -> anyhow::Result<TcpStream> {
    let stream = if from == Ipv4Addr::LOCALHOST {
        TcpStream::connect(to).await
    } else {
        let socket = TcpSocket::new_v4()?;
        socket.bind((from, 0).into())?;
        socket.connect(to).await
    };
    let stream = stream.with_context(|| format!("{to} does not answer"))?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<(u16, usize)> {
    loop {
        if let Some(head) = find(buffer, HEAD_END) {
            let status = std::str::from_utf8(buffer.get(9..12).unwrap_or_default())?;
            return Ok((status.parse().context("no status line")?, head));
        }
        ensure!(stream.read_buf(buffer).await? > 0, "the server closed the connection");
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().skip(1).find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

/// A request as bytes: `headers` are whole lines without their ends.
pub fn request(method: &str, host: SocketAddr, path: &str, headers: &[&str], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\n");
    for header in headers {
        text.push_str(header);
        text.push_str("\r\n");
    }
    if method == "POST" {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// What stands between two texts.
pub fn between<'a>(text: &'a str, before: &str, after: &str) -> anyhow::Result<&'a str> {
    let (_, rest) = text.split_once(before).with_context(|| format!("no {before} in {text}"))?;
    Ok(rest.split_once(after).map_or(rest, |(found, _)| found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_names_ignore_case_and_values_keep_it() {
        let answer = Answer {
            status: 303,
            head: "HTTP/1.1 303 See Other\r\nLocation: /A:b\r\nset-cookie: a=B; Path=/\r\nSet-Cookie: c=d; Path=/",
            body: "",
        };
        assert_eq!(answer.location().unwrap(), "/A:b");
        assert_eq!(answer.cookie().unwrap(), "a=B");
        assert_eq!(answer.cookies(), "a=B; c=d");
        assert!(answer.expect(200).is_err());
    }

    #[test]
    fn requests_with_a_body_say_its_length() {
        let address = "127.0.0.1:80".parse().unwrap();
        let text = String::from_utf8(request("POST", address, "/x", &["a: b"], "é")).unwrap();
        assert_eq!(text, "POST /x HTTP/1.1\r\nhost: 127.0.0.1:80\r\na: b\r\ncontent-length: 2\r\n\r\né");
    }

    #[test]
    fn text_between_two_marks_is_found() {
        assert_eq!(between("x=1&y=2", "x=", "&").unwrap(), "1");
        assert_eq!(between("x=1&y=2", "y=", "&").unwrap(), "2");
        assert!(between("x=1", "z=", "&").is_err());
    }
}
