//! The suites on the engine of a single node. Its two "nodes" are two clones.

use std::sync::Arc;

use mashang_login::challenge::Challenges;
use mashang_login::tickets::{Handshakes, Tickets};
use mashang_store::conformance::Nodes;
use mashang_store::memory::{MemoryLimits, MemoryTickets};

fn engine(ceiling: usize) -> MemoryTickets {
    MemoryTickets::new(MemoryLimits {
        live_tickets: ceiling,
        live_handshakes: ceiling,
        provider_codes: ceiling,
        live_challenges: ceiling,
    })
}

mod tickets {
    use super::*;

    async fn nodes(ceiling: usize) -> Nodes<dyn Tickets> {
        let engine = engine(ceiling);
        Nodes::new(Arc::new(engine.clone()), Arc::new(engine), ())
    }

    mashang_store::ticket_suite!(nodes);
}

mod handshakes {
    use super::*;

    async fn nodes(ceiling: usize) -> Nodes<dyn Handshakes> {
        let engine = engine(ceiling);
        Nodes::new(Arc::new(engine.clone()), Arc::new(engine), ())
    }

    mashang_store::handshake_suite!(nodes);
}

mod challenges {
    use super::*;

    async fn nodes(ceiling: usize) -> Nodes<dyn Challenges> {
        let engine = engine(ceiling);
        Nodes::new(Arc::new(engine.clone()), Arc::new(engine), ())
    }

    mashang_store::challenge_suite!(nodes);
}
