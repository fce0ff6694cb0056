/** What moves messages to actors: the kernel within a thread, the dispatcher from the log to a thread. */
import { setImmediate as macrotask } from 'node:timers/promises';
import type { ActorDefinition, ActorRef } from '../../../runtime/index.js';
import type { Frame, LogPartition } from '../../../runtime/message-log.js';
import type { Deliver } from '../../../runtime/worker-protocol.js';
import { load } from '../side.js';
import { expectEqual, type HotFunction } from './hot-function.js';

/** Fewer activations in a turn than after which the scheduler looks at the time, which is not the same in each run. */
const KEYS = 8;
const PER_KEY = 4;
const PER_TURN = KEYS * PER_KEY;
/** Turns of the event loop until they have arrived; one or two, as a rule. */
const WAITS_MAX = 100;

const clock = { now: () => 1_000, after: () => () => {} };

const tell: HotFunction = {
  name: 'kernel: a message to an actor, which tells another',
  // Every 64th turn of the scheduler is another one: as many of them in each block.
  calls: 128 * PER_TURN,
  warmUpBlocks: 28,
  async prepare(side) {
    const { Kernel } = (await load(
      side,
      'runtime/kernel/kernel.js',
    )) as typeof import('../../../runtime/kernel/kernel.js');
    const { DEFAULT_RETRY, defineActor, silentLogger } = (await load(
      side,
      'runtime/index.js',
    )) as typeof import('../../../runtime/index.js');
    let counted = 0;
    const second = defineActor<number, undefined>({
      type: 'second',
      scope: 'key',
      receive(messages) {
        for (const { body } of messages) counted += body;
      },
    });
    const first = defineActor<number, ActorRef<number>>({
      type: 'first',
      scope: 'key',
      state: (key, context) => context.ref(second, key),
      receive(messages, { state }) {
        for (const { body } of messages) void state.tell(body);
      },
    });
    const kernel = new Kernel({
      clock,
      random: () => 0.5,
      retry: DEFAULT_RETRY,
      receiveMsMax: 300_000,
      waitingMax: 1_000_000,
      logger: silentLogger,
      transport: undefined,
      onEvent: () => {},
      id: 0,
    });
    const outcome = { done() {}, dead() {}, parked() {}, outage() {}, forgotten() {} };
    for (const definition of [first, second] as readonly unknown[] as readonly ActorDefinition[]) {
      kernel.host({ definition, resources: undefined, logger: silentLogger, outcome });
    }
    const refs = Array.from({ length: KEYS }, (_, at) => kernel.ref(first.type, `${at}`));
    return {
      async run(calls) {
        counted = 0;
        const turns = Math.ceil(calls / PER_TURN);
        for (let turn = 0; turn < turns; turn++) {
          for (let at = 0; at < PER_KEY; at++) for (const ref of refs) void ref.tell(1);
          for (let waited = 0; counted < (turn + 1) * PER_TURN && waited < WAITS_MAX; waited++)
            await macrotask();
        }
        expectEqual('the number of messages that arrived', counted, turns * PER_TURN);
      },
    };
  },
};

const PER_FRAME = 8;
const ENVELOPE_BYTES = 500;

/** A log that has a frame more each time, all of them the same bytes. */
class EndlessPartition implements LogPartition {
  readonly actor = 'guard';
  readonly index = 0;
  readonly body = Buffer.alloc(PER_FRAME * (4 + ENVELOPE_BYTES));
  end = 0;
  committed = 0;
  onAppended: (() => void) | undefined;

  constructor() {
    for (let item = 0; item < PER_FRAME; item++) {
      this.body.writeUInt32LE(ENVELOPE_BYTES, item * (4 + ENVELOPE_BYTES));
    }
  }

  grow(): void {
    this.end += PER_FRAME;
    this.onAppended?.();
  }

  append(): void {
    throw new Error('nothing is appended here');
  }

  read(offset: number): readonly Frame[] {
    return offset < this.end ? [{ offset, count: PER_FRAME, body: this.body }] : [];
  }

  commit(offset: number): void {
    this.committed = offset;
  }
}

const dispatch: HotFunction = {
  name: `dispatcher: a message from the log and done, ${PER_FRAME} in a frame`,
  calls: 500 * PER_FRAME,
  async prepare(side) {
    const { Dispatcher } = (await load(
      side,
      'runtime/dispatch/dispatcher.js',
    )) as typeof import('../../../runtime/dispatch/dispatcher.js');
    const { DeadLetterWriter } = (await load(
      side,
      'runtime/stores/dead-letter-writer.js',
    )) as typeof import('../../../runtime/stores/dead-letter-writer.js');
    const { silentLogger } = (await load(
      side,
      'runtime/logger.js',
    )) as typeof import('../../../runtime/logger.js');
    const partition = new EndlessPartition();
    let delivered: Deliver | undefined;
    const dispatcher = new Dispatcher({
      actor: partition.actor,
      partitions: [partition],
      threads: 1,
      post: (_, delivery) => {
        delivered = delivery;
      },
      deadLetters: new DeadLetterWriter({ put: async () => {} }, clock, silentLogger),
      clock,
      logger: silentLogger,
    });
    dispatcher.attach(0);
    return {
      async run(calls) {
        const frames = Math.ceil(calls / PER_FRAME);
        for (let at = 0; at < frames; at++) {
          const from = partition.end;
          partition.grow();
          // It sends at the end of the turn.
          await undefined;
          if (delivered === undefined) throw new Error('the dispatcher did not send');
          const bytes = delivered.body.length;
          delivered = undefined;
          const ranges = [0, from, from + PER_FRAME];
          dispatcher.finished(0, { type: 'done', ranges, count: PER_FRAME, bytes, live: 1 });
        }
        expectEqual('the committed offset', partition.committed, partition.end);
      },
    };
  },
};

export const ACTOR_FUNCTIONS: readonly HotFunction[] = [tell, dispatch];
