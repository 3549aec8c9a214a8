//! How many connections each remote address holds through listeners, in little memory however many addresses there are.

use core::net::{IpAddr, SocketAddr};

use mirage_secret::Secret;

use crate::keyed;

/// Counts of addresses, in two rows of counters each (a count-min sketch, Cormode and Muthukrishnan 2005): an address has one
/// in each row and holds as many connections as the smaller says, at most. Which ones, strangers cannot foresee.
#[derive(Debug)]
pub(crate) struct Peers {
    key: Secret,
    rows: [[u16; COLUMNS]; 2],
}

impl Peers {
    pub(crate) fn new(key: Secret) -> Self {
        Self { key, rows: [[0; COLUMNS]; 2] }
    }

    /// How many connections `address` holds at most.
    pub(crate) fn of(&self, address: IpAddr) -> u16 {
        let [first, second] = self.places(address);
        self.rows[0][first].min(self.rows[1][second])
    }

    /// It holds one more.
    pub(crate) fn enter(&mut self, address: IpAddr) {
        for (row, place) in self.places(address).into_iter().enumerate() {
            self.rows[row][place] = self.rows[row][place].saturating_add(1);
        }
    }

    /// It holds one less.
    pub(crate) fn leave(&mut self, address: IpAddr) {
        for (row, place) in self.places(address).into_iter().enumerate() {
            self.rows[row][place] = self.rows[row][place].saturating_sub(1);
        }
    }

    fn places(&self, address: IpAddr) -> [usize; 2] {
        let end = SocketAddr::new(address, 0);
        let hash = keyed::hash(&self.key, end, end, PURPOSE);
        [hash as usize % COLUMNS, (hash >> 32) as usize % COLUMNS]
    }
}

const COLUMNS: usize = 128;
/// What else the key is for hashes something else.
const PURPOSE: u64 = 0x7065_6572;

#[cfg(test)]
mod tests {
    use super::*;
    use core::net::Ipv4Addr;

    fn address(host: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from_bits(host))
    }

    #[test]
    fn who_comes_is_counted_and_who_goes_is_not() {
        let mut peers = Peers::new(Secret::new([3; 16]));
        (0..5).for_each(|_| peers.enter(address(1)));
        peers.enter(address(2));
        assert_eq!((peers.of(address(1)), peers.of(address(2)), peers.of(address(3))), (5, 1, 0));
        (0..5).for_each(|_| peers.leave(address(1)));
        assert_eq!(peers.of(address(1)), 0);
    }

    #[test]
    fn one_that_holds_many_is_hardly_ever_taken_for_another() {
        let mut peers = Peers::new(Secret::new([3; 16]));
        (0..1000).for_each(|_| peers.enter(address(1)));
        let mistaken = (2..10_002).filter(|host| peers.of(address(*host)) > 0).count();
        assert!(mistaken < 10, "{mistaken} of 10,000");
    }
}
