//! Embeds `files/` in the image and links it.

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let out = std::env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?;
    mirage_kv_embedded::build::embed("files", std::path::Path::new(&out).join("files.rs"))?;
    mirage_link::image();
    Ok(())
}
