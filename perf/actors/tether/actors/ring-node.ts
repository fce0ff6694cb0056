/** Hands a token on to its neighbour while hops are left; the last hop is reported to a collector. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import type { Part } from './collector.js';

export interface Hop {
  readonly type: 'hop';
  readonly left: number;
}

export interface Join {
  readonly type: 'join';
  /** Its own number. */
  readonly at: number;
  readonly next: ActorRef<Hop>;
  readonly collector: ActorRef<Part>;
}

export default defineActor<Join | Hop, Join | undefined>({
  type: 'ring-node',
  scope: 'key',
  receive(messages, context) {
    for (const { body } of messages) {
      if (body.type === 'join') context.state = body;
      else {
        const { state } = context;
        if (body.left > 0) void state?.next.tell({ type: 'hop', left: body.left - 1 });
        else void state?.collector.tell({ type: 'part', numbers: [state.at] });
      }
    }
  },
});
