//! The command that gives a result again, for whoever reads it elsewhere.

use super::PlayArgs;
use crate::output::quoted;

/// A command line in the making.
#[derive(Debug, Clone)]
pub(super) struct CommandLine(String);

impl CommandLine {
    /// Of this verb.
    pub fn new(verb: &str) -> Self {
        CommandLine(format!("{} {verb}", env!("CARGO_PKG_NAME")))
    }

    /// Adds a word, quoted where a shell would take it for something else.
    pub fn word(mut self, word: &str) -> Self {
        self.0.push(' ');
        self.0.push_str(&quoted(word));
        self
    }

    /// Adds an option with its value, if it has one.
    pub fn option(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.word(name).word(&value.to_string()),
            None => self,
        }
    }

    /// Adds what says which runs are played, and of what. How many threads play them, and what becomes of files that
    /// exist, changes no result.
    pub fn play(self, play: &PlayArgs) -> Self {
        let with_runs = self.option("--runs", play.runs);
        let with_seed = with_runs.option("--seed", (play.seed != super::DEFAULT_SEED).then_some(play.seed));
        play.set.iter().fold(with_seed, |line, set| line.option("--set", Some(set)))
    }

    /// The whole line.
    pub fn text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        let line = CommandLine::new("run")
            .word("a b.toml")
            .option("--set", Some("x='1'"))
            .option("--gate", None::<String>);
        assert_eq!(line.text(), r"failover-sim run 'a b.toml' --set 'x='\''1'\'''");
    }
}
