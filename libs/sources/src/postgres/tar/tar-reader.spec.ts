import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { TarReader } from './tar-reader.ts';
import { TAR_BLOCK } from './tar-header.ts';

function header(name: string, size: number, { flag = '0', mode = 0o600, link = '' } = {}): Buffer {
  const block = Buffer.alloc(TAR_BLOCK);
  block.write(name, 0);
  block.write(mode.toString(8).padStart(7, '0'), 100);
  block.write('0000764\0', 108);
  block.write('0000764\0', 116);
  if (size < 8 ** 11) block.write(size.toString(8).padStart(11, '0'), 124);
  else {
    block.writeBigUInt64BE(BigInt(size), 128);
    block[124] = 0x80;
  }
  block.write('14000000000', 136);
  block.write(flag, 156);
  block.write(link, 157);
  block.write('ustar\x0000postgres', 257);
  const sum = block.reduce((total, byte) => total + byte, 8 * 0x20);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function archiveOf(files: readonly (readonly [name: string, content: Buffer])[]): Buffer {
  const parts = files.flatMap(([name, content]) => [
    header(name, content.length),
    content,
    Buffer.alloc((TAR_BLOCK - (content.length % TAR_BLOCK)) % TAR_BLOCK),
  ]);
  return Buffer.concat([...parts, Buffer.alloc(2 * TAR_BLOCK)]);
}

function readerOf(archive: Buffer, pieceSize: number): TarReader {
  let at = 0;
  return new TarReader(async () => {
    if (at >= archive.length) return undefined;
    const piece = archive.subarray(at, at + pieceSize);
    at += pieceSize;
    return await Promise.resolve(piece);
  });
}

async function contentOf(reader: TarReader): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of reader.content()) pieces.push(piece);
  return Buffer.concat(pieces);
}

describe('the archives of a base backup', () => {
  it('give every file whole, in pieces of any size', async () => {
    const file = fc.tuple(fc.stringMatching(/^[a-z0-9]{1,20}$/), fc.uint8Array({ maxLength: 3000 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(file, { maxLength: 5 }),
        fc.integer({ min: 1, max: 5000 }),
        async (files, size) => {
          const wanted = files.map(([name, bytes]) => [name, Buffer.from(bytes)] as const);
          const reader = readerOf(archiveOf(wanted), size);
          const found: [string, Buffer][] = [];
          for (let entry = await reader.entry(); entry !== undefined; entry = await reader.entry())
            found.push([entry.name, await contentOf(reader)]);
          expect(found).toEqual(wanted);
          expect(await reader.entry()).toBeUndefined();
        },
      ),
      { numRuns: 60 },
    );
  });

  it('pass over what nobody reads, and over the rest of what was read in part', async () => {
    const reader = readerOf(
      archiveOf([
        ['a', Buffer.alloc(2000, 1)],
        ['b', Buffer.alloc(700, 2)],
        ['c', Buffer.from('c')],
      ]),
      333,
    );
    await reader.entry();
    await reader.entry();
    expect(await reader.take(10)).toEqual(Buffer.alloc(10, 2));
    expect((await reader.entry())?.name).toBe('c');
    expect((await contentOf(reader)).toString()).toBe('c');
  });

  it('normalise the names that servers write with ./, and know folders and links', async () => {
    const archive = Buffer.concat([
      header('./pg_wal/archive_status/', 0, { flag: '5', mode: 0o700 }),
      header('pg_tblspc/16400', 0, { flag: '2', link: '/mnt/fast' }),
      Buffer.alloc(2 * TAR_BLOCK),
    ]);
    const reader = readerOf(archive, 512);
    expect(await reader.entry()).toMatchObject({
      name: 'pg_wal/archive_status',
      kind: 'folder',
      mode: 0o700,
    });
    expect(await reader.entry()).toMatchObject({
      kind: 'symlink',
      linkTarget: '/mnt/fast',
      user: 'postgres',
    });
  });

  it('carry files that are larger than octal numbers can say', async () => {
    const reader = readerOf(header('large', 9 * 1024 ** 3), 512);
    expect(await reader.entry()).toMatchObject({ size: 9 * 1024 ** 3 });
  });

  it('are refused when they are damaged or cut short', async () => {
    const damaged = archiveOf([['a', Buffer.from('a')]]);
    damaged[3] = 65;
    await expect(readerOf(damaged, 512).entry()).rejects.toThrow('checksum');
    const short = readerOf(archiveOf([['a', Buffer.alloc(5000)]]).subarray(0, 3000), 512);
    await short.entry();
    await expect(contentOf(short)).rejects.toThrow('in the middle');
  });
});
