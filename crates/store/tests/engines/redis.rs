//! Engines on Redis for the suites: every case has a prefix of its own, every node a connection of its own.

use mashang_login::ambient::SystemEntropy;
use mashang_store::memory::MemoryLimits;
use mashang_store::redis::{RedisOptions, RedisTickets};

/// One node's engine.
pub async fn node(url: &str, prefix: &str, ceiling: usize) -> RedisTickets {
    let limits = MemoryLimits {
        live_tickets: ceiling,
        live_handshakes: ceiling,
        provider_codes: ceiling,
        live_challenges: ceiling,
    };
    let options = RedisOptions { limits, prefix: format!("{prefix}:") };
    RedisTickets::connect(url.parse().unwrap(), options, &SystemEntropy).await.expect("Redis answers")
}

/// A server of one test's own, to be stopped, paused and flushed.
pub mod private;

/// All suites on what `nodes(ceiling, share)` of the present module makes.
macro_rules! suites_over_nodes {
    () => {
        mod tickets {
            async fn nodes(
                ceiling: usize,
            ) -> mashang_store::conformance::Nodes<dyn mashang_login::tickets::Tickets> {
                super::nodes(ceiling, |node| std::sync::Arc::new(node) as _).await
            }

            mashang_store::ticket_suite!(nodes);
        }

        mod handshakes {
            async fn nodes(
                ceiling: usize,
            ) -> mashang_store::conformance::Nodes<dyn mashang_login::tickets::Handshakes> {
                super::nodes(ceiling, |node| std::sync::Arc::new(node) as _).await
            }

            mashang_store::handshake_suite!(nodes);
        }

        mod challenges {
            async fn nodes(
                ceiling: usize,
            ) -> mashang_store::conformance::Nodes<dyn mashang_login::challenge::Challenges> {
                super::nodes(ceiling, |node| std::sync::Arc::new(node) as _).await
            }

            mashang_store::challenge_suite!(nodes);
        }

        mod counters {
            async fn nodes(
                ceiling: usize,
            ) -> mashang_store::conformance::Nodes<dyn mashang_login::counters::Counters> {
                super::nodes(ceiling, |node| std::sync::Arc::new(node) as _).await
            }

            mashang_store::counter_suite!(nodes);
        }
    };
}
pub(crate) use suites_over_nodes;

/// All suites on the engine whose address is in a variable.
macro_rules! suites {
    ($variable:literal) => {
        /// Two nodes on one fresh prefix.
        async fn nodes<T: ?Sized>(
            ceiling: usize,
            share: impl Fn(mashang_store::redis::RedisTickets) -> std::sync::Arc<T>,
        ) -> mashang_store::conformance::Nodes<T> {
            let (url, prefix) = ($crate::engines::address($variable), $crate::engines::fresh_name());
            let a = $crate::engines::redis::node(&url, &prefix, ceiling).await;
            let b = $crate::engines::redis::node(&url, &prefix, ceiling).await;
            mashang_store::conformance::Nodes::new(share(a), share(b), ())
        }

        $crate::engines::redis::suites_over_nodes!();
    };
}

pub(crate) use suites;
