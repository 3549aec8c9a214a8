//! The generator through its public verbs; needs the feature `testing`.
#![cfg(feature = "testing")]

use chacha20::ChaCha20Rng;
use mirage_random::testing::{FixedEntropy, StuckEntropy, examine_generator, examine_source};
use mirage_random::{EntropyError, EntropySource, Generator, Rng, SeededGenerator, TryRng};
use proptest::prelude::*;
use rand_core::SeedableRng;

fn seeded(number: u64) -> SeededGenerator {
    SeededGenerator::new(&mut FixedEntropy::new(number)).expect("the fixed source is healthy")
}

fn output(generator: &mut impl Rng) -> [u8; 32] {
    let mut bytes = [0; 32];
    generator.fill_bytes(&mut bytes);
    bytes
}

/// Fast key erasure as the paper has it, on an ordinary ChaCha20 stream, without any economy.
struct Model {
    key: [u8; 32],
    ready: Vec<u8>,
}

impl Model {
    fn empty() -> Self {
        Self { key: [0; 32], ready: Vec::new() }
    }

    fn rekey(&mut self) {
        let mut stream = [0; 256];
        ChaCha20Rng::from_seed(self.key).fill_bytes(&mut stream);
        self.key.copy_from_slice(&stream[..32]);
        self.ready = stream[32..].to_vec();
    }

    fn mix(&mut self, bytes: &[u8]) {
        self.rekey();
        for chunk in bytes.chunks(32) {
            self.key.iter_mut().zip(chunk).for_each(|(key, byte)| *key ^= byte);
            self.rekey();
        }
    }

    fn take(&mut self, len: usize) -> Vec<u8> {
        let mut taken = Vec::new();
        while taken.len() < len.next_multiple_of(4) {
            if self.ready.is_empty() {
                self.rekey();
            }
            taken.extend(self.ready.drain(..4));
        }
        taken.truncate(len);
        taken
    }
}

#[derive(Clone, Debug)]
enum Operation {
    Mix(Vec<u8>),
    Fill(usize),
    Word,
    Long,
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..100).prop_map(Operation::Mix),
        (0_usize..600).prop_map(Operation::Fill),
        Just(Operation::Word),
        Just(Operation::Long),
    ]
}

proptest! {
    #[test]
    fn the_output_is_that_of_the_paper(number: u64, operations in prop::collection::vec(operation(), 0..40)) {
        let mut sample = [0; 1024];
        FixedEntropy::new(number).fill(&mut sample).unwrap();
        let (mut generator, mut model) = (seeded(number), Model::empty());
        model.mix(&sample);
        for operation in operations {
            match operation {
                Operation::Mix(bytes) => {
                    generator.mix(&bytes);
                    model.mix(&bytes);
                }
                Operation::Fill(len) => {
                    let mut bytes = vec![0; len];
                    generator.fill_bytes(&mut bytes);
                    prop_assert_eq!(bytes, model.take(len));
                }
                Operation::Word => prop_assert_eq!(generator.next_u32().to_le_bytes().to_vec(), model.take(4)),
                Operation::Long => prop_assert_eq!(generator.next_u64().to_le_bytes().to_vec(), model.take(8)),
            }
        }
    }
}

#[test]
fn the_generator_and_the_fixed_source_pass_their_exams() {
    examine_generator(&mut seeded(1));
    examine_source(&mut FixedEntropy::new(1));
}

#[test]
fn an_unseeded_generator_refuses_every_request() {
    let mut generator = Generator::unseeded();
    generator.mix(b"this is no seed");
    let mut bytes = [7; 4];
    assert_eq!(generator.try_next_u32(), Err(EntropyError::Unseeded));
    assert_eq!(generator.try_next_u64(), Err(EntropyError::Unseeded));
    assert_eq!(generator.try_fill_bytes(&mut bytes), Err(EntropyError::Unseeded));
    assert_eq!(generator.seeded().err(), Some(EntropyError::Unseeded));
    assert_eq!((bytes, generator.is_seeded()), ([7; 4], false));

    generator.seed(&mut FixedEntropy::new(1)).unwrap();
    assert!(generator.is_seeded());
    assert!(generator.try_next_u32().is_ok());
    assert_ne!(output(generator.seeded().unwrap()), output(&mut seeded(1)), "what was mixed in before stays in");
}

#[test]
fn a_stuck_source_seeds_nothing() {
    let counter: Vec<u8> = (0..=255).collect();
    for pattern in [&[0][..], &[0xff], &[1, 2], b"not random at all", &counter] {
        let mut source = StuckEntropy::repeating(pattern);
        assert_eq!(SeededGenerator::new(&mut source).err(), Some(EntropyError::Stuck), "{pattern:?}");
        let mut generator = Generator::unseeded();
        assert_eq!(generator.seed(&mut source), Err(EntropyError::Stuck));
        assert!(!generator.is_seeded());
    }
}

#[test]
fn a_source_without_entropy_seeds_nothing() {
    let mut source = StuckEntropy::repeating(&[]);
    assert_eq!(SeededGenerator::new(&mut source).err(), Some(EntropyError::Unavailable));
}

#[test]
fn a_failed_reseed_leaves_the_generator_as_it_was() {
    let (mut one, mut other) = (seeded(1), seeded(1));
    assert_eq!(one.reseed(&mut StuckEntropy::repeating(&[1, 2])), Err(EntropyError::Stuck));
    assert_eq!(one.reseed(&mut StuckEntropy::repeating(&[])), Err(EntropyError::Unavailable));
    assert_eq!(output(&mut one), output(&mut other));
}

#[test]
fn a_reseed_changes_what_comes() {
    let (mut one, mut other) = (seeded(1), seeded(1));
    one.reseed(&mut FixedEntropy::new(2)).unwrap();
    assert_ne!(output(&mut one), output(&mut other));
}

#[test]
fn two_seeds_give_two_streams() {
    assert_ne!(output(&mut seeded(1)), output(&mut seeded(2)));
    assert_eq!(output(&mut seeded(1)), output(&mut seeded(1)));
}

#[test]
fn every_byte_that_is_mixed_in_changes_what_comes() {
    let mut plain = seeded(1);
    plain.mix(&[0; 70]);
    let plain = output(&mut plain);
    for changed in 0..70 {
        let mut bytes = [0; 70];
        bytes[changed] = 1;
        let mut generator = seeded(1);
        generator.mix(&bytes);
        assert_ne!(output(&mut generator), plain, "byte {changed}");
    }
}

#[test]
fn bytes_that_undo_each_other_do_not_bring_the_old_state_back() {
    let (mut one, mut other) = (seeded(1), seeded(1));
    one.mix(&[0x55; 32]);
    one.mix(&[0x55; 32]);
    assert_ne!(output(&mut one), output(&mut other));
}

#[test]
fn a_reseed_is_wanted_after_so_many_bytes() {
    let mut generator = seeded(1).with_reseed_after(100);
    generator.fill_bytes(&mut [0; 96]);
    assert!(!generator.wants_reseed());
    generator.next_u32();
    assert!(generator.wants_reseed());
    generator.reseed(&mut FixedEntropy::new(2)).unwrap();
    assert!(!generator.wants_reseed());
}

#[test]
#[should_panic(expected = "a block of 16 bytes came twice")]
fn the_exam_finds_a_generator_with_a_short_period() {
    struct Short(SeededGenerator, u32);
    impl TryRng for Short {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            self.1 += 1;
            if self.1.is_multiple_of(1000) {
                self.0 = seeded(1);
            }
            self.0.try_next_u32()
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            self.0.try_next_u64()
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
            for chunk in bytes.chunks_mut(4) {
                chunk.copy_from_slice(&self.try_next_u32()?.to_le_bytes()[..chunk.len()]);
            }
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Short {}
    examine_generator(&mut Short(seeded(1), 0));
}

#[test]
#[should_panic(expected = "was never filled")]
fn the_exam_finds_a_source_that_leaves_bytes_out() {
    struct Lazy(FixedEntropy);
    impl EntropySource for Lazy {
        fn fill(&mut self, bytes: &mut [u8]) -> Result<(), EntropyError> {
            let len = bytes.len() & !3;
            self.0.fill(&mut bytes[..len])
        }
    }
    examine_source(&mut Lazy(FixedEntropy::new(1)));
}
