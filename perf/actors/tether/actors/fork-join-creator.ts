/** Sends one piece of work to each of many new actors, and answers when it has sent the last. */
import { type ActorRef, type Asks, defineActor } from '../../../../runtime/index.js';
import type { Part } from './collector.js';
import forkJoinSingle, { type WorkOnce } from './fork-join-single.js';

export type Create = {
  readonly type: 'create';
  readonly actors: number;
  readonly angle: number;
  readonly collector: ActorRef<Part>;
} & Asks<void>;

export default defineActor<Create>({
  type: 'fork-join-creator',
  scope: 'key',
  receive(messages, context) {
    for (const message of messages) {
      const { actors, angle, collector } = message.body;
      const work: WorkOnce = { type: 'work', angle, collector };
      for (let at = 0; at < actors; at++) void context.ref(forkJoinSingle, `${context.key}-${at}`).tell(work);
      message.reply();
    }
  },
});
