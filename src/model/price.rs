//! What providers charge.

/// A provider's prices, in US dollars; each is zero or more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// Of a million tokens of prompts.
    pub input: f64,
    /// Of a million tokens of answers.
    pub output: f64,
    /// Of a million tokens of prompts that it finds in its prompt cache.
    pub cached_input: f64,
    /// Of a call, whatever it has.
    pub request: f64,
}

impl Price {
    /// Prices are said of so many tokens.
    pub const TOKENS: f64 = 1e6;

    /// The length of a prompt and of an answer by which prices are compared where nothing says how long they are.
    pub const SOME_TOKENS: f64 = 1000.0;

    /// What a call costs, in US dollars, that has so many tokens and finds none of them in a cache.
    ///
    /// This is the number that routing by price compares, for the mean tokens of the class that a request is of: a gateway
    /// knows what kind of request it has, and not how long the answer will be.
    pub fn of_call(&self, input_tokens: f64, output_tokens: f64) -> f64 {
        (self.input * input_tokens + self.output * output_tokens) / Price::TOKENS + self.request
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_costs_its_tokens_and_its_fee() {
        let gpt_4o = Price { input: 2.5, output: 10.0, cached_input: 1.25, request: 0.0 };
        assert_eq!(gpt_4o.of_call(1000.0, 1000.0), 0.0125);
        assert_eq!(gpt_4o.of_call(0.0, 0.0), 0.0);
        assert_eq!(Price { request: 0.002, ..gpt_4o }.of_call(0.0, 100.0), 0.003);
    }
}
