//! Everything the machine knows of one connection.

use mirage_checksum::SequenceNumber;
use mirage_clock::{Duration, Instant};
use mirage_congestion::Congestion as _;
use mirage_stack::TcpOptions;
use mirage_waker::WaitList;

use crate::beginning::{Beginning, millis};
use crate::coarse::{Coarse, Later};
use crate::cork::Hold;
use crate::demux::Tuple;
use crate::facts::Facts;
use crate::identifier::NONE;
use crate::keepalive::Schedule;
use crate::marks::{Counters, Marks};
use crate::path::Path;
use crate::ready::Place;
use crate::receive_queue::ReceiveQueue;
use crate::recovery::Recovery;
use crate::resources::Resources;
use crate::retransmit::Watch;
use crate::rto::RoundTrip;
use crate::send_queue::SendQueue;
use crate::stamps::Stamps;
use crate::tuning::Tuning;
use crate::unsent::UnsentLimit;
use crate::{Config, Error, Profile, Standard, State};

/// Room for one connection: a control block of 448 bytes with CUBIC, without buffers.
///
/// A clone is an empty slot: there is one only while storage is being made.
#[derive(Debug)]
#[repr(C)]
pub struct Slot<P: Profile = Standard> {
    // What nearly every segment needs: the first 128 bytes, which code reaches with the shortest instructions. Within each part
    // fields are in the order of their alignment, so that nothing lies between them.
    pub(crate) send: SendQueue,
    pub(crate) receive: ReceiveQueue,
    /// When an acknowledgement is to be sent at the latest; [`Instant::MAX`] if none is due.
    pub(crate) ack_at: Instant,
    /// When to send again, or to probe a closed window; [`Instant::MAX`] for never.
    pub(crate) resend_at: Instant,
    /// SND.UNA: the oldest number not acknowledged. The send queue starts here, behind a SYN.
    pub(crate) una: SequenceNumber,
    /// SND.NXT: the number behind the highest ever sent.
    pub(crate) nxt: SequenceNumber,
    /// RCV.NXT: the next number expected.
    pub(crate) rcv_nxt: SequenceNumber,
    /// The end of the window we offered; it never moves back. Invariant: rcv_nxt <= rcv_end.
    pub(crate) rcv_end: SequenceNumber,
    /// `rcv_nxt` as we last told the peer.
    pub(crate) acked_to: SequenceNumber,
    pub(crate) facts: Facts,
    /// SND.WND in bytes: what the peer takes from `una` on.
    pub(crate) window: u32,
    /// Its place among those that have something to send.
    pub(crate) ready: Place,
    /// How often the slot was used: what an identifier must agree with.
    pub(crate) generation: u32,
    /// The entry behind this one in its chain of the hash table, or the free slot behind this one.
    pub(crate) next: u32,
    /// Its chain of the hash table: when it goes, nobody may have looked for it just before.
    pub(crate) bucket: u32,
    /// Payload of a full segment: what peer and path take; 0 until the path was asked.
    pub(crate) mss: u16,
    pub(crate) readers: WaitList,
    pub(crate) writers: WaitList,
    pub(crate) state: State,
    /// What is left to do at the end of the public method that runs; see [`todo`].
    pub(crate) todo: u8,
    /// What `resend_at` is for.
    pub(crate) watch: Watch,
    /// What a segment that is not full waits for, beside Nagle's algorithm.
    pub(crate) hold: Hold,
    /// Why it ended, if not as it should.
    pub(crate) error: Option<Error>,
    /// How often it is to be repeated after that. Invariant: at most 3, and 0 unless `ack_now`.
    pub(crate) repeats: u8,
    /// How many more acknowledgements do not wait for data to ride on.
    pub(crate) quick_acks: u8,
    /// Shift of the windows the peer sends.
    pub(crate) send_scale: u8,
    /// Shift of the windows we send; 0 unless agreed on.
    pub(crate) receive_scale: u8,
    pub(crate) marks: Marks,
    pub(crate) unsent_limit: UnsentLimit,
    /// Keepalive probes since the peer was last heard.
    pub(crate) asked: u8,
    /// The largest payload the peer takes.
    pub(crate) peer_mss: u16,
    /// Payload of the most that is planned at once, in full segments.
    pub(crate) large: u16,
    /// Payload of the peer's full segments, as far as we have seen.
    pub(crate) receive_mss: u16,

    // The rest.
    /// When the timer goes off: never later than the earliest deadline.
    pub(crate) armed: Instant,
    /// When the peer was last heard.
    pub(crate) heard_at: Instant,
    /// Since when there is no progress, while something is outstanding.
    pub(crate) stuck_since: Instant,
    pub(crate) recovery: Recovery,
    pub(crate) congestion: P::Congestion,
    /// Its place in the accept queue of `listener`.
    pub(crate) queue: Place,
    pub(crate) listener: u32,
    /// The largest window the peer ever offered.
    pub(crate) max_window: u32,
    /// SND.WL1: the segment that brought `window`. SND.WL2 is not needed: only acknowledgements at or behind `una` count,
    /// and it is never behind that.
    pub(crate) window_seq: SequenceNumber,
    /// The number of our SYN.
    pub(crate) iss: SequenceNumber,
    /// The number of the peer's SYN.
    pub(crate) irs: SequenceNumber,
    /// Segments sent again.
    pub(crate) resent: u32,
    pub(crate) path: Path,
    /// What came twice begins here, for the next acknowledgement to tell (RFC 2883).
    pub(crate) twice: SequenceNumber,
    /// Where the peer's direction ends, if its FIN came before data that it follows.
    pub(crate) fin_at: SequenceNumber,
    /// When data last came.
    pub(crate) data_at: Coarse,
    /// When to forget the connection whose application is gone.
    pub(crate) linger_at: Later,
    /// When data was last sent.
    pub(crate) sent_at: Coarse,
    pub(crate) round_trip: RoundTrip,
    pub(crate) stamps: Stamps,
    pub(crate) tuning: Tuning,
    /// How many bytes may be written and not yet acknowledged.
    pub(crate) send_limit: u32,
    /// In milliseconds.
    user_timeout: u32,
    pub(crate) challenge: Challenge,
    pub(crate) tuple: Tuple,
    /// How many bytes of the send queue go with our first SYN.
    pub(crate) syn_len: u16,
    /// How many bytes came twice from `twice` on; 0 for nothing.
    pub(crate) twice_len: u16,
    pub(crate) keepalive: Schedule,
    /// SYNs sent.
    pub(crate) syns: u8,
    pub(crate) counters: Counters,
}

// An idle connection takes no more than half a kilobyte, with its two wakers, its timer and its place in the hash table.
const _: () = assert!(size_of::<Slot>() <= 448);

/// When this connection last answered a segment outside its window, in seconds: at most two such answers a second.
pub(crate) type Challenge = crate::challenge::PerConnection;

/// What is left to do with a connection at the end of the public method that touched it.
pub(crate) mod todo {
    /// It may have something to send.
    pub(crate) const OUTPUT: u8 = 1;
    /// Its timer has to go off earlier.
    pub(crate) const REARM: u8 = 2;
    /// It has ended.
    pub(crate) const END: u8 = 4;
}

impl<P: Profile> Default for Slot<P> {
    fn default() -> Self {
        Self::unused(0, NONE)
    }
}

impl<P: Profile> Clone for Slot<P> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<P: Profile> Slot<P> {
    /// Whether there are connections whose handshake is not over: others are half-open, and no slot's business.
    pub(crate) const OPENING: bool = P::OPENS || P::FAST_OPEN;

    /// A free slot.
    #[inline(never)]
    pub(crate) fn unused(generation: u32, next: u32) -> Self {
        Self::new(generation, next)
    }

    #[inline(always)]
    fn new(generation: u32, next: u32) -> Self {
        let zero = SequenceNumber(0);
        Self {
            generation,
            next,
            bucket: 0,
            tuple: Tuple::NONE,
            state: State::Closed,
            facts: Facts::empty(),
            todo: 0,
            ready: Place::default(),
            queue: Place::default(),
            listener: NONE,
            una: zero,
            nxt: zero,
            window: 0,
            max_window: 0,
            window_seq: zero,
            send: SendQueue::default(),
            iss: zero,
            irs: zero,
            resent: 0,
            path: Path::UNKNOWN,
            peer_mss: 0,
            mss: 0,
            large: 0,
            send_scale: 0,
            hold: Hold::Nothing,
            unsent_limit: UnsentLimit::NONE,
            sent_at: Coarse::default(),
            watch: Watch::Resend,
            rcv_nxt: zero,
            rcv_end: zero,
            acked_to: zero,
            receive: ReceiveQueue::default(),
            twice: zero,
            twice_len: 0,
            fin_at: zero,
            receive_mss: 0,
            receive_scale: 0,
            syn_len: 0,
            quick_acks: 0,
            data_at: Coarse::default(),
            repeats: 0,
            ack_at: Instant::MAX,
            resend_at: Instant::MAX,
            linger_at: Later::NEVER,
            armed: Instant::MAX,
            heard_at: Instant::ZERO,
            stuck_since: Instant::ZERO,
            round_trip: RoundTrip::new(Duration::ZERO),
            congestion: P::Congestion::new(1, 1),
            recovery: Recovery::new(),
            stamps: Stamps::OFF,
            marks: Marks::OFF,
            counters: Counters::NONE,
            tuning: Tuning::NONE,
            send_limit: 0,
            keepalive: Schedule::OFF,
            asked: 0,
            syns: 0,
            user_timeout: 0,
            challenge: Challenge::default(),
            error: None,
            readers: WaitList::EMPTY,
            writers: WaitList::EMPTY,
        }
    }

    /// A connection that begins: nothing sent, nothing received, and as the application wants it.
    #[inline(never)]
    pub(crate) fn begin(
        &mut self,
        now: Instant,
        tuple: &Tuple,
        (iss, rcv_nxt): (SequenceNumber, SequenceNumber),
        options: &TcpOptions,
        (config, beginning): (&Config, &Beginning<P>),
    ) {
        let generation = self.generation;
        *self = Self::new(generation, NONE);
        self.tuple = *tuple;
        self.facts = Facts::IN_USE | Facts::HELD | Facts::LINKED | Facts::SCALING;
        self.set_nodelay(options.nodelay);
        (self.una, self.nxt) = (iss, iss);
        (self.rcv_nxt, self.acked_to) = (rcv_nxt, rcv_nxt);
        self.recovery.recover = iss;
        self.send_limit = beginning.send_limit;
        self.tuning = Tuning::begin::<P>(now, rcv_nxt, config);
        self.peer_mss = config.default_mss;
        self.receive_mss = config.default_mss;
        self.round_trip = beginning.round_trip;
        self.congestion.clone_from(&beginning.congestion);
        self.user_timeout = options.user_timeout.map_or(beginning.user_timeout, millis);
        self.keepalive = Schedule::new(options.keepalive);
        self.quick_acks = config.quick_acks;
        (self.heard_at, self.stuck_since) = (now, now);
        self.sent_at = Coarse::of(now);
    }

    /// After how long without progress it is given up: whole milliseconds, at most 49 days.
    pub(crate) fn user_timeout(&self) -> Duration {
        Duration::from_millis(self.user_timeout.into())
    }

    pub(crate) fn set_user_timeout(&mut self, timeout: Duration) {
        self.user_timeout = millis(timeout);
    }

    /// Data came.
    #[inline]
    pub(crate) fn note_data(&mut self, now: Instant) {
        self.data_at = Coarse::of(now);
    }

    /// How many numbers are on their way.
    pub(crate) fn in_flight(&self) -> u32 {
        self.nxt.since(self.una)
    }

    /// The number of our FIN, once it is queued.
    pub(crate) fn fin_seq(&self) -> SequenceNumber {
        self.una + self.send.len()
    }

    /// Whether there is something that was never sent.
    pub(crate) fn has_unsent(&self) -> bool {
        self.nxt.since(self.una) < self.send.len() + u32::from(self.fin_queued())
    }

    /// Whether everything written was sent at least once.
    pub(crate) fn is_flushed(&self) -> bool {
        self.nxt.since(self.una) >= self.send.len()
    }

    /// Lets the timer go off at `deadline` at the latest.
    #[inline]
    pub(crate) fn arm(&mut self, deadline: Instant) {
        if P::STRAIGHT {
            self.arm_here(deadline);
        } else {
            self.arm_elsewhere(deadline);
        }
    }

    #[inline(never)]
    fn arm_elsewhere(&mut self, deadline: Instant) {
        self.arm_here(deadline);
    }

    #[inline(always)]
    pub(crate) fn arm_here(&mut self, deadline: Instant) {
        if deadline < self.armed {
            self.armed = deadline;
            self.todo |= todo::REARM;
        }
    }

    /// Asks for an acknowledgement at once.
    pub(crate) fn acknowledge(&mut self) {
        self.set_ack_now(true);
        self.todo |= todo::OUTPUT;
    }

    /// Wakes everybody who waits for something to happen here.
    pub(crate) fn wake_all(&mut self, resources: &mut Resources<'_>) {
        resources.wakers.wake(&mut self.readers);
        resources.wakers.wake(&mut self.writers);
    }

    /// Ends the connection at once: nothing more is sent. What came in order can still be read.
    pub(crate) fn end(&mut self, resources: &mut Resources<'_>, error: Option<Error>) {
        self.state = State::Closed;
        if self.take(Facts::UNCONFIRMED) {
            resources.fast_open_pending -= 1;
        }
        self.set_syn_due(false);
        self.error = self.error.or(error);
        self.send.clear(&mut resources.pool);
        if P::SELECTIVE {
            resources.runs.clear(&mut self.recovery.chain);
            self.recovery = Recovery::new();
        } else {
            (self.recovery.lost, self.recovery.sacked) = (0, 0);
        }
        self.nxt = self.una;
        self.set_fin_queued(false);
        self.repeats = 0;
        self.facts -= Facts::ACK_NOW | Facts::PROBE | Facts::PROBE_TAIL | Facts::ASK | Facts::PACED;
        (self.ack_at, self.resend_at, self.linger_at) = (Instant::MAX, Instant::MAX, Later::NEVER);
        self.keepalive = Schedule::OFF;
        self.todo |= todo::END;
        self.wake_all(resources);
    }

    /// An opened or accepted connection becomes established: `una` is behind our SYN.
    pub(crate) fn establish(&mut self, resources: &mut Resources<'_>, now: Instant) {
        self.state = State::Established;
        self.resend_at = Instant::MAX;
        self.heard_at = now;
        self.note_data(now);
        self.stuck_since = now;
        if let Some(keepalive) = self.keepalive.keepalive() {
            self.arm(now + keepalive.after);
        }
        self.todo |= todo::OUTPUT;
        self.wake_all(resources);
    }

    /// Takes over what the peer's SYN says.
    pub(crate) fn learn_peer(&mut self, options: &crate::options::SynOptions, config: &Config) {
        self.set_selective(P::SELECTIVE && config.selective && options.sack_permitted);
        self.peer_mss = options.mss.unwrap_or(config.default_mss).max(config.min_mss);
        match options.window_scale {
            Some(shift) if self.scaling() => {
                self.send_scale = shift;
                self.receive_scale = config.window_scale();
            }
            // RFC 7323 §2.2: both or neither.
            _ => {
                self.set_scaling(false);
                (self.send_scale, self.receive_scale) = (0, 0);
            }
        }
    }
}
