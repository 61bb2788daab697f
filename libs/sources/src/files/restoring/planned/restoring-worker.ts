/** A thread of a restore. */
import { serveTasks } from '@catena/vault/threads';
import { restoringTasks } from './restoring-tasks.ts';

serveTasks(restoringTasks);
