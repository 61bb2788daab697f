import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import type { Write } from './generation-writer.ts';

/**
 * Sends writes one after the other; resolves when the server has taken them all.
 * @param copyOptions what to add to each COPY
 */
export async function sendWrites(
  client: ClientBase,
  writes: readonly Write[],
  copyOptions = '',
): Promise<void> {
  for (const write of writes) {
    if ('lines' in write) await copyLines(client, write.statement + copyOptions, write.lines);
    else await client.query(write.statement, write.parameters);
  }
}

async function copyLines(client: ClientBase, statement: string, lines: readonly Buffer[]): Promise<void> {
  const stream = client.query(copyFrom(statement));
  await new Promise<void>((resolve, reject) => {
    stream.once('error', reject);
    stream.once('finish', resolve);
    for (const chunk of lines) stream.write(chunk);
    stream.end();
  });
}
