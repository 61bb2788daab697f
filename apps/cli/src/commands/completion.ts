import { Argument, type Command } from 'commander';
import {
  completionScript,
  shells,
  type CommandWords,
  type Shell,
} from '../presentation/completion-script.ts';
import type { Act } from '../command-line.ts';

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
  program
    .command('completion')
    .summary('Prints the completion script of a shell')
    .description('Prints the completion script of a shell')
    .addArgument(new Argument('<shell>').choices(shells))
    .addHelpText(
      'after',
      '\nExamples:\n  catena completion bash > /etc/bash_completion.d/catena\n  catena completion fish > ~/.config/fish/completions/catena.fish',
    )
    .action(
      act((cli, shell: Shell) => {
        cli.say(completionScript(shell, wordsOf(program)));
        return Promise.resolve();
      }),
    );
}
