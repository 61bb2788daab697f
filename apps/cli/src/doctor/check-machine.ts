import { constants } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { describeError } from '@catena/events';
import { findNatsServer, findPostgres } from '@catena/embedded';
import { formatBytes } from '../presentation/quantities.ts';
import { ok, problem, warning, type Finding } from './finding.ts';

const NEEDED_NODE = 24;
const LOW_SPACE = 1024 ** 3;

/** The folder itself, or the nearest one above it that exists. */
async function nearestExisting(folder: string): Promise<string> {
  for (let current = folder; ; current = path.dirname(current)) {
    const found = await stat(current).then(
      () => true,
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
        throw error;
      },
    );
    if (found || current === path.dirname(current)) return current;
  }
}

/** Whether a folder can be written, now or once it is made, and how much space is left there. */
export async function checkFolder(check: string, folder: string): Promise<Finding> {
  const existing = await nearestExisting(folder);
  try {
    await access(existing, constants.W_OK | constants.X_OK);
  } catch {
    return problem(
      check,
      `${existing} cannot be written by this user.`,
      `Change its owner, or choose another folder than ${folder}.`,
    );
  }
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  if (free < LOW_SPACE)
    return warning(
      check,
      `Only ${formatBytes(free)} are free in ${existing}.`,
      'Free some space before the next backup needs it.',
    );
  return ok(check, `${folder}: writable, ${formatBytes(free)} free`);
}

/** Node, the servers' binaries and the data folder: everything that can be checked with nothing running. */
export async function checkMachine(home: string): Promise<Finding[]> {
  const major = Number(process.versions.node.split('.')[0]);
  const findings: Finding[] = [
    major >= NEEDED_NODE
      ? ok('node', `node ${process.versions.node}`)
      : problem(
          'node',
          `node ${process.versions.node} is too old.`,
          `Run "npm ci" in the clone, which brings node ${NEEDED_NODE}.`,
        ),
    await checkFolder('data folder', home),
  ];
  try {
    const nats = await findNatsServer({ fetch: false });
    findings.push(ok('nats-server', `${nats.version} (${nats.path})`));
  } catch (error) {
    const { message } = describeError(error);
    findings.push(
      warning(
        'nats-server',
        message,
        '"catena up" fetches one on Debian; elsewhere put nats-server 2.12 or newer on PATH.',
      ),
    );
  }
  try {
    await findPostgres(process.env);
    findings.push(ok('PostgreSQL', 'server binaries found'));
  } catch (error) {
    const { message, remedy } = describeError(error);
    findings.push(problem('PostgreSQL', message, remedy ?? 'Run "npm ci" again.'));
  }
  return findings;
}
