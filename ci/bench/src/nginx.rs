//! The peer: nginx with one worker that answers with the same page out of its memory.

use std::fs;
use std::path::PathBuf;

use crate::folders;

/// Writes a configuration for nginx as cheap as it can be: the page is part of it, so that no file is opened (from a file it
/// takes more than twice as long), there is no access log, and connections stay open for as long as the client likes, as
/// ours do.
pub(crate) fn config() -> Result<PathBuf, String> {
    let folder = folders::target().join("bench/nginx");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let place = folder.display();
    let page = folders::top().join("unikernels/web/files/index.html");
    let page = fs::read_to_string(&page).map_err(|error| format!("{}: {error}", page.display()))?;
    if page.contains('$') {
        return Err("the page has a dollar, which nginx takes for the start of a variable".to_owned());
    }
    let page = page.replace('\\', "\\\\").replace('"', "\\\"");
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
    default_type text/html;
    access_log off;
    keepalive_requests 1000000000;
    client_body_temp_path {place}/body;
    proxy_temp_path {place}/proxy;
    fastcgi_temp_path {place}/fastcgi;
    uwsgi_temp_path {place}/uwsgi;
    scgi_temp_path {place}/scgi;
    server {{
        listen 80 backlog=2048;
        add_header Cache-Control max-age=60;
        return 200 \"{page}\";
    }}
}}
"
    );
    let file = folder.join("nginx.conf");
    fs::write(&file, config).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(file)
}
