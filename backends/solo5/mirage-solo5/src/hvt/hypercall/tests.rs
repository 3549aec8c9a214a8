//! Each hypercall as a tender sees it: a number, and bytes at an address.

use alloc::vec::Vec;

use super::*;

/// A tender that is asked once: for `number`, with an argument of these words, and answers by writing words.
fn tender<'a, const N: usize>(
    number: u16,
    asked: [u64; N],
    answers: &'a [(usize, u64)],
) -> impl FnOnce(u16, *mut u8) + 'a
where
    [u64; N]: 'a,
{
    move |called, argument| {
        assert_eq!(called, number);
        assert!(argument.cast::<u64>().is_aligned());
        let words = argument.cast::<u64>();
        // SAFETY: every argument is at least as long as the words that its test expects.
        let argument = (0..N).map(|at| unsafe { words.add(at).read() }).collect::<Vec<_>>();
        assert_eq!(argument, asked);
        for (at, answer) in answers {
            assert!(*at < N);
            // SAFETY: within the words that were just read.
            unsafe { words.add(*at).write(*answer) };
        }
    }
}

/// Like [`tender`], for arguments that end with a result: 32 bits, and nobody cares what is behind.
fn resulting<'a, const N: usize>(
    number: u16,
    asked: [u64; N],
    answers: &'a [(usize, u64)],
    result: i32,
) -> impl FnOnce(u16, *mut u8) + 'a
where
    [u64; N]: 'a,
{
    move |called, argument| {
        // SAFETY: every argument has a result behind the words that its test expects.
        let place = unsafe { argument.add(8 * N).cast::<i32>() };
        // SAFETY: the same.
        unsafe { place.write(result) };
        tender(number, asked, answers)(called, argument);
    }
}

fn handle(place: usize) -> Handle {
    Handle::new(place).expect("below 64")
}

fn address<T: ?Sized>(value: &T) -> u64 {
    (&raw const *value).cast::<u8>().addr() as u64
}

#[test]
fn the_wall_clock_is_number_one() {
    assert_eq!(wall_time(tender(1, [0], &[(0, 1_700_000_000_000_000_001)])), 1_700_000_000_000_000_001);
}

#[test]
fn the_console_gets_an_address_and_a_length() {
    let text = b"hello";
    puts(text, tender(2, [address(text), 5], &[]));
}

#[test]
fn waiting_is_told_for_how_long_and_tells_who_is_ready() {
    let ready = poll(250, resulting(3, [250, 0], &[(1, 0b1010)], 2));
    assert!(ready.map(Handle::index).eq([1, 3]));
    assert!(poll(0, resulting(3, [0, 0], &[], 0)).is_empty());
    let for_ever = i64::MAX as u64;
    assert!(poll(u64::MAX, resulting(3, [for_ever, 0], &[], 0)).is_empty());
}

#[test]
fn a_block_is_written_from_its_place() {
    let data = [1; 512];
    let asked = [2, 1024, address(&data), 512];
    assert_eq!(block_write(handle(2), 1024, &data, resulting(4, asked, &[], 0)), Ok(()));
    assert_eq!(block_write(handle(2), 1024, &data, resulting(4, asked, &[], 2)), Err(Error::Invalid));
    assert_eq!(block_write(handle(2), 1024, &data, resulting(4, asked, &[], 3)), Err(Error::Unspecified));
}

#[test]
fn a_block_is_read_to_its_place() {
    let mut buffer = [0; 512];
    let asked = [2, 1024, address(&buffer), 512];
    assert_eq!(block_read(handle(2), 1024, &mut buffer, resulting(5, asked, &[], 0)), Ok(()));
    assert_eq!(block_read(handle(2), 1024, &mut buffer, resulting(5, asked, &[], 2)), Err(Error::Invalid));
    let cut = block_read(handle(2), 1024, &mut buffer, resulting(5, asked, &[(3, 511)], 0));
    assert_eq!(cut, Err(Error::Unspecified), "less came than was asked for");
}

#[test]
fn a_frame_is_sent_from_where_it_lies() {
    let frame = [7; 60];
    let asked = [1, address(&frame), 60];
    assert_eq!(net_write(handle(1), &frame, resulting(6, asked, &[], 0)), Ok(()));
    assert_eq!(net_write(handle(1), &frame, resulting(6, asked, &[], 1)), Err(Error::Again));
    assert_eq!(net_write(handle(1), &frame, resulting(6, asked, &[], 3)), Err(Error::Unspecified));
}

#[test]
fn a_frame_is_received_and_its_length_told() {
    let mut buffer = [0; 1518];
    let asked = [63, address(&buffer), 1518];
    assert_eq!(net_read(handle(63), &mut buffer, resulting(7, asked, &[(2, 60)], 0)), Ok(60));
    assert_eq!(net_read(handle(63), &mut buffer, resulting(7, asked, &[], 1)), Err(Error::Again));
    assert_eq!(net_read(handle(63), &mut buffer, resulting(7, asked, &[], 2)), Err(Error::Invalid));
}

#[test]
fn the_end_has_a_status_and_no_cookie() {
    halt(7, |number, argument| {
        assert_eq!(number, 8);
        // SAFETY: the argument has these two fields.
        let (cookie, status) = unsafe { (argument.cast::<u64>().read(), argument.add(8).cast::<i32>().read()) };
        assert_eq!((cookie, status), (0, 7));
    });
}

/// A tender checks that so many bytes lie in the machine's memory.
#[test]
fn arguments_are_as_long_as_a_tender_reads_them() {
    assert_eq!((size_of::<Block>(), size_of::<Frame>()), (40, 32));
}

#[test]
fn what_a_tender_does_not_answer_has_failed() {
    assert_eq!(net_write(handle(1), &[], |_, _| ()), Err(Error::Unspecified));
    assert_eq!(net_read(handle(1), &mut [], |_, _| ()), Err(Error::Unspecified));
    assert_eq!(block_read(handle(1), 0, &mut [], |_, _| ()), Err(Error::Unspecified));
    assert_eq!(block_write(handle(1), 0, &[], |_, _| ()), Err(Error::Unspecified));
}
