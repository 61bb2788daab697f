import type { ServerResponse } from 'node:http';

/** The client went away before it had everything; there is nobody to tell. */
export class ClientGoneError extends Error {}

/** Sends a part of an answer and waits until it is on its way, so that its bytes may be used again. */
export function send(response: ServerResponse, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(new ClientGoneError('the client went away'));
    if (response.destroyed) {
      gone();
      return;
    }
    response.once('close', gone);
    response.write(data, (error) => {
      response.off('close', gone);
      if (error) gone();
      else resolve();
    });
  });
}

/** A whole answer of one line of text. */
export function say(
  response: ServerResponse,
  status: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(`${message}\n`);
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': body.length,
    ...headers,
  });
  response.end(body);
}
