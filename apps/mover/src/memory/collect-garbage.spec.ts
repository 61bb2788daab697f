import { describe, expect, it } from '@jest/globals';
import { collectGarbage } from './collect-garbage.ts';

describe('collecting garbage', () => {
  it('frees what nobody refers to', async () => {
    const held = new WeakRef({ any: 'thing' });
    // What a weak reference gave or was given lives to the end of the turn.
    await new Promise((resolve) => setImmediate(resolve));
    collectGarbage();
    expect(held.deref()).toBeUndefined();
  });
});
