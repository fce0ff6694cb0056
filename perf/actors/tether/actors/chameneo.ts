/** Meets others in a mall and changes its color by theirs, until it is sent home. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import { colorAfter } from '../../work.js';
import type { Count, Meet, ToGuest } from './mall.js';

export interface Visit {
  readonly type: 'visit';
  readonly mall: ActorRef<Meet | Count>;
  readonly color: number;
}

interface Chameneo {
  readonly self: ActorRef<ToGuest>;
  mall: ActorRef<Meet | Count> | undefined;
  color: number;
  meetings: number;
}

export default defineActor<Visit | ToGuest, Chameneo>({
  type: 'chameneo',
  scope: 'key',
  state: (_, { self }) => ({ self, mall: undefined, color: 0, meetings: 0 }),
  receive(messages, { state }) {
    for (const { body } of messages) {
      switch (body.type) {
        case 'exit':
          void state.mall?.tell({ type: 'count', meetings: state.meetings });
          continue;
        case 'visit':
          state.mall = body.mall;
          state.color = body.color;
          break;
        case 'meet':
          state.color = colorAfter(state.color, body.color);
          state.meetings++;
          void body.from.tell({ type: 'change', color: state.color });
          break;
        case 'change':
          state.color = body.color;
          state.meetings++;
      }
      void state.mall?.tell({ type: 'meet', color: state.color, from: state.self });
    }
  },
});
