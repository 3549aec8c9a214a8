//! `ping` as the user.

use std::process::Command;

use super::image::Image;
use super::{GUEST, Images};
use crate::command;

pub(crate) fn small(images: &Images) -> Result<(), String> {
    ping(images, 56)
}

pub(crate) fn full_frame(images: &Images) -> Result<(), String> {
    ping(images, 1472)
}

pub(crate) fn largest(images: &Images) -> Result<(), String> {
    ping(images, 65_507)
}

/// `ping` fails by itself when no answer is right; losses show in its summary.
fn ping(images: &Images, size: usize) -> Result<(), String> {
    let _echo = Image::on_tap(&images.echo, 7, &[])?;
    let said = command::output(Command::new("ping").args([
        "-c",
        "5",
        "-i",
        "0.2",
        "-W",
        "2",
        "-s",
        &size.to_string(),
        GUEST,
    ]))?;
    if said.contains(" 0% packet loss") { Ok(()) } else { Err(format!("ping said: {}", said.trim())) }
}
