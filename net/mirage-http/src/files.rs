//! Files out of a store (RFC 9110 §8.8, §13, §14).

mod conditions;
mod content_type;
mod site;

pub use content_type::content_type;
pub use site::Site;
