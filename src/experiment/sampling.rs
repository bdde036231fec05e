//! Designs: which values of the axes go together.
//!
//! A sampled design is a number from 0 to 1 for each point and axis, the share of the axis's domain at which its value
//! lies. It depends on the design's own seed and on nothing else.

use crate::random::Key;

/// How a sweep chooses its points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Design {
    /// All combinations of the axes' values.
    #[default]
    Grid,
    /// So many points, each axis drawn independently.
    Random(usize),
    /// So many points, of which each axis has one in each of as many equal shares of its domain.
    ///
    /// Source: McKay, Beckman, Conover: "A comparison of three methods for selecting values of input variables in the
    /// analysis of output from a computer code", Technometrics 21 (1979).
    LatinHypercube(usize),
    /// So many points of an Owen-scrambled Sobol sequence; most even where that is a power of two.
    ///
    /// Source: Burley: "Practical hash-based Owen scrambling", Journal of Computer Graphics Techniques 9 (2020).
    Sobol(usize),
}

impl Design {
    /// The axes that a Sobol sequence has dimensions for.
    pub const SOBOL_AXES_MAX: usize = sobol_burley::NUM_DIMENSIONS as usize;
    /// The points that a Sobol sequence has.
    pub const SOBOL_POINTS_MAX: usize = 1 << 16;

    /// How many points it has for each scenario; `None` where that is up to the axes.
    pub fn count(self) -> Option<usize> {
        match self {
            Design::Grid => None,
            Design::Random(count) | Design::LatinHypercube(count) | Design::Sobol(count) => Some(count),
        }
    }

    /// For each axis the shares of its domain, point by point; a grid has none.
    ///
    /// An axis has draws of its own, by its name: but for Sobol's, another axis beside it changes none of them.
    pub(crate) fn units(self, seed: u64, axes: &[&str]) -> Vec<Vec<f64>> {
        let key = Key::for_run(seed, 0).named("design");
        let each = |of_axis: &dyn Fn(usize, Key) -> Vec<f64>| {
            axes.iter().enumerate().map(|(nth, axis)| of_axis(nth, key.named(axis))).collect()
        };
        match self {
            Design::Grid => vec![],
            Design::Random(count) => {
                each(&|_, key| (0..count).map(|point| key.numbered(point as u64).unit()).collect())
            }
            Design::LatinHypercube(count) => each(&|_, key| latin(key, count)),
            Design::Sobol(count) => {
                let scramble = (key.rng().next() >> 32) as u32;
                let unit = |point: usize, axis: usize| {
                    f64::from(sobol_burley::sample(point as u32, axis as u32, scramble))
                };
                each(&|axis, _| (0..count).map(|point| unit(point, axis)).collect())
            }
        }
    }
}

/// One number in each of `count` equal shares of [0, 1), in random order.
fn latin(key: Key, count: usize) -> Vec<f64> {
    let mut shares: Vec<usize> = (0..count).collect();
    // Fisher and Yates. The product's upper half is a whole number below `left`, evenly enough.
    let mut rng = key.rng();
    for left in (2..=count).rev() {
        let chosen = (u128::from(rng.next()) * left as u128) >> 64;
        shares.swap(left - 1, chosen as usize);
    }
    let within = key.named("within");
    let unit = |(point, share): (usize, usize)| {
        // Rounding must not lead into the next share.
        let unit = (share as f64 + within.numbered(point as u64).unit()) / count as f64;
        unit.min(((share + 1) as f64 / count as f64).next_down())
    };
    shares.into_iter().enumerate().map(unit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const AXES: [&str; 5] = ["a", "b", "c", "d", "e"];

    /// How many of the numbers lie in each of `shares` equal parts of [0, 1).
    fn tally(units: &[f64], shares: usize) -> Vec<usize> {
        let mut tally = vec![0; shares];
        for unit in units {
            tally[(unit * shares as f64) as usize] += 1;
        }
        tally
    }

    #[test]
    fn a_latin_hypercube_has_one_point_in_each_stratum_of_each_axis() {
        for count in [1, 2, 7, 200] {
            let units = Design::LatinHypercube(count).units(1, &AXES);
            assert_eq!(units.len(), AXES.len());
            for axis in &units {
                assert_eq!(tally(axis, count), vec![1; count]);
            }
        }
    }

    #[test]
    fn a_latin_hypercube_is_in_random_order_and_place() {
        let count = 2_000;
        let units = Design::LatinHypercube(count).units(1, &AXES);
        let correlation = |a: &[f64], b: &[f64]| {
            12.0 * a.iter().zip(b).map(|(a, b)| (a - 0.5) * (b - 0.5)).sum::<f64>() / count as f64
        };
        for (i, axis) in units.iter().enumerate() {
            // The standard deviation of a correlation of independent axes is 1 / sqrt(n).
            let tolerance = 4.0 / (count as f64).sqrt();
            assert!(units[..i].iter().all(|other| correlation(axis, other).abs() < tolerance));
            let places: Vec<f64> = axis.iter().map(|unit| (unit * count as f64).fract()).collect();
            assert!(tally(&places, 4).iter().all(|n| n.abs_diff(count / 4) < 100), "{:?}", tally(&places, 4));
        }
    }

    #[test]
    fn sobol_points_are_balanced_in_powers_of_two() {
        let units = Design::Sobol(256).units(1, &AXES);
        for axis in &units {
            for power in [2, 16, 64, 256] {
                assert_eq!(tally(&axis[..power], power), vec![1; power]);
            }
        }
        // The first two dimensions are a net: every rectangle of area 1/256 has one point.
        for bits in 0..=8 {
            let (columns, rows) = (f64::from(1 << bits), f64::from(1 << (8 - bits)));
            let cell = |(a, b): (&f64, &f64)| ((a * columns) as u32, (b * rows) as u32);
            let cells: std::collections::BTreeSet<_> = units[0].iter().zip(&units[1]).map(cell).collect();
            assert_eq!(cells.len(), 256, "{columns} x {rows}");
        }
    }

    #[test]
    fn random_points_are_even_on_average() {
        let units = Design::Random(10_000).units(1, &AXES);
        for axis in &units {
            // The standard deviation of each count is sqrt(1000 x 0.9) = 30.
            assert!(tally(axis, 10).iter().all(|n| n.abs_diff(1_000) < 120), "{:?}", tally(axis, 10));
        }
    }

    #[test]
    fn a_design_depends_on_its_seed_and_the_axis_alone() {
        for design in [Design::Random(64), Design::LatinHypercube(64), Design::Sobol(64)] {
            let units = design.units(1, &AXES);
            assert_eq!(units, design.units(1, &AXES));
            assert_ne!(units, design.units(2, &AXES));
            assert_eq!(units[..2], design.units(1, &AXES[..2]), "an axis after it changes none");
            assert!(units.iter().flatten().all(|unit| (0.0..1.0).contains(unit)));
        }
        let random = |axes: &[&str]| Design::Random(64).units(1, axes);
        assert_eq!(random(&["a", "b"])[1], random(&["b"])[0]);
    }
}
