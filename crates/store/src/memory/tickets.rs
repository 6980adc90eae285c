//! [`Tickets`] in memory: compare and set under the lock, then ring.

use async_trait::async_trait;
use mashang_login::Timestamp;
use mashang_login::ids::ScanCode;
use mashang_login::records::StoreError;
use mashang_login::ticket::{Glance, Ticket};
use mashang_login::tickets::{Advance, Tickets, Watch};

use super::MemoryTickets;
use super::packed::{self, Packed};
use super::shelf::Put;

#[async_trait]
impl Tickets for MemoryTickets {
    async fn create(&self, ticket: &Ticket, now: Timestamp) -> Result<(), StoreError> {
        let put = {
            let mut held = self.held();
            let value = Packed::pack(ticket, &mut held.shared);
            let (code, until) = (packed::key(&ticket.scan_code), ticket.keep_until);
            held.tickets.put(code, value, until, now, self.limits.live_tickets)
        };
        match put {
            Put::Stored => {
                self.watchers.ring(&ticket.scan_code);
                Ok(())
            }
            Put::Exists => Err(StoreError::Conflict),
            Put::Full => Err(StoreError::Overloaded),
        }
    }

    async fn get(&self, code: &ScanCode, now: Timestamp) -> Result<Option<Ticket>, StoreError> {
        let found = self.held().tickets.get(&packed::key(code), now).cloned();
        Ok(found.map(|packed| packed.unpack(code)))
    }

    async fn glance(&self, code: &ScanCode, now: Timestamp) -> Result<Option<Glance>, StoreError> {
        Ok(self.held().tickets.get(&packed::key(code), now).map(|packed| packed.glance(now)))
    }

    async fn advance(&self, seen: &Ticket, next: &Ticket, now: Timestamp) -> Result<Advance, StoreError> {
        let code = packed::key(&seen.scan_code);
        {
            let mut held = self.held();
            let value = Packed::pack(next, &mut held.shared);
            match held.tickets.get_mut(&code, now) {
                Some(stored) if stored.version == seen.version => *stored = value,
                _ => return Ok(Advance::Lost),
            }
            held.tickets.keep(&code, next.keep_until);
        }
        self.watchers.ring(&seen.scan_code);
        Ok(Advance::Won)
    }

    async fn watch(&self, code: &ScanCode) -> Result<Box<dyn Watch>, StoreError> {
        Ok(Box::new(self.watchers.subscribe(code)))
    }
}
