/** Reads and writes a dictionary at random, one request in flight. */
import { type ActorRef, defineActor } from '../../../../runtime/index.js';
import { isWrite } from '../../parameters.js';
import { PseudoRandom } from '../../pseudo-random.js';
import type { End, Read, Value, Write } from './dictionary.js';

export interface StartWorker {
  readonly type: 'start';
  readonly dictionary: ActorRef<Write | Read | End>;
  readonly seed: number;
  readonly messages: number;
  readonly writePercent: number;
}

interface Worker {
  readonly self: ActorRef<Value>;
  order: StartWorker | undefined;
  random: PseudoRandom;
  answers: number;
}

export default defineActor<StartWorker | Value, Worker>({
  type: 'dictionary-worker',
  scope: 'key',
  state: (_, { self }) => ({ self, order: undefined, random: new PseudoRandom(0), answers: 0 }),
  receive(messages, { state }) {
    for (const { body } of messages) {
      if (body.type === 'value') state.answers++;
      else {
        state.order = body;
        state.random = new PseudoRandom(body.seed);
      }
      request(state);
    }
  },
});

function request({ self: from, order, random, answers }: Worker): void {
  if (order === undefined) return;
  const { dictionary, messages, writePercent } = order;
  if (answers === messages) {
    void dictionary.tell({ type: 'end' });
    return;
  }
  const write = isWrite(random.next(), writePercent);
  const key = random.next();
  void dictionary.tell(write ? { type: 'write', key, value: key, from } : { type: 'read', key, from });
}
