//! A store in a slice, and the exam for every store.
