import { once } from 'node:events';
import type { Server } from 'node:http';
import { isIP } from 'node:net';
import { describeError } from '@catena/events';
import type { BackupOpener, BrowseOptions } from '../browse/open-backup.ts';
import { NotPossibleError, type Invocation } from '../invocation.ts';
import { davServer, type DavOptions } from './dav-server.ts';
import { ServedPlaces, type Served } from './served-place.ts';

/** How long readers may go on when it is to end. */
const PATIENCE_MILLISECONDS = 2_000;

export interface Address {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/** All backups of a source that was named, one backup, or all of everything. */
async function servedBy(
  opener: BackupOpener,
  reference: string | undefined,
  given: BrowseOptions,
): Promise<Served> {
  const { source, isOne } = await opener.meaning(reference);
  if (isOne || given.at !== undefined)
    return { kind: 'backup', view: (await opener.choose(reference)).backup };
  return source === undefined
    ? { kind: 'sources', list: () => opener.usable() }
    : { kind: 'source', list: () => opener.usable(source) };
}

async function listen(server: Server, { port, host }: Address): Promise<string> {
  const listening = once(server, 'listening');
  server.listen(port, host.replace(/^\[|\]$/g, ''));
  try {
    await listening;
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new NotPossibleError(
      `It cannot listen on ${host}:${port} (${reason}).`,
      'Choose another with --port, or leave it out for any that is free.',
    );
  }
  const address = server.address();
  const name = isIP(host) === 6 ? `[${host}]` : host;
  return `http://${name}:${typeof address === 'object' ? address?.port : port}/`;
}

/** Serves until it is stopped; nobody is left hanging for long. */
export class Serving {
  readonly url: string;
  readonly #server: Server;

  private constructor(server: Server, url: string) {
    this.#server = server;
    this.url = url;
  }

  /** @throws NotPossibleError when it cannot listen there, or there is no such backup */
  static async start(
    cli: Invocation,
    opener: BackupOpener,
    reference: string | undefined,
    options: BrowseOptions & Address & Omit<DavOptions, 'onError'>,
  ): Promise<Serving> {
    const served = await servedBy(opener, reference, options);
    const places = new ServedPlaces(served, (view) => opener.openView(view));
    const { password, hosts } = options;
    const server = davServer(places, {
      ...(password === undefined ? {} : { password }),
      ...(hosts === undefined ? {} : { hosts }),
      onError: (path, error) => cli.remark(`${path}: ${describeError(error).message}`),
    });
    return new Serving(server, await listen(server, options));
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const impatient = setTimeout(() => this.#server.closeAllConnections(), PATIENCE_MILLISECONDS);
    await closed;
    clearTimeout(impatient);
  }
}
