import { describe, expect, it } from '@jest/globals';
import { readDatabaseAddress } from './database-address.ts';

describe('the address of a database', () => {
  it('is read as libpq writes it', () => {
    expect(readDatabaseAddress('postgres://bank@db.example/bank', {})).toEqual({
      ...{ host: 'db.example', port: 5432, user: 'bank', database: 'bank', tls: { mode: 'prefer' } },
    });
    expect(
      readDatabaseAddress('postgresql://a%40b@[::1]:5433/x%20y?sslmode=verify-full&sslrootcert=/etc/ca.pem', {
        toPasswordFile: '/run/pw',
      }),
    ).toEqual({
      ...{ host: '::1', port: 5433, user: 'a@b', database: 'x y', password: { file: '/run/pw' } },
      tls: { mode: 'verify-full', ca: '/etc/ca.pem' },
    });
  });

  it('may be a socket', () => {
    expect(
      readDatabaseAddress('postgres://me@socket/bank?host=/run/postgresql', { toPasswordEnv: 'PW' }),
    ).toMatchObject({
      ...{ host: '/run/postgresql', password: { env: 'PW' } },
    });
    expect(readDatabaseAddress('postgres://me@%2Frun%2Fpostgresql/bank', {}).host).toBe('/run/postgresql');
  });

  it('has no password, which others would see, and no error repeats it', () => {
    expect(() => readDatabaseAddress('postgres://bank:secret@db/bank', {})).toThrow(
      /everybody who lists the processes/,
    );
    for (const text of ['postgres://bank:secret@db/bank', 'mysql://bank:secret@db/bank', 'bank:secret@db'])
      expect(() => readDatabaseAddress(text, {})).toThrow(expect.not.stringContaining('secret'));
  });

  it.each([
    ['nothing', /is not the address/],
    ['postgres://db/bank', /not rightly: user/],
    ['postgres://bank@db', /not rightly: database/],
    ['postgres://bank@db/bank?sslmode=maybe', /not rightly: tls.mode/],
    ['postgres://bank@db/bank?options=-c', /"options" is not known/],
  ])('%s is refused', (text, why) => {
    expect(() => readDatabaseAddress(text, {})).toThrow(why);
  });
});
