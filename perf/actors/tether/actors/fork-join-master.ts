/** Gives each of its workers all pieces of work, in turns, and answers when it has sent the last. */
import { type ActorRef, type Asks, defineActor } from '../../../../runtime/index.js';
import type { Part } from './collector.js';
import forkJoinWorker, { type Work } from './fork-join-worker.js';

export type Fork = {
  readonly type: 'fork';
  readonly actors: number;
  readonly messages: number;
  readonly angle: number;
  readonly collector: ActorRef<Part>;
} & Asks<void>;

const WORK: Work = { type: 'work' };

export default defineActor<Fork>({
  type: 'fork-join-master',
  scope: 'key',
  async receive(forks, context) {
    for (const fork of forks) {
      const { actors, messages, angle, collector } = fork.body;
      const workers = Array.from({ length: actors }, (_, at) =>
        context.ref(forkJoinWorker, `${context.key}-${at}`),
      );
      for (const worker of workers) void worker.tell({ type: 'begin', messages, angle, collector });
      for (let sent = 0; sent < messages; sent++) {
        for (const worker of workers) {
          const room = worker.tell(WORK);
          if (room !== undefined) await room;
        }
      }
      fork.reply();
    }
  },
});
