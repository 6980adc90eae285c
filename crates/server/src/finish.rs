//! What was begun is finished, even if the caller hangs up or somebody asks the server to stop.
//!
//! hyper drops a handler when its connection closes. WeChat's web view is known to abort a callback and send it again
//! (fact sheet §8.1): the first visit would have spent the code and lost the answer. So handlers that act run in a task of
//! their own; a spent code or ticket always has its effect, and its audit record.
//!
//! Nobody waits for such a task, and a process that ends drops it in its middle. So all of them are known to [`Begun`], for
//! which a server that stops waits. What may be cut off is not: a platform's token that is fetched, and its pictures.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::traces;
use crate::web::problem::Problem;

/// How long after stopping what was begun may go on: as long as the slowest thing may take, which is a mail server. How long a
/// service manager waits before it kills (`deploy/`) has room for it, after `server.drain_seconds` and before three seconds for
/// the last traces.
const LIMIT: Duration = Duration::from_secs(15);

/// What goes on though nobody may wait for it. Clones know of the same.
#[derive(Debug, Clone, Default)]
pub struct Begun(TaskTracker);

impl Begun {
    /// Begins `work` in a task of its own, in the present request's trace. It is finished whatever becomes of the handle.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.0.spawn(traces::follow(work))
    }

    /// Carries `serving` out, after which nothing more begins, and then waits for what was begun. All of that ends fifteen seconds
    /// after `stopping` was cancelled, if not before: what is under way then is lost, and the log says so.
    ///
    /// # Errors
    /// Those of `serving`, at once.
    pub async fn finish_after<E>(
        &self,
        serving: impl Future<Output = Result<(), E>>,
        stopping: &CancellationToken,
    ) -> Result<(), E> {
        let all = async {
            serving.await?;
            self.0.close();
            self.0.wait().await;
            Ok(())
        };
        let time_is_up = async {
            stopping.cancelled().await;
            sleep(LIMIT).await;
        };
        tokio::select! {
            finished = all => finished,
            () = time_is_up => {
                let tasks = self.0.len();
                tracing::error!(tasks, "stopping with {tasks} requests or messages unfinished after {} seconds", LIMIT.as_secs());
                Ok(())
            }
        }
    }
}

/// The layer.
pub(crate) async fn layer(State(begun): State<Begun>, request: Request, next: Next) -> Response {
    match begun.spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        // A panic is a broken invariant of ours: the person sees a page, the log has the panic's own message.
        Err(error) => Problem::Broken(error.to_string()).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::{pending, ready};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use axum::routing::post;
    use futures_util::FutureExt as _;
    use tokio::sync::Notify;
    use tokio::time::Instant;
    use tower::ServiceExt as _;

    use super::*;

    fn stopped() -> CancellationToken {
        let stopping = CancellationToken::new();
        stopping.cancel();
        stopping
    }

    #[tokio::test]
    async fn a_request_whose_caller_hung_up_is_finished_before_the_server_ends() {
        let (begun, go_on, is_done) =
            (Begun::default(), Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (waits, done) = (go_on.clone(), is_done.clone());
        let handler = async move || {
            waits.notified().await;
            done.store(true, Ordering::Relaxed);
        };
        let router = Router::new().route("/", post(handler)).layer(from_fn_with_state(begun.clone(), layer));
        let asked = router.oneshot(Request::post("/").body(Body::empty()).unwrap());
        assert!(asked.now_or_never().is_none(), "it is under way, and now its caller is gone");
        let stopping = stopped();
        let mut ending = Box::pin(begun.finish_after(ready(Ok::<_, Infallible>(())), &stopping));
        assert!((&mut ending).now_or_never().is_none(), "the server waits for it");
        go_on.notify_one();
        assert_eq!(ending.await, Ok(()));
        assert!(is_done.load(Ordering::Relaxed));
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_ends_keeps_the_server_for_fifteen_seconds_from_stopping() {
        let (begun, began) = (Begun::default(), Instant::now());
        begun.spawn(pending::<()>());
        let draining = async {
            sleep(Duration::from_secs(10)).await;
            Ok::<_, Infallible>(())
        };
        assert_eq!(begun.finish_after(draining, &stopped()).await, Ok(()));
        assert_eq!(began.elapsed().as_secs(), 15);
    }

    #[tokio::test]
    async fn a_server_that_cannot_serve_says_so_at_once() {
        let begun = Begun::default();
        begun.spawn(pending::<()>());
        assert_eq!(begun.finish_after(ready(Err("taken")), &CancellationToken::new()).await, Err("taken"));
    }
}
