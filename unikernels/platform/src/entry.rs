//! The `main` of an application, for every target.

/// The `main` of an application, whatever the target: `main!(Web: Networked);` or `main!(Hello: Local);`.
///
/// The binary says `#![cfg_attr(not(feature = "unix"), no_std, no_main)]`, and its build script calls
/// `mirage_link::image()`.
#[cfg(feature = "unix")]
#[macro_export]
macro_rules! main {
    ($app:ty: Networked) => {
        fn main() -> ::std::process::ExitCode {
            $crate::boot::<$app>()
        }
    };
    ($app:ty: Local) => {
        fn main() -> ::std::process::ExitCode {
            $crate::boot_local::<$app>()
        }
    };
}

/// The `main` of an application, whatever the target: `main!(Web: Networked);` or `main!(Hello: Local);`.
///
/// The binary says `#![cfg_attr(not(feature = "unix"), no_std, no_main)]`, and its build script calls
/// `mirage_link::image()`.
#[cfg(all(feature = "image", not(feature = "unix")))]
#[macro_export]
macro_rules! main {
    ($app:ty: Networked) => {
        $crate::__image!(
            $app,
            networked,
            &[&[$crate::Device::SERVICE], <$app as $crate::App>::DEVICES],
            <$app as $crate::Networked>::FORWARDS
        );
    };
    ($app:ty: Local) => {
        $crate::__image!($app, local, &[<$app as $crate::App>::DEVICES], &[]);
    };
}
