/** Holds a number: the smallest actor that there is, for the memory of an activation. */
import { defineActor } from '../../../../runtime/index.js';

export default defineActor<number, number>({
  type: 'holder',
  scope: 'key',
  activationsMax: Number.POSITIVE_INFINITY,
  state: () => 0,
  receive(messages, context) {
    for (const { body } of messages) context.state += body;
  },
});
