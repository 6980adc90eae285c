//! Many deliveries of one message, by a script: an official account's and a corp's alike.

use http::StatusCode;

use super::parcel::Parcel;
use crate::api::Refused;

/// As many as a test of duplicates or of memory wants.
const MOST_TIMES: usize = 1000;

/// How often and how the same message is sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batch {
    /// So often, one after the other; once, if absent.
    pub(crate) times: Option<usize>,
    /// All of them at once instead.
    pub(crate) at_once: bool,
    /// The very same bytes each time, instead of a fresh signature.
    pub(crate) replay: bool,
}

impl Batch {
    /// Packs and delivers; what each delivery came to, in order.
    ///
    /// # Errors
    /// `bad_request` for a `times` beyond 1 to 1000; `bad_settings` when `pack` has no key to seal with.
    pub(crate) async fn send<T, F>(
        self,
        pack: impl Fn() -> Option<Parcel>,
        deliver: impl Fn(Parcel) -> F,
    ) -> Result<Vec<T>, Refused>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let times = self.times.unwrap_or(1);
        if !(1..=MOST_TIMES).contains(&times) {
            let message = "times is a number from 1 to 1000";
            return Err(Refused::new(StatusCode::BAD_REQUEST, "bad_request", message));
        }
        let pack = || pack().ok_or(super::verify::Unverified::AesKey);
        let parcels: Vec<Parcel> = if self.replay {
            vec![pack()?; times]
        } else {
            (0..times).map(|_| pack()).collect::<Result<_, _>>()?
        };
        let mut running = Vec::new();
        let mut sent = Vec::new();
        for delivery in parcels.into_iter().map(deliver) {
            if self.at_once {
                running.push(tokio::spawn(delivery));
            } else {
                sent.push(delivery.await);
            }
        }
        for delivery in running {
            sent.extend(delivery.await.ok());
        }
        Ok(sent)
    }
}
