import type { ObjectKind } from '../container/object-header.ts';
import type { BackupType } from '../port/manifest.ts';

/** Everything in a repository that belongs to no collection lies beneath this folder. */
export const OWN_FOLDER = 'catena';

export const REPOSITORY_DOCUMENT = `${OWN_FOLDER}/repository.json`;
export const OWNER_FOLDER = `${OWN_FOLDER}/owner/`;
export const LOG_FOLDER = `${OWN_FOLDER}/log/`;

const SAFE = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;

/** An id as one part of an object's name: what could mean something else is written as `%XX`. */
export function encodeName(id: string): string {
  if (SAFE.test(id) && id !== OWN_FOLDER) return id;
  const bytes = [...Buffer.from(id, 'utf8')];
  return bytes
    .map((byte, i) => {
      const char = String.fromCharCode(byte);
      const plain = i === 0 ? /[A-Za-z0-9_-]/.test(char) && id !== OWN_FOLDER : /[A-Za-z0-9._-]/.test(char);
      return plain ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}

/** `undefined` when no id is written like this. */
export function decodeName(name: string): string | undefined {
  const bytes = Buffer.from(
    name.replace(/%([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16))),
    'latin1',
  );
  const id = bytes.toString('utf8');
  return id !== '' && encodeName(id) === name ? id : undefined;
}

/** Numbers in names have eight digits, so that they sort. */
export function paddedNumber(value: number): string {
  return String(value).padStart(8, '0');
}

/** The number an object's name ends in, e.g. 3 for `keys/00000003.json`. */
export function numberOf(name: string): number | undefined {
  const digits = /(\d{8,})(?:\.json)?$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function timeParts(time: Date): { year: string; month: string; day: string; clock: string } {
  const [date, clock] = time.toISOString().split('T') as [string, string];
  const [year, month, day] = date.split('-') as [string, string, string];
  return { year, month, day, clock: `${clock.slice(0, 8).replaceAll(':', '')}.${clock.slice(9, 11)}` };
}

/** Folder of a backup that begins a chain, or of a log backup, beneath the collection's: `YYYY/MM/DD-HHMMSS.cc`. */
export function folderOfFull(time: Date, kind: 'conventional' | 'copyOnly' | 'log'): string {
  const { year, month, day, clock } = timeParts(time);
  const above = { conventional: '', copyOnly: 'copy-only/', log: 'logs/' }[kind];
  return `${above}${year}/${month}/${day}-${clock}`;
}

/** Folder of a backup that depends on others: beneath the folder of the chain's full. */
export function folderOfDependent(fullFolder: string, time: Date, type: BackupType): string {
  const { year, month, day, clock } = timeParts(time);
  return `${fullFolder}/${year}${month}${day}-${clock}-${type}`;
}

/** Folders of backups, as `listFolder` names them. */
export const FOLDER_OF_YEAR = /^\d{4}$/;
export const FOLDER_OF_MONTH = /^\d{2}$/;
export const FOLDER_OF_FULL = /^\d{2}-\d{6}\.\d{2}$/;
export const FOLDER_OF_DEPENDENT = /^\d{8}-\d{6}\.\d{2}-(differential|incremental)$/;

/** Names of a collection's objects. */
export class CollectionLayout {
  readonly folder: string;

  constructor(collection: string, folder = encodeName(collection)) {
    this.folder = folder;
  }

  readonly keys = () => `${this.folder}/keys/`;
  readonly keyring = (number: number) => `${this.keys()}${paddedNumber(number)}.json`;
  readonly runPointer = (run: string) => `${this.folder}/runs/${encodeName(run)}.json`;
  readonly backup = (folder: string) => `${this.folder}/${folder}/`;
  readonly manifest = (folder: string) => `${this.backup(folder)}manifest.json`;
  readonly claim = (folder: string) => `${this.backup(folder)}run.json`;
  readonly latestFolder = () => `${this.folder}/LATEST/`;
  readonly verifications = () => `${this.folder}/verifications/`;

  readonly volume = (folder: string, run: string, attempt: number, id: string) =>
    `${this.backup(folder)}${volumeFolder(run, attempt, id)}/`;

  /** Newest first when names are sorted. */
  readonly latest = (time: Date, folder: string) =>
    `${this.latestFolder()}${newestFirst(time)}-${folder.replaceAll('/', '-')}.json`;

  readonly verification = (time: Date, id: string) =>
    `${this.verifications()}${newestFirst(time)}-${id}.json`;

  readonly repairs = () => `${this.folder}/repairs/`;
  readonly repair = (volume: string, kind: ObjectKind, object: number, offset: number) =>
    `${this.repairs()}${volume}/${kind}-${paddedNumber(object)}-${offset}`;
}

/** Milliseconds left until the year 5138, so that a later time gives a smaller text. */
function newestFirst(time: Date): string {
  return String(99_999_999_999_999 - time.getTime()).padStart(14, '0');
}

/** Run and attempt can be read from where objects lie; the beginning of the volume's id keeps two attempts apart. */
export function volumeFolder(run: string, attempt: number, id: string): string {
  return `${encodeName(run)}.${attempt}.${id.slice(0, 8)}`;
}

/** The attempt that made a volume's folder, if the folder belongs to this run. */
export function attemptOfVolume(folder: string, run: string): number | undefined {
  const start = `${encodeName(run)}.`;
  if (!folder.startsWith(start)) return undefined;
  const match = /^(\d+)\.[0-9a-f]{8}$/.exec(folder.slice(start.length));
  return match === null ? undefined : Number(match[1]);
}

/** The run whose attempt made a volume's folder; `undefined` for a folder that is not a volume's. */
export function runOfVolume(folder: string): string | undefined {
  const match = /^(.+)\.\d+\.[0-9a-f]{8}$/.exec(folder);
  return match?.[1] === undefined ? undefined : decodeName(match[1]);
}

/** The kind and number of an object of a volume, by its name without folders; `undefined` for anything else. */
export function partsOfObject(name: string): { kind: 'pack' | 'map' | 'tree'; number: number } | undefined {
  const match = /^(pack|map|tree)-(\d{8,})$/.exec(name);
  if (match?.[1] === undefined) return undefined;
  return { kind: match[1] as 'pack' | 'map' | 'tree', number: Number(match[2]) };
}

export function objectName(kind: ObjectKind, number: number): string {
  return `${kind}-${paddedNumber(number)}`;
}
