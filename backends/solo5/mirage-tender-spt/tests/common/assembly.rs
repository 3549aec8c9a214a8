//! Machine code for guests.

/// A function that gives the machine code of these lines.
macro_rules! guest {
    ($(#[$doc:meta])* $name:ident: $($line:literal)+) => {
        $(#[$doc])*
        fn $name() -> &'static [u8] {
            let (start, end): (*const u8, *const u8);
            // SAFETY: two addresses of constants are taken.
            unsafe {
                core::arch::asm!(
                    "lea {start}, [rip + 22f]",
                    "lea {end}, [rip + 23f]",
                    ".pushsection .rodata",
                    "22:",
                    $($line,)+
                    "23:",
                    ".popsection",
                    start = out(reg) start,
                    end = out(reg) end,
                );
                std::slice::from_raw_parts(start, end.offset_from_unsigned(start))
            }
        }
    };
}

pub(crate) use guest;
