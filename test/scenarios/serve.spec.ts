import { spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { comparePaths, initialiseRepository, newKeyFile, parseKeyFile, type Entry } from '@catena/vault';
import { bytesReader, fileEntry, flipBit, objectsIn, planOf, seededBytes } from '@catena/vault/testing';
import { scenarioFolder } from '../platform/test-platform.ts';
import { CatenaCommand, type RunningProgram } from './catena-command.ts';

const folder = scenarioFolder();
const vault = path.join(folder, 'vault');
const keyFile = path.join(folder, 'vault.key');
const catena = new CatenaCommand(path.join(folder, 'home'));
/** What a mount takes. */
const hasRclone =
  spawnSync('which', ['rclone', 'fusermount3']).status === 0 &&
  existsSync('/dev/fuse') &&
  process.getuid?.() === 0;
const hasCadaver = spawnSync('which', ['cadaver']).status === 0;

const large = seededBytes(5_000_003, 1);
const changed = Buffer.concat([large.subarray(0, 1000), Buffer.from('changed'), large.subarray(1007)]);
const ODD = [
  'with space',
  'über',
  '50%',
  'a&b<c>"d\'',
  'back\\slash',
  'new\nline',
  '\u{1f4be}',
  'question?',
  'hash#',
  '\ufffe',
];
const NOT_UTF8 = Buffer.from([0x6e, 0xff, 0xfe]);

/** The name of an entry as a path of the drive has it. */
const drawn = (text: string) => encodeURIComponent(text.replaceAll('\\', '\\\\').replaceAll('\n', '\\x0a'));

function tree(big: Buffer): [Entry, Buffer | undefined][] {
  const of = (name: string | Buffer, kind: Entry['kind'], more: Partial<Entry> = {}): [Entry, undefined] => [
    { ...fileEntry(name, 0), kind, ...more },
    undefined,
  ];
  const file = (name: string | Buffer, bytes: Buffer): [Entry, Buffer] => [
    fileEntry(name, bytes.length),
    bytes,
  ];
  const entries: [Entry, Buffer | undefined][] = [
    of('', 'folder'),
    of('odd', 'folder'),
    of('releases', 'folder'),
    of('releases/2', 'folder'),
    of('empty', 'folder'),
    of('fifo', 'fifo'),
    of('current', 'symlink', { linkTarget: Buffer.from('releases/./2') }),
    of('releases/2/up', 'symlink', { linkTarget: Buffer.from('../../big.img') }),
    of('outside', 'symlink', { linkTarget: Buffer.from('/etc/passwd') }),
    of('above', 'symlink', { linkTarget: Buffer.from('../../etc/passwd') }),
    of('circle', 'symlink', { linkTarget: Buffer.from('circle') }),
    file('big.img', big),
    [{ ...fileEntry('second name', 0), hardLink: Buffer.from('big.img') }, undefined],
    file('nothing', Buffer.alloc(0)),
    file('releases/2/notes.txt', Buffer.from('notes of 2\n')),
    file(Buffer.concat([Buffer.from('odd/'), NOT_UTF8]), Buffer.from('bytes')),
    ...ODD.map((name) => file(`odd/${name}`, Buffer.from(`in ${name}`))),
  ];
  return entries.sort(([a], [b]) => comparePaths(a.path, b.path));
}

async function makeVault(): Promise<void> {
  const key = newKeyFile();
  writeFileSync(keyFile, key);
  const repository = await initialiseRepository(vault, {
    installation: 'here',
    keys: [parseKeyFile(key, 'key')],
  });
  for (const [id, big, more] of [
    ['first', large, { startedAt: new Date('2026-11-01T03:00:00Z') }],
    [
      'second',
      changed,
      { startedAt: new Date('2026-11-02T03:00:00Z'), type: 'incremental', parent: 'first' },
    ],
  ] as const) {
    const writer = await repository.collection('photos').beginBackup(planOf(id, more));
    for (const [entry, bytes] of tree(big))
      await writer.add(entry, bytes === undefined ? undefined : { read: bytesReader(bytes) });
    await writer.finish({ position: { end: '1' } });
  }
  await repository.close();
}

interface Reply {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** False when the connection ended before all was there. */
  whole: boolean;
}

/** A request with a path just as it is given: `fetch` would tidy it up. */
function ask(
  url: string,
  at: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<Reply>((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const { method = 'GET', headers = {}, body } = options;
    const asked = request({ hostname, port, path: at, method, headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      const done = (whole: boolean) =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(pieces),
          whole,
        });
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => done(response.complete));
      response.on('error', () => done(false));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

const running: RunningProgram[] = [];
async function serve(...args: string[]): Promise<string> {
  const program = catena.start('serve', ...args);
  running.push(program);
  return (await program.says(/at (http:\S+)\/ /))[1]!;
}

const hrefsIn = ({ body }: Reply) =>
  [...body.toString().matchAll(/<D:href>([^<]*)<\/D:href>/g)].map(([, href]) => href!);
const list = async (url: string, at: string) =>
  hrefsIn(await ask(url, at, { method: 'PROPFIND', headers: { depth: '1' } })).slice(1);

let url: string;
beforeAll(async () => {
  await makeVault();
  url = await serve('photos', '--repository', vault, '--key-file', keyFile);
});

afterAll(async () => {
  for (const program of running) program.signal('SIGTERM');
  for (const program of running) await program.ended;
  rmSync(folder, { recursive: true, force: true });
});

describe('the drive', () => {
  it('has a folder for each backup by its time, and the latest', async () => {
    expect(await list(url, '/')).toEqual(['/2026-11-01T03.00.00Z/', '/2026-11-02T03.00.00Z/', '/latest/']);
    const { status, headers } = await ask(url, '/', { method: 'OPTIONS' });
    expect({ status, dav: headers['dav'], allow: headers['allow'] }).toEqual({
      status: 200,
      dav: '1',
      allow: 'OPTIONS, GET, HEAD, PROPFIND',
    });
  });

  it('shows each backup as it was', async () => {
    const then = await ask(url, '/2026-11-01T03.00.00Z/big.img');
    const now = await ask(url, '/latest/big.img');
    expect([then.body.equals(large), now.body.equals(changed)]).toEqual([true, true]);
    expect(then.headers['etag']).not.toBe(now.headers['etag']);
    const again = await ask(url, '/latest/big.img', {
      headers: { 'if-none-match': String(now.headers['etag']) },
    });
    expect(again).toMatchObject({ status: 304, body: Buffer.alloc(0) });
    const head = await ask(url, '/latest/big.img', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: Buffer.alloc(0) });
    expect(head.headers['content-length']).toBe(String(changed.length));
  });

  it('follows links that stay inside, and shows neither others nor what is no file', async () => {
    expect(await list(url, '/latest/')).toEqual(
      ['big.img', 'current/', 'empty/', 'nothing', 'odd/', 'releases/', 'second%20name'].map(
        (name) => `/latest/${name}`,
      ),
    );
    expect(await list(url, '/latest/current/')).toEqual(['/latest/current/notes.txt', '/latest/current/up']);
    expect((await ask(url, '/latest/current/notes.txt')).body.toString()).toBe('notes of 2\n');
    for (const at of ['current/up', 'second%20name'])
      expect((await ask(url, `/latest/${at}`)).body.equals(changed)).toBe(true);
    for (const at of [
      'outside',
      'above',
      'circle',
      'fifo',
      'none',
      'big.img/x',
      '../latest',
      '%2e%2e/latest',
      'a%2Fb',
    ])
      expect({ at, status: (await ask(url, `/latest/${at}`)).status }).toEqual({ at, status: 404 });
  });

  it('has names of any bytes', async () => {
    const hrefs = await list(url, '/latest/odd/');
    expect(hrefs.sort()).toEqual(
      [...ODD.map((name) => `/latest/odd/${drawn(name)}`), '/latest/odd/n%5Cxff%5Cxfe'].sort(),
    );
    for (const name of ODD)
      expect((await ask(url, `/latest/odd/${drawn(name)}`)).body.toString()).toBe(`in ${name}`);
    for (const at of ['n%5Cxff%5Cxfe', 'n%FF%FE'])
      expect((await ask(url, `/latest/odd/${at}`)).body.toString()).toBe('bytes');
    const { body } = await ask(url, '/latest/odd/');
    expect(body.toString()).toContain('a&amp;b&lt;c&gt;&quot;d');
  });

  it.each([
    ['bytes=0-9', 0, 10],
    ['bytes=1000-', 1000, large.length - 1000],
    ['bytes=-5', large.length - 5, 5],
    ['bytes=4000000-4100000', 4_000_000, 100_001],
    ['bytes=5000000-99999999', 5_000_000, 3],
  ])('gives the range %s', async (range, first, length) => {
    const { status, headers, body } = await ask(url, '/2026-11-01T03.00.00Z/big.img', { headers: { range } });
    expect(status).toBe(206);
    expect(headers['content-range']).toBe(`bytes ${first}-${first + length - 1}/${large.length}`);
    expect(body.equals(large.subarray(first, first + length))).toBe(true);
  });

  it('leaves ranges aside that it cannot give', async () => {
    const at = '/latest/big.img';
    expect((await ask(url, at, { headers: { range: 'bytes=5000003-' } })).status).toBe(416);
    expect((await ask(url, '/latest/nothing', { headers: { range: 'bytes=0-0' } })).status).toBe(416);
    for (const range of ['bytes=0-1,3-4', 'bytes=9-3', 'lines=1-2'])
      expect((await ask(url, at, { headers: { range } })).status).toBe(200);
    const headers = { range: 'bytes=0-1', 'if-range': '"of another file"' };
    expect((await ask(url, at, { headers })).status).toBe(200);
  });

  it('answers what is asked of a property, and says what there is not', async () => {
    const find = (body: string, depth = '0') =>
      ask(url, '/latest/big.img', { method: 'PROPFIND', headers: { depth }, body });
    const some = await find(
      '<?xml version="1.0"?><propfind xmlns="DAV:" xmlns:m="urn:mine"><prop><getcontentlength/><m:colour/></prop></propfind>',
    );
    expect(some.status).toBe(207);
    expect(some.body.toString()).toMatch(/<D:getcontentlength>5000003<\/D:getcontentlength>.*200 OK/);
    expect(some.body.toString()).toMatch(/<X:colour xmlns:X="urn:mine"\/>.*404 Not Found/);
    expect((await find('<a:propfind xmlns:a="DAV:"><a:propname/></a:propfind>')).body.toString()).toContain(
      '<D:getetag/>',
    );
    expect((await find('<nonsense')).status).toBe(400);
    expect((await find(`<!--${'x'.repeat(70_000)}-->`)).status).toBe(400);
    const endless = await find('', 'infinity');
    expect(endless.status).toBe(403);
    expect(endless.body.toString()).toContain('propfind-finite-depth');
  });

  it('takes nothing', async () => {
    for (const method of ['PUT', 'DELETE', 'MKCOL', 'MOVE', 'COPY', 'PROPPATCH', 'LOCK', 'POST']) {
      const reply = await ask(url, '/latest/big.img', { method });
      expect({ method, status: reply.status, allow: reply.headers['allow'] }).toEqual({
        method,
        status: 405,
        allow: 'OPTIONS, GET, HEAD, PROPFIND',
      });
    }
  });

  it('answers only under a name of this machine', async () => {
    expect((await ask(url, '/', { headers: { host: 'backups.example' } })).status).toBe(403);
    expect((await ask(url, '/', { headers: { host: 'localhost:1' } })).status).toBe(200);
  });

  it('serves many at once', async () => {
    const jobs = Array.from({ length: 60 }, async (_, i) => {
      const first = (i * 79_999) % 4_900_000;
      const [at, original] = i % 2 === 0 ? ['latest', changed] : ['2026-11-01T03.00.00Z', large];
      const headers: Record<string, string> =
        i % 3 === 0 ? {} : { range: `bytes=${first}-${first + 90_000}` };
      const { body } = await ask(url, `/${at}/big.img`, { headers });
      const wanted = i % 3 === 0 ? original : original.subarray(first, first + 90_001);
      return body.equals(wanted);
    });
    expect(new Set(await Promise.all(jobs))).toEqual(new Set([true]));
  });
});

(hasCadaver ? describe : describe.skip)(
  `cadaver, a WebDAV client of Debian${hasCadaver ? '' : ' (not here)'}`,
  () => {
    it('lists, and fetches files with odd names', async () => {
      const here = path.join(folder, 'fetched');
      mkdirSync(here);
      const child = spawn('cadaver', [`${url}/latest/`], { cwd: here, env: { ...process.env, HOME: here } });
      let out = '';
      child.stdout.on('data', (text: Buffer) => (out += text.toString()));
      child.stdin.end(
        'ls\nget big.img\ncd odd\nget "with space"\nget "50%"\ncd ../current\nget notes.txt\nput notes.txt x\nquit\n',
      );
      await new Promise((resolve) => child.on('close', resolve));
      expect(out).toMatch(/Coll: +current .*\n[^]*big\.img +5000003 /);
      expect(readFileSync(path.join(here, 'big.img')).equals(changed)).toBe(true);
      expect(readFileSync(path.join(here, 'with space'), 'utf8')).toBe('in with space');
      expect(readFileSync(path.join(here, '50%'), 'utf8')).toBe('in 50%');
      expect(readFileSync(path.join(here, 'notes.txt'), 'utf8')).toBe('notes of 2\n');
      expect(out).toMatch(/Uploading notes.txt[^]*405 Method Not Allowed/);
    });
  },
);

describe('a mount', () => {
  const place = path.join(folder, 'a mount');
  const byHand = ['--repository', vault, '--key-file', keyFile];

  it('is refused with what it takes', async () => {
    mkdirSync(place);
    const bare = new CatenaCommand(path.join(folder, 'home'), { environment: { PATH: folder } });
    expect(await bare.refused('mount', 'photos', place, ...byHand)).toMatchObject({
      exit: 3,
      code: 'cli.not-possible',
      remedy: expect.stringContaining('apt install rclone fuse3'),
    });
    expect(await catena.refused('mount', 'photos', path.join(folder, 'none'), ...byHand)).toMatchObject({
      exit: 3,
      message: expect.stringContaining('is no folder'),
    });
  });

  (hasRclone ? it : it.skip)(
    `shows each backup as a folder${hasRclone ? '' : ' (needs root, rclone and /dev/fuse)'}`,
    async () => {
      const program = catena.start('mount', 'photos', place, ...byHand);
      running.push(program);
      await program.says(/^Backups are in /);
      expect(readdirSync(place)).toEqual(['2026-11-01T03.00.00Z', '2026-11-02T03.00.00Z', 'latest']);
      expect(readFileSync(path.join(place, 'latest/big.img')).equals(changed)).toBe(true);
      expect(readFileSync(path.join(place, 'latest/current/notes.txt'), 'utf8')).toBe('notes of 2\n');
      expect(() => writeFileSync(path.join(place, 'latest/nothing'), 'x')).toThrow(/EROFS/);
      program.signal('SIGINT');
      expect((await program.ended).code).toBe(0);
      expect(readdirSync(place)).toEqual([]);
    },
  );
});

describe('a drive of a damaged backup', () => {
  it('ends with an error and never with wrong bytes', async () => {
    const damaged = path.join(folder, 'damaged');
    cpSync(vault, damaged, { recursive: true });
    const packs = (await objectsIn(damaged)).filter((name) => name.includes('pack-'));
    for (const pack of packs.filter((name) => !name.includes('incremental')))
      await flipBit(damaged, pack, 0.5);
    const at = await serve('first', '--repository', damaged, '--key-file', keyFile);
    for (const range of [undefined, 'bytes=1-']) {
      const reply = await ask(at, '/big.img', { headers: range === undefined ? {} : { range } });
      // How much is read before it is sent decides whether the answer breaks off or never begins. All packs are damaged: which
      // of them has what comes first is a matter of which thread stored it.
      if (reply.status === 500) {
        expect(reply.body.toString()).toMatch(/pack-\d{8} .*is damaged: checksum/);
        continue;
      }
      expect({ status: reply.status, whole: reply.whole }).toEqual({
        status: range === undefined ? 200 : 206,
        whole: false,
      });
      const first = range === undefined ? 0 : 1;
      expect(reply.body.equals(large.subarray(first, first + reply.body.length))).toBe(true);
    }
    // What is not hit is there, and so are ranges of what is.
    expect((await ask(at, '/current/notes.txt')).body.toString()).toBe('notes of 2\n');
    const range = await ask(at, '/big.img', { headers: { range: 'bytes=0-99' } });
    expect(range.body.equals(large.subarray(0, 100))).toBe(true);
    for (const name of (await objectsIn(damaged)).filter((one) => one.includes('tree-')))
      rmSync(path.join(damaged, name));
    const other = await serve('second', '--repository', damaged, '--key-file', keyFile);
    const lost = await ask(other, '/', { method: 'PROPFIND', headers: { depth: '1' } });
    expect(lost.status).toBe(500);
    expect(lost.body.toString()).toMatch(/tree-00000001 .*is damaged: missing/);
  });
});

describe('a drive for others', () => {
  it('wants a password, and is refused without one', async () => {
    expect(await catena.refused('serve', 'photos', '--repository', vault, '--host', '0.0.0.0')).toMatchObject(
      {
        exit: 2,
        remedy: expect.stringContaining('--password-file'),
      },
    );
    const password = path.join(folder, 'password');
    writeFileSync(password, 'sesam: öffne dich\n');
    const at = await serve('--repository', vault, '--key-file', keyFile, '--password-file', password);
    expect((await ask(at, '/')).status).toBe(401);
    const as = (user: string) => ({
      authorization: `Basic ${Buffer.from(user).toString('base64')}`,
    });
    expect((await ask(at, '/', { headers: as('ada:sesam') })).status).toBe(401);
    const listed = await ask(at, '/', {
      method: 'PROPFIND',
      headers: { depth: '1', ...as('ada:sesam: öffne dich') },
    });
    expect(hrefsIn(listed)).toEqual(['/', '/photos/']);
  });

  it('ends in order when it is told to', async () => {
    const program = catena.start('serve', 'photos', '--repository', vault, '--key-file', keyFile, '--json');
    const [, at] = await program.says(/"url": "(http:\S+)\/"/);
    expect((await ask(at!, '/')).status).toBe(200);
    program.signal('SIGINT');
    expect((await program.ended).code).toBe(0);
  });
});
