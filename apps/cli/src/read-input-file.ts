import { readFile } from 'node:fs/promises';
import { UsageError } from './invocation.ts';

/** The text of a file that the command line names. @throws UsageError when it cannot be read. */
export async function readInputFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new UsageError(
      `${file} cannot be read (${code}).`,
      code === 'ENOENT' ? 'Check the name.' : 'Check its permissions.',
    );
  }
}
