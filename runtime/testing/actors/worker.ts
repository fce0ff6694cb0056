/**
 * A keyed actor for tests, of any type: it does what its message says. What it is stands in the query of its module's URL
 * (`workers.ts`), so that one module serves for many types.
 *
 * Its state counts what it was told by each sender. Two things are noted in memory that all threads share, when there is some: how
 * many calls of a key are under way at once, and whether an older activation of a key still works when there is a newer one.
 */
import { BroadcastChannel, isMainThread, threadId } from 'node:worker_threads';
import { type ActorContext, type ActorDefinition, defineActor } from '../../actor.js';
import type { Message } from '../../message.js';

type Plain = Partial<Omit<ActorDefinition, 'group' | 'urgent' | 'snapshot'>>;

export interface WorkerTraits extends Plain {
  readonly type: string;
  /** A key's group is what stands before its first `-`. */
  readonly grouped?: boolean;
  readonly snapshot?: { readonly version: number; readonly when?: 'batch' | 'passivation' };
  /** Whether there is a migration of older snapshots: it adds 1,000 to the count. */
  readonly migrates?: boolean;
}

export interface WorkerSettings {
  readonly channel: string;
  /** By slot of a key, see `slotOf`. */
  readonly shared?: SharedArrayBuffer;
}

export type Address = readonly [type: string, key: string];

/** What a worker is told to do. */
export type Job =
  /** The n-th message of a sender to this key, from 1. `ms`: says `begins`, and takes so long. */
  | { readonly type: 'add'; readonly from: string; readonly n: number; readonly ms?: number }
  | { readonly type: 'get'; readonly urgent?: boolean }
  /** Says `text` on the channel. */
  | { readonly type: 'say'; readonly text: string; readonly urgent?: boolean }
  /** Notes the message's id under `text`. */
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'fail'; readonly code: string; readonly outage?: boolean; readonly final?: boolean }
  /** Returns without a reply. */
  | { readonly type: 'forget' }
  /** Never returns; says `hangs` on the channel, and `released` when its signal fires. */
  | { readonly type: 'hang' }
  | { readonly type: 'end'; readonly how: 'exit' | 'block' | 'heap' }
  /** Tells another the adds of these numbers; replies then. */
  | {
      readonly type: 'send';
      readonly to: Address;
      readonly first: number;
      readonly last: number;
      readonly durably?: boolean;
      readonly asSender?: boolean;
    }
  | { readonly type: 'ask'; readonly to: Address; readonly job: Job; readonly timeoutMs?: number }
  | { readonly type: 'timer'; readonly ms: number; readonly every?: boolean; readonly job: Job }
  | { readonly type: 'remind'; readonly name: string; readonly afterMs: number; readonly everyMs?: number }
  | { readonly type: 'unremind'; readonly name: string };

/** What a worker counted. */
export interface Tally {
  count: number;
  /** Messages out of order: not the next one of their sender. */
  disorder: number;
  last: Record<string, number>;
  /** Of each text that was noted, the ids of its messages. */
  notes: Record<string, string[]>;
}

export interface Said {
  readonly type: string;
  readonly key: string;
  readonly thread: number;
  readonly text: string;
  /** Of the message that it was about. */
  readonly id: string;
  readonly attempt: number;
}

/** How an ask ended. */
export interface Ended {
  readonly value?: unknown;
  readonly code?: string;
  readonly reason?: string;
  readonly message?: string;
  readonly ms: number;
}

const SLOTS = 1_024;

/**
 * In the shared memory: activations so far, calls that overlapped, calls of activations that were replaced; calls under way, and the
 * most there were.
 */
const COUNTERS = { activations: 0, overlaps: 1, outdated: 2, calls: 3, callsMax: 4 } as const;
const FIRST_SLOT = 8;

export function sharedMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (FIRST_SLOT + 2 * SLOTS));
}

export function shared(memory: SharedArrayBuffer): Record<keyof typeof COUNTERS, number> {
  const [activations = 0, overlaps = 0, outdated = 0, calls = 0, callsMax = 0] = new Int32Array(memory);
  return { activations, overlaps, outdated, calls, callsMax };
}

interface Resources {
  readonly channel: BroadcastChannel;
  readonly words: Int32Array | undefined;
}

type Context = ActorContext<Tally, Resources, Job>;

/** Where a key's words are; two keys with one slot would only be accused wrongly: tests have few keys, all numbers. */
function slotOf(key: string): number {
  return FIRST_SLOT + 2 * (Number(key.replace(/\D/g, '') || 0) % SLOTS);
}

/** Numbers of activations, by their context, of which each has one for its life. */
const numbers = new WeakMap<object, number>();

const at = (words: Int32Array, index: number) => Atomics.load(words, index);

function enter(context: Context, words: Int32Array, reentrant: boolean): () => void {
  const slot = slotOf(context.key);
  let number = numbers.get(context);
  if (number === undefined) {
    number = Atomics.add(words, COUNTERS.activations, 1) + 1;
    numbers.set(context, number);
  }
  if (Atomics.add(words, slot, 1) > 0 && !reentrant) Atomics.add(words, COUNTERS.overlaps, 1);
  if (Atomics.exchange(words, slot + 1, number) > number) Atomics.add(words, COUNTERS.outdated, 1);
  const calls = Atomics.add(words, COUNTERS.calls, 1) + 1;
  for (let most = at(words, COUNTERS.callsMax); calls > most; most = at(words, COUNTERS.callsMax)) {
    Atomics.compareExchange(words, COUNTERS.callsMax, most, calls);
  }
  return () => {
    Atomics.sub(words, COUNTERS.calls, 1);
    Atomics.sub(words, slot, 1);
  };
}

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

class Coded extends Error {
  readonly code: string;
  readonly outage: boolean;
  readonly retryable: boolean;
  constructor({ code, outage = false, final = false }: Extract<Job, { type: 'fail' }>) {
    super('told to fail');
    this.code = code;
    this.outage = outage;
    this.retryable = !final;
  }
}

function end(how: 'exit' | 'block' | 'heap'): void {
  if (isMainThread) throw new Error('the main thread is not to end');
  if (how === 'exit') process.exit(3);
  const kept: unknown[] = [];
  for (;;) if (how === 'heap') kept.push(new Array(10_000).fill(kept.length));
}

async function asked(
  context: Context,
  { to, job, timeoutMs }: Extract<Job, { type: 'ask' }>,
): Promise<Ended> {
  const from = performance.now();
  const ms = () => performance.now() - from;
  try {
    const ref = context.ref(to[0], to[1]);
    return { value: await ref.ask(job, timeoutMs === undefined ? {} : { timeoutMs }), ms: ms() };
  } catch (error) {
    const { code, message, reason } = error as { code?: string; message?: string; reason?: string };
    return {
      ms: ms(),
      ...(code && { code }),
      ...(message && { message }),
      ...(reason && { reason }),
    };
  }
}

async function sent(
  context: Context,
  { to, first, last, durably, asSender = false }: Extract<Job, { type: 'send' }>,
) {
  const ref = context.ref<Job>(to[0], to[1]);
  for (let n = first; n <= last; n++) {
    const job: Job = { type: 'add', from: `${context.actor}/${context.key}`, n };
    if (durably) await ref.tellDurably(job, { asSender });
    else await ref.tell(job);
  }
}

function added(tally: Tally, { from, n }: Extract<Job, { type: 'add' }>): void {
  const last = tally.last[from] ?? 0;
  if (n !== last + 1) tally.disorder++;
  tally.last[from] = n;
  tally.count++;
}

async function work(message: Message<Job>, context: Context): Promise<void> {
  const job = message.body as Job;
  const reply = (value: unknown) => message.reply(value as never);
  const say = (text: string) => {
    const { actor: type, key, resources } = context;
    const { id, attempt } = message;
    resources.channel.postMessage({ type, key, thread: threadId, text, id, attempt } satisfies Said);
  };
  switch (job.type) {
    case 'add':
      if (job.ms !== undefined) {
        say('begins');
        await wait(job.ms);
      }
      added(context.state, job);
      return reply(context.state.count);
    case 'get':
      return reply({ ...context.state, thread: threadId });
    case 'say':
      say(job.text);
      return reply(threadId);
    case 'note': {
      context.state.notes[job.text] ??= [];
      const ids = context.state.notes[job.text] ?? [];
      if (!ids.includes(message.id)) ids.push(message.id);
      return reply(ids.length);
    }
    case 'fail':
      throw new Coded(job);
    case 'forget':
      return;
    case 'hang':
      context.signal.addEventListener('abort', () => say('released'));
      say('hangs');
      return new Promise(() => {});
    case 'end':
      return end(job.how);
    case 'send':
      await sent(context, job);
      return reply(job.last);
    case 'ask':
      return reply(await asked(context, job));
    case 'timer':
      if (job.every) context.timers.every('timer', job.ms, job.job);
      else context.timers.after('timer', job.ms, job.job);
      return reply(true);
    case 'remind': {
      const { name, afterMs, everyMs } = job;
      const schedule = everyMs === undefined ? { afterMs } : { afterMs, everyMs };
      await context.reminders.set(name, schedule, { type: 'note', text: name } satisfies Job);
      return reply(true);
    }
    case 'unremind':
      return reply(await context.reminders.cancel(job.name));
  }
}

export function worker(traits: WorkerTraits): ActorDefinition<Job, Tally, Resources> {
  const { grouped = false, migrates = false, snapshot, reentrant = false, ...rest } = traits;
  const policy = snapshot && {
    ...snapshot,
    ...(migrates && {
      migrate: (state: unknown) => ({ ...(state as Tally), count: (state as Tally).count + 1_000 }),
    }),
  };
  return defineActor<Job, Tally, Resources>({
    scope: 'key',
    ...(rest as object as { type: string }),
    reentrant,
    ...(policy && { snapshot: policy }),
    ...(grouped && { group: (key: string) => key.split('-')[0] ?? key }),
    urgent: (job) => 'urgent' in job && job.urgent === true,
    open({ settings }) {
      const { channel, shared } = settings as WorkerSettings;
      return { channel: new BroadcastChannel(channel), words: shared && new Int32Array(shared) };
    },
    close: ({ channel }) => channel.close(),
    state: () => ({ count: 0, disorder: 0, last: {}, notes: {} }),
    async receive(messages, context) {
      const { words } = context.resources;
      const leave = words === undefined ? () => {} : enter(context, words, reentrant);
      try {
        for (const message of messages) await work(message, context);
      } finally {
        leave();
      }
    },
  });
}

/** In the query of this module's URL. */
export default worker(
  JSON.parse(new URL(import.meta.url).searchParams.get('traits') ?? '{"type":"worker"}') as WorkerTraits,
);
