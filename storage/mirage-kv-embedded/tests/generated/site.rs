// Written by mirage_kv_embedded::build. Do not edit.
::mirage_kv_embedded::Files::new(&[
    ::mirage_kv_embedded::File {
        path: "blob.bin",
        bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site/blob.bin")),
        modified: None,
        digest: ::mirage_kv_embedded::Digest([237, 199, 250, 30, 71, 132, 156, 171, 177, 157, 199, 223, 223, 11, 100, 138, 39, 51, 38, 140, 162, 198, 0, 122, 148, 216, 96, 46, 167, 18, 35, 59]),
    },
    ::mirage_kv_embedded::File {
        path: "docs/empty",
        bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site/docs/empty")),
        modified: None,
        digest: ::mirage_kv_embedded::Digest([227, 176, 196, 66, 152, 252, 28, 20, 154, 251, 244, 200, 153, 111, 185, 36, 39, 174, 65, 228, 100, 155, 147, 76, 164, 149, 153, 27, 120, 82, 184, 85]),
    },
    ::mirage_kv_embedded::File {
        path: "docs/index.html",
        bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site/docs/index.html")),
        modified: None,
        digest: ::mirage_kv_embedded::Digest([152, 99, 228, 191, 114, 43, 162, 88, 98, 79, 207, 81, 175, 153, 13, 103, 206, 20, 64, 3, 37, 22, 188, 27, 183, 98, 135, 157, 168, 114, 135, 158]),
    },
    ::mirage_kv_embedded::File {
        path: "docs-style.css",
        bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site/docs-style.css")),
        modified: None,
        digest: ::mirage_kv_embedded::Digest([255, 181, 91, 121, 244, 23, 173, 209, 169, 92, 3, 223, 41, 87, 215, 60, 180, 245, 70, 56, 171, 32, 106, 16, 149, 152, 80, 72, 50, 169, 211, 249]),
    },
    ::mirage_kv_embedded::File {
        path: "index.html",
        bytes: include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/site/index.html")),
        modified: None,
        digest: ::mirage_kv_embedded::Digest([132, 135, 72, 59, 227, 183, 136, 111, 130, 164, 62, 239, 159, 184, 40, 147, 106, 37, 10, 120, 14, 111, 184, 83, 36, 184, 20, 138, 206, 9, 135, 110]),
    },
])
