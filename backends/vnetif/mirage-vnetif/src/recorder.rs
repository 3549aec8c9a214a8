//! Frames kept for a look at them with Wireshark or tcpdump.

use alloc::collections::VecDeque;
use alloc::rc::Rc;
use core::cell::RefCell;
use std::path::{Path, PathBuf};
use std::{env, fs, io, thread};

use mirage_clock::Instant;

/// The newest frames of a network, in a bounded number of bytes. A clone is the same recorder.
///
/// ```
/// use mirage_clock::Instant;
/// use mirage_vnetif::Recorder;
///
/// let recorder = Recorder::new(1 << 20);
/// recorder.record(Instant::from_millis(1500), &[0xff; 60]);
/// let mut file = Vec::new();
/// recorder.write_pcap(&mut file).unwrap();
/// assert_eq!(file.len(), 24 + 16 + 60);
/// ```
#[derive(Clone, Debug)]
pub struct Recorder(Rc<RefCell<Tape>>);

#[derive(Debug)]
struct Tape {
    frames: VecDeque<(Instant, Box<[u8]>)>,
    /// Sum of the lengths of `frames`. Invariant: at most `limit`.
    bytes: usize,
    limit: usize,
    forgotten: u64,
}

impl Recorder {
    /// Keeps the newest frames whose lengths add up to at most `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self(Rc::new(RefCell::new(Tape { frames: VecDeque::new(), bytes: 0, limit, forgotten: 0 })))
    }

    /// Keeps a copy of `frame`, which was seen at `now`; forgets the oldest ones where there is no room.
    pub fn record(&self, now: Instant, frame: &[u8]) {
        let tape = &mut *self.0.borrow_mut();
        tape.frames.push_back((now, frame.into()));
        tape.bytes += frame.len();
        while tape.bytes > tape.limit {
            let Some((_, oldest)) = tape.frames.pop_front() else { break };
            tape.bytes -= oldest.len();
            tape.forgotten += 1;
        }
    }

    /// How many frames are kept.
    pub fn len(&self) -> usize {
        self.0.borrow().frames.len()
    }

    /// Whether no frame is kept.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many frames were forgotten to make room for newer ones.
    pub fn forgotten(&self) -> u64 {
        self.0.borrow().forgotten
    }

    /// Calls `visit` with every kept frame, oldest first.
    pub fn for_each(&self, mut visit: impl FnMut(Instant, &[u8])) {
        for (at, frame) in &self.0.borrow().frames {
            visit(*at, frame);
        }
    }

    /// Writes what is kept as a classic pcap file of Ethernet frames with nanosecond timestamps.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_pcap(&self, out: &mut impl io::Write) -> io::Result<()> {
        // The savefile format of pcap-savefile(5); its numbers are in the byte order of the magic number.
        out.write_all(&0xa1b2_3c4d_u32.to_le_bytes())?;
        out.write_all(&2_u16.to_le_bytes())?;
        out.write_all(&4_u16.to_le_bytes())?;
        for field in [0, 0, SNAP_LENGTH, ETHERNET] {
            out.write_all(&field.to_le_bytes())?;
        }
        for (at, frame) in &self.0.borrow().frames {
            let kept = frame.len().min(SNAP_LENGTH as usize);
            let nanos = at.as_nanos();
            let (seconds, rest) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
            for field in [seconds as u32, rest as u32, kept as u32, frame.len() as u32] {
                out.write_all(&field.to_le_bytes())?;
            }
            out.write_all(&frame[..kept])?;
        }
        Ok(())
    }

    /// Writes what is kept to the file `path`, whose directory is made if need be.
    ///
    /// # Errors
    /// Those of the file system.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        let mut file = io::BufWriter::new(fs::File::create(path)?);
        self.write_pcap(&mut file)?;
        io::Write::flush(&mut file)
    }

    /// Saves what is kept to `target/pcap/<test>.pcap` when the guard is dropped by a panic, and says so on stderr.
    #[must_use = "it saves when it is dropped: keep it until the end of the test"]
    pub fn save_on_panic(&self, test: &str) -> SaveOnPanic {
        self.save_on_panic_to(target_directory().join("pcap").join(test).with_extension("pcap"))
    }

    /// Like [`save_on_panic`](Self::save_on_panic), to a file of your choice.
    #[must_use = "it saves when it is dropped: keep it until the end of the test"]
    pub fn save_on_panic_to(&self, path: PathBuf) -> SaveOnPanic {
        SaveOnPanic { recorder: self.clone(), path }
    }
}

/// Saves a recording when a test fails: the evidence is there without running it again.
#[derive(Debug)]
pub struct SaveOnPanic {
    recorder: Recorder,
    path: PathBuf,
}

impl SaveOnPanic {
    /// Where the recording would go.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SaveOnPanic {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        match self.recorder.save(&self.path) {
            Ok(()) => eprintln!("the last {} frames are in {}", self.recorder.len(), self.path.display()),
            Err(error) => eprintln!("the frames could not be saved in {}: {error}", self.path.display()),
        }
    }
}

/// Where Cargo puts what it builds: the first directory above the running program that Cargo marked as a cache.
fn target_directory() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    let marked = program.ancestors().skip(1).find(|directory| directory.join("CACHEDIR.TAG").is_file());
    marked.map_or_else(|| PathBuf::from("target"), Path::to_path_buf)
}

/// Longest frame that readers of pcap files accept, in bytes.
const SNAP_LENGTH: u32 = 262_144;
/// `LINKTYPE_ETHERNET`.
const ETHERNET: u32 = 1;
