import { getSystemErrorMap } from 'node:util';
import { CatenaError } from '@catena/events';

/** A file or folder that a person named and that cannot be used. */
export class FileNotUsableError extends CatenaError {
  constructor(file: string, reason: string, cause: unknown) {
    super('cli.file-not-usable', `${file}: ${reason}.`, {
      remedy: 'Correct the path, or its permissions.',
      cause,
    });
  }
}

function isOfSystem(error: unknown): error is NodeJS.ErrnoException & { path: string; dest?: string } {
  return error instanceof Error && 'errno' in error && 'path' in error && typeof error.path === 'string';
}

/** The same error, or, when the system refused a file, one that names the file and the reason. */
export function nameableError(error: unknown): unknown {
  if (!isOfSystem(error)) return error;
  const [, reason = error.message] = getSystemErrorMap().get(error.errno ?? 0) ?? [];
  return new FileNotUsableError(error.dest ? `${error.path} or ${error.dest}` : error.path, reason, error);
}
