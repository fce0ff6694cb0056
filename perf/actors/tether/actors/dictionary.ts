/** Keeps numbers by number for its workers; answers with its requests and the writes among them when all workers end. */
import { type ActorRef, type Asks, defineActor, type Message } from '../../../../runtime/index.js';

export interface Write {
  readonly type: 'write';
  readonly key: number;
  readonly value: number;
  readonly from: ActorRef<Value>;
}

export interface Read {
  readonly type: 'read';
  readonly key: number;
  readonly from: ActorRef<Value>;
}

/** The answer to both. */
export interface Value {
  readonly type: 'value';
  readonly value: number | undefined;
}

/** A worker has ended. */
export interface End {
  readonly type: 'end';
}

export type Serve = { readonly type: 'serve'; readonly workers: number } & Asks<readonly number[]>;

interface Dictionary {
  readonly entries: Map<number, number>;
  serve: Message<Serve> | undefined;
  requests: number;
  writes: number;
  workersLeft: number;
}

export default defineActor<Serve | Write | Read | End, Dictionary>({
  type: 'dictionary',
  scope: 'key',
  state: () => ({ entries: new Map(), serve: undefined, requests: 0, writes: 0, workersLeft: 0 }),
  receive(messages, { state }) {
    for (const message of messages) {
      switch (message.type) {
        case 'serve':
          state.serve = message;
          state.workersLeft = message.body.workers;
          break;
        case 'write': {
          const { key, value, from } = message.body;
          state.requests++;
          state.writes++;
          state.entries.set(key, value);
          void from.tell({ type: 'value', value });
          break;
        }
        case 'read': {
          const { key, from } = message.body;
          state.requests++;
          void from.tell({ type: 'value', value: state.entries.get(key) });
          break;
        }
        case 'end':
          if (--state.workersLeft === 0) state.serve?.reply([state.requests, state.writes]);
      }
    }
  },
});
