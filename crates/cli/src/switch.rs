//! Off and on, the same for clients and people (SEC-40).
//!
//! The server asks at each step whether they are on, so a switch needs no restart.

use std::fmt;

/// Which way to switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// Refused everywhere from now on.
    Off,
    /// As before.
    On,
}

impl Switch {
    /// The way something is switched that was or was not switched off.
    pub fn of(is_off: bool) -> Self {
        if is_off { Self::Off } else { Self::On }
    }
}

impl fmt::Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Off => "switched off",
            Self::On => "switched on",
        })
    }
}
