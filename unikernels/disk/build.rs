//! Links the image.

fn main() {
    mirage_link::image();
}
