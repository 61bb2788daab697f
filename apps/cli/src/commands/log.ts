import { createReadStream, createWriteStream } from 'node:fs';
import { open, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { CatenaClient } from '@catena/client';
import { catalogRequests, describeError } from '@catena/events';
import { compareLogWithExport, exportLog, importLog, verifyLog } from '@catena/event-log';
import type { Command } from 'commander';
import { commandGroup, subcommand, type Act } from '../command-line.ts';
import { ExitCode } from '../exit-codes.ts';
import { NotPossibleError, type Invocation } from '../invocation.ts';
import { plural } from '../presentation/quantities.ts';

/** A log of many millions of events takes its time. */
const COMPARISON_MILLISECONDS = 3_600_000;

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

/** The bytes of an export. @throws NotPossibleError for a folder; what is no export is found out when it is read. */
async function exportIn(file: string): Promise<() => AsyncIterable<Uint8Array>> {
  if ((await stat(file)).isDirectory())
    throw new NotPossibleError(`${file} is a folder.`, 'Name the exported file.');
  return () => createReadStream(file);
}

/** Whether the read models are what the log says; the error when nobody can tell. */
async function compareProjections(cli: Invocation, client: CatenaClient) {
  try {
    return await client.ask(
      catalogRequests.compareCatalog,
      {},
      { timeoutMilliseconds: COMPARISON_MILLISECONDS, signal: cli.signal },
    );
  } catch (error) {
    return { error: describeError(error) };
  }
}

interface LogVerifyOptions {
  export?: string;
  projections: boolean;
}

function addLogVerify(log: Command, act: Act): void {
  subcommand(
    log,
    'verify',
    'Walks the whole log: sequences, schemas, hash chains; compares it with the read models, and with an export',
    'catena log verify\ncatena log verify --export /mnt/safe/log.zst --no-projections',
  )
    .option('--export <file>', 'compare with this export too')
    .option('--no-projections', 'do not build the read models a second time to compare them')
    .action(
      act(async (cli, options: LogVerifyOptions) => {
        const client = await cli.connect();
        const { signal } = cli;
        const result = await verifyLog(client.log, { signal });
        cli.say(
          `log: ${plural(result.events, 'event')} of ${plural(result.aggregates, 'aggregate')}, ${plural(result.problemCount, 'problem')}`,
        );
        for (const { sequence, error } of result.problems) cli.say(`  ${sequence}: ${error.message}`);

        const file = options.export;
        const comparison =
          file === undefined
            ? undefined
            : await compareLogWithExport(client.log, await exportIn(file), { signal });
        if (comparison) {
          const { same, differenceCount, onlyInLog, onlyInExport } = comparison;
          cli.say(
            `export: ${same} the same, ${differenceCount} different, ${onlyInLog} only in the log, ${onlyInExport} only in the export`,
          );
          if (onlyInExport > 0) cli.say('  The log has lost events that the export has.');
        }

        const projections = options.projections ? await compareProjections(cli, client) : undefined;
        if (projections && 'error' in projections) {
          cli.say(`read models: not compared: ${projections.error.message}`);
          cli.exit(ExitCode.unreachable);
        } else if (projections) {
          cli.say(
            `read models: ${projections.identical ? 'what the log says' : `NOT what the log says in ${projections.differing.join(', ')}; see "catena catalog rebuild"`}, up to ${projections.sequence}`,
          );
        }
        cli.answer({ ...result, comparison, projections });
        const wrong =
          result.problemCount > 0 ||
          (comparison && comparison.differenceCount + comparison.onlyInExport > 0) ||
          (projections && 'identical' in projections && !projections.identical);
        if (wrong) cli.exit(ExitCode.damageFound);
      }),
    );
}

/** `catena log verify | export | import`: the event log as a thing to check and to take away. */
export function addLog(program: Command, act: Act): void {
  const log = commandGroup(
    program,
    'log',
    'Checks, exports and imports the event log',
    'catena log verify\ncatena log export /mnt/safe/log-2026-03-01.zst\ncatena log import /mnt/safe/log-2026-03-01.zst',
  );

  addLogVerify(log, act);

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
        const result = await importLog(client.log, await exportIn(file), { signal: cli.signal });
        cli.answer(result);
        cli.say(
          `${result.imported} events imported${result.present > 0 ? `, ${result.present} were there already` : ''}; the log ends at ${result.last}.`,
        );
      }),
    );
}
