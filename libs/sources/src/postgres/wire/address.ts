import type { ConnectionOptions } from 'node:tls';

/**
 * As libpq names them: `prefer` takes TLS where the server has it, `require` insists without checking whom it talks to,
 * `verify-ca` checks the certificate and `verify-full` the name in it as well.
 */
export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** Where a server is and how to log in, with secrets already read. */
export interface ServerAddress {
  /** A name, an IP address, or an absolute folder that holds the server's Unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  /** Only for connections that speak SQL. */
  readonly database?: string;
  readonly tls: TlsMode;
  /** PEM text of the authorities that may have signed the server's certificate; the system's when absent. */
  readonly certificateAuthority?: string;
}

/** What is shown of an address: no secret is in it. */
export function shownAddress({ host, port }: Pick<ServerAddress, 'host' | 'port'>): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether to speak TLS first, and how. Sockets of the machine itself carry none. */
export function tlsOptions(address: ServerAddress): ConnectionOptions | false {
  if (address.tls === 'disable' || address.host.startsWith('/')) return false;
  const authority = address.certificateAuthority === undefined ? {} : { ca: address.certificateAuthority };
  switch (address.tls) {
    case 'prefer':
    case 'require':
      return { rejectUnauthorized: false };
    case 'verify-ca':
      return { ...authority, rejectUnauthorized: true, checkServerIdentity: () => undefined };
    case 'verify-full':
      return { ...authority, rejectUnauthorized: true };
  }
}
