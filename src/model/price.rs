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

    /// The price of a thousand tokens, in US dollars.
    pub fn per_thousand(&self, of: PerThousand, input_tokens: f64, output_tokens: f64) -> f64 {
        match of {
            PerThousand::Input => self.input / 1000.0,
            PerThousand::Output => self.output / 1000.0,
            PerThousand::Blended => {
                let tokens = (input_tokens + output_tokens).max(1.0);
                1000.0 * self.of_call(input_tokens, output_tokens) / tokens
            }
        }
    }

    /// What a call costs, in US dollars, that has so many tokens and finds none of them in a cache.
    ///
    /// This is the number that routing by price compares, for the mean tokens of the class that a request is of: a gateway
    /// knows what kind of request it has, and not how long the answer will be.
    pub fn of_call(&self, input_tokens: f64, output_tokens: f64) -> f64 {
        (self.input * input_tokens + self.output * output_tokens) / Price::TOKENS + self.request
    }
}

/// Which tokens a price of a thousand is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PerThousand {
    /// Tokens of prompts.
    Input,
    /// Tokens of answers.
    Output,
    /// The mean tokens of the request's class, in and out, with the call's own price.
    Blended,
}

/// How much of a call a provider charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Share {
    /// Nothing, not even the call.
    Nothing,
    /// The call and its prompt.
    Input,
    /// The call, its prompt and the tokens that have come; nothing before the first one.
    Delivered,
    /// The call, its prompt and a whole answer.
    All,
}

/// What a provider charges for calls that do not go well. One that is refused, or that it cannot be reached for, is never
/// charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Billing {
    /// For those that fail before any token has come: an error status, a connection that breaks, silence.
    pub errors: Share,
    /// For answers that break off, stall or are truncated after their first token.
    pub cut: Share,
    /// For answers that the provider completes, or would have, though their caller has left.
    pub abandoned: Share,
}

impl Default for Billing {
    /// Errors cost nothing, what has come is charged, and providers run on when the caller has left.
    ///
    /// Sources: OpenRouter's "zero completion insurance" (no charge without completion tokens). That an answer which broke
    /// off is charged up to there, and that a provider completes and charges what nobody waits for, is assumed.
    fn default() -> Self {
        Billing { errors: Share::Nothing, cut: Share::Delivered, abandoned: Share::All }
    }
}

/// What the gateway itself costs.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Fee {
    /// The share of what providers charge for attempts that comes on top of it; probes have no markup.
    pub markup: f64,
    /// For each request, in US dollars, whatever becomes of it.
    pub request: f64,
    /// For 30 days, in US dollars; a shorter or longer time costs in proportion.
    pub month: f64,
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
