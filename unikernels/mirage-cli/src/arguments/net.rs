//! `--net`: what carries a network's packets.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A network of the application and what it is attached to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Net {
    /// The application's name for it; the first one if not given.
    pub(crate) name: Option<String>,
    /// What carries its packets.
    pub(crate) attachment: Attachment,
}

/// What carries a network's packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Attachment {
    /// A gateway in a process of this user's: no privileges.
    User,
    /// A tap device.
    Tap(String),
}

/// The text names no network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotANet;

impl FromStr for Net {
    type Err = NotANet;

    fn from_str(text: &str) -> Result<Self, NotANet> {
        let (name, attachment) = match text.split_once('=') {
            Some((name, attachment)) => (Some(super::block::device_name(name).ok_or(NotANet)?), attachment),
            None => (None, text),
        };
        let attachment = match attachment.split_once(':') {
            None if attachment == "user" => Attachment::User,
            Some(("tap", interface)) if is_interface(interface) => Attachment::Tap(interface.to_owned()),
            _ => return Err(NotANet),
        };
        Ok(Self { name, attachment })
    }
}

/// Linux allows 15 bytes; commas would end an option of QEMU's.
fn is_interface(name: &str) -> bool {
    (1..=15).contains(&name.len())
        && !name.starts_with(['-', '.'])
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "{name}=")?;
        }
        self.attachment.fmt(f)
    }
}

impl fmt::Display for Attachment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User => f.write_str("user"),
            Self::Tap(interface) => write!(f, "tap:{interface}"),
        }
    }
}

impl fmt::Display for NotANet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "expected user or tap:INTERFACE, with the network's name before it if it has several, like service=user",
        )
    }
}

impl std::error::Error for NotANet {}

impl TryFrom<String> for Net {
    type Error = NotANet;

    fn try_from(text: String) -> Result<Self, NotANet> {
        text.parse()
    }
}

impl From<Net> for String {
    fn from(net: Net) -> Self {
        net.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_and_written_alike() {
        for text in ["user", "tap:tap0", "service=user", "service=tap:vm-tap.1"] {
            assert_eq!(text.parse::<Net>().expect(text).to_string(), text);
        }
        for nonsense in
            ["", "tap", "tap:", "=user", "a b=user", "service=", "tap:a,b", "tap:-x", "tap:0123456789abcdef"]
        {
            assert_eq!(nonsense.parse::<Net>(), Err(NotANet), "{nonsense}");
        }
    }
}
