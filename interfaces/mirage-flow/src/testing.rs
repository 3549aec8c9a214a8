//! A pipe in memory, and the exam for every flow.
