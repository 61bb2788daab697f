import { execFileSync } from 'node:child_process';
import { describe, expect, it } from '@jest/globals';
import { completionScript, type CommandWords } from './completion-script.ts';

const root: CommandWords = {
  name: 'catena',
  summary: '',
  options: [],
  subcommands: [
    { name: 'status', summary: 'State', options: ['--json'], subcommands: [] },
    {
      name: 'catalog',
      summary: 'Catalog',
      options: [],
      subcommands: [
        { name: 'rebuild', summary: 'Rebuilds', options: ['--json'], subcommands: [] },
        { name: 'rescan', summary: 'Rescans', options: [], subcommands: [] },
      ],
    },
  ],
};

/** What bash itself would offer for a line that ends with the word being typed. */
function offered(...words: string[]): string[] {
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const script = `${completionScript('bash', root)}\nCOMP_WORDS=(${quoted}); COMP_CWORD=${words.length - 1}; _catena; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8', cwd: '/proc/self' }).trim().split('\n');
}

describe('shell completion, asked from bash itself', () => {
  it('offers the commands at the start', () => expect(offered('catena', 'sta')).toEqual(['status']));
  it('offers the commands below a command', () =>
    expect(offered('catena', 'catalog', 're')).toEqual(['rebuild', 'rescan']));
  it('offers the options of a command', () =>
    expect(offered('catena', 'catalog', 'rebuild', '--')).toEqual(['--json', '--help']));
  it('gives fish a line for each command', () => {
    expect(completionScript('fish', root)).toContain("-a rescan -d 'Rescans'");
  });
});
