import { afterEach, describe, expect, it } from '@jest/globals';
import * as fs from 'node:fs';
import { byteStringOf, FolderHandle } from '../../../system-calls/index.ts';
import { ScratchFolder } from '../../../testing/sample-tree.ts';
import { PlannedFile } from './planned-file.ts';

describe('a file that a thread of a restore gives up', () => {
  const scratch = new ScratchFolder();
  afterEach(() => scratch.remove());

  const begun = (folder: FolderHandle): PlannedFile => {
    const file = new PlannedFile(folder, byteStringOf(Buffer.from('letter')));
    file.write([Buffer.from('half of')]);
    return file;
  };

  it('is gone', () => {
    fs.mkdirSync(scratch.at('staged'), { recursive: true });
    using folder = FolderHandle.open(Buffer.from(scratch.at('staged')));
    begun(folder).remove();
    expect(fs.readdirSync(scratch.at('staged'))).toEqual([]);
  });

  it('takes nothing away that another attempt has made in its place and shown since', () => {
    fs.mkdirSync(scratch.at('staged'), { recursive: true });
    using folder = FolderHandle.open(Buffer.from(scratch.at('staged')));
    const file = begun(folder);
    fs.rmSync(scratch.at('staged/letter'));
    fs.writeFileSync(scratch.at('staged/letter'), 'all of it');
    fs.renameSync(scratch.at('staged'), scratch.at('restored'));
    file.remove();
    expect(fs.readFileSync(scratch.at('restored/letter'), 'utf8')).toBe('all of it');
  });
});
