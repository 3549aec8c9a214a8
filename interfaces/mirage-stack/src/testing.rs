//! The exam for every stack.
