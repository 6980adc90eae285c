//! Wrong passwords and wrong codes, counted (SEC-74, SEC-79): at one name from one address, at all names from one address, and
//! at one name from all addresses that never knew it. A code's name is the address or number it went to.
//!
//! A stranger must not be able to lock a person out, nor a colleague behind the same address. So the last two counts leave out
//! names at addresses from which somebody signed in by them lately: there only their own guesses count. From elsewhere the
//! person waits at worst until one of the guesses is old enough, and has the other tabs. Names that nobody has are counted alike.

use std::net::IpAddr;
use std::time::Duration;

use mashang_login::Timestamp;

use crate::web::address::limit_key;
use crate::web::counts::CountsOf;
use crate::web::limits::TooMany;
use crate::web::tally::Tally;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The counts of one channel.
#[derive(Debug)]
pub struct Guesses {
    at_name_from_address: Tally,
    from_address: Tally,
    at_name: Tally,
    /// From where the right password for a name came.
    home: Tally,
}

impl Guesses {
    /// At passwords.
    #[must_use]
    pub fn at_passwords() -> Self {
        // An office behind one address mistypes a lot on Mondays.
        Self::new((5, MINUTE * 5), (60, MINUTE * 5), (50, MINUTE * 30))
    }

    /// At codes of six digits, of which each may be guessed five times, and then another is asked for. A code is one of a million
    /// and not one of a person's choice, so what counts is how many may be tried in a year: at one name 2 % of them. The price: for half a
    /// day a stranger can keep a person from signing in by codes where they never did, who has the other ways then.
    #[must_use]
    pub fn at_codes() -> Self {
        Self::new((20, DAY / 2), (60, MINUTE * 60), (30, DAY / 2))
    }

    /// So many of each in such a time.
    fn new(
        at_name_from_address: (usize, Duration),
        from_address: (usize, Duration),
        at_name: (usize, Duration),
    ) -> Self {
        let tally = |name, (most, period)| Tally::new(name, most, period);
        Self {
            at_name_from_address: tally("at_name_from_address", at_name_from_address),
            from_address: tally("from_address", from_address),
            at_name: tally("at_name", at_name),
            home: tally("home", (usize::MAX, DAY * 30)),
        }
    }

    /// Counts a guess before it is looked at; [`Guesses::was_right`] and
    /// [`Guesses::was_not_judged`] take it back.
    ///
    /// # Errors
    /// [`TooMany`] with the time until the next one.
    pub async fn begin(
        &self,
        counts: CountsOf<'_>,
        name: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), TooMany> {
        let (here, both) = keys(name, address);
        self.at_name_from_address.take(counts, &both, now).await?;
        if self.home.knows(counts, &both, now).await {
            return Ok(());
        }
        if let Err(limit) = self.from_address.take(counts, &here, now).await {
            self.at_name_from_address.give_back(counts, &both).await;
            return Err(limit);
        }
        if let Err(limit) = self.at_name.take(counts, name, now).await {
            self.at_name_from_address.give_back(counts, &both).await;
            self.from_address.give_back(counts, &here).await;
            return Err(limit);
        }
        Ok(())
    }

    /// Whether somebody signed in by that name from there lately.
    pub async fn is_home(&self, counts: CountsOf<'_>, name: &str, address: IpAddr, now: Timestamp) -> bool {
        self.home.knows(counts, &keys(name, address).1, now).await
    }

    /// Nobody learned anything by the guess: we were too busy to look at it, or a store did not answer.
    pub async fn was_not_judged(&self, counts: CountsOf<'_>, name: &str, address: IpAddr, now: Timestamp) {
        let (here, both) = keys(name, address);
        self.at_name_from_address.give_back(counts, &both).await;
        if !self.home.knows(counts, &both, now).await {
            self.from_address.give_back(counts, &here).await;
            self.at_name.give_back(counts, name).await;
        }
    }

    /// The guess was none: somebody who knows the password signed in.
    pub async fn was_right(&self, counts: CountsOf<'_>, name: &str, address: IpAddr, now: Timestamp) {
        self.was_not_judged(counts, name, address, now).await;
        let (_, both) = keys(name, address);
        // One time each is enough to be known.
        self.home.give_back(counts, &both).await;
        let _ = self.home.take(counts, &both, now).await;
    }
}

fn keys(name: &str, address: IpAddr) -> (String, String) {
    let here = limit_key(address).to_string();
    let both = format!("{here} {name}");
    (here, both)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use futures_util::FutureExt as _;

    use crate::web::counts::Counts;

    use super::*;

    /// The only node, which waits for nothing.
    struct Alone(Guesses, Counts);

    impl Alone {
        fn new() -> Self {
            Self(Guesses::at_passwords(), Counts::default())
        }

        fn begin(&self, name: &str, address: IpAddr, now: Timestamp) -> Result<(), TooMany> {
            let channel = "password".parse().unwrap();
            self.0.begin(self.1.of(&channel), name, address, now).now_or_never().unwrap()
        }

        fn was_right(&self, name: &str, address: IpAddr, now: Timestamp) {
            let channel = "password".parse().unwrap();
            self.0.was_right(self.1.of(&channel), name, address, now).now_or_never().unwrap();
        }
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap() + Duration::from_secs(seconds)
    }

    fn address(n: u16) -> IpAddr {
        let [high, low] = n.to_be_bytes();
        Ipv4Addr::new(198, 51, high, low).into()
    }

    #[test]
    fn sec_74_five_wrong_ones_and_the_sixth_waits() {
        let guesses = Alone::new();
        for second in 0..5 {
            guesses.begin("ada", address(1), at(second)).unwrap();
        }
        let wait = guesses.begin("ada", address(1), at(10)).unwrap_err();
        assert_eq!(wait.retry_after, Duration::from_secs(290));
        assert!(guesses.begin("bob", address(1), at(10)).is_ok(), "another name");
        assert!(guesses.begin("ada", address(2), at(10)).is_ok(), "another address");
        assert!(guesses.begin("ada", address(1), at(300)).is_ok(), "never for good");
    }

    #[test]
    fn sec_74_many_addresses_do_not_multiply_guesses_nor_lock_the_person_out_at_home() {
        let guesses = Alone::new();
        guesses.begin("ada", address(0), at(0)).unwrap();
        guesses.was_right("ada", address(0), at(0));
        for n in 1..=50 {
            guesses.begin("ada", address(n), at(1)).unwrap();
        }
        assert!(guesses.begin("ada", address(999), at(2)).is_err(), "a stranger's turn is over");
        assert!(guesses.begin("ada", address(0), at(2)).is_ok(), "the person's is not");
    }

    #[test]
    fn sec_74_a_colleague_who_guesses_locks_nobody_out_who_signs_in_behind_the_same_address() {
        let guesses = Alone::new();
        guesses.begin("ada", address(1), at(0)).unwrap();
        guesses.was_right("ada", address(1), at(0));
        let tried = (0..100).take_while(|n| guesses.begin(&format!("name{n}"), address(1), at(1)).is_ok());
        assert_eq!(tried.count(), 60);
        for second in 1..=5 {
            guesses.begin("ada", address(1), at(second)).unwrap();
        }
        assert!(guesses.begin("ada", address(1), at(6)).is_err(), "at her own name it is five there as ever");
        assert!(guesses.begin("eve", address(1), at(6)).is_err(), "who never signed in there waits");
    }

    #[test]
    fn right_ones_do_not_count() {
        let guesses = Alone::new();
        for second in 0..200 {
            guesses.begin("ada", address(1), at(second)).unwrap();
            guesses.was_right("ada", address(1), at(second));
        }
    }

    #[test]
    fn a_guess_that_was_not_looked_at_does_not_count_and_makes_nobody_known() {
        let Alone(guesses, counts) = &Alone::new();
        let channel = "password".parse().unwrap();
        let begin = |n| guesses.begin(counts.of(&channel), "ada", address(n), at(0)).now_or_never().unwrap();
        for n in 0..100 {
            begin(n).unwrap();
            let undone = guesses.was_not_judged(counts.of(&channel), "ada", address(n), at(0));
            undone.now_or_never().unwrap();
        }
        assert_eq!((0..100).take_while(|n| begin(*n).is_ok()).count(), 50, "at her name, from everywhere");
    }

    #[test]
    fn one_address_cannot_try_one_password_at_every_name() {
        let guesses = Alone::new();
        let tried = (0..100).take_while(|n| guesses.begin(&format!("name{n}"), address(1), at(0)).is_ok());
        assert_eq!(tried.count(), 60);
    }
}
