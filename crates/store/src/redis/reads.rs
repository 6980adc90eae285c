//! Reading tickets: what is asked while a question is under way goes along with the next one.
//!
//! A question of its own costs a poll as much again as all the rest of it, nearly all of that for the way through the
//! client and the system. With one `MGET` under way at a time, a lone reader waits for nothing, and of many each pays its
//! share. In a cluster tickets lie in many slots, where each is asked for by itself.

use std::future::Future;
use std::sync::Arc;

use redis::{Value, cmd};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::link::{Fault, Link, PATIENCE};

/// Most keys in one question.
const TOGETHER: usize = 256;
/// Most keys waiting; beyond, readers wait to be let in.
const QUEUE: usize = 1024;

/// Where readers ask. Clones share the questions; with the last one they end.
#[derive(Clone)]
pub(super) enum Reads {
    Together(mpsc::Sender<Read>, Arc<str>),
    Alone(Link),
}

/// One key, and who wants to know.
pub(super) struct Read {
    key: String,
    answer: oneshot::Sender<Answer>,
}

/// Several readers may hear of one fault.
type Answer = Result<Option<Vec<u8>>, Arc<Fault>>;

impl Reads {
    /// Through `link`. Must be called inside a tokio runtime.
    pub(super) fn new(link: &Link) -> Self {
        if link.is_cluster() {
            return Self::Alone(link.clone());
        }
        let (sender, asked) = mpsc::channel(QUEUE);
        let through = link.clone();
        let ask = move |keys: Vec<String>| {
            let link = through.clone();
            async move { link.ask(cmd("MGET").arg(keys)).await }
        };
        tokio::spawn(ask_together(asked, ask));
        Self::Together(sender, link.address().to_string().into())
    }

    /// What lies under `key`.
    pub(super) async fn get(&self, key: String) -> Answer {
        let (sender, address) = match self {
            Self::Alone(link) => return link.ask(cmd("GET").arg(key)).await.map(bytes).map_err(Arc::new),
            Self::Together(sender, address) => (sender, address),
        };
        let asking = async {
            let (answer, told) = oneshot::channel();
            sender.send(Read { key, answer }).await.ok()?;
            told.await.ok()
        };
        let slow = || Err(Arc::new(Fault::Slow(address.to_string())));
        // The question before mine may be the one that gets no answer.
        timeout(PATIENCE, asking).await.ok().flatten().unwrap_or_else(slow)
    }
}

/// Asks, one question after the other, until nobody can want to know any more.
async fn ask_together<F>(mut asked: mpsc::Receiver<Read>, ask: impl Fn(Vec<String>) -> F)
where
    F: Future<Output = Result<Value, Fault>>,
{
    let mut reads = Vec::with_capacity(TOGETHER);
    while asked.recv_many(&mut reads, TOGETHER).await > 0 {
        // Some gave up while they waited.
        reads.retain(|read| !read.answer.is_closed());
        if reads.is_empty() {
            continue;
        }
        let keys = reads.iter_mut().map(|read| std::mem::take(&mut read.key)).collect();
        match ask(keys).await {
            Ok(Value::Array(values)) if values.len() == reads.len() => {
                for (read, value) in reads.drain(..).zip(values) {
                    let _ = read.answer.send(Ok(bytes(value)));
                }
            }
            Ok(_) => fail(&mut reads, Fault::Unexpected),
            Err(fault) => fail(&mut reads, fault),
        }
    }
}

fn fail(reads: &mut Vec<Read>, fault: Fault) {
    let fault = Arc::new(fault);
    for read in reads.drain(..) {
        let _ = read.answer.send(Err(Arc::clone(&fault)));
    }
}

fn bytes(value: Value) -> Option<Vec<u8>> {
    match value {
        Value::BulkString(bytes) => Some(bytes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::Notify;

    use super::*;

    fn reads(sender: &mpsc::Sender<Read>) -> Reads {
        Reads::Together(sender.clone(), "here".into())
    }

    /// Each key's value is the key.
    fn echo(keys: Vec<String>) -> Value {
        Value::Array(keys.into_iter().map(|key| Value::BulkString(key.into_bytes())).collect())
    }

    #[tokio::test]
    async fn what_is_asked_meanwhile_goes_together_and_each_hears_its_own() {
        let (sender, asked) = mpsc::channel(QUEUE);
        let (questions, go) = (Arc::new(Mutex::new(Vec::new())), Arc::new(Notify::new()));
        let (seen, may) = (questions.clone(), go.clone());
        let engine = tokio::spawn(ask_together(asked, move |keys| {
            seen.lock().unwrap().push(keys.len());
            let may = may.clone();
            async move {
                may.notified().await;
                Ok(echo(keys))
            }
        }));
        let reader = reads(&sender);
        let alone = tokio::spawn({
            let reader = reader.clone();
            async move { reader.get("first".into()).await.unwrap() }
        });
        while questions.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let asking =
            async { tokio::join!(reader.get("a".into()), reader.get("b".into()), reader.get("c".into())) };
        let release = async {
            for _ in 0..2 {
                tokio::task::yield_now().await;
                go.notify_one();
            }
        };
        let ((a, b, c), ()) = tokio::join!(asking, release);
        assert_eq!(alone.await.unwrap().unwrap(), b"first");
        for (answer, key) in [(a, b"a"), (b, b"b"), (c, b"c")] {
            assert_eq!(answer.unwrap().unwrap(), key);
        }
        assert_eq!(*questions.lock().unwrap(), [1, 3]);
        drop((sender, reader));
        engine.await.unwrap();
    }

    #[tokio::test]
    async fn promise_9_a_fault_is_told_to_all_who_asked_and_the_next_question_is_asked() {
        let (sender, asked) = mpsc::channel(QUEUE);
        let times = Mutex::new(0);
        tokio::spawn(ask_together(asked, move |keys| {
            let mut times = times.lock().unwrap();
            *times += 1;
            let answer = match *times {
                1 => Err(Fault::Slow("there".into())),
                // One value too few.
                2 => Ok(echo(keys[1..].to_vec())),
                _ => Ok(echo(keys)),
            };
            async move { answer }
        }));
        let reader = reads(&sender);
        for expected in ["Redis at there did not answer in time", "Redis answered otherwise than asked"] {
            let (one, other) = tokio::join!(reader.get("a".into()), reader.get("b".into()));
            for answer in [one, other] {
                assert_eq!(answer.unwrap_err().to_string(), expected);
            }
        }
        assert_eq!(reader.get("a".into()).await.unwrap().unwrap(), b"a");
    }

    #[tokio::test(start_paused = true)]
    async fn promise_9_nobody_waits_longer_than_patience_lasts() {
        let (sender, asked) = mpsc::channel(QUEUE);
        tokio::spawn(ask_together(asked, |_| std::future::pending()));
        let reader = reads(&sender);
        let (one, other) = tokio::join!(reader.get("a".into()), reader.get("b".into()));
        for answer in [one, other] {
            assert_eq!(answer.unwrap_err().to_string(), "Redis at here did not answer in time");
        }
    }
}
