//! Sources and generators that tests own, and the exam for every generator.
