//! Everything that is read from text: keys, addresses, dates, ranges, paths.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mirage_kv::Key;
use mirage_net::MacAddress;
use mirage_protocols::Ipv4Cidr;

fuzz_target!(|input: &[u8]| {
    if let Some(seconds) = mirage_http::date::parse(input) {
        let _written = mirage_http::date::format(seconds);
    }
    let _range = mirage_http::range::Range::new(input, 1000);
    let Ok(text) = std::str::from_utf8(input) else { return };
    if let Ok(key) = Key::new(text) {
        assert_eq!(Key::new(&key.to_string()), Ok(key), "a key reads as it is written");
        assert!(key.segments().all(|segment| segment != ".." && segment != "."));
    }
    if let Ok(cidr) = text.parse::<Ipv4Cidr>() {
        assert_eq!(cidr.to_string().parse(), Ok(cidr));
    }
    if let Ok(mac) = text.parse::<MacAddress>() {
        assert_eq!(mac.to_string().parse(), Ok(mac));
    }
});
