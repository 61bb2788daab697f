import {
  catalogRequests,
  errorFromDescription,
  reply,
  requestSubject,
  type MoverReport,
} from '@catena/events';
import type { Messages } from '@catena/event-log';
import { Log, MESSAGES, pause } from '@catena/service';
import { Inject, Injectable } from '@nestjs/common';

/** A catalog that died with the question in hand answers never; asking another is harmless. */
const ANSWER_MILLISECONDS = 4_000;
const FIRST_DELAY = 200;
const LONGEST_DELAY = 5_000;

export type ReportAnswer = { readonly accepted: boolean; readonly reason?: string | undefined };

/** Brings a report to the chain catalog. */
@Injectable()
export class Reporter {
  readonly #messages: Messages;
  readonly #log: Log;

  constructor(@Inject(MESSAGES) messages: Messages, @Inject(Log) log: Log) {
    this.#messages = messages;
    this.#log = log;
  }

  /**
   * Repeats the report until the catalog has answered: repeating is harmless, losing it costs an attempt.
   * @throws CatenaError when the catalog says that it can never take this report, or the signal's reason on abort.
   */
  async send(report: MoverReport, signal: AbortSignal): Promise<ReportAnswer> {
    let delay = FIRST_DELAY;
    for (;;) {
      signal.throwIfAborted();
      const answer = await this.#ask(report, signal);
      if ('accepted' in answer) return answer;
      if (!answer.retryable) throw answer;
      this.#log.warn('the report was not taken yet and is repeated', { delay, error: answer });
      await pause(delay, signal);
      delay = Math.min(delay * 2, LONGEST_DELAY);
    }
  }

  async #ask(
    report: MoverReport,
    signal: AbortSignal,
  ): Promise<ReportAnswer | ReturnType<typeof errorFromDescription>> {
    try {
      const answer = reply.parse(
        await this.#messages.ask(requestSubject(catalogRequests.report), report, {
          timeoutMilliseconds: ANSWER_MILLISECONDS,
          signal,
        }),
      );
      return answer.ok
        ? catalogRequests.report.output.parse(answer.result)
        : errorFromDescription({ ...answer.error });
    } catch (error) {
      return errorFromDescription(describeAsRetryable(error));
    }
  }
}

function describeAsRetryable(thrown: unknown) {
  return {
    code: 'mover.report-not-answered',
    message: thrown instanceof Error ? thrown.message : String(thrown),
    retryable: true,
  };
}
