/** What a running child suffers from. */
export interface Ailment {
  /** For people: what it cannot do, and why. */
  reason: string;
  /** Whether it would be well again if it were started anew now. */
  restartHelps: boolean;
}

/** A program to keep running beside this one. Times in milliseconds. */
export interface ChildSpec {
  /** Names its pid file and its log; `[a-z0-9-]+`. */
  name: string;
  command: string;
  args: readonly string[];
  cwd: string;
  /** The whole environment of the child; nothing is inherited. */
  env: Readonly<Record<string, string>>;
  /** Run as this user instead (only root can). */
  user?: { uid: number; gid: number };
  /** The port it answers on, recorded in its pid file. */
  port?: number;
  /** Names whatever a survivor must have been started with to be adopted, besides command and arguments. */
  configuration?: string;
  /**
   * Resolves when the child is healthy, rejects with the reason while it is not. Asked again until `readyWithinMs`,
   * except after an EmbeddedError, which is final.
   */
  probe?: (abort: AbortSignal) => Promise<void>;
  /** How long a start may take, recovery after a crash included. Default 60 000. */
  readyWithinMs?: number;
  /**
   * Recognises, by its command line, a process that would get in the way of a start though no pid file names it: a part
   * of a killed server that is still at work, or a whole one whose pid file was deleted. It is killed before a start.
   */
  isRemains?: (commandLine: readonly string[]) => boolean;
  /** Called before each start, when no process of this child is left. */
  beforeStart?: () => void;
  /** What asks it to stop. Default SIGTERM. */
  stopSignal?: NodeJS.Signals;
  /** How long it may take to stop before SIGKILL. Default 10 000. */
  stopWithinMs?: number;
  /** Asked every few seconds while it runs. What it rejects with is taken for an answer of another time. */
  ailment?: (abort: AbortSignal) => Promise<Ailment | undefined>;
  /** Whether a healthy survivor of an earlier parent is kept. Default `adopt`. */
  survivor?: 'adopt' | 'end';
}

/** Where the supervisor keeps what it knows of its children: both folders exist. */
export interface ChildFolders {
  run: string;
  logs: string;
}
