import { Argument, type Command } from 'commander';
import {
  completionScript,
  shells,
  type CommandWords,
  type Shell,
} from '../presentation/completion-script.ts';
import { subcommand, type Act } from '../command-line.ts';

function wordsOf(command: Command): CommandWords {
  return {
    name: command.name(),
    summary: command.summary(),
    options: command.options.flatMap((option) => (option.long ? [option.long] : [])),
    subcommands: command.commands.map(wordsOf),
  };
}

/** `catena completion`: a script for the shell that completes commands and options. */
export function addCompletion(program: Command, act: Act): void {
  subcommand(
    program,
    'completion',
    'Prints the completion script of a shell',
    'catena completion bash > /etc/bash_completion.d/catena\ncatena completion fish > ~/.config/fish/completions/catena.fish',
  )
    .addArgument(new Argument('<shell>', 'which shell').choices(shells))
    .action(
      act((cli, shell: Shell) => {
        const script = completionScript(shell, wordsOf(program));
        cli.answer({ shell, script });
        cli.say(script);
        return Promise.resolve();
      }),
    );
}
