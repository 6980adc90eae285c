//! How many codes are sent (SEC-79): to one address or number, as asked by one network address, and in all. Each SMS costs
//! money, and each mail that nobody asked for annoys somebody.
//!
//! Whoever asks for a code from where one of theirs was right lately ([`Guesses::is_home`](crate::channel::guesses::Guesses::is_home))
//! is bound by their own share and by what is sent in all: strangers use up neither, and the last quarter of a day's codes is not
//! theirs. What somebody is told depends on where they ask from, and on nothing that is known of an address (SEC-14).

use std::net::IpAddr;
use std::time::Duration;

use mashang_login::Timestamp;

use crate::web::address::limit_key;
use crate::web::counts::CountsOf;
use crate::web::limits::TooMany;
use crate::web::tally::Tally;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// All together are one key.
const ALL: &str = "all";

/// What an operator allows.
#[derive(Debug, Clone, Copy)]
pub struct Ceilings {
    /// In a minute, to all people together.
    pub per_minute: usize,
    /// In any 24 hours, to all people together.
    pub per_day: usize,
    /// In ten minutes, for one network address.
    pub per_address: usize,
}

/// Who asks for a code, from where.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    /// For which address or number.
    pub(super) to: &'a str,
    pub(super) address: IpAddr,
    /// Whether a code to it was right from there lately.
    pub(super) is_home: bool,
}

/// Why none is sent.
#[derive(Debug)]
pub(super) enum Over {
    /// The asker, the address asked from, or the one asked for has had its share.
    Share(TooMany),
    /// All together have had what the operator allows by this setting.
    Ceiling(&'static str, TooMany),
}

/// The counts of one channel.
#[derive(Debug)]
pub(super) struct Budget {
    to_one: Tally,
    to_one_a_day: Tally,
    to_one_from_one: Tally,
    from_one: Tally,
    in_all: Tally,
    in_a_day: Tally,
    to_strangers_a_day: Tally,
}

impl Budget {
    pub(super) fn new(ceilings: Ceilings) -> Self {
        let Ceilings { per_minute, per_day, per_address } = ceilings;
        Self {
            // Strangers who ask for somebody's codes use up their own five, and four of them together the twenty.
            to_one: Tally::new("to_one", 20, MINUTE * 60),
            to_one_a_day: Tally::new("to_one_a_day", 30, DAY),
            to_one_from_one: Tally::new("to_one_from_one", 5, MINUTE * 60),
            from_one: Tally::new("from_one", per_address, MINUTE * 10),
            in_all: Tally::new("in_all", per_minute, MINUTE),
            in_a_day: Tally::new("in_a_day", per_day, DAY),
            to_strangers_a_day: Tally::new("to_strangers_a_day", (per_day - per_day / 4).max(1), DAY),
        }
    }

    /// Takes one code out of each, or out of none.
    pub(super) async fn take(
        &self,
        counts: CountsOf<'_>,
        asker: Asker<'_>,
        now: Timestamp,
    ) -> Result<(), Over> {
        let from = limit_key(asker.address).to_string();
        let both = pair(asker.to, &from);
        let (shares, ceilings) = (self.shares(&asker, &from, &both), self.ceilings(&asker));
        for (taken, (tally, key)) in shares.iter().chain(&ceilings).copied().enumerate() {
            if let Err(limit) = tally.take(counts, key, now).await {
                for (tally, key) in shares.iter().chain(&ceilings).copied().take(taken) {
                    tally.give_back(counts, key).await;
                }
                return Err(match taken.checked_sub(shares.len()) {
                    None => Over::Share(limit),
                    Some(0) => Over::Ceiling("per_minute", limit),
                    Some(_) => Over::Ceiling("per_day", limit),
                });
            }
        }
        Ok(())
    }

    fn shares<'a>(&'a self, asker: &Asker<'a>, from: &'a str, both: &'a str) -> Vec<(&'a Tally, &'a str)> {
        let own = (&self.to_one_from_one, both);
        if asker.is_home {
            return vec![own];
        }
        vec![(&self.from_one, from), own, (&self.to_one, asker.to), (&self.to_one_a_day, asker.to)]
    }

    fn ceilings(&self, asker: &Asker<'_>) -> Vec<(&Tally, &'static str)> {
        let mut all = vec![(&self.in_all, ALL), (&self.in_a_day, ALL)];
        if !asker.is_home {
            all.push((&self.to_strangers_a_day, ALL));
        }
        all
    }

    /// Nothing was sent: it shall not count for the person, who will try again, nor for the day. For the address that asked and for
    /// the minute it does: asking in vain is work too.
    pub(super) async fn give_back(&self, counts: CountsOf<'_>, asker: Asker<'_>) {
        let both = pair(asker.to, &limit_key(asker.address).to_string());
        self.to_one_from_one.give_back(counts, &both).await;
        self.in_a_day.give_back(counts, ALL).await;
        if !asker.is_home {
            self.to_one.give_back(counts, asker.to).await;
            self.to_one_a_day.give_back(counts, asker.to).await;
            self.to_strangers_a_day.give_back(counts, ALL).await;
        }
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
            Self::with(Ceilings { per_minute, per_day: 10_000, per_address: 30 })
        }

        fn with(ceilings: Ceilings) -> Self {
            Self(Budget::new(ceilings), Counts::default())
        }

        fn take(&self, to: &str, address: IpAddr, now: Timestamp) -> Result<(), Over> {
            self.asked(Asker { to, address, is_home: false }, now)
        }

        fn asked(&self, asker: Asker<'_>, now: Timestamp) -> Result<(), Over> {
            let channel = "sms".parse().unwrap();
            self.0.take(self.1.of(&channel), asker, now).now_or_never().unwrap()
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
    fn sec_79_strangers_write_to_nobody_more_than_thirty_times_a_day_nor_keep_them_from_codes_at_home() {
        let budget = Alone::new(1000);
        let to = "ada@example.com";
        let sent = |hour: u64| {
            let from = (1..100).take_while(|n| budget.take(to, address(*n), at(hour * 3600)).is_ok());
            from.count()
        };
        assert_eq!([sent(0), sent(2), sent(4)], [20, 10, 0]);
        let ada = Asker { to, address: address(200), is_home: true };
        assert!(budget.asked(ada, at(4 * 3600)).is_ok(), "where she signs in she gets one");
        assert_eq!(sent(24), 20, "the next day");
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

    #[test]
    fn sec_79_a_day_has_a_ceiling_whose_last_quarter_is_not_for_strangers() {
        let budget = Alone::with(Ceilings { per_minute: 1000, per_day: 40, per_address: 1000 });
        let to = |n: usize| format!("+861380013{n:04}");
        let sent = (0..100).take_while(|n| budget.take(&to(*n), address(1), at(0)).is_ok()).count();
        assert_eq!(sent, 30, "strangers");
        let over = budget.take(&to(999), address(2), at(3600)).unwrap_err();
        assert!(matches!(over, Over::Ceiling("per_day", _)), "{over:?}");
        let home =
            |n: usize| budget.asked(Asker { to: &to(n), address: address(3), is_home: true }, at(3600));
        assert_eq!((200..300).take_while(|n| home(*n).is_ok()).count(), 10, "who signed in there before");
        assert!(budget.take(&to(999), address(2), at(24 * 3600)).is_ok(), "the next day");
    }
}
