import { describe, expect, it } from '@jest/globals';
import { resolveCache } from './cache-folder.ts';
import { natsServer } from './external-servers.ts';
import { resolveHome } from './home-layout.ts';

describe('where things lie', () => {
  it.each([
    [{}, '/project/.catena'],
    [{ CATENA_HOME: '' }, '/project/.catena'],
    [{ CATENA_HOME: 'data' }, '/project/data'],
    [{ CATENA_HOME: '/srv/catena' }, '/srv/catena'],
  ])('home of %j is %s', (env, home) => {
    expect(resolveHome(env, '/project')).toBe(home);
  });

  it.each([
    [{ HOME: '/home/a' }, '/home/a/.cache/catena'],
    [{ HOME: '/home/a', XDG_CACHE_HOME: '/c' }, '/c/catena'],
    [{ HOME: '/home/a', XDG_CACHE_HOME: '/c', CATENA_CACHE: '/mine' }, '/mine'],
  ])('cache of %j is %s', (env, cache) => {
    expect(resolveCache(env)).toBe(cache);
  });
});

describe('the address of a NATS server', () => {
  it('gives its login to every role and loses it', () => {
    const { natsUrl, natsUsers } = natsServer('nats://cat:p%40ss@a.example:4222, b.example:4223');
    expect(natsUrl).toBe('nats://a.example:4222,nats://b.example:4223');
    expect(natsUsers).toMatchObject({ mover: { user: 'cat', password: 'p@ss' }, client: { user: 'cat' } });
  });

  it('takes logins by role from beside it', () => {
    const users = { mover: { user: 'm', password: 'p' } };
    expect(natsServer('tls://a.example', users)).toEqual({ natsUrl: 'tls://a.example', natsUsers: users });
  });

  it('refuses what is no address, without repeating it', () => {
    expect(() => natsServer('nats://user:pass word@:x')).toThrow(/is not an address/);
  });
});
