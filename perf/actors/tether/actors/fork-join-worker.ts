/** Does pieces of work, and reports their number to a collector after the last. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import { work } from '../../work.js';
import type { Part } from './collector.js';

export interface Begin {
  readonly type: 'begin';
  readonly messages: number;
  readonly angle: number;
  readonly collector: ActorRef<Part>;
}

export interface Work {
  readonly type: 'work';
}

interface Worker {
  readonly order: Begin | undefined;
  done: number;
}

export default defineActor<Begin | Work, Worker>({
  type: 'fork-join-worker',
  scope: 'key',
  state: () => ({ order: undefined, done: 0 }),
  receive(messages, context) {
    for (const { body } of messages) {
      if (body.type === 'begin') {
        context.state = { order: body, done: 0 };
        continue;
      }
      const { state } = context;
      if (state.order === undefined) continue;
      work(state.order.angle);
      if (++state.done === state.order.messages)
        void state.order.collector.tell({ type: 'part', numbers: [state.done] });
    }
  },
});
