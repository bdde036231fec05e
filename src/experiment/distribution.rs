//! Probabilities and quantiles of Student's t and of the binomial, for intervals and tests.
//!
//! Both are the regularised incomplete beta function in other words; nothing here uses the platform's maths.

/// The regularised incomplete beta function I_x(a, b), for positive a and b, and x in [0, 1].
///
/// The continued fraction of DLMF 8.17.22 by Lentz's method, on the side where it converges fast.
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    const TINY: f64 = 1e-300;
    if x <= 0.0 || x >= 1.0 {
        return if x <= 0.0 { 0.0 } else { 1.0 };
    }
    if x > (a + 1.0) / (a + b + 2.0) {
        return 1.0 - incomplete_beta(b, a, 1.0 - x);
    }
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut fraction = d;
    // Some sqrt(max(a, b)) steps are enough.
    for step in 1..10_000_u32 {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        let before = fraction;
        for coefficient in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + coefficient * d);
            c = away_from_zero(1.0 + coefficient / c);
            fraction *= c * d;
        }
        if (fraction - before).abs() <= 1e-16 * fraction.abs() {
            break;
        }
    }
    let ln_beta = libm::lgamma(a) + libm::lgamma(b) - libm::lgamma(a + b);
    libm::exp(a * libm::log(x) + b * libm::log1p(-x) - ln_beta) * fraction / a
}

/// The chance that Student's t with `df` degrees of freedom is further from 0 than `t`, on either side.
pub fn student_t_two_sided(t: f64, df: f64) -> f64 {
    if t.is_finite() { incomplete_beta(df / 2.0, 0.5, df / (df + t * t)) } else { 0.0 }
}

/// How far from 0 Student's t with `df` degrees of freedom is, on either side, with a chance of `tail`, above 0 and
/// below 1: the factor of an interval at the level 1 - `tail`.
pub fn student_t(tail: f64, df: f64) -> f64 {
    let mut high = 1.0;
    while student_t_two_sided(high, df) > tail {
        high *= 2.0;
    }
    bisect(0.0, high, |t| student_t_two_sided(t, df) > tail)
}

/// The chance of at most `k` successes in `n` trials of probability `p`.
pub fn binomial_at_most(k: u64, n: u64, p: f64) -> f64 {
    if k >= n { 1.0 } else { incomplete_beta((n - k) as f64, k as f64 + 1.0, 1.0 - p) }
}

/// The ranks, from 1, of the two of `n` ascending values between which the quantile `q` lies with at least the chance
/// `level`; each side leaves out at most half of the rest. `None` if `n` values are too few.
pub fn quantile_ranks(n: u64, q: f64, level: f64) -> Option<(u64, u64)> {
    let side = (1.0 - level) / 2.0;
    // The largest rank r with P(B < r) <= side; the quantile is below the r-th value if fewer than r values are below it.
    let low = last(n, |r| binomial_at_most(r - 1, n, q) <= side)?;
    // The smallest rank s with P(B >= s) <= side.
    let high = last(n, |r| 1.0 - binomial_at_most(n - r, n, q) <= side).map(|r| n + 1 - r)?;
    Some((low, high))
}

/// The last of 1 to `n` for which `holds`, which holds up to some number and not beyond.
fn last(n: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut below, mut above) = (0, n + 1);
    while above - below > 1 {
        let middle = below + (above - below) / 2;
        if holds(middle) { below = middle } else { above = middle }
    }
    (below > 0).then_some(below)
}

/// The point between `low` and `high` up to which `holds`, as exactly as floating point numbers can say it.
fn bisect(mut low: f64, mut high: f64, holds: impl Fn(f64) -> bool) -> f64 {
    loop {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            return high;
        }
        if holds(middle) { low = middle } else { high = middle }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_near(found: f64, expected: f64, tolerance: f64) {
        assert!(
            (found - expected).abs() <= tolerance * expected.abs().max(1e-300),
            "{found}, not {expected}"
        );
    }

    #[test]
    fn the_incomplete_beta_function_has_its_closed_forms() {
        for x in [0.0, 1e-9, 0.1, 0.5, 0.9, 1.0 - 1e-9, 1.0] {
            assert_near(incomplete_beta(1.0, 1.0, x), x, 1e-13);
            assert_near(incomplete_beta(3.0, 1.0, x), x * x * x, 1e-12);
            assert_near(incomplete_beta(1.0, 2.0, x), x * (2.0 - x), 1e-12);
        }
        // I_x(a, b) + I_(1 - x)(b, a) = 1, also far from where the fraction converges best.
        for (a, b, x) in [(0.5, 0.5, 0.3), (5e3, 0.5, 0.999), (2.0, 300.0, 0.01), (950.0, 51.0, 0.95)] {
            assert_near(incomplete_beta(a, b, x) + incomplete_beta(b, a, 1.0 - x), 1.0, 1e-12);
        }
    }

    /// Tables of the NIST Engineering Statistics Handbook, 1.3.6.7.2, to their three digits.
    #[test]
    fn student_t_matches_the_tables() {
        for (df, at_95, at_99, at_998) in [
            (1.0, 12.706, 63.657, 318.309),
            (2.0, 4.303, 9.925, 22.327),
            (5.0, 2.571, 4.032, 5.893),
            (10.0, 2.228, 3.169, 4.144),
            (29.0, 2.045, 2.756, 3.396),
            (100.0, 1.984, 2.626, 3.174),
        ] {
            for (tail, expected) in [(0.05, at_95), (0.01, at_99), (0.002, at_998)] {
                let t = student_t(tail, df);
                assert!((t - expected).abs() < 6e-4, "{df} at {tail}: {t}");
                assert_near(student_t_two_sided(t, df), tail, 1e-9);
            }
        }
        // With one degree of freedom it is Cauchy's.
        assert_near(student_t_two_sided(1.0, 1.0), 0.5, 1e-12);
        assert_eq!(student_t_two_sided(f64::INFINITY, 3.0), 0.0);
    }

    #[test]
    fn binomial_chances_are_sums_of_their_terms() {
        for (n, p) in [(1_u64, 0.3), (10, 0.5), (59, 0.95), (200, 0.025)] {
            let mut term = libm::pow(1.0 - p, n as f64);
            let mut sum = term;
            for k in 0..n {
                assert_near(binomial_at_most(k, n, p), sum, 1e-9);
                term *= (n - k) as f64 / (k + 1) as f64 * p / (1.0 - p);
                sum += term;
            }
            assert_eq!(binomial_at_most(n, n, p), 1.0);
        }
    }

    /// Conover, Practical Nonparametric Statistics, table A3 and 3.2; the least n for a median at 95% is 6.
    #[test]
    fn the_ranks_around_a_quantile_are_the_tables_ones() {
        assert_eq!(quantile_ranks(5, 0.5, 0.95), None);
        assert_eq!(quantile_ranks(6, 0.5, 0.95), Some((1, 6)));
        assert_eq!(quantile_ranks(10, 0.5, 0.95), Some((2, 9)));
        assert_eq!(quantile_ranks(20, 0.5, 0.95), Some((6, 15)));
        assert_eq!(quantile_ranks(100, 0.5, 0.95), Some((40, 61)));
        // 0.95 to the 72nd is 0.0249: then the largest value may be the upper end.
        assert_eq!(quantile_ranks(71, 0.95, 0.95), None);
        assert_eq!(quantile_ranks(72, 0.95, 0.95).map(|(_, high)| high), Some(72));
        assert_eq!(quantile_ranks(0, 0.5, 0.95), None);
    }
}
