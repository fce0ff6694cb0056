/**
 * The bare loop: what is left of an actor runtime without mailboxes, references and failures. Messages wait in arrays
 * and a function call delivers each; a runtime in one thread of JavaScript gets no further.
 */
import type { ParametersOf } from '../parameters.js';
import { runProgram } from '../program.js';

interface Receiver {
  receive(message: Message): void;
}

interface Message {
  readonly kind: 'ping' | 'pong' | 'increment';
  readonly from: Receiver;
}

/** Messages of one segment. An array that grows is copied over and over: 50 ns a message in a flood of a million. */
const SEGMENT = 1_024;
/** Emptied segments that are kept for reuse. */
const SPARE_MAX = 1_024;

class Segment {
  readonly receivers = new Array<Receiver>(SEGMENT);
  readonly messages = new Array<Message>(SEGMENT);
  used = 0;
  next: Segment | undefined;
}

class Loop {
  #head = new Segment();
  #tail = this.#head;
  readonly #spare: Segment[] = [];

  send(receiver: Receiver, message: Message): void {
    if (this.#tail.used === SEGMENT) {
      this.#tail.next = this.#spare.pop() ?? new Segment();
      this.#tail = this.#tail.next;
    }
    const { receivers, messages, used } = this.#tail;
    receivers[used] = receiver;
    messages[used] = message;
    this.#tail.used = used + 1;
  }

  /** Until no message is left. */
  run(): void {
    for (;;) {
      const segment = this.#head;
      // What is received may send, and so add to the segment.
      for (let at = 0; at < segment.used; at++)
        (segment.receivers[at] as Receiver).receive(segment.messages[at] as Message);
      segment.used = 0;
      if (segment.next === undefined) return;
      this.#head = segment.next;
      segment.next = undefined;
      if (this.#spare.length < SPARE_MAX) this.#spare.push(segment);
    }
  }
}

async function pingPong({ pings }: ParametersOf<'ping-pong'>): Promise<readonly number[]> {
  const loop = new Loop();
  let pongs = 0;
  const pong: Receiver = {
    receive: ({ from }) => loop.send(from, { kind: 'pong', from: pong }),
  };
  const ping: Receiver = {
    receive: () => {
      pongs++;
      if (pongs < pings) loop.send(pong, { kind: 'ping', from: ping });
    },
  };
  loop.send(pong, { kind: 'ping', from: ping });
  loop.run();
  return [pongs];
}

async function counting({ messages }: ParametersOf<'counting'>): Promise<readonly number[]> {
  const loop = new Loop();
  let count = 0;
  const counter: Receiver = {
    receive: () => {
      count++;
    },
  };
  const increment: Message = { kind: 'increment', from: counter };
  for (let sent = 0; sent < messages; sent++) loop.send(counter, increment);
  loop.run();
  return [count];
}

await runProgram({ 'ping-pong': pingPong, counting });
