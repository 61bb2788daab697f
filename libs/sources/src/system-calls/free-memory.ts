import { libc } from './libc.ts';

/**
 * Gives memory back to the system that this process has freed; it lies in pieces between what is in use, where the C
 * library keeps it. Takes milliseconds. Does nothing where there is no such call (it is glibc's).
 */
export function returnFreeMemory(): void {
  if (process.platform === 'linux') libc().malloc_trim?.(0);
}
