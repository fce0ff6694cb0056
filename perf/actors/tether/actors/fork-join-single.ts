/** Lives for one piece of work. Nobody ends it: the runtime passivates the longest unused when there are too many. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import { work } from '../../work.js';
import type { Part } from './collector.js';

export interface WorkOnce {
  readonly type: 'work';
  readonly angle: number;
  readonly collector: ActorRef<Part>;
}

const DONE: Part = { type: 'part', numbers: [1] };

export default defineActor<WorkOnce>({
  type: 'fork-join-single',
  scope: 'key',
  receive(messages) {
    for (const { body } of messages) {
      work(body.angle);
      void body.collector.tell(DONE);
    }
  },
});
