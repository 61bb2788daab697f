/** Plain messages between processes: questions with answers, and notices that nobody must rely on. */
export interface Messages {
  /**
   * Asks one of the processes that serve the subject.
   * @throws CatenaError `messages.no-responder` (retryable) when nobody serves it, `messages.timeout` when no answer came in time.
   */
  ask(
    subject: string,
    payload: unknown,
    options?: { timeoutMilliseconds?: number; signal?: AbortSignal },
  ): Promise<unknown>;
  /** Serves a subject; processes with the same group share the questions. The handler's result is the answer. */
  serve(
    subject: string,
    group: string,
    handle: (payload: unknown) => Promise<unknown>,
  ): Promise<{ stop(): Promise<void> }>;
  /** At most once, to whoever listens now. */
  notify(subject: string, payload: unknown): void;
  /** Listens to notices; wildcards as in NATS. */
  listen(subject: string, handle: (payload: unknown, subject: string) => void): { stop(): void };
  /** Resolves when everything sent so far has reached the server. */
  flush(): Promise<void>;
  close(): Promise<void>;
}
