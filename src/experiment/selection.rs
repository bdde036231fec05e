//! Ranking and selection: which of several noisy candidates to play more, so that the best one is soon known.
//!
//! What a candidate is, and what it is measured by, is left to others.

/// How many more runs each candidate should get of `additional`, so that the one with the smallest mean is most
/// probably the best: optimal computing budget allocation.
///
/// By candidate: the mean and the variance of its runs, and the runs that it has had. A candidate near the best, or
/// with noisy runs, gets many; one that is far behind gets none. Runs that were spent on a candidate which deserves
/// fewer are not given back, so that the others get less; together they get `additional`.
///
/// Chen, Lin, Yucesan and Chick, Simulation Budget Allocation for Further Enhancing the Efficiency of Ordinal
/// Optimization (2000), theorem 1; the order of the computation, and its rounding, is of the code that Chen and Lee give
/// in Stochastic Simulation Optimization (2011), appendix A.
///
/// # Panics
/// If the slices differ in length.
pub fn ocba(means: &[f64], variances: &[f64], spent: &[u64], additional: u64) -> Vec<u64> {
    assert!(means.len() == variances.len() && means.len() == spent.len(), "one of each for each candidate");
    let ascending = |a: &usize, b: &usize| means[*a].total_cmp(&means[*b]);
    let Some(best) = (0..means.len()).min_by(ascending) else { return Vec::new() };
    let Some(second) = (0..means.len()).filter(|i| *i != best).min_by(ascending) else {
        return vec![additional];
    };
    let ratios = ratios(means, variances, best, second);

    let budget = additional + spent.iter().sum::<u64>();
    let mut total = vec![0; means.len()];
    let mut wants_more = vec![true; means.len()];
    loop {
        let fixed: u64 = (0..total.len()).filter(|i| !wants_more[*i]).map(|i| total[i]).sum();
        let open = (budget - fixed) as f64;
        let sum: f64 = (0..total.len()).filter(|i| wants_more[*i]).map(|i| ratios[i]).sum();
        let mut all_fit = true;
        for i in 0..total.len() {
            if wants_more[i] {
                total[i] = (open / sum * ratios[i]) as u64;
                if total[i] < spent[i] {
                    total[i] = spent[i];
                    wants_more[i] = false;
                    all_fit = false;
                }
            }
        }
        if all_fit {
            break;
        }
    }
    // What rounding has left over.
    total[best] += budget - total.iter().sum::<u64>();
    total.iter().zip(spent).map(|(total, spent)| total - spent).collect()
}

/// What share of the runs each candidate should have, relative to the second best.
fn ratios(means: &[f64], variances: &[f64], best: usize, second: usize) -> Vec<f64> {
    // Where two are equal, or nothing is noisy, a ratio would have no value.
    let distance = |i: usize| (means[i] - means[best]).max(f64::MIN_POSITIVE.max(1e-12 * means[best].abs()));
    let variance = |i: usize| variances[i].max(f64::MIN_POSITIVE);
    let mut ratios: Vec<f64> = (0..means.len())
        .map(|i| {
            let nearer = distance(second) / distance(i);
            nearer * nearer * (variance(i) / variance(second))
        })
        .collect();
    let others = (0..means.len()).filter(|i| *i != best);
    let sum: f64 = others.map(|i| ratios[i] * (ratios[i] / variance(i))).sum();
    ratios[best] = libm::sqrt(variance(best) * sum);
    ratios
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the R package SPOT.
    #[test]
    fn ocba_gives_what_its_reference_gives() {
        let means = [1.2, 2.1, 3.4, 4.87, 6.05];
        let variances = [3.3, 2.0, 4.5, 5.3, 6.9];
        assert_eq!(ocba(&means, &variances, &[12, 6, 5, 5, 4], 100), [48, 38, 11, 2, 1]);
    }

    #[test]
    fn all_runs_are_given_however_uneven_it_is() {
        for (means, variances, spent) in [
            (vec![1.0, 1.0, 1.0], vec![1.0, 1.0, 1.0], vec![10, 10, 10]),
            (vec![1.0, 2.0, 3.0], vec![0.0, 0.0, 0.0], vec![10, 0, 3]),
            (vec![0.0, 1e-300, 1e300], vec![1.0, 1e9, 1e-9], vec![1, 1_000_000, 1]),
            (vec![5.0], vec![1.0], vec![3]),
        ] {
            let more = ocba(&means, &variances, &spent, 50);
            assert_eq!(more.iter().sum::<u64>(), 50, "{means:?}: {more:?}");
        }
        assert!(ocba(&[], &[], &[], 50).is_empty());
    }
}
