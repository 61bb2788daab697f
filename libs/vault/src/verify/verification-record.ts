import { randomBytes } from 'node:crypto';
import { openDocument, sealDocument } from '../manifest/sealed-document.ts';
import type { CollectionContext } from '../repository/collection-context.ts';
import type { VerificationDocument } from '../repository/documents.ts';
import { verificationDocument } from '../repository/documents.ts';
import { readWhole } from '../store/read-whole.ts';
import type { VerifyReport } from './verify-collection.ts';

/** Leaves a record of a verification. Paths stay out of it: they are sealed everywhere else. */
export async function recordVerification(
  context: CollectionContext,
  report: VerifyReport,
  by: string,
): Promise<void> {
  const document: VerificationDocument = {
    format: 'catena-verification',
    version: 1,
    id: randomBytes(8).toString('hex'),
    depth: report.depth,
    startedAt: report.startedAt.toISOString(),
    endedAt: report.endedAt.toISOString(),
    by,
    backups: [...report.backups],
    objects: report.objects,
    bytes: report.bytes,
    damages: report.damages.map(({ moreFiles: _more, ...damage }) => ({
      ...damage,
      backups: [...damage.backups],
      files: [],
    })),
  };
  const name = context.layout.verification(report.endedAt, document.id);
  await context.store.putIfAbsent(name, sealDocument(document));
}

/** Records of a collection, newest first. */
export async function* readVerifications(context: CollectionContext): AsyncIterable<VerificationDocument> {
  const { objects } = await context.store.listFolder(context.layout.verifications());
  for (const { name } of objects) {
    const bytes = await readWhole(context.store, name);
    yield openDocument(name, bytes, 'catena-verification', verificationDocument).document;
  }
}
