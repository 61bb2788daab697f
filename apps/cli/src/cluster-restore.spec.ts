import { Command } from 'commander';
import { describe, expect, it } from '@jest/globals';
import { clusterAsked, clusterOptions, type ClusterOptions } from './cluster-restore.ts';

function asked(...given: string[]): ReturnType<typeof clusterAsked> {
  const command = clusterOptions(new Command()).exitOverride();
  command.configureOutput({ writeErr: () => undefined });
  command.parse(given, { from: 'user' });
  return clusterAsked(command.opts<ClusterOptions>());
}

describe('what is said of a restored cluster', () => {
  it.each<[string[], object]>([
    [[], {}],
    [['--start'], { cluster: { start: 'leaveRunning' } }],
    [['--start', '--port', '5433'], { cluster: { start: 'leaveRunning', port: 5433 } }],
    [['--try', '--superuser', 'root'], { cluster: { start: 'stopAgain', superuser: 'root' } }],
    [['--delta'], { delta: true }],
    [
      ['--tablespace', '/a=/b', '--tablespace', '16384=/c\\=d'],
      {
        cluster: {
          tablespaces: [
            { from: '/a', to: '/b' },
            { from: '16384', to: '/c=d' },
          ],
        },
      },
    ],
  ])('%j', (given, wanted) => expect(asked(...given)).toEqual(wanted));

  it.each<[string[], string]>([
    [['--start', '--try'], '--start leaves'],
    [['--port', '5433'], '--port goes with --start'],
    [['--superuser', 'root'], '--superuser goes with'],
    [['--tablespace', '/a'], 'OLD=NEW'],
    [['--start', '--port', '0'], 'from 1 to 65535'],
  ])('%j is refused', (given, why) => expect(() => asked(...given)).toThrow(why));
});
