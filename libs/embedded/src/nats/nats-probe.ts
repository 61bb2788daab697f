import { createConnection } from 'node:net';
import type { NatsUser } from './service-accounts.ts';

/** What a NATS server says of itself when somebody connects. */
export interface NatsInfo {
  server_name: string;
  version: string;
  max_payload: number;
  jetstream?: boolean;
}

/**
 * Connects, logs in and pings: the protocol's own health check, without the NATS client (which one library alone
 * imports). Resolves with the server's INFO; rejects with what it answered instead, or with the abort reason.
 */
export function pingNats(
  address: { host: string; port: number },
  login: NatsUser | undefined,
  abort: AbortSignal,
): Promise<NatsInfo> {
  return new Promise((resolve, reject) => {
    let received = '';
    let info: NatsInfo | undefined;
    const socket = createConnection({ host: address.host, port: address.port });
    const fail = (error: Error) => {
      abort.removeEventListener('abort', onAbort);
      socket.destroy();
      reject(error);
    };
    const onAbort = () => fail(new Error(`${address.host}:${address.port} did not answer in time`));
    if (abort.aborted) return onAbort();
    abort.addEventListener('abort', onAbort, { once: true });
    socket.on('error', fail);
    socket.on('close', () => fail(new Error('the server closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('utf8');
      for (let end = received.indexOf('\r\n'); end >= 0; end = received.indexOf('\r\n')) {
        const line = received.slice(0, end);
        received = received.slice(end + 2);
        if (line.startsWith('INFO ')) {
          if (info) continue;
          info = parseInfo(line);
          if (!info) return fail(new Error('what answers there is not a NATS server'));
          const connect = { verbose: false, pedantic: false, name: 'catena-health', ...credentialsOf(login) };
          socket.write(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`);
        } else if (line === 'PONG' && info) {
          abort.removeEventListener('abort', onAbort);
          socket.removeAllListeners('close');
          socket.end();
          return resolve(info);
        } else if (line.startsWith('-ERR')) {
          return fail(new Error(`the server refused: ${line.slice(5)}`));
        }
      }
    });
  });
}

function credentialsOf(login: NatsUser | undefined): { user?: string; pass?: string } {
  return login ? { user: login.user, pass: login.password } : {};
}

function parseInfo(line: string): NatsInfo | undefined {
  try {
    return JSON.parse(line.slice(5)) as NatsInfo;
  } catch {
    return undefined;
  }
}

/** Whether the server's JetStream has recovered its streams; rejects with what its monitoring says otherwise. */
export async function checkJetStream(monitorUrl: string, abort: AbortSignal): Promise<void> {
  const response = await fetch(new URL('/healthz?js-enabled-only=false', monitorUrl), { signal: abort });
  const body = await response.text();
  if (!response.ok) throw new Error(`JetStream is not ready: ${body.trim()}`);
}
