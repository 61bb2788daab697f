import { hostname } from 'node:os';
import { z } from 'zod';
import { Secret } from './secret.ts';

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/** A variable whose value is a secret; it may come from a file named by `<variable>_FILE`. */
export const secretText = z
  .string()
  .min(1)
  .transform((text) => new Secret(text));

/** A whole number from an environment variable. */
export function wholeNumber(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d+$/, 'expected a whole number')
    .transform(Number)
    .pipe(z.number().min(minimum).max(maximum));
}

/** What every service is told by its environment. */
export const serviceConfiguration = z.object({
  CATENA_NATS_URL: z
    .string()
    .regex(
      /^(nats|tls):\/\/[^@\s,]+(,(nats|tls):\/\/[^@\s,]+)*$/,
      'expected nats://host:port or tls://host:port, several separated by commas, without a user or a password',
    )
    .default('nats://127.0.0.1:4222'),
  CATENA_NATS_USER: z.string().min(1).optional(),
  CATENA_NATS_PASSWORD: secretText.optional(),
  CATENA_INSTANCE: z
    .string()
    .regex(TOKEN, 'expected 1 to 64 letters, digits, "-" or "_"')
    .default(
      () =>
        `${hostname()
          .replaceAll(/[^A-Za-z0-9_-]/g, '-')
          .slice(0, 48)}-${process.pid}`,
    )
    .describe('Names this process in events; unique among the running processes of its service.'),
  CATENA_HEALTH_HOST: z.string().min(1).default('127.0.0.1'),
  CATENA_HEALTH_PORT: wholeNumber(0, 65_535)
    .prefault('0')
    .describe('0 takes any free port and announces it.'),
  CATENA_ANNOUNCE_FILE: z.string().min(1).optional(),
  CATENA_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
  CATENA_LOG_FORMAT: z.enum(['json', 'pretty']).default('json'),
  CATENA_JOB_WAIT_SECONDS: wholeNumber(2, 3600)
    .prefault('30')
    .describe('After how much silence of its mover a job is handed out again; the same for all processes.'),
  CATENA_DELIVERY_BACKOFF_SECONDS: z
    .string()
    .regex(/^\d{1,6}(,\d{1,6})*$/, 'expected whole numbers of seconds, separated by commas')
    .transform((text) => text.split(',').map(Number))
    .optional()
    .describe(
      'After which delays an event is delivered to a Subscription again; after the last it is a dead letter. Default: a day of trying.',
    ),
  CATENA_CLOCK_OFFSET_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('For tests: a file with the milliseconds by which this process is ahead of the system clock.'),
  CATENA_SHUTDOWN_SECONDS: wholeNumber(1, 3600)
    .prefault('25')
    .describe('How long work in hand may take to end after SIGTERM.'),
});
export type ServiceConfiguration = z.infer<typeof serviceConfiguration>;
