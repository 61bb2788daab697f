import { describe, expect, it } from '@jest/globals';
import { readSubscriptionSpec } from '@catena/schedule';
import { revealSecret, typesOf } from './subscription-spec.ts';

const to = { command: ['true'] };

describe('a subscription', () => {
  it('to run.failed hears of refused runs as well: a backup that fails tells somebody', () => {
    expect(typesOf({ events: ['run.failed'], to })).toEqual(['run.failed', 'run.refused']);
  });

  it('may mean everything of an aggregate', () => {
    expect(typesOf({ events: ['definition.*'], to })).toEqual(['definition.applied', 'definition.deleted']);
  });

  it('reads its secret where it is kept, and names the place when it is not there', async () => {
    const spec = readSubscriptionSpec({
      events: ['run.completed'],
      to: { webhook: { url: 'https://example.org', secret: { env: 'HOOK_SECRET_OF_TEST' } } },
    });
    if (!('webhook' in spec.to) || spec.to.webhook.secret === undefined) throw new Error('no secret');
    await expect(revealSecret(spec.to.webhook.secret)).rejects.toThrow('HOOK_SECRET_OF_TEST');
    process.env['HOOK_SECRET_OF_TEST'] = 'hunter2';
    try {
      expect(await revealSecret(spec.to.webhook.secret)).toBe('hunter2');
    } finally {
      delete process.env['HOOK_SECRET_OF_TEST'];
    }
  });
});
