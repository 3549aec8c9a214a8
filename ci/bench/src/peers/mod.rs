//! The stacks, behind one face: two ends of a cable, both polled by the caller, in virtual time.

mod mirage;
mod smoltcp;

pub(crate) use self::mirage::Mirage;
pub(crate) use self::smoltcp::Smoltcp;

/// The link between the two ends: 64 frames each way, no copy.
#[derive(Clone, Copy)]
pub(crate) struct Cable {
    /// Largest IP packet.
    pub(crate) mtu: usize,
    pub(crate) offload: Offload,
}

/// What the link takes over, as a device would.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offload {
    Nothing,
    /// Checksums are left out.
    Checksums,
    /// And segments: a frame may carry as many as fit in 64 KiB. A stack that knows no such frames is given the same as with
    /// checksums alone. The link holds as many bytes as ever.
    Segments,
}

/// How many frames the link holds each way.
pub(crate) const FRAMES: usize = 64;

/// A connection seen from both ends.
#[derive(Clone, Copy)]
pub(crate) struct Pair(pub(crate) usize);

/// Who of the two.
#[derive(Clone, Copy)]
pub(crate) enum Who {
    Client,
    Server,
}

/// Two ends of a cable.
pub(crate) trait World {
    /// Two stacks with room for so many connections with buffers of `buffer` bytes.
    fn new(cable: Cable, connections: usize, buffer: usize) -> Self;
    /// Opens a connection and waits until both ends have it.
    fn connect(&mut self) -> Pair;
    /// Closes both ends and waits until nothing is left of it but TIME-WAIT, which is cut short where it holds a slot.
    fn close(&mut self, pair: Pair);
    /// Time goes on, and one end is polled.
    fn poll_end(&mut self, who: Who);
    /// Time goes on, and one end takes in what came.
    fn take_in(&mut self, who: Who);
    /// The end that took in before, and whose application has read and written since, sends what waits.
    fn send_out(&mut self, who: Who);
    /// Polls the client, then the server, as an event loop would.
    fn poll(&mut self) {
        self.poll_end(Who::Client);
        self.poll_end(Who::Server);
    }
    /// Hands over what fits.
    fn client_send(&mut self, pair: Pair, data: &[u8]) -> usize;
    /// Takes what is there.
    fn client_receive(&mut self, pair: Pair, buffer: &mut [u8]) -> usize;
    /// Hands over what fits.
    fn server_send(&mut self, pair: Pair, data: &[u8]) -> usize;
    /// Takes what is there.
    fn server_receive(&mut self, pair: Pair, buffer: &mut [u8]) -> usize;
    /// Writes up to `most` zeroes into the send buffer in place, as an application that makes its bytes there.
    fn client_write_in_place(&mut self, pair: Pair, most: usize) -> usize;
    /// Takes what is there in place, without a copy.
    fn server_read_in_place(&mut self, pair: Pair) -> usize;
    /// Sends `batch` datagrams of 64 bytes, echoes them and takes the answers.
    fn udp_echo(&mut self, batch: usize);
    /// What an idle established connection costs in all.
    fn idle_bytes() -> usize;
}
