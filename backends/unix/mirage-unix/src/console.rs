//! Standard output and standard error as a console.

use std::io::IoSlice;
use std::os::fd::BorrowedFd;

use embedded_io::{ErrorType, Write};
use rustix::io::Errno;

/// Standard output or standard error, unbuffered.
///
/// A line goes out in one `writev`, so on a terminal, and on a pipe up to `PIPE_BUF` bytes, the lines of two writers
/// do not mix. When the descriptor does not block, a full pipe is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Console {
    fd: BorrowedFd<'static>,
}

impl Console {
    /// The console that is standard output.
    pub fn stdout() -> Self {
        Self { fd: rustix::stdio::stdout() }
    }

    /// The console that is standard error.
    pub fn stderr() -> Self {
        Self { fd: rustix::stdio::stderr() }
    }

    /// Writes some of `pieces`, in order; at least one byte when there is one.
    fn write_pieces(self, pieces: &[IoSlice<'_>]) -> std::io::Result<usize> {
        loop {
            match rustix::io::writev(self.fd, pieces) {
                Ok(0) if pieces.iter().any(|piece| !piece.is_empty()) => {
                    return Err(std::io::ErrorKind::WriteZero.into());
                }
                Ok(written) => return Ok(written),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => {
                    use rustix::event::{PollFd, PollFlags, poll};
                    // An interruption only means one more try.
                    let _ = poll(&mut [PollFd::from_borrowed_fd(self.fd, PollFlags::OUT)], None);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

impl ErrorType for Console {
    type Error = std::io::Error;
}

impl Write for Console {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        self.write_pieces(&[IoSlice::new(bytes)])
    }

    /// Nothing to do: nothing is buffered.
    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

impl mirage_console::Console for Console {
    fn write_line(&mut self, line: &str) -> Result<(), Self::Error> {
        let mut pieces = [IoSlice::new(line.as_bytes()), IoSlice::new(b"\n")];
        let mut rest = &mut pieces[..];
        while !rest.is_empty() {
            let written = self.write_pieces(rest)?;
            IoSlice::advance_slices(&mut rest, written);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_console_in_a_file_passes_its_exam() {
        let path = std::env::temp_dir().join(format!("mirage-console-{}", std::process::id()));
        let options = std::fs::OpenOptions::new().read(true).append(true).create_new(true).open(&path);
        // Consoles live as long as the process.
        let file: &'static std::fs::File = Box::leak(Box::new(options.expect("a file")));
        let mut console = Console { fd: std::os::fd::AsFd::as_fd(file) };
        mirage_console::testing::examine(&mut console, |_| {
            let mut all = Vec::new();
            std::fs::File::open(&path).and_then(|mut file| file.read_to_end(&mut all)).expect("read");
            Some(all)
        });
        std::fs::remove_file(&path).expect("removed");
    }
}
