//! Mini-programs: their codes, `wx.login`, and a page in which a small one runs.

mod program;

pub use program::{DEMO_MINI_PAGE, MiniProgram};
