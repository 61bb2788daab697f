import { describe, expect, it } from '@jest/globals';
import { DerivedKeys, type Derivation } from './derived-keys.ts';

const from = (passphrase: string, salt = 'salt', cost = [1, 2]): Derivation => ({
  passphrase,
  salt: Buffer.from(salt),
  cost,
});

function counted(most: number) {
  const derived: string[] = [];
  const keys = new DerivedKeys(({ passphrase, salt, cost }) => {
    const text = `${passphrase} ${Buffer.from(salt).toString()} ${cost.join()}`;
    derived.push(text);
    return passphrase === 'no' ? Promise.reject(new Error('no')) : Promise.resolve(Buffer.from(text));
  }, most);
  return { keys, derived };
}

describe('keys derived from passphrases', () => {
  it('are derived once, also when two ask at the same time', async () => {
    const { keys, derived } = counted(4);
    const [a, b] = await Promise.all([keys.of(from('a')), keys.of(from('a'))]);
    expect(await keys.of(from('a'))).toEqual(a);
    expect(b).toEqual(a);
    expect(derived).toEqual(['a salt 1,2']);
  });

  it('belong to the passphrase, the salt and the cost', async () => {
    const { keys, derived } = counted(8);
    const all = [from('a'), from('b'), from('a', 'other'), from('a', 'salt', [12]), from('asalt', '')];
    const made = await Promise.all(all.map((one) => keys.of(one)));
    expect(new Set(made.map(String)).size).toBe(all.length);
    expect(derived.length).toBe(all.length);
  });

  it('are forgotten when others were used since, the longest unused first', async () => {
    const { keys, derived } = counted(2);
    for (const passphrase of ['a', 'b', 'a', 'c', 'a', 'b']) await keys.of(from(passphrase));
    expect(derived).toEqual(['a salt 1,2', 'b salt 1,2', 'c salt 1,2', 'b salt 1,2']);
  });

  it('are derived again after a failure', async () => {
    const { keys, derived } = counted(2);
    for (let i = 0; i < 2; i++) await expect(keys.of(from('no'))).rejects.toThrow('no');
    expect(derived.length).toBe(2);
  });
});
