import { z } from 'zod';

export type ServiceName = 'scheduler' | 'chain-catalog' | 'mover';

/** One question or command to a service, by request and reply. */
export interface RequestContract<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  readonly service: ServiceName;
  readonly name: string;
  readonly summary: string;
  readonly input: I;
  readonly output: O;
}

/** Declares a contract; the subject is `catena.requests.<service>.<name>`. */
export function request<I extends z.ZodType, O extends z.ZodType>(
  contract: RequestContract<I, O>,
): RequestContract<I, O> {
  return contract;
}

export function requestSubject(contract: RequestContract): string {
  return `catena.requests.${contract.service}.${contract.name}`;
}

/** What every command carries: an id that makes a repetition harmless, and who asks. */
export const commandBase = {
  commandId: z.string().min(8).describe('Made by the client; the same id is the same command.'),
  actor: z.string().describe('`person:<name>`'),
};

/** What every query may carry. */
export const queryBase = {
  asOf: z.iso.datetime({ offset: true }).optional().describe('Answer as the catalog stood then.'),
  atLeast: z
    .number()
    .int()
    .optional()
    .describe('A log sequence the answer must have seen (read your writes).'),
  limit: z.number().int().min(1).max(1000).optional().describe('Default 100.'),
  after: z.string().optional().describe('Cursor: the `next` of the page before.'),
};

/** One page of an answer. */
export function pageOf<T extends z.ZodType>(item: T) {
  return z.object({
    items: z.array(item),
    next: z.string().optional(),
    sequence: z.number().int().describe('The log sequence that the answer has seen.'),
    stale: z.string().optional().describe('Why the answer may be behind, when the projection has stopped.'),
  });
}

/** A reply on the wire. */
export const reply = z.union([
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({
    ok: z.literal(false),
    error: z.object({
      code: z.string(),
      message: z.string(),
      remedy: z.string().optional(),
      retryable: z.boolean(),
      details: z.record(z.string(), z.unknown()).optional(),
    }),
  }),
]);
export type Reply = z.infer<typeof reply>;
