import { isPortFree } from '../free-port.ts';
import type { PersistedPorts } from '../home/persisted-ports.ts';
import type { ChildSpec } from './child-spec.ts';
import { hasSurvivor } from './running-child.ts';
import type { SupervisedChild, Supervisor } from './supervisor.ts';

const ATTEMPTS = 5;

/**
 * Starts a child on the ports it had last time, or on others when somebody has taken one of them, at whatever moment. A
 * survivor keeps its ports: it is adopted there, or ended and started again there.
 */
export async function startOnPorts(
  name: string,
  portNames: readonly string[],
  ports: PersistedPorts,
  supervisor: Supervisor,
  runFolder: string,
  specFor: (ports: readonly number[]) => ChildSpec,
): Promise<{ child: SupervisedChild; ports: readonly number[] }> {
  const survives = await hasSurvivor(runFolder, name);
  let chosen = await Promise.all(
    portNames.map(async (each) => (survives ? ports.last(each) : undefined) ?? (await ports.take(each))),
  );
  for (let attempt = 1; ; attempt++) {
    try {
      return { child: await supervisor.start(specFor(chosen)), ports: chosen };
    } catch (error) {
      const free = await Promise.all(chosen.map(isPortFree));
      if (free.every(Boolean) || attempt === ATTEMPTS) throw error;
      chosen = await Promise.all(portNames.map((each) => ports.choose(each)));
    }
  }
}
