/** The thread that checks the bytes of objects. */
import { serveTasks } from '../workers/serve-tasks.ts';
import { checkingTasks } from './checking-tasks.ts';

serveTasks(checkingTasks);
