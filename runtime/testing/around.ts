/** The hook around `receive`: everything a test system does to a call, its faults and its trace, is done by it. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ActorContext, ActorDefinition } from '../actor.js';
import type { Message } from '../message.js';

/** A definition of whatever bodies and state. */
export interface AnyDefinition {
  readonly type: string;
  readonly scope: 'key' | 'thread';
  receive(messages: never, context: never): Promise<void> | void;
}

/** One call of `receive`. */
export interface Call {
  readonly actor: string;
  /** The activation's; empty in scope `thread`. */
  readonly key: string;
  readonly messages: readonly Message[];
  readonly context: ActorContext;
}

/** Does something before or after a call, in place of it, or lets it be: `receive` is the actor's own. What it throws, the actor threw. */
export type Around = (call: Call, receive: () => Promise<void> | void) => Promise<void> | void;

/** The definition with `arounds` around its `receive`, the first outermost. */
export function withAround(definition: ActorDefinition, arounds: readonly Around[]): ActorDefinition {
  const { type: actor } = definition;
  const receive = (messages: readonly Message[], context: ActorContext) => {
    const call = { actor, key: context.key, messages, context };
    const from = (index: number): Promise<void> | void => {
      const around = arounds[index];
      return around === undefined
        ? definition.receive(messages, context)
        : around(call, () => from(index + 1));
    };
    return from(0);
  };
  const state =
    definition.state &&
    ((key: string, context: ActorContext) =>
      sender.run(nameOf(actor, key), () => definition.state?.(key, context)));
  // By the prototype, so that a definition may be an instance of a class.
  return Object.create(definition, {
    receive: {
      value: (messages: readonly Message[], context: ActorContext) =>
        sender.run(nameOf(actor, context.key), () => receive(messages, context)),
    },
    ...(state && { state: { value: state } }),
  }) as ActorDefinition;
}

const sender = new AsyncLocalStorage<string>();
const nameOf = (type: string, key: string) => (key === '' ? type : `${type}/${key}`);

/** Whose code runs now, `type/key`: an actor's, or the test's. Messages of one sender to one key keep their order. */
export function senderNow(): string {
  return sender.getStore() ?? 'the test';
}
