//! The cubic function and its inverse (RFC 9438 §4.2), with steps of 2²⁰ ns and integers.

/// C · steps³ in bytes: how far the window is from its plateau, `steps` before or after it.
pub(crate) fn rise(steps: u32, mss: u32) -> u32 {
    let steps = u64::from(steps.min(FAR));
    // At most 2^54 before the first shift and 2^61 after the product; then segments in 2^-10, at most 2^33.
    let segments = (((steps * steps * steps) >> 6) * C) >> (C_SHIFT - 6 - 10);
    u32::try_from((segments * u64::from(mss)) >> 10).unwrap_or(u32::MAX)
}

/// ∛(bytes / C): how many steps it takes to rise by `bytes`; K of RFC 9438 for the distance to the plateau.
pub(crate) fn steps_to_rise(bytes: u32, mss: u32) -> u32 {
    // bytes / (mss · C · 2^-44): two shifts around the division, for 64 bits hold neither 2^76 nor lose anything that counts.
    let cube = ((u64::from(bytes) << 31) / (u64::from(mss) * C).max(1)) << (C_SHIFT - 31);
    cube_root(cube)
}

/// ⌊∛value⌋, bit by bit.
fn cube_root(value: u64) -> u32 {
    let mut root = 0_u64;
    for bit in (0..=21).rev() {
        let candidate = root | 1 << bit;
        // At most (2^22)^3 = 2^66: the top bit is refused before it can overflow.
        if candidate < TOO_LARGE && candidate * candidate * candidate <= value {
            root = candidate;
        }
    }
    root as u32
}

/// Beyond this many steps, 275 s, the curve goes no further: 8 million segments.
const FAR: u32 = 1 << 18;

/// C = 0.4 segments/s³ (RFC 9438 §5.1), for steps: 0.4 · (2^20 / 10^9)³ · 2^44.
const C: u64 = 8113;
const C_SHIFT: u32 = 44;

/// ∛2^64 rounded up: its cube does not fit in 64 bits.
const TOO_LARGE: u64 = 2_642_246;

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: f64 = 1.048576e-3;

    #[test]
    fn the_constant_is_four_tenths() {
        let c = 0.4 * STEP.powi(3) * 2_f64.powi(44);
        assert!((c - C as f64).abs() < 0.5, "{c}");
    }

    #[test]
    fn roots_are_exact() {
        for root in [0_u64, 1, 2, 3, 10, 1000, 65_536, 2_642_244] {
            assert_eq!(u64::from(cube_root(root.pow(3))), root);
            assert_eq!(u64::from(cube_root((root + 1).pow(3) - 1)), root);
        }
        assert_eq!(cube_root(u64::MAX), 2_642_245);
    }

    #[test]
    fn the_curve_is_the_formula() {
        for mss in [536_u32, 1448, 8948] {
            for steps in [100_u32, 1000, 5000, 20_000, 100_000] {
                let formula = 0.4 * (f64::from(steps) * STEP).powi(3) * f64::from(mss);
                let bytes = f64::from(rise(steps, mss));
                let error = (bytes - formula).abs();
                assert!(
                    error <= 0.001 * formula + f64::from(mss) / 1000.0 + 1.0,
                    "{steps} steps: {bytes}, not {formula}"
                );
            }
        }
        assert_eq!(rise(u32::MAX, 65_535), u32::MAX);
    }

    #[test]
    fn the_time_to_the_plateau_is_the_formula() {
        for segments in [1_u32, 3, 30, 1000, 100_000, 1_000_000] {
            let formula = (f64::from(segments) / 0.4).cbrt();
            let seconds = f64::from(steps_to_rise(segments * 1448, 1448)) * STEP;
            assert!((seconds - formula).abs() < 0.002 + formula * 1e-4, "{segments}: {seconds}, not {formula}");
        }
        assert_eq!(steps_to_rise(0, 1448), 0);
        assert!(steps_to_rise(u32::MAX, 1) > 0);
    }
}
