import { serveTasks } from '../../workers/serve-tasks.ts';
import { stationHandlers } from './station-handlers.ts';

serveTasks(stationHandlers);
