//! Mini-programs: their codes, their sessions, and what they may know about a person.

pub(crate) const SESSION: &str = "sns/jscode2session";
