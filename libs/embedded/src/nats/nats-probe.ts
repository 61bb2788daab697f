import { createConnection, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { NatsUser } from './service-accounts.ts';

/** What a NATS server says of itself when somebody connects. */
export interface NatsInfo {
  server_name: string;
  version: string;
  max_payload: number;
  jetstream?: boolean;
  tls_required?: boolean;
}

/**
 * Connects, logs in and pings: the protocol's own health check, without the NATS client (which one library alone
 * imports). Goes on in TLS when the server wants it. Resolves with the server's INFO; rejects with what it answered
 * instead, or when `abort` fires.
 */
export function pingNats(
  address: { host: string; port: number; tls?: boolean },
  login: NatsUser | undefined,
  abort: AbortSignal,
): Promise<NatsInfo> {
  return new Promise((resolve, reject) => {
    const plain = createConnection({ host: address.host, port: address.port });
    let socket: Socket = plain;
    let received = '';
    let info: NatsInfo | undefined;

    const finish = (settle: () => void) => {
      abort.removeEventListener('abort', onAbort);
      plain.destroy();
      settle();
    };
    const fail = (error: Error) => finish(() => reject(error));
    const onAbort = () => fail(new Error(`${address.host}:${address.port} did not answer in time`));
    const greet = (greeting: NatsInfo) => {
      info = greeting;
      const secure = address.tls === true || greeting.tls_required === true;
      if (secure) {
        plain.off('data', onData);
        socket = connectTls({ socket: plain, servername: address.host });
        socket.on('error', fail).on('data', onData);
      }
      const options = { verbose: false, pedantic: false, tls_required: secure, name: 'catena-health' };
      const connect = login ? { ...options, user: login.user, pass: login.password } : options;
      socket.write(`CONNECT ${JSON.stringify(connect)}\r\nPING\r\n`);
    };
    const onLine = (line: string) => {
      const found = info;
      if (!found) {
        const greeting = parseInfo(line);
        if (greeting) greet(greeting);
        else fail(new Error('what answers there is not a NATS server'));
      } else if (line === 'PONG') {
        finish(() => resolve(found));
      } else if (line.startsWith('-ERR')) {
        fail(new Error(`the server refused: ${line.slice(5)}`));
      }
    };
    const onData = (chunk: Buffer) => {
      received += chunk.toString('utf8');
      const lines = received.split('\r\n');
      received = lines.pop() ?? '';
      lines.forEach(onLine);
    };

    plain.on('error', fail).on('close', () => fail(new Error('the server closed the connection')));
    plain.on('data', onData);
    if (abort.aborted) onAbort();
    else abort.addEventListener('abort', onAbort, { once: true });
  });
}

function parseInfo(line: string): NatsInfo | undefined {
  if (!line.startsWith('INFO ')) return undefined;
  try {
    return JSON.parse(line.slice(5)) as NatsInfo;
  } catch {
    return undefined;
  }
}

/** Whether the server's JetStream has recovered its streams; rejects with what its monitoring says otherwise. */
export async function checkJetStream(monitorUrl: string, abort: AbortSignal): Promise<void> {
  const response = await fetch(new URL('/healthz', monitorUrl), { signal: abort });
  const body = await response.text();
  if (!response.ok) throw new Error(`JetStream is not ready: ${body.trim()}`);
}
