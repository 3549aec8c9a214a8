//! An IP layer and a link layer that keep what they are given, for tests of the layers above.
