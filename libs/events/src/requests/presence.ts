import { z } from 'zod';
import { request, type ServiceName } from './request.ts';

/** How a process of a service is, as it says itself. */
export const servicePresence = z.object({
  instance: z.string(),
  unfinished: z
    .record(z.string(), z.string())
    .describe('What of its start is not done yet, and how far it is.'),
  ailing: z.record(z.string(), z.string()).describe('Checks that fail now, and why.'),
});
export type ServicePresence = z.infer<typeof servicePresence>;

/** Every service of a platform. */
export const serviceNames: readonly ServiceName[] = ['chain-catalog', 'scheduler', 'mover'];

/** Answered by a process that has started: it does its work. */
export function presenceRequest(service: ServiceName) {
  return request({
    service,
    name: 'presence',
    summary: 'Says that a process of the service is there and does its work.',
    input: z.object({}),
    output: servicePresence,
  });
}

/** Answered by a process that is starting; of several processes the ones that have started answer the other question. */
export function startingRequest(service: ServiceName) {
  return request({
    service,
    name: 'starting',
    summary: 'Says how far the start of a process of the service is.',
    input: z.object({}),
    output: servicePresence,
  });
}
