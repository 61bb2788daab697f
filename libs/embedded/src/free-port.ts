import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { EmbeddedError } from './embedded-error.ts';

const LOWEST = 15_000;
const ATTEMPTS = 200;

/** Whether nobody listens on a loopback port now. */
export function isPortFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * A free loopback port below the range the kernel gives to outgoing connections, so that nobody's connection sits on
 * it while our server is restarted (a client that retries could even connect to itself there).
 */
export async function findFreePort(): Promise<number> {
  const below = lowestEphemeralPort();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(LOWEST, below);
    if (await isPortFree(port)) return port;
  }
  throw new EmbeddedError(
    'embedded.no-free-port',
    `No free port on 127.0.0.1 between ${LOWEST} and ${below} was found in ${ATTEMPTS} tries`,
    'End some of the programs that listen there.',
  );
}

function lowestEphemeralPort(): number {
  const [lowest] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')
    .trim()
    .split(/\s+/)
    .map(Number);
  return lowest !== undefined && lowest > LOWEST + 1_000 ? lowest : 32_000;
}
