//! Keyed random numbers: every draw is a pure function of what it is for.
//!
//! A [`Key`] is derived from the seed, the run and a path of names and numbers ("request 4711, latency, provider
//! `claude_east`, first try"). Nothing is consumed from a shared stream, so adding a provider or changing an interval
//! shifts no other draw: runs of two configurations see the same arrivals, latencies and coin-flips
//! (common random numbers), on any number of threads and in any order.
//!
//! The generator is SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
//! Variates come from a unit uniform by inversion, with the `libm` crate's `log` and `exp` and our own cheaper
//! forms of them: the platform's maths
//! library differs between machines, and these numbers must not.

use rand::TryRng;
use rand_distr::Distribution;
use std::convert::Infallible;
use std::sync::LazyLock;

const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// SplitMix64's output function (Stafford's mix 13).
#[inline(always)]
const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// FNV-1a. Our own, so that a standard library's hash cannot change results under us.
const fn hash_name(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01b3);
        i += 1;
    }
    hash
}

/// What a draw is for; the value it yields depends on nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key(u64);

impl Key {
    /// The root of all draws of one run. Runs of one seed are independent of each other.
    pub const fn for_run(seed: u64, run: u64) -> Self {
        Key(mix(seed ^ GOLDEN_GAMMA)).numbered(run)
    }

    /// The key of something that has a name, such as a stream or a provider.
    pub const fn named(self, name: &str) -> Self {
        self.numbered(hash_name(name))
    }

    /// The key of the `number`th thing of its kind; the children of a key are a SplitMix64 sequence.
    #[inline(always)]
    pub const fn numbered(self, number: u64) -> Self {
        Key(mix(self.0.wrapping_add(GOLDEN_GAMMA.wrapping_mul(number.wrapping_add(1)))))
    }

    /// The key of a thing that has a key of its own, such as "this request at that provider".
    #[inline(always)]
    pub const fn joined(self, other: Key) -> Self {
        self.numbered(other.0)
    }

    /// A constant key for a purpose, computed once.
    pub const fn purpose(name: &str) -> Self {
        Key(hash_name(name))
    }

    /// The key whose own draw is these bits.
    pub(crate) const fn of_bits(bits: u64) -> Self {
        Key(bits)
    }

    /// A generator for the draws of this key: the key itself, which is mixed already, and then its children.
    #[inline(always)]
    pub const fn rng(self) -> KeyedRng {
        KeyedRng { key: self, drawn: 0 }
    }

    /// A uniform draw from [0, 1), on 53 bits.
    #[inline(always)]
    pub fn unit(self) -> f64 {
        unit(self.0)
    }

    /// True with probability `p`.
    #[inline(always)]
    pub fn coin(self, p: f64) -> bool {
        // Certain outcomes cost no draw; the answer would be the same.
        p > 0.0 && (p >= 1.0 || self.unit() < p)
    }
}

#[inline(always)]
fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// The numbers that belong to a key.
#[derive(Debug, Clone)]
pub struct KeyedRng {
    key: Key,
    drawn: u64,
}

impl KeyedRng {
    #[inline(always)]
    pub(crate) const fn next(&mut self) -> u64 {
        let number = match self.drawn {
            0 => self.key,
            n => self.key.numbered(n - 1),
        };
        self.drawn += 1;
        number.0
    }
}

impl TryRng for KeyedRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.next() >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(8) {
            chunk.copy_from_slice(&self.next().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The exponential distribution with mean 1, by inversion.
#[derive(Debug, Clone, Copy)]
pub struct UnitExponential;

impl Distribution<f64> for UnitExponential {
    #[inline]
    fn sample<R: rand::Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // 1 - u lies in (0, 1], so the logarithm is finite.
        -libm::log(1.0 - unit(rng.next_u64()))
    }
}

/// The gamma distribution with scale 1: its mean is its shape.
///
/// By rejection, so that a variate takes as many uniforms as it needs; each shape rejects almost the same draws, and
/// variates of one key rise and fall with those of another shape. Source: Marsaglia, Tsang, "A simple method for
/// generating gamma variables", ACM Transactions on Mathematical Software 26 (2000).
#[derive(Debug, Clone, Copy)]
pub struct Gamma {
    shape: f64,
    /// Of the shape from 1 on that variates are drawn for.
    d: f64,
    c: f64,
}

impl Gamma {
    /// The distribution with this shape, finite and above zero.
    pub fn new(shape: f64) -> Self {
        let d = if shape < 1.0 { shape + 1.0 } else { shape } - 1.0 / 3.0;
        Gamma { shape, d, c: 1.0 / libm::sqrt(9.0 * d) }
    }

    /// The one whose shape is higher by one: a variate drawn again in proportion to its value is distributed like that.
    pub fn longer(&self) -> Self {
        Gamma::new(self.shape + 1.0)
    }
}

impl Distribution<f64> for Gamma {
    fn sample<R: rand::Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        // A shape below 1 is reached from the next higher one.
        let less = if self.shape < 1.0 { libm::exp(-UnitExponential.sample(rng) / self.shape) } else { 1.0 };
        loop {
            let x: f64 = UnitNormal.sample(rng);
            let root = 1.0 + self.c * x;
            let u = 1.0 - unit(rng.next_u64());
            if root <= 0.0 {
                continue;
            }
            let (v, x2) = (root * root * root, x * x);
            let squeezed = u < 1.0 - 0.0331 * x2 * x2;
            if squeezed || libm::log(u) < 0.5 * x2 + self.d * (1.0 - v + libm::log(v)) {
                return less * self.d * v;
            }
        }
    }
}

/// The standard normal distribution, by inversion: one uniform for each variate, so draws stay aligned.
#[derive(Debug, Clone, Copy)]
pub struct UnitNormal;

impl UnitNormal {
    /// The place in the order of all variates of the one that these bits make, on 64 bits; and the bits that make the
    /// variate in this place.
    #[inline(always)]
    pub(crate) const fn rank(bits: u64) -> u64 {
        // The first bit is the side, and on both sides the rest counts from the tail inwards.
        bits ^ (((bits as i64) >> 63) as u64 >> 1)
    }
}

impl Distribution<f64> for UnitNormal {
    #[inline]
    fn sample<R: rand::Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        NORMAL_TABLE.quantile(rng.next_u64())
    }
}

/// The standard normal's quantile function as cubics: three times as fast as the rational functions they follow.
///
/// Each power of two of the tail's probability is cut into 32 pieces, on which a cubic meets value and slope at both
/// ends; that is within 3e-8 everywhere.
struct NormalTable {
    cubics: Vec<[f64; 4]>,
}

/// Rarer than 2^-24, which is one draw in 8 million, the table ends and the exact function answers.
const NORMAL_OCTAVES: u32 = 24;
const PIECE_BITS: u32 = 5;

static NORMAL_TABLE: LazyLock<NormalTable> = LazyLock::new(|| {
    let slope = |z: f64| 2.506_628_274_631_000_7 * libm::exp(z * z / 2.0);
    let mut cubics = Vec::new();
    for octave in 1..NORMAL_OCTAVES {
        let pieces = f64::from(1u32 << PIECE_BITS);
        let width = 0.5 / f64::from(1u32 << octave) / pieces;
        for piece in 0..1u32 << PIECE_BITS {
            let low = (pieces + f64::from(piece)) * width;
            let (z0, z1) = (normal_quantile(low), normal_quantile(low + width));
            let (s0, s1) = (slope(z0) * width, slope(z1) * width);
            cubics.push([z0, s0, 3.0 * (z1 - z0) - 2.0 * s0 - s1, 2.0 * (z0 - z1) + s0 + s1]);
        }
    }
    NormalTable { cubics }
});

impl NormalTable {
    /// The quantile of the uniform that 64 random bits stand for: the first bit is the side, the rest the tail.
    #[inline]
    fn quantile(&self, bits: u64) -> f64 {
        let tail = bits & (u64::MAX >> 1);
        let octave = tail.leading_zeros();
        let lower = if octave >= NORMAL_OCTAVES {
            normal_quantile((tail as f64 + 0.5) * (1.0 / 18_446_744_073_709_551_616.0))
        } else {
            // What follows the leading one: first the piece, then the place within it.
            let rest = tail << (octave + 1);
            let piece = rest >> (64 - PIECE_BITS);
            let [c0, c1, c2, c3] = self.cubics[(((octave - 1) << PIECE_BITS) as u64 + piece) as usize];
            let t = (rest << PIECE_BITS) as f64 * (1.0 / 18_446_744_073_709_551_616.0);
            c0 + t * (c1 + t * (c2 + t * c3))
        };
        // The first bit is the sign's place, too; half of all branches on it would be mispredicted.
        f64::from_bits(lower.to_bits() ^ (bits ^ tail))
    }
}

/// e to the power of `x`, for |x| below 700, to 3e-10 relative: a quarter of the cost of `libm::exp`.
#[inline]
pub(crate) fn exp(x: f64) -> f64 {
    // Adding and taking away 1.5 x 2^52 rounds to the nearest whole number.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    let rounded = x * std::f64::consts::LOG2_E + ROUND;
    let k = rounded - ROUND;
    let f = x - k * std::f64::consts::LN_2;
    // Taylor's series to f^8 on |f| <= ln(2) / 2, paired so that the multiplications overlap.
    let (f2, pair) = (f * f, |a: f64, b: f64| a + b * f);
    let f4 = f2 * f2;
    let low = pair(1.0, 1.0) + pair(1.0 / 2.0, 1.0 / 6.0) * f2;
    let high = pair(1.0 / 24.0, 1.0 / 120.0) + pair(1.0 / 720.0, 1.0 / 5040.0) * f2;
    let series = low + (high + f4 * (1.0 / 40_320.0)) * f4;
    // Its lowest bits are the whole number itself, which goes where a float has its exponent.
    series * f64::from_bits((rounded.to_bits() << 52).wrapping_add(1023 << 52))
}

/// The standard normal's quantile function on (0, 1), to about 1e-16 relative.
///
/// Source: Wichura, "Algorithm AS 241: The percentage points of the normal distribution", Applied Statistics 37
/// (1988), routine PPND16.
pub fn normal_quantile(p: f64) -> f64 {
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * horner(r, &CENTRE_NUMERATOR) / horner(r, &CENTRE_DENOMINATOR);
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    let r = libm::sqrt(-libm::log(tail));
    let z = if r <= 5.0 {
        horner(r - 1.6, &NEAR_NUMERATOR) / horner(r - 1.6, &NEAR_DENOMINATOR)
    } else {
        horner(r - 5.0, &FAR_NUMERATOR) / horner(r - 5.0, &FAR_DENOMINATOR)
    };
    if q < 0.0 { -z } else { z }
}

/// A polynomial's value; coefficients from the constant term up.
#[inline(always)]
fn horner(x: f64, coefficients: &[f64; 8]) -> f64 {
    coefficients.iter().rev().fold(0.0, |sum, c| sum * x + c)
}

const CENTRE_NUMERATOR: [f64; 8] = [
    3.387_132_872_796_366_5,
    1.331_416_678_917_843_8e2,
    1.971_590_950_306_551_3e3,
    1.373_169_376_550_946e4,
    4.592_195_393_154_987e4,
    6.726_577_092_700_87e4,
    3.343_057_558_358_813e4,
    2.509_080_928_730_122_7e3,
];
const CENTRE_DENOMINATOR: [f64; 8] = [
    1.0,
    4.231_333_070_160_091e1,
    6.871_870_074_920_579e2,
    5.394_196_021_424_751e3,
    2.121_379_430_158_66e4,
    3.930_789_580_009_271e4,
    2.872_908_573_572_194_3e4,
    5.226_495_278_852_854e3,
];
const NEAR_NUMERATOR: [f64; 8] = [
    1.423_437_110_749_683_5,
    4.630_337_846_156_546,
    5.769_497_221_460_691,
    3.647_848_324_763_204_5,
    1.270_458_252_452_368_4,
    2.417_807_251_774_506e-1,
    2.272_384_498_926_918_4e-2,
    7.745_450_142_783_414e-4,
];
const NEAR_DENOMINATOR: [f64; 8] = [
    1.0,
    2.053_191_626_637_759,
    1.676_384_830_183_803_8,
    6.897_673_349_851e-1,
    1.481_039_764_274_800_8e-1,
    1.519_866_656_361_645_7e-2,
    5.475_938_084_995_345e-4,
    1.050_750_071_644_416_9e-9,
];
const FAR_NUMERATOR: [f64; 8] = [
    6.657_904_643_501_103,
    5.463_784_911_164_114,
    1.784_826_539_917_291_3,
    2.965_605_718_285_048_7e-1,
    2.653_218_952_657_612_4e-2,
    1.242_660_947_388_078_4e-3,
    2.711_555_568_743_487_6e-5,
    2.010_334_399_292_288_1e-7,
];
const FAR_DENOMINATOR: [f64; 8] = [
    1.0,
    5.998_322_065_558_88e-1,
    1.369_298_809_227_358e-1,
    1.487_536_129_085_061_5e-2,
    7.868_691_311_456_133e-4,
    1.846_318_317_510_054_8e-5,
    1.421_511_758_316_446e-7,
    2.044_263_103_389_939_8e-15,
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference outputs of SplitMix64 for seed 1234567, as published with Rosetta Code's task of that name.
    #[test]
    fn children_of_a_key_are_a_splitmix64_sequence() {
        assert_eq!(Key(1_234_567).numbered(0), Key(6_457_827_717_110_365_317));
        assert_eq!(Key(1_234_567).numbered(1), Key(3_203_168_211_198_807_973));
    }

    #[test]
    fn the_normal_quantile_matches_known_values() {
        for (p, z) in [
            (0.5, 0.0),
            (0.975, 1.959_963_984_540_054),
            (0.99, 2.326_347_874_040_840_8),
            (1e-10, -6.361_340_902_404_056),
            (1e-300, -37.047_096_299_361_2),
        ] {
            assert!(
                (normal_quantile(p) - z).abs() <= 1e-14 * z.abs().max(1.0),
                "{p}: {}",
                normal_quantile(p)
            );
        }
    }

    #[test]
    fn the_cheap_forms_follow_the_exact_ones() {
        let mut rng = Key::for_run(1, 1).rng();
        for i in 0..100_000u64 {
            // Every power of two of the tail as often as any other.
            let bits = (rng.next() & (u64::MAX >> 1)) >> (i % 40) | (i % 2) << 63;
            let tail = ((bits & (u64::MAX >> 1)) as f64 + 0.5) / 18_446_744_073_709_551_616.0;
            let exact = if i % 2 == 0 { normal_quantile(tail) } else { -normal_quantile(tail) };
            let cheap = NORMAL_TABLE.quantile(bits);
            assert!((cheap - exact).abs() < 3e-8, "{bits:x}: {cheap} {exact}");
            let x = exact * 10.0;
            assert!((exp(x) / libm::exp(x) - 1.0).abs() < 3e-10, "{x}");
        }
        assert_eq!((exp(0.0), NORMAL_TABLE.quantile(1 << 63)), (1.0, -normal_quantile(2f64.powi(-65))));
    }

    #[test]
    fn variates_have_the_moments_of_their_distribution() {
        let n = 200_000;
        let mut rng = Key::for_run(1, 0).rng();
        let normal: Vec<f64> = UnitNormal.sample_iter(&mut rng).take(n).collect();
        let exponential: Vec<f64> = UnitExponential.sample_iter(&mut rng).take(n).collect();
        let mean = |xs: &[f64]| xs.iter().sum::<f64>() / n as f64;
        let square = |xs: &[f64]| xs.iter().map(|x| x * x).sum::<f64>() / n as f64;
        // Four standard errors each.
        let tolerance = 4.0 / (n as f64).sqrt();
        assert!(mean(&normal).abs() < tolerance);
        assert!((square(&normal) - 1.0).abs() < tolerance * 2f64.sqrt());
        assert!((mean(&exponential) - 1.0).abs() < tolerance);
        assert!((square(&exponential) - 2.0).abs() < tolerance * 20f64.sqrt());
    }

    #[test]
    fn gamma_variates_have_their_moments() {
        let n = 200_000;
        for shape in [0.05, 0.5, 1.0, 1.7, 40.0] {
            let keys = (0..n).map(|i| Key::for_run(1, 3).numbered(i));
            let draws: Vec<f64> = keys.map(|key| Gamma::new(shape).sample(&mut key.rng())).collect();
            let mean = draws.iter().sum::<f64>() / n as f64;
            let variance = draws.iter().map(|x| (x - shape) * (x - shape)).sum::<f64>() / n as f64;
            let below = draws.iter().filter(|x| **x < 1.0).count() as f64 / n as f64;
            // The variance of a gamma variate's square deviation is 2 k^2 + 6 k.
            let error = |variance: f64| 4.0 * libm::sqrt(variance / n as f64);
            assert!((mean - shape).abs() < error(shape), "{shape}: {mean}");
            assert!(
                (variance - shape).abs() < error(2.0 * shape * shape + 6.0 * shape),
                "{shape}: {variance}"
            );
            if shape == 1.0 {
                assert!((below - (1.0 - libm::exp(-1.0))).abs() < error(0.25), "{below}");
            }
            if shape == 0.5 {
                // Half the square of a normal variate, which is below 1 if that is within the square root of 2.
                assert!((below - 0.842_700_79).abs() < error(0.25), "{below}");
            }
        }
    }

    #[test]
    fn neighbouring_keys_are_unrelated() {
        let run = Key::for_run(1, 7);
        let n = 100_000;
        let product: f64 =
            (0..n).map(|i| (run.numbered(i).unit() - 0.5) * (run.numbered(i + 1).unit() - 0.5)).sum::<f64>()
                / n as f64;
        // The product of two independent centred uniforms has standard deviation 1/12.
        assert!(product.abs() < 4.0 / 12.0 / (n as f64).sqrt(), "{product}");
        assert_ne!(run.named("latency"), run.named("arrivals"));
    }
}
