import type { Transferable } from 'node:worker_threads';
import { Worker } from 'node:worker_threads';
import { CatenaError } from '@catena/events';
import type { ErrorTypes, TaskHandlers, TaskInput, TaskOutput, TaskReply, TaskRunner } from './task.ts';
import { errorFrom } from './task.ts';

interface Outstanding {
  readonly resolve: (output: never) => void;
  readonly reject: (error: unknown) => void;
}

export interface ThreadOptions {
  /** Module that calls `serveTasks`; see `workerProgram`. */
  readonly program: URL;
  readonly errorTypes?: ErrorTypes;
  /** MiB of JavaScript heap the thread may use; buffers are not counted. Default 64. */
  readonly heapMiB?: number;
}

/** The module of a worker beside the one that names it, as it runs: source in tests, compiled otherwise. */
export function workerProgram(name: string, beside: string): URL {
  return new URL(`${name}${beside.endsWith('.ts') ? '.ts' : '.js'}`, beside);
}

/** One thread. It does not keep the process alive while it has nothing to do. */
export class WorkerThread<T extends TaskHandlers> implements TaskRunner<T> {
  private readonly worker: Worker;
  private readonly errorTypes: ErrorTypes;
  private readonly tasks = new Map<number, Outstanding>();
  private lastId = 0;
  private ended: { readonly reason: Error } | undefined;

  constructor(options: ThreadOptions) {
    const { program, errorTypes = {}, heapMiB = 64 } = options;
    this.errorTypes = errorTypes;
    this.worker = new Worker(program, {
      name: 'catena-vault',
      // What a task opens may be closed by another one, or elsewhere.
      trackUnmanagedFds: false,
      execArgv: program.pathname.endsWith('.ts') ? ['--conditions=@catena/source', '--no-warnings'] : [],
      resourceLimits: { maxOldGenerationSizeMb: heapMiB, maxYoungGenerationSizeMb: 8 },
    });
    this.worker.unref();
    this.worker.on('message', (reply: TaskReply) => this.settle(reply));
    this.worker.on('error', (error: Error) => this.end(lost(error)));
    this.worker.on('exit', (code) => this.end(lost(new Error(`it ended with ${code}`))));
  }

  /** Tasks that have not ended. */
  get outstanding(): number {
    return this.tasks.size;
  }

  /** Whether it could be given something else to do. */
  get isIdle(): boolean {
    return this.ended === undefined && this.tasks.size === 0;
  }

  run<K extends keyof T & string>(
    name: K,
    input: TaskInput<T, K>,
    transfer: readonly Transferable[] = [],
  ): Promise<TaskOutput<T, K>> {
    if (this.ended !== undefined) return Promise.reject(this.ended.reason);
    const { promise, resolve, reject } = Promise.withResolvers<TaskOutput<T, K>>();
    const id = ++this.lastId;
    this.worker.postMessage({ id, name, input }, transfer);
    if (this.tasks.size === 0) this.worker.ref();
    this.tasks.set(id, { resolve: resolve, reject });
    return promise;
  }

  private settle(reply: TaskReply): void {
    const task = this.tasks.get(reply.id);
    this.tasks.delete(reply.id);
    // An answer that comes while the thread is being ended must not let the process go before that is done.
    if (this.tasks.size === 0 && this.ended === undefined) this.worker.unref();
    if ('error' in reply) task?.reject(errorFrom(reply.error, this.errorTypes));
    else task?.resolve(reply.output as never);
  }

  private end(reason: Error): void {
    this.ended ??= { reason };
    for (const task of this.tasks.values()) task.reject(this.ended.reason);
    this.tasks.clear();
  }

  /** Ends the thread; tasks that have not ended reject with the reason. */
  async close(reason: Error): Promise<void> {
    this.end(reason);
    await this.worker.terminate();
  }
}

function lost(cause: Error): CatenaError {
  return new CatenaError('vault.worker-lost', `a worker thread of this program ended: ${cause.message}`, {
    remedy: 'give the program more memory, or fewer workers (`limits.cpu`)',
    retryable: true,
    cause,
  });
}
