//! `completions`: what shells complete the command by.

use super::{Cli, Failure, print_out};
use clap::CommandFactory;
use clap_complete::Shell;

/// Print what a shell completes commands, options and files by
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  source <(failover-sim completions bash)                      in ~/.bashrc
  failover-sim completions zsh > \"${fpath[1]}/_failover-sim\"
  failover-sim completions fish > ~/.config/fish/completions/failover-sim.fish
  failover-sim completions powershell >> $PROFILE")]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    pub(super) fn execute(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "failover-sim", &mut script);
        // clap_complete spells a hyphenated command in two ways, and bash offers nothing after a verb (clap issue 6421).
        let script = String::from_utf8(script).expect("a script is text");
        print_out(&script.replace("failover__subcmd__sim", "failover__sim"))
    }
}
