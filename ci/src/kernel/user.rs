//! The same image without privileges: the user-mode network on loopback.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use super::Images;
use super::client::same;
use super::image::Image;
use super::load::hash;
use crate::command;

const URL: &str = "http://127.0.0.1:8080";

/// The web image as `nobody`, with the network it has by default.
fn web(images: &Images) -> Result<Image, String> {
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]).arg(&images.web);
    Image::start(&mut command, SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))
}

/// The page and 100 MB.
pub(crate) fn page_and_bytes(images: &Images) -> Result<(), String> {
    let reference = {
        let mut sockets = Command::new(&images.web);
        let _web = Image::start(sockets.arg("--net=socket"), SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)))?;
        hash(&format!("{URL}/bytes/100000000"))?
    };
    let _web = web(images)?;
    let page = command::output(Command::new("curl").args(["-sS", "--fail", "--max-time", "10", URL]))?;
    same("the page says what it is", page.contains("Mirage"), true)?;
    same("the bytes", hash(&format!("{URL}/bytes/100000000"))?, reference)
}

/// Ctrl-C ends it with success.
pub(crate) fn interrupt(images: &Images) -> Result<(), String> {
    same("the exit code", web(images)?.interrupt()?, Some(0))
}
