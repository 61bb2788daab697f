import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { catalogRequests } from '@catena/events';
import { compareLogWithExport, exportLog, importLog, verifyLog } from '@catena/event-log';
import type { Command } from 'commander';
import { commandGroup, subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { NotPossibleError } from '../invocation.ts';

/** Written beside the target and renamed when it is whole and durable, so that a broken export is never taken for one. */
async function writeWholeFile(file: string, bytes: AsyncIterable<Uint8Array>): Promise<void> {
  const unfinished = `${file}.unfinished`;
  try {
    await pipeline(bytes, createWriteStream(unfinished, { mode: 0o600, flush: true }));
    await rename(unfinished, file);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  const folder = await open(path.dirname(file), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** `catena log verify | export | import`: the event log as a thing to check and to take away. */
export function addLog(program: Command, act: Act): void {
  const log = commandGroup(
    program,
    'log',
    'Checks, exports and imports the event log',
    'catena log verify\ncatena log export /mnt/safe/log-2026-03-01.zst\ncatena log import /mnt/safe/log-2026-03-01.zst',
  );

  subcommand(
    log,
    'verify',
    'Walks the whole log: sequences, schemas, hash chains; with an export also against that',
    'catena log verify\ncatena log verify --export /mnt/safe/log.zst',
  )
    .option('--export <file>', 'compare with this export too')
    .action(
      act(async (cli, options: { export?: string }) => {
        const client = await cli.connect();
        const result = await verifyLog(client.log, { signal: cli.signal });
        const file = options.export;
        const comparison =
          file === undefined
            ? undefined
            : await compareLogWithExport(client.log, () => createReadStream(file), { signal: cli.signal });
        const status = await client.ask(catalogRequests.catalogStatus, {});
        const wrong = result.problemCount + (comparison?.differenceCount ?? 0);
        cli.answer({
          ...result,
          comparison,
          projections: {
            sequence: status.sequence,
            logSequence: status.logSequence,
            stopped: status.stopped,
          },
        });
        cli.say(
          `${result.events} events of ${result.aggregates} aggregates, ${result.problemCount} problems`,
        );
        for (const { sequence, error } of result.problems) cli.say(`  ${sequence}: ${error.message}`);
        if (comparison)
          cli.say(
            `export: ${comparison.same} the same, ${comparison.differenceCount} different, ${comparison.onlyInLog} newer in the log, ${comparison.onlyInExport} only in the export`,
          );
        cli.say(
          `projections: have read ${status.sequence} of ${status.logSequence}${status.stopped ? `; stopped: ${status.stopped}` : ''}`,
        );
        if (wrong > 0) cli.exit(ExitCode.damageFound);
      }),
    );

  subcommand(
    log,
    'export',
    'Writes the log to a file, compressed, with everything that proves it',
    'catena log export /mnt/safe/log-2026-03-01.zst',
  )
    .argument('<file>', 'must not exist yet')
    .action(
      act(async (cli, file: string) => {
        const client = await cli.connect();
        const target = path.resolve(file);
        const exists = await open(target, 'r').then(
          (handle) => handle.close().then(() => true),
          () => false,
        );
        if (exists)
          throw new NotPossibleError(
            `${target} exists already.`,
            'Choose another name; an export is never overwritten.',
          );
        let last = 0;
        await writeWholeFile(
          target,
          exportLog(client.log, {
            exportedAt: new Date().toISOString(),
            signal: cli.signal,
            onProgress: (sequence) => (last = sequence),
          }),
        );
        cli.answer({ file: target, last });
        cli.say(`${last} events are in ${target}.`);
      }),
    );

  subcommand(
    log,
    'import',
    'Brings an exported log back into an empty platform',
    'catena log import /mnt/safe/log-2026-03-01.zst',
  )
    .argument('<file>', 'an export')
    .action(
      act(async (cli, file: string) => {
        const client = await cli.connectAsOperator();
        const result = await importLog(client.log, () => createReadStream(file), { signal: cli.signal });
        cli.answer(result);
        cli.say(
          `${result.imported} events imported${result.present > 0 ? `, ${result.present} were there already` : ''}; the log ends at ${result.last}.`,
        );
      }),
    );
}
