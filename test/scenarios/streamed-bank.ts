import { BACKUP_ROLE } from '@catena/sources/testing/postgres';

/**
 * Definitions of a repository named bank, and of a PostgreSQL source named so or otherwise.
 * @param port at which its server listens here
 * @param more `log`: what the source says of its log, `{ hold: slot }` for one
 */
export function protectedBank(port: number, { name = 'bank', log = '' } = {}): string {
  return `
apiVersion: catena/v1
kind: Repository
metadata: { name: bank }
spec: { store: fs, fs: { path: $CATENA_HOME/repository } }
---
apiVersion: catena/v1
kind: Source
metadata: { name: ${name} }
spec:
  driver: postgres
  postgres:
    host: 127.0.0.1
    port: ${port}
    user: ${BACKUP_ROLE.user}
    password: { file: $CATENA_HOME/bank/password }
    tls: { mode: disable }${log === '' ? '' : `\n    log: ${log}`}
`;
}

/**
 * Definitions of a PostgreSQL source named bank, or otherwise, whose log is streamed all the time.
 * @param port at which its server listens here
 * @param sealAfter when a log backup is sealed after its first new byte
 * @param more `log`: what the source says beyond `hold: slot`; `stream`: what the schedule says of its log
 */
export function streamedBank(
  port: number,
  sealAfter: string,
  { name = 'bank', log = '', stream = '' } = {},
): string {
  return `${protectedBank(port, { name, log: `{ hold: slot${log} }` })}---
apiVersion: catena/v1
kind: Schedule
metadata: { name: ${name} }
spec: { source: ${name}, repository: bank, full: '@weekly', log: { continuous: true, sealAfter: ${sealAfter}${stream} } }
`;
}
