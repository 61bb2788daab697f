#!/usr/bin/env node
// Finds the project's own node where the machine's is too old, then hands over to the compiled program.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { constants, homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
const here = path.dirname(fileURLToPath(import.meta.url));
const program = path.resolve(here, '../dist/main.js');

// A PostgreSQL server takes 1 for "there is no such file of the log", and ends its recovery; with 255 it stops.
const isRecovery =
  process.argv.includes('wal', 2) && process.argv.includes('fetch', process.argv.indexOf('wal', 2));
const FAILED = isRecovery ? 255 : 1;
if (isRecovery)
  process.on('uncaughtException', (error) => {
    console.error(error);
    process.exit(FAILED);
  });

if (!existsSync(program)) {
  console.error('catena is not built yet. Run "npm ci && npm run build" in the clone first.');
  process.exit(FAILED);
}
if (Number(process.versions.node.split('.')[0]) >= NEEDED_MAJOR) {
  // What node compiled once need not be compiled again: most commands take less time than that.
  const { CATENA_CACHE, XDG_CACHE_HOME } = process.env;
  const cache = CATENA_CACHE || path.join(XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'catena');
  module.enableCompileCache(path.join(cache, 'compiled'));
  await import(program);
} else {
  const node = path.resolve(here, '../../../node_modules/node/bin/node');
  if (!existsSync(node)) {
    console.error(
      `catena needs node ${NEEDED_MAJOR} or newer; this is ${process.version}. Run "npm ci" in the clone, which brings it.`,
    );
    process.exit(FAILED);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  // A signal for this process is meant for the program, which ends in order; this one ends when that has.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    console.error(`catena cannot be started with ${node}: ${error.message}`);
    process.exit(FAILED);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
