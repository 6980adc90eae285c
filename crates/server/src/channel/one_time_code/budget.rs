//! How many codes are sent (SEC-79): to one address or number, as asked by one network address, and in all. Each SMS costs
//! money, and each mail that nobody asked for annoys somebody.

use std::net::IpAddr;
use std::time::Duration;

use mashang_login::Timestamp;

use crate::web::address::limit_key;
use crate::web::counts::CountsOf;
use crate::web::limits::TooMany;
use crate::web::tally::Tally;

const MINUTE: Duration = Duration::from_secs(60);
/// All together are one key.
const ALL: &str = "all";

/// The counts of one channel.
#[derive(Debug)]
pub(super) struct Budget {
    to_one: Tally,
    to_one_from_one: Tally,
    from_one: Tally,
    in_all: Tally,
}

impl Budget {
    pub(super) fn new(per_minute: usize) -> Self {
        Self {
            // Strangers who ask for somebody's codes use up their own five, and four of them together the twenty.
            to_one: Tally::new("to_one", 20, MINUTE * 60),
            to_one_from_one: Tally::new("to_one_from_one", 5, MINUTE * 60),
            from_one: Tally::new("from_one", 30, MINUTE * 10),
            in_all: Tally::new("in_all", per_minute, MINUTE),
        }
    }

    /// Takes one code out of each, or out of none.
    pub(super) async fn take(
        &self,
        counts: CountsOf<'_>,
        to: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        let from = limit_key(address).to_string();
        let both = pair(to, &from);
        let each = [
            (&self.from_one, from.as_str()),
            (&self.to_one_from_one, &both),
            (&self.to_one, to),
            (&self.in_all, ALL),
        ];
        for (taken, (tally, key)) in each.into_iter().enumerate() {
            if let Err(limit) = tally.take(counts, key, now).await {
                for (tally, key) in &each[..taken] {
                    tally.give_back(counts, key).await;
                }
                return Err(limit);
            }
        }
        Ok(())
    }

    /// Nothing was sent: it shall not count for the person, who will try again.
    pub(super) async fn give_back(&self, counts: CountsOf<'_>, to: &str, address: IpAddr) {
        self.to_one.give_back(counts, to).await;
        self.to_one_from_one.give_back(counts, &pair(to, &limit_key(address).to_string())).await;
    }
}

fn pair(to: &str, from: &str) -> String {
    format!("{from} {to}")
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use crate::web::counts::Counts;

    use super::*;

    /// The only node, which waits for nothing.
    struct Alone(Budget, Counts);

    impl Alone {
        fn new(per_minute: usize) -> Self {
            Self(Budget::new(per_minute), Counts::default())
        }

        fn take(&self, to: &str, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
            let channel = "sms".parse().unwrap();
            self.0.take(self.1.of(&channel), to, address, now).now_or_never().unwrap()
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap() + Duration::from_secs(seconds)
    }

    fn address(n: u8) -> IpAddr {
        IpAddr::from([198, 51, 100, n])
    }

    #[test]
    fn sec_79_one_number_gets_five_an_hour_from_one_asker_and_twenty_in_all() {
        let budget = Alone::new(1000);
        let asked = |number: &str, from: u8, seconds: u64| budget.take(number, address(from), at(seconds));
        for n in 0..5 {
            asked("+8613800138000", 1, n).unwrap();
        }
        assert!(asked("+8613800138000", 1, 60).is_err());
        assert!(asked("+8613900139000", 1, 60).is_ok());
        assert!(asked("+8613800138000", 2, 60).is_ok(), "a stranger locks nobody out");
        assert_eq!(
            (3..100).take_while(|n| asked("+8613800138000", *n, 60).is_ok()).count(),
            14,
            "twenty in all"
        );
        assert!(asked("+8613800138000", 1, 3700).is_ok());
    }

    #[test]
    fn sec_79_one_address_and_all_together_have_their_ceilings() {
        let budget = Alone::new(40);
        let to = |n: usize| format!("ada{n}@example.com");
        let sent = (0..100).take_while(|n| budget.take(&to(*n), address(1), at(0)).is_ok()).count();
        assert_eq!(sent, 30, "one address");
        let sent = (100..200).take_while(|n| budget.take(&to(*n), address(2), at(0)).is_ok()).count();
        assert_eq!(sent, 10, "all together");
        assert!(budget.take("ada@example.com", address(3), at(60)).is_ok(), "the next minute");
    }
}
