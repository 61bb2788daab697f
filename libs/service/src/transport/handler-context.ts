import { BaseRpcContext } from '@nestjs/microservices';

/** What a handler is told beside its payload; take it with `@Ctx()`. */
export class HandlerContext extends BaseRpcContext<[stopping: AbortSignal, delivery: number]> {
  constructor(stopping: AbortSignal, delivery: number) {
    super([stopping, delivery]);
  }

  /** Aborts when the service is to stop: finish soon, or hand back what is held. */
  get stopping(): AbortSignal {
    return this.args[0];
  }

  /** How often this was delivered, from 1. Never an attempt number of a run: those come from the log. */
  get delivery(): number {
    return this.args[1];
  }
}
