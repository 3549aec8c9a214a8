//! Disks of a machine whose memory is theirs.

#![allow(clippy::std_instead_of_core, reason = "std is there")]

mod model;

use core::future::Future;
use core::pin::pin;
use core::task::{Context, Poll, Waker};

use mirage_block::{Block, ErrorKind, Info};
use mirage_block_solo5::{Disk, OpenError};
use mirage_solo5::Machine;
use model::Drives;

/// A request is done when it is asked for.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a call of the host does not wait"),
    }
}

fn machine() -> Machine<Drives> {
    Machine::new(&model::boot())
}

#[test]
fn a_disk_of_small_sectors_passes_the_exam() {
    now(mirage_block::testing::examine(&mut Disk::open(&machine(), "small").expect("it is there")));
}

#[test]
fn a_disk_of_large_sectors_passes_the_exam() {
    now(mirage_block::testing::examine(&mut Disk::open(&machine(), "large").expect("it is there")));
}

#[test]
fn sectors_are_the_tenders_blocks_and_a_rest_is_left_over() {
    let disk = Disk::open(&machine(), "odd").expect("it is there");
    assert_eq!(disk.info(), Info { sector_size: 512, sectors: 3, read_only: false });
    let disk = Disk::open(&machine(), "large").expect("it is there");
    assert_eq!(disk.info(), Info { sector_size: 4096, sectors: 256, read_only: false });
}

#[test]
fn the_rest_at_the_end_is_out_of_range() {
    let mut disk = Disk::open(&machine(), "odd").expect("it is there");
    assert_eq!(now(disk.read(3, &mut [0; 512])), Err(ErrorKind::OutOfRange));
    assert_eq!(now(disk.write(2, &[0; 1024])), Err(ErrorKind::OutOfRange));
    assert_eq!(model::calls(), 0);
}

#[test]
fn each_sector_is_one_call() {
    let mut disk = Disk::open(&machine(), "small").expect("it is there");
    now(disk.write(4, &[1; 8 * 512])).expect("in range");
    assert_eq!(model::calls(), 8);
    now(disk.read(6, &mut [0; 512])).expect("in range");
    assert_eq!(model::calls(), 9);
}

#[test]
fn a_request_lies_where_it_begins() {
    let mut disk = Disk::open(&machine(), "large").expect("it is there");
    now(disk.write(4, &[4; 2 * 4096])).expect("in range");
    let mut all = [0; 8 * 4096];
    now(disk.read(0, &mut all)).expect("in range");
    assert!(all.iter().enumerate().all(|(at, byte)| *byte == if (4..6).contains(&(at / 4096)) { 4 } else { 0 }));
}

#[test]
fn a_medium_that_breaks_is_told_and_what_came_before_is_done() {
    let mut disk = Disk::open(&machine(), "small").expect("it is there");
    model::break_at(Some(2 * 512));
    assert_eq!(now(disk.write(0, &[7; 4 * 512])), Err(ErrorKind::Device));
    assert_eq!(now(disk.read(0, &mut [0; 4 * 512])), Err(ErrorKind::Device));
    model::break_at(None);
    let mut all = [0; 4 * 512];
    now(disk.read(0, &mut all)).expect("healed");
    assert!(all[..1024].iter().all(|byte| *byte == 7) && all[1024..].iter().all(|byte| *byte == 0));
}

#[test]
fn disks_are_found_by_name_and_opened_once() {
    let machine = machine();
    let _small = Disk::open(&machine, "small").expect("it is there");
    assert_eq!(Disk::open(&machine, "small").err(), Some(OpenError::Busy));
    assert_eq!(Disk::open(&machine, "smal").err(), Some(OpenError::Absent));
    assert_eq!(Disk::open(&machine, "service").err(), Some(OpenError::NotADisk));
    assert_eq!(Disk::open(&machine, "tiny").err(), Some(OpenError::BlockSize(256)));
    assert_eq!(Disk::open(&machine, "none").err(), Some(OpenError::BlockSize(0)));
    assert_eq!(Disk::open(&machine, "crooked").err(), Some(OpenError::BlockSize(520)));
}
