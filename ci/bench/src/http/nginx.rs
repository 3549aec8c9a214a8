//! The peer: nginx with one worker that serves the same files from a folder.

use std::fs;

use crate::folders;

use super::lab::{Lab, PEER, Side};
use super::server::Server;

/// nginx on the peer's side, as Debian configures it but for what a benchmark must not measure: no access log, and
/// connections that stay open for as long as the client likes, as ours do.
pub(super) fn server(lab: &Lab) -> Result<Server, String> {
    let folder = folders::target().join("bench/nginx");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let (place, files) = (folder.display(), folders::top().join("unikernels/web/files"));
    let files = files.canonicalize().map_err(|error| format!("{}: {error}", files.display()))?;
    let config = format!(
        "\
user root;
worker_processes 1;
daemon off;
pid {place}/pid;
error_log {place}/error.log;
events {{
    worker_connections 2048;
}}
http {{
    types {{
        text/html html;
    }}
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    server {{
        listen 80 backlog=2048;
        add_header Cache-Control max-age=60;
        root {files};
    }}
}}
",
        files = files.display()
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config).map_err(|error| format!("{}: {error}", file.display()))?;
    let mut command = lab.command(Side::Peer, super::lab::SERVER, "nginx");
    command.arg("-e").arg(folder.join("error.log")).arg("-c").arg(&file);
    Ok(Server { name: "nginx", command, address: PEER.to_owned() })
}
