/** What every source driver must do, whatever it reads: run it for a driver of your own. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DriverProgress, SourceDriver } from '../port/source-driver.ts';
import { InMemoryVaultFake } from './in-memory-vault-fake.ts';

/** A real source that a driver can work on. */
export interface DriverSubject {
  readonly spec: unknown;
  /** Another one of the same kind. */
  readonly otherSpec: unknown;
  /** A spec of which no source can exist, and one that is wrong in itself. */
  readonly missingSpec: unknown;
  readonly invalidSpec: unknown;
  /** A target that does not exist yet; another one for each call. */
  newTarget(): string;
  targetExists(target: string): boolean;
  /** Puts something into a target that a restore must not replace unasked. */
  occupy(target: string): Promise<void>;
  /** Changes the source, so that a further backup has something to do. */
  change(): Promise<void>;
  /** Resolves when the driver can tell what was changed before from what is changed after. */
  settle(): Promise<void>;
  /** What differs between source and target, for people; empty when they are equal. */
  differences(target: string): Promise<readonly string[]>;
  /** Whether only reading tells what has changed, so that everything is read each time; only what differs is stored. */
  readonly readsToCompare?: boolean;
  /** Removes all of it. */
  remove(): Promise<void>;
}

/** Describes the behaviour of a driver as a suite of tests. */
export function describeSourceDriver(driver: SourceDriver, makeSubject: () => Promise<DriverSubject>): void {
  describe(`source driver '${driver.name}'`, () => {
    let subject: DriverSubject;
    let vault: InMemoryVaultFake;
    let full: string;

    async function backup(parent?: string) {
      await subject.settle();
      const writer = vault.begin(parent);
      const outcome = await driver.backup(subject.spec, writer);
      const { backupId } = await writer.finish(outcome.summary);
      return { backupId, outcome, writer };
    }

    beforeAll(async () => {
      subject = await makeSubject();
      vault = new InMemoryVaultFake();
      full = (await backup()).backupId;
    });
    afterAll(() => subject.remove());

    it('says what it can', () => {
      expect(driver.name).toMatch(/^[a-z][a-z0-9-]*$/);
      expect(driver.capabilities).toEqual({ givesLogs: expect.any(Boolean), givesPast: expect.any(Boolean) });
    });

    it('accepts a source that can be backed up', async () => {
      await expect(driver.check(subject.spec)).resolves.toBeUndefined();
    });

    it('refuses a spec that is wrong, and a source that is not there, with code and remedy', async () => {
      const wrong = { code: 'source.specInvalid', remedy: expect.any(String) as unknown };
      const missing = { code: 'source.notFound', remedy: expect.any(String) as unknown };
      await expect(driver.check(subject.invalidSpec)).rejects.toMatchObject(wrong);
      await expect(driver.check(subject.missingSpec)).rejects.toMatchObject(missing);
      await expect(driver.backup(subject.missingSpec, vault.begin())).rejects.toMatchObject(missing);
    });

    it('gives the same source the same family, and another one another', async () => {
      const family = await driver.family(subject.spec);
      expect(family).not.toBe('');
      expect(await driver.family(subject.spec)).toBe(family);
      expect(await driver.family(subject.otherSpec)).not.toBe(family);
    });

    it('estimates what a backup finds', async () => {
      const { files, bytes } = await driver.estimate(subject.spec);
      expect(files).toBeGreaterThan(0);
      expect(bytes).toBeGreaterThan(0);
    });

    it('restores what it backed up', async () => {
      const target = subject.newTarget();
      const outcome = await driver.restore(vault.open(full), target, { run: 'contract-1' });
      expect(outcome.warningCount).toBe(outcome.warnings.length);
      expect(await subject.differences(target)).toEqual([]);
    });

    it('tells how far it is, never going back, and ends at the whole', async () => {
      const told: DriverProgress[] = [];
      const writer = vault.begin();
      const outcome = await driver.backup(subject.spec, writer, {
        progress: (progress) => told.push(progress),
      });
      await writer.finish(outcome.summary);
      expect(told.map(({ bytes }) => bytes)).toEqual(told.map(({ bytes }) => bytes).sort((a, b) => a - b));
      expect(told.at(-1)).toMatchObject({ files: outcome.files, bytes: outcome.bytes });
    });

    it('reads less when less has changed, or stores less, and restores the change', async () => {
      const same = await backup(full);
      if (subject.readsToCompare) expect(same.writer.bytesNew).toBe(0n);
      else expect(same.outcome.bytesRead).toBe(0);
      await subject.change();
      const changed = await backup(same.backupId);
      expect(changed.outcome.bytesRead).toBeGreaterThan(0);
      if (subject.readsToCompare) {
        expect(changed.writer.bytesNew).toBeGreaterThan(0n);
        expect(changed.writer.bytesNew).toBeLessThan(BigInt(changed.outcome.bytes));
      } else expect(changed.outcome.bytesRead).toBeLessThan(changed.outcome.bytes);
      const target = subject.newTarget();
      await driver.restore(vault.open(changed.backupId), target, { run: 'contract-2' });
      expect(await subject.differences(target)).toEqual([]);
      full = changed.backupId;
    });

    it('gives ends that never go back', async () => {
      const outcome = await driver.backup(subject.spec, vault.begin());
      const end = outcome.summary.position?.end ?? '';
      expect(end).toMatch(/^\d+$/);
      const later = await driver.backup(subject.spec, vault.begin(), { previousEnd: end });
      expect(BigInt(later.summary.position?.end ?? '')).toBeGreaterThan(BigInt(end));
    });

    it('refuses to replace what exists, unless it is told to', async () => {
      const target = subject.newTarget();
      await subject.occupy(target);
      await expect(driver.restore(vault.open(full), target, { run: 'contract-3' })).rejects.toMatchObject({
        code: 'restore.targetExists',
        remedy: expect.any(String) as unknown,
      });
      await driver.restore(vault.open(full), target, { run: 'contract-4', overwrite: true });
      expect(await subject.differences(target)).toEqual([]);
    });

    it('leaves nothing at the target when a restore fails', async () => {
      const target = subject.newTarget();
      const reader = vault.open(full);
      reader.onChunk = () => {
        throw new Error('the repository is gone');
      };
      await expect(driver.restore(reader, target, { run: 'contract-5' })).rejects.toThrow('gone');
      expect(subject.targetExists(target)).toBe(false);
    });

    it('stops when it is cancelled', async () => {
      const signal = AbortSignal.abort(new Error('cancelled by a person'));
      const target = subject.newTarget();
      await expect(driver.backup(subject.spec, vault.begin(), { signal })).rejects.toThrow(
        'cancelled by a person',
      );
      await expect(driver.restore(vault.open(full), target, { run: 'contract-6', signal })).rejects.toThrow(
        'cancelled by a person',
      );
      expect(subject.targetExists(target)).toBe(false);
    });
  });
}
