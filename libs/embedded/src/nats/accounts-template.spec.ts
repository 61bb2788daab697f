import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { renderAccountsTemplate } from './accounts-template.ts';

describe('infra/nats/accounts.conf', () => {
  it('gives the roles what our own server gives them', () => {
    const file = new URL('../../../../infra/nats/accounts.conf', import.meta.url);
    expect(readFileSync(file, 'utf8')).toBe(renderAccountsTemplate());
  });
});
