/**
 * The kernel and the dispatcher under drawn loads, orders and faults: actors of each kind that tell and ask one another, crashes,
 * failures, lost messages. Held to the promises: one call at a time, order for a key, nothing acknowledged is lost, every ask ends.
 * `KERNEL_SEEDS` runs more of them.
 */
import t from 'tap';
import { type ActorDefinition, defineActor } from '../actor.js';
import type { Asks } from '../message.js';
import { explore } from './explore.js';
import type { TestSystem } from './test-system.js';

const SEEDS = Number(process.env.KERNEL_SEEDS ?? 60);
const KEYS = ['a', 'b', 'c'] as const;
const SENDS = 60;

/** `asks`: whom the receiver asks before it replies, if anybody. */
type Load = {
  readonly n: number;
  readonly asks: { readonly type: string; readonly key: string } | undefined;
  readonly strict: boolean;
} & Asks<number>;

/** First deliveries of durable messages by type and key, and how many calls broke the promise of one at a time. */
class Observer {
  readonly #seen = new Map<string, Map<string, number>>();
  readonly #under = new WeakMap<object, number>();
  overlaps = 0;

  /** A call began. Returns what to call at its end. */
  began(context: object, mayOverlap: boolean): () => void {
    const calls = (this.#under.get(context) ?? 0) + 1;
    if (calls > 1 && !mayOverlap) this.overlaps++;
    this.#under.set(context, calls);
    return () => this.#under.set(context, (this.#under.get(context) ?? 0) - 1);
  }

  saw(type: string, key: string, id: string, n: number): void {
    const name = `${type}/${key}`;
    const seen = this.#seen.get(name) ?? new Map<string, number>();
    this.#seen.set(name, seen);
    if (!seen.has(id)) seen.set(id, n);
  }

  ids(): Set<string> {
    return new Set([...this.#seen.values()].flatMap((seen) => [...seen.keys()]));
  }

  /** Types and keys whose first deliveries were out of order. */
  disorders(): readonly string[] {
    return [...this.#seen]
      .filter(([, seen]) => [...seen.values()].some((n, at, all) => at > 0 && n < (all[at - 1] ?? 0)))
      .map(([name, seen]) => `${name}: ${[...seen.values()]}`);
  }
}

type Kind = Pick<
  ActorDefinition<Load>,
  | 'scope'
  | 'reentrant'
  | 'lingerMs'
  | 'batchMax'
  | 'supervision'
  | 'activationsMax'
  | 'mailboxMax'
  | 'overflow'
>;

const KINDS: Readonly<Record<string, Kind>> = {
  keyed: { scope: 'key' },
  set: { scope: 'thread' },
  reentrant: { scope: 'key', reentrant: true },
  lingering: { scope: 'key', lingerMs: 20, batchMax: 5 },
  stopping: { scope: 'key', supervision: { onFailure: 'stop' } },
  small: { scope: 'key', activationsMax: 2, mailboxMax: 3, overflow: 'reject' },
};
const TYPES = Object.keys(KINDS);

function actorsOf(observer: () => Observer) {
  return Object.entries(KINDS).map(([type, kind]) =>
    defineActor<Load>({
      type,
      ...kind,
      async receive(messages, context) {
        const ended = observer().began(context, kind.reentrant ?? false);
        try {
          for (const message of messages) {
            const { n, asks, strict } = message.body;
            if (message.id !== '') observer().saw(type, message.key, message.id, n);
            if (asks !== undefined) {
              const reply = context
                .ref<Load>(asks.type, asks.key)
                .ask({ n, asks: undefined, strict: false }, { timeoutMs: 2_000 });
              await (strict ? reply : reply.catch(() => undefined));
            }
            message.reply(n);
          }
        } finally {
          ended();
        }
      },
    }),
  );
}

async function load(system: TestSystem): Promise<{ ids: string[]; asks: Promise<Error | undefined>[] }> {
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(system.random() * items.length)] as Item;
  const sent: Promise<string>[] = [];
  /** Each with what is wrong with its end. */
  const asks: Promise<Error | undefined>[] = [];
  for (let n = 0; n < SENDS; n++) {
    const asked = system.random() < 0.3 ? { type: pick(TYPES), key: pick(KEYS) } : undefined;
    const body: Load = { n, asks: asked, strict: system.random() < 0.3 };
    const ref = system.ref<Load>(pick(TYPES), pick(KEYS));
    const how = system.random();
    if (how < 0.5) sent.push(ref.tellDurably(body));
    else if (how < 0.75) void ref.tell(body);
    else
      asks.push(
        ref.ask(body).then(
          (reply) => (reply === n ? undefined : new Error(`a wrong reply: ${reply}`)),
          (error: Error) => ('code' in error ? undefined : error),
        ),
      );
    if (system.random() < 0.1) await system.advance(Math.floor(system.random() * 50));
  }
  return { ids: await Promise.all(sent), asks };
}

t.setTimeout(SEEDS * 1_000 + 30_000);

t.test('one call at a time, in order, nothing lost, every ask ends', async (t) => {
  let observer = new Observer();
  const retry = { attemptsMax: 20, delayMs: 10, delayMsMax: 100 };
  await explore({ actors: actorsOf(() => observer), seeds: SEEDS, retry }, async (system) => {
    observer = new Observer();
    const share = (of: number) => (system.random() < 0.5 ? of : 0);
    system.faults.chance({ fail: share(0.1), crash: share(0.02), drop: share(0.1) });
    const { ids, asks } = await load(system);
    await system.advance(30_000);
    system.faults.clear();
    const ends = await system.run(Promise.all(asks), { withinMs: 30_000 });
    await system.advance(60_000);
    const wrong = ends.find((error) => error !== undefined);
    if (wrong !== undefined) throw wrong;
    if (system.lag > 0) throw new Error(`${system.lag} messages are not done`);
    const accounted = new Set([...observer.ids(), ...system.deadLetters.map(({ id }) => id)]);
    const lost = ids.filter((id) => !accounted.has(id));
    if (lost.length > 0) throw new Error(`${lost.length} acknowledged messages are lost`);
    if (observer.disorders().length > 0) throw new Error(`out of order: ${observer.disorders().join('; ')}`);
    if (observer.overlaps > 0)
      throw new Error(`${observer.overlaps} calls began while another was under way`);
  });
  t.pass(`${SEEDS} seeds`);
});
