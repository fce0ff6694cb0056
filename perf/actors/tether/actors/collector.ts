/** Adds up, place by place, what the actors of a run report, and answers with the sums when all have. */
import { type Asks, defineActor, type Message } from '../../../../runtime/index.js';

export interface Part {
  readonly type: 'part';
  readonly numbers: readonly number[];
}

/** Asks for the sums of so many parts. */
export type Total = { readonly type: 'total'; readonly parts: number } & Asks<readonly number[]>;

interface Collector {
  readonly sums: number[];
  parts: number;
  question: Message<Total> | undefined;
}

export default defineActor<Part | Total, Collector>({
  type: 'collector',
  scope: 'key',
  // Many report once: whoever waits for room has sent already, so what they send together must find room.
  mailboxMax: 1_000_000,
  state: () => ({ sums: [], parts: 0, question: undefined }),
  receive(messages, { state }) {
    for (const message of messages) {
      if (message.type === 'total') state.question = message;
      else {
        const { numbers } = message.body;
        for (let at = 0; at < numbers.length; at++)
          state.sums[at] = (state.sums[at] ?? 0) + (numbers[at] as number);
        state.parts++;
      }
    }
    const { question, parts, sums } = state;
    if (question !== undefined && parts === question.body.parts) question.reply(sums);
  },
});
