import { setTimeout as pause } from 'node:timers/promises';
import { createHash } from 'node:crypto';
import path from 'node:path';
import { describeError, schedulerRequests } from '@catena/events';
import { readDefinitionFiles } from './definition-files.ts';
import type { Invocation } from './invocation.ts';

const ROUND_MILLISECONDS = 2_000;

/**
 * Keeps the definitions as a folder has them, as `apply --prune` does, until the invocation ends. What is wrong is said
 * once and changes nothing; the next change of the folder is tried again.
 */
export async function followFolder(cli: Invocation, folder: string): Promise<void> {
  const prune = path.resolve(folder);
  let settled = '';
  let said = '';
  while (!cli.signal.aborted) {
    try {
      const files = await readDefinitionFiles([folder], cli.home);
      const content = createHash('sha256').update(JSON.stringify(files)).digest('hex');
      if (content !== settled) {
        const client = await cli.connect();
        const { results, warnings } = await client.ask(schedulerRequests.applyDefinitions, {
          ...cli.command(),
          files,
          prune,
        });
        settled = content;
        said = '';
        for (const warning of warnings ?? []) cli.remark(`warning: ${warning}`);
        for (const { kind, name, action } of results)
          if (action !== 'unchanged') cli.say(`${kind} ${name}: ${action}`);
      }
    } catch (error) {
      const { message, remedy } = describeError(error);
      const text = `${folder}: ${message}${remedy === undefined ? '' : ` ${remedy}`}`;
      if (text !== said) cli.remark(text);
      said = text;
    }
    await pause(ROUND_MILLISECONDS, undefined, { signal: cli.signal }).catch(() => undefined);
  }
}
