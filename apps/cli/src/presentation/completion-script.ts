/** A command with what can follow it. */
export interface CommandWords {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly string[];
  readonly subcommands: readonly CommandWords[];
}

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** Every place of the command line with what may be typed there: `catalog` → `rebuild rescan --help`. */
function places(root: CommandWords): { path: string; words: string[] }[] {
  const visit = (command: CommandWords, path: string[]): { path: string; words: string[] }[] => [
    {
      path: path.join(' '),
      words: [...command.subcommands.map((sub) => sub.name), ...command.options, '--help'],
    },
    ...command.subcommands.flatMap((sub) => visit(sub, [...path, sub.name])),
  ];
  return visit(root, []);
}

function bash(root: CommandWords): string {
  const cases = places(root).map(({ path, words }) => `    "${path}") words="${words.join(' ')}" ;;`);
  return `_catena() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" word words
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) case " ${root.subcommands.flatMap((sub) => [sub.name, ...sub.subcommands.map((inner) => inner.name)]).join(' ')} " in *" $word "*) path="\${path:+$path }$word" ;; esac ;; esac
  done
  case "$path" in
${cases.join('\n')}
    *) words="" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [ \${#COMPREPLY[@]} -gt 0 ] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _catena catena`;
}

function fish(root: CommandWords): string {
  const quote = (text: string) => `'${text.replaceAll("'", "\\'")}'`;
  const lines = root.subcommands.flatMap((sub) => [
    `complete -c catena -n __fish_use_subcommand -a ${sub.name} -d ${quote(sub.summary)}`,
    ...sub.subcommands.map(
      (inner) =>
        `complete -c catena -n '__fish_seen_subcommand_from ${sub.name}' -a ${inner.name} -d ${quote(inner.summary)}`,
    ),
    ...sub.options.map(
      (option) => `complete -c catena -n '__fish_seen_subcommand_from ${sub.name}' -l ${option.slice(2)}`,
    ),
  ]);
  return lines.join('\n');
}

/** The completion script of a shell; zsh reads bash's through its own compatibility layer. */
export function completionScript(shell: Shell, root: CommandWords): string {
  switch (shell) {
    case 'bash':
      return bash(root);
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(root)}`;
    case 'fish':
      return fish(root);
  }
}
