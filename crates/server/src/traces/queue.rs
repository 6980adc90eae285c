//! Ended spans on their way out: a request puts them here without waiting, and a task of its own sends them in batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use opentelemetry::Context;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Span, SpanData, SpanProcessor};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{MissedTickBehavior, interval};

use super::collector::Collector;

/// So many may wait, about 2 MB; the specification's own default, as are the batches.
const WAITING: usize = 2048;
const BATCH: usize = 512;
/// A span is seen by whoever looks for it within a few seconds.
const EVERY: Duration = Duration::from_secs(2);

/// Where ended spans wait. Clones are the same queue.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    sender: mpsc::Sender<Told>,
    /// Those that found no room.
    lost: Arc<AtomicU64>,
}

enum Told {
    Span(Box<SpanData>),
    /// Whoever asks is told when everything before this was sent, or lost.
    Flush(oneshot::Sender<()>),
}

impl Queue {
    /// A queue to this collector, and the task between them. It ends, after sending the rest, with the last clone.
    pub(super) fn start(collector: Collector) -> Self {
        let (sender, inbox) = mpsc::channel(WAITING);
        let lost = Arc::<AtomicU64>::default();
        tokio::spawn(run(inbox, collector, lost.clone()));
        Self { sender, lost }
    }

    /// Returns when what was here before was sent or lost.
    pub(super) async fn flush(&self) {
        let (done, seen) = oneshot::channel();
        if self.sender.send(Told::Flush(done)).await.is_ok() {
            // It can only be dropped together with the task, and then there is nothing to wait for.
            let _ = seen.await;
        }
    }
}

async fn run(mut inbox: mpsc::Receiver<Told>, mut collector: Collector, lost: Arc<AtomicU64>) {
    let mut batch = Vec::new();
    let mut tick = interval(EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let (mut asked, mut is_over) = (None, false);
        tokio::select! {
            told = inbox.recv() => match told {
                Some(Told::Span(span)) => {
                    batch.push(*span);
                    if batch.len() < BATCH {
                        continue;
                    }
                }
                Some(Told::Flush(done)) => asked = Some(done),
                None => is_over = true,
            },
            _ = tick.tick() => {}
        }
        if !batch.is_empty() {
            collector.deliver(std::mem::take(&mut batch), lost.swap(0, Ordering::Relaxed)).await;
        }
        if let Some(asked) = asked {
            let _ = asked.send(());
        }
        if is_over {
            return;
        }
    }
}

impl SpanProcessor for Queue {
    fn on_start(&self, _span: &mut Span, _context: &Context) {}

    fn on_end(&self, span: SpanData) {
        if self.sender.try_send(Told::Span(Box::new(span))).is_err() {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Nothing: it could not wait without holding up a thread. [`Queue::flush`] is what stops wait for.
    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use axum::Router;
    use axum::body::Bytes;
    use axum::routing::post;
    use http::HeaderMap;
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
    use opentelemetry_sdk::Resource;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use prost::Message as _;

    use super::*;

    #[tokio::test]
    async fn what_finds_no_room_is_lost_and_counted_and_the_rest_is_sent() {
        rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap()).parse().unwrap();
        let heard = Arc::<AtomicUsize>::default();
        let count = heard.clone();
        let take = move |body: Bytes| {
            let told = ExportTraceServiceRequest::decode(body).unwrap();
            let scopes = told.resource_spans.iter().flat_map(|of| &of.scope_spans);
            count.fetch_add(scopes.map(|scope| scope.spans.len()).sum(), Ordering::Relaxed);
            std::future::ready(())
        };
        let router = Router::new().route("/v1/traces", post(take));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let resource = Resource::builder_empty().build();
        let queue = Queue::start(Collector::new(url, HeaderMap::new(), &resource).unwrap());
        let provider = SdkTracerProvider::builder().with_span_processor(queue.clone()).build();
        let tracer = provider.tracer("test");
        // The task that sends them has no turn before this one waits.
        for _ in 0..WAITING + 7 {
            drop(tracer.start("work"));
        }
        assert_eq!(queue.lost.load(Ordering::Relaxed), 7);
        queue.flush().await;
        assert_eq!((heard.load(Ordering::Relaxed), queue.lost.load(Ordering::Relaxed)), (WAITING, 0));
    }
}
