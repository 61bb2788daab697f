import { SourceError } from '../../port/source-error.ts';
import { targetOfIncremental } from '../pages/incremental-file.ts';
import { shownAddress, type ServerAddress } from '../wire/address.ts';
import type { ReceivedFiles } from './received-files.ts';
import type { ManifestFile } from './server-manifest.ts';

/**
 * Everything the server says it sent must be there as it hashed it.
 * @param how `isTracked`: of some files it sent what changed alone
 * @throws SourceError `source.damaged`
 */
export function compareWithManifest(
  files: ReadonlyMap<string, ManifestFile>,
  received: ReceivedFiles,
  { isTracked, address }: { readonly isTracked: boolean; readonly address: ServerAddress },
): void {
  for (const { path, size, checksum, algorithm } of files.values()) {
    const target = isTracked ? targetOfIncremental(path) : undefined;
    const found = received.find(target ?? path);
    if (found === undefined) throw contradiction(address, path, 'it did not come');
    if (target !== undefined) continue;
    if (found.size !== BigInt(size))
      throw contradiction(address, path, `${found.size} bytes came instead of ${size}`);
    if (algorithm === 'SHA256' && found.sha256 !== checksum)
      throw contradiction(address, path, 'what came has another SHA-256');
  }
}

function contradiction(address: ServerAddress, path: string, why: string): SourceError {
  return new SourceError(
    'source.damaged',
    `The base backup of ${shownAddress(address)} is not what its manifest says of ${path}: ${why}.`,
    {
      remedy: 'Run the backup again; if it stays so, look at the network and the memory of both machines.',
      retryable: true,
    },
  );
}
