//! A console that keeps its lines, and the exam for every console.
