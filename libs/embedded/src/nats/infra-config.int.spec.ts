import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { runCommand } from '../process/run-command.ts';
import { passwordVariable } from './accounts-template.ts';
import { findNatsServer } from './find-nats-server.ts';
import { NATS_ROLES } from './service-accounts.ts';

it('infra/nats/catena.conf is a configuration that nats-server takes', async () => {
  const config = fileURLToPath(new URL('../../../../infra/nats/catena.conf', import.meta.url));
  const { path } = await findNatsServer();
  const passwords = Object.fromEntries(NATS_ROLES.map((role) => [passwordVariable(role), `p-${role}`]));
  const result = await runCommand(path, ['-t', '-c', config], { env: passwords, timeoutMs: 20_000 });
  expect(result.stderr).toContain('configuration file');
  expect(result.code).toBe(0);
});
