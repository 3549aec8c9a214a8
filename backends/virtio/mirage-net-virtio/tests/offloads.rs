//! What a device does for us, and we for it.

#![allow(clippy::std_instead_of_core, reason = "std is there")]

mod world;

use std::num::NonZeroU16;

use mirage_net::{
    Capabilities, ChecksumOffload, Net, Outgoing, PartialChecksum, ReceivedChecksum, SegmentationOffload, SendError,
    Stats, Transmit,
};
use mirage_net_virtio::Options;
use mirage_virtqueue::EVENT_INDEX;
use std::task::Poll;
use world::{ALL, GUEST_CSUM, MAC, MRG_RXBUF, RX, TX, model, next, next_with, nic, receive, sent};

/// The header of what came from a neighbour that left the checksum and the cutting to others.
const MERGED: [u8; 10] = [1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0];

fn pattern(len: usize, salt: usize) -> Vec<u8> {
    (0..len).map(|at| (at * 7 + at / 251 + salt) as u8).collect()
}

#[test]
fn a_large_frame_leaves_whole_with_what_is_to_be_done() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options::default());
    let (_, transmit) = nic.split();
    let capabilities = Capabilities {
        checksum: ChecksumOffload::all(),
        segmentation: SegmentationOffload::TCP_V4 | SegmentationOffload::TCP_V6,
        max_large_frame: 65_535,
    };
    assert_eq!(transmit.capabilities(), capabilities);
    let mut bytes = pattern(65_535, 0);
    bytes[12..14].copy_from_slice(&[8, 0]);
    bytes[34 + 12] = 5 << 4;
    let outgoing = Outgoing {
        len: bytes.len(),
        checksum: Some(PartialChecksum { start: 34, offset: 16 }),
        segment_size: NonZeroU16::new(1_448),
    };
    transmit.send(outgoing, |frame| frame.put(&bytes)).expect("room");
    transmit.flush();
    let (header, frame) = sent(&model).expect("a frame");
    assert_eq!(header, [1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0, 0, 0]);
    assert!(frame == bytes);
    let longer = Outgoing { len: 65_536, ..outgoing };
    assert_eq!(transmit.send(longer, |_| unreachable!()), Err(SendError::TooLong));
}

#[test]
fn merged_frames_come_whole_wherever_their_buffers_lie() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options::default());
    // The memory holds four of these, so some go around its end.
    for (round, len) in
        [60_000, 65_535 + 14, 2_000, 60, 61_000, 40_000, 65_000, 1_524, 1_525, 33_000].iter().enumerate()
    {
        let bytes = pattern(*len, round);
        assert!(receive(&model, &MERGED, &bytes), "round {round}: no buffers");
        let came = next_with(&mut nic, |frame| {
            assert_eq!(frame.checksum, ReceivedChecksum::Partial);
            assert_eq!(frame.segment_size, NonZeroU16::new(1_448));
            frame.bytes.to_vec()
        });
        assert!(came == Poll::Ready(bytes), "round {round}");
        assert_eq!(next(&mut nic), Poll::Pending);
    }
    assert_eq!(nic.stats(), Stats { rx_frames: 10, rx_bytes: 329_658, ..Stats::default() });
}

#[test]
fn a_device_may_take_buffers_in_any_order_and_give_them_back_one_by_one() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options::default());
    let bytes = pattern(3_700, 9);
    let mut chains: Vec<_> = (0..3).map(|_| model.take(RX).expect("a buffer")).collect();
    chains.reverse();
    let mut whole = vec![0; 12];
    whole[10] = 3;
    whole.extend(&bytes);
    // The first is not filled: the run breaks there too.
    for (chain, range) in chains.iter().zip([0..700, 700..2_236, 2_236..whole.len()]) {
        assert_eq!(next(&mut nic), Poll::Pending);
        chain.write(&whole[range.clone()]);
        model.put(RX, chain.id, range.len() as u32);
        model.publish(RX);
    }
    // Byte by byte wrong if a buffer of the frame went back to the device too early.
    while let Some(chain) = model.take(RX) {
        chain.write(&[0xee; 2_048]);
    }
    assert!(next(&mut nic) == Poll::Ready(bytes));
}

#[test]
fn what_the_device_checked_is_told_and_what_was_not_agreed_on_is_not() {
    for (features, expected) in [(ALL, ReceivedChecksum::Verified), (ALL & !GUEST_CSUM, ReceivedChecksum::Unchecked)] {
        let model = model(features, 1);
        let mut nic = nic(&model, Options::default());
        assert!(receive(&model, &[2, 0, 0, 0, 0, 0, 0, 0, 0, 0], &[1; 60]));
        assert_eq!(next_with(&mut nic, |frame| frame.checksum), Poll::Ready(expected));
    }
}

#[test]
fn a_header_carries_nothing_that_lay_there_before() {
    let model = model(ALL, 1);
    let mut nic = nic(&model, Options { transmit_bytes: 4_096, ..Options::default() });
    let (_, transmit) = nic.split();
    // After the first two the memory is used again: headers of short frames lie where bytes of the second lay.
    for len in [1_514, 1_514, 1_514, 60, 60, 60, 60] {
        transmit.send(Outgoing::new(len), |frame| frame.put(&vec![0xff; len])).expect("room");
        transmit.flush();
        assert_eq!(sent(&model), Some((vec![0; 12], vec![0xff; len])));
        model.want_notification(TX, true);
    }
}

#[test]
fn many_frames_are_one_notification_and_no_interrupt() {
    for features in [ALL, ALL & !EVENT_INDEX] {
        let model = model(features, 1);
        let mut nic = nic(&model, Options::default());
        let (_, transmit) = nic.split();
        for round in 0..100 {
            for number in 0..20 {
                transmit.send(Outgoing::new(60), |frame| frame.put(&[number; 60])).expect("room");
            }
            assert!(sent(&model).is_none(), "not before the flush");
            transmit.flush();
            assert_eq!(model.notifications(TX), round + 1);
            for number in 0..20 {
                assert_eq!(sent(&model).expect("a frame").1, [number; 60]);
            }
            model.want_notification(TX, true);
        }
        assert_eq!(model.interrupts(), 0);
    }
}

#[test]
fn buffers_go_back_many_at_a_time_and_one_interrupt_is_for_many_frames() {
    for features in [ALL, ALL & !EVENT_INDEX] {
        let model = model(features, 1);
        let mut nic = nic(&model, Options::default());
        let first = model.notifications(RX);
        for _ in 0..100 {
            assert_eq!(next(&mut nic), Poll::Pending);
            // The second comes while the first is looked at: it needs no interrupt.
            for count in [1, 19] {
                for _ in 0..count {
                    assert!(receive(&model, &[0; 10], &[1; 60]));
                    model.want_notification(RX, true);
                }
                for _ in 0..count {
                    assert_eq!(next(&mut nic), Poll::Ready(vec![1; 60]));
                }
            }
        }
        assert_eq!(model.interrupts(), 100);
        assert!(model.notifications(RX) - first <= 100, "{} notifications", model.notifications(RX));
    }
}

#[test]
fn without_merged_buffers_a_jumbo_frame_has_a_buffer_of_its_own() {
    for features in [ALL, ALL & !MRG_RXBUF] {
        let model = model(features, 1);
        model.configure(|config| config[10..12].copy_from_slice(&9_000_u16.to_le_bytes()));
        let mut nic = nic(&model, Options::default());
        assert_eq!(nic.split().1.mtu(), 9_000);
        let bytes = pattern(9_014, 1);
        assert!(receive(&model, &[0; 10], &bytes));
        assert!(next(&mut nic) == Poll::Ready(bytes));
    }
    let model = model(MAC, 1);
    assert_eq!(nic(&model, Options::default()).split().1.mtu(), 1_500);
}
