//! A Redis server that one test has for itself.

use std::fs;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::Value;
use tempfile::TempDir;
use tokio::time::{interval, timeout};

/// Longest wait for anything here.
pub const SOON: Duration = Duration::from_secs(20);

/// A running server; killed when dropped.
pub struct Server {
    pub port: u16,
    arguments: Vec<String>,
    process: Child,
    folder: TempDir,
}

impl Server {
    /// Starts one that keeps nothing on disk.
    pub async fn start(more: &[&str]) -> Self {
        Self::start_as("redis-server", more, "").await
    }

    /// Starts a Sentinel that watches `master` for the name `mashang`.
    pub async fn sentinel(master: u16) -> Self {
        let watch = format!(
            "sentinel monitor mashang 127.0.0.1 {master} 1\nsentinel down-after-milliseconds mashang 1000\n\
             sentinel failover-timeout mashang 3000\n"
        );
        Self::start_as("redis-sentinel", &[], &watch).await
    }

    async fn start_as(program: &str, more: &[&str], configuration: &str) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("redis.conf");
        let dir = folder.path().display();
        fs::write(&file, format!("bind 127.0.0.1\nport {port}\ndir {dir}\nsave \"\"\n{configuration}"))
            .unwrap();
        let mut arguments = vec![program.to_owned(), file.display().to_string()];
        arguments.extend(more.iter().map(|&argument| argument.to_owned()));
        let process = spawn(&arguments);
        let server = Self { port, arguments, process, folder };
        server.until_it_answers().await;
        server
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }

    /// Starts it again on the same port.
    pub async fn restart(&mut self) {
        assert!(self.folder.path().exists());
        self.process = spawn(&self.arguments);
        self.until_it_answers().await;
    }

    /// Asks it something beside the engine.
    pub async fn ask(&self, words: &[&str]) -> redis::RedisResult<Value> {
        let client = redis::Client::open(self.url())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        let mut question = redis::cmd(words[0]);
        for word in &words[1..] {
            question.arg(*word);
        }
        question.query_async(&mut connection).await
    }

    async fn until_it_answers(&self) {
        eventually(async || match self.ask(&["PING"]).await {
            Ok(_) => true,
            // With a password it answers by asking for it.
            Err(error) => {
                error.kind() == redis::ErrorKind::AuthenticationFailed || error.code() == Some("NOAUTH")
            }
        })
        .await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn spawn(arguments: &[String]) -> Child {
    Command::new(&arguments[0])
        .args(&arguments[1..])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("redis-server is installed")
}

/// Asks until the answer is yes.
pub async fn eventually(question: impl AsyncFn() -> bool) {
    let mut tick = interval(Duration::from_millis(20));
    let asking = async {
        while !question().await {
            tick.tick().await;
        }
    };
    timeout(SOON, asking).await.expect("it happens soon");
}
