import { rm } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { startPlatform, type PlatformEvent } from './platform.ts';
import { identifyProcess } from './process/process-identity.ts';
import { runPlatformProcess } from './testing/process/run-platform-process.ts';
import { EventRecorder } from './testing/event-recorder.ts';
import { temporaryFolder } from './testing/temporary-folder.ts';

// Several starts of real servers each; the machine may be busy with other suites.

describe('servers whose parent was killed', () => {
  it('are adopted by the next start; a start beside a living parent is told who that is', async () => {
    await using folder = await temporaryFolder();
    const home = path.join(folder.path, '.catena');
    const parent = await runPlatformProcess({ home });
    expect(parent.answer).toMatchObject({ up: true });
    await expect(startPlatform({ home })).rejects.toMatchObject({
      code: 'embedded.home-in-use',
      details: { pid: parent.pid },
    });

    await parent.kill9();
    const recorder = new EventRecorder<PlatformEvent>();
    await using platform = await startPlatform({ home, onEvent: recorder.record });
    expect({ nats: platform.nats.pid, postgres: platform.postgres.pid }).toEqual({
      nats: parent.answer['nats'],
      postgres: parent.answer['postgres'],
    });
    expect(recorder.events).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'child.started', name: 'nats', adopted: true }),
      ]),
    );

    process.kill(platform.postgres.pid!, 'SIGKILL');
    await recorder.until((event) => event.type === 'child.restarted' && event.name === 'postgres');
    await platform.stop();
    expect(identifyProcess(parent.answer['nats'] as number)).toBeUndefined();
  });

  it('are ended and started again when they were started otherwise, or their pid files are gone', async () => {
    await using folder = await temporaryFolder();
    const home = path.join(folder.path, '.catena');
    const parent = await runPlatformProcess({ home });
    await parent.kill9();
    // Other logins for one, no trace of the other.
    await rm(path.join(home, 'secrets', 'nats-users.json'));
    await rm(path.join(home, 'run', 'postgres.pid'));
    await using platform = await startPlatform({ home });
    expect(identifyProcess(parent.answer['nats'] as number)).toBeUndefined();
    expect(identifyProcess(parent.answer['postgres'] as number)).toBeUndefined();
    expect(platform.nats.pid).not.toBe(parent.answer['nats']);
    await platform.stop();
  });
});
