//! A device that tests own, and the exam for every device.
