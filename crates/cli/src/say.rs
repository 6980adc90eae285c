//! Words on the terminal: [`say!`] on standard output, [`note!`] on standard error.
//!
//! Whoever listens may leave (`mashang audit list | head`). That is no failure of the command: the rest is said to nobody, and the exit
//! status means what it always means. `println!` would panic, in the middle of what the command does.

use std::fmt;
use std::io::{self, ErrorKind, Write};

/// A line on standard output.
macro_rules! say {
    ($($words:tt)+) => { $crate::say::out(format_args!("{}\n", format_args!($($words)+))) };
}

/// A line on standard error.
macro_rules! note {
    ($($words:tt)+) => { $crate::say::aside(format_args!("{}\n", format_args!($($words)+))) };
}

/// Says `words` on standard output, as they are.
pub fn out(words: fmt::Arguments<'_>) {
    // A harness keeps what is printed, and shows it of a test that failed.
    #[cfg(test)]
    #[allow(clippy::print_stdout, reason = "tests")]
    {
        print!("{words}");
    }
    #[cfg(not(test))]
    said(&mut io::stdout().lock(), words);
}

/// Says `words` on standard error, as they are. Where that fails there is nobody left to tell.
pub fn aside(words: fmt::Arguments<'_>) {
    drop(io::stderr().lock().write_fmt(words));
}

/// A full disk is another matter than a listener who left: the words may be a secret that is shown only once.
fn said(listener: &mut dyn Write, words: fmt::Arguments<'_>) {
    match listener.write_fmt(words).and_then(|()| listener.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => panic!("what was to be said is lost: {error}"),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Failing(ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_left_is_told_nothing_more() {
        said(&mut Failing(ErrorKind::BrokenPipe), format_args!("a line"));
    }

    #[test]
    #[should_panic(expected = "is lost")]
    fn words_that_find_no_room_are_not_lost_in_silence() {
        said(&mut Failing(ErrorKind::StorageFull), format_args!("a secret"));
    }
}
