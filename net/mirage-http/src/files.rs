//! Files out of a store (RFC 9110 §8.8, §13, §14).

mod answer;
mod conditions;
mod content_type;
mod held;
mod site;

pub use content_type::content_type;
pub use held::{Held, hold};
pub use site::Site;
