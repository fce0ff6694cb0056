/**
 * Faults on purpose, each in the place where the real one would be: an error is thrown in place of `receive`, a volatile message
 * is lost on its way, a reply comes late, a thread ends before a call or after it.
 *
 * A fault that is meant for a message of a batch fails the batch, as any poison message does; it is spent when the message was
 * tried alone. A fault without a key is for any key.
 */
import type { ActorType } from '../actor.js';
import { OutageError } from '../errors.js';
import type { Call } from './around.js';

export class InjectedOutageError extends OutageError {
  readonly code = 'INJECTED_OUTAGE';
}

export interface FaultTarget {
  readonly key?: string;
}

export interface FailOptions extends FaultTarget {
  /** Default: a plain `Error`, which the runtime tries again. */
  readonly error?: Error;
}

/** Shares of 0 to 1: how likely it is, each time. */
export interface Chances {
  /** Of a call, to throw. */
  readonly fail?: number;
  /** Of a volatile message, to be lost. */
  readonly drop?: number;
  /** Of a call, that the thread ends before it or after it. */
  readonly crash?: number;
}

interface Rule {
  readonly actor: string;
  readonly key: string | undefined;
  left: number;
}

interface FailRule extends Rule {
  readonly error: Error;
}

interface CrashRule extends Rule {
  readonly when: 'before' | 'after';
}

export interface FaultHost {
  readonly random: () => number;
  /** The thread ends. */
  crash(): Promise<void>;
  /** Failures of what nobody waits for. */
  report(error: unknown): void;
}

const nameOf = (actor: ActorType) => (typeof actor === 'string' ? actor : actor.type);

/** What a test sees of them. */
export type Faults = Omit<FaultPlan, 'around' | 'drops' | 'replyDelayMs'>;

export class FaultPlan {
  readonly #host: FaultHost;
  readonly #fails: FailRule[] = [];
  readonly #crashes: CrashRule[] = [];
  readonly #drops: Rule[] = [];
  readonly #outages = new Map<string, InjectedOutageError>();
  readonly #delays = new Map<string, { readonly msMin: number; readonly msMax: number }>();
  #chances: Required<Chances> = { fail: 0, drop: 0, crash: 0 };

  constructor(host: FaultHost) {
    this.#host = host;
  }

  /** The actor's next message fails. */
  failNext(actor: ActorType, options: FailOptions = {}): void {
    this.failTimes(actor, 1, options);
  }

  /** So many deliveries of messages alone fail: with `times` at the retry budget, a durable one becomes a dead letter. */
  failTimes(actor: ActorType, times: number, { key, error }: FailOptions = {}): void {
    const name = nameOf(actor);
    this.#fails.push({
      actor: name,
      key,
      left: times,
      error: error ?? new Error(`a fault of the test in ${name}`),
    });
  }

  /** What the actor depends on is away until `restore`: each call throws an `OutageError`. */
  outage(actor: ActorType): void {
    const name = nameOf(actor);
    this.#outages.set(name, new InjectedOutageError(`what ${name} depends on is away, in this test`));
  }

  restore(actor: ActorType): void {
    this.#outages.delete(nameOf(actor));
  }

  /**
   * The thread ends, with every activation and every volatile message; who asked from outside meets a `ThreadLostError`, and what
   * is not done of the log is delivered again. `close` is not called. Resolves when the actors are open again.
   */
  crash(): Promise<void> {
    return this.#host.crash();
  }

  /**
   * The thread ends at the actor's next call: before `receive` begins, or after it returned and before anybody knows. The
   * latter shows whether an effect bears being repeated.
   */
  crashNext(actor: ActorType, when: 'before' | 'after', { key }: FaultTarget = {}): void {
    this.#crashes.push({ actor: nameOf(actor), key, left: 1, when });
  }

  /** Of the volatile messages to the actor, the next `times` are lost; who asked waits in vain. */
  dropNext(actor: ActorType, { key, times = 1 }: FaultTarget & { readonly times?: number } = {}): void {
    this.#drops.push({ actor: nameOf(actor), key, left: times });
  }

  /** From now on replies of the actor take `msMin` to `msMax` milliseconds; 0 for none. */
  delayReplies(actor: ActorType, msMin: number, msMax = msMin): void {
    this.#delays.set(nameOf(actor), { msMin, msMax });
  }

  /** From now on faults come by chance, drawn by the seed. Calls of probes are spared. */
  chance(chances: Chances): void {
    this.#chances = { fail: 0, drop: 0, crash: 0, ...chances };
  }

  /** No more of any. */
  clear(): void {
    this.#fails.length = 0;
    this.#crashes.length = 0;
    this.#drops.length = 0;
    this.#outages.clear();
    this.#delays.clear();
    this.chance({});
  }

  /** How long a reply takes now. */
  replyDelayMs(actor: string): number {
    const delay = this.#delays.get(actor);
    return delay === undefined ? 0 : delay.msMin + (delay.msMax - delay.msMin) * this.#host.random();
  }

  /** Whether this message is lost. */
  drops(actor: string, key: string): boolean {
    return spend(this.#drops, actor, [key]) !== undefined || this.#happens('drop');
  }

  /** The faults of a call. */
  around({ actor, messages }: Call, receive: () => Promise<void> | void): Promise<void> | void {
    const outage = this.#outages.get(actor);
    if (outage !== undefined) throw outage;
    const keys = messages.map(({ key }) => key);
    const alone = messages.length === 1;
    const fault = alone ? spend(this.#fails, actor, keys) : find(this.#fails, actor, keys);
    if (fault !== undefined) throw fault.error;
    if (this.#happens('fail')) throw new Error(`a fault by chance in ${actor}`);
    const crash =
      spend(this.#crashes, actor, keys)?.when ??
      (this.#happens('crash') ? (this.#host.random() < 0.5 ? 'before' : 'after') : undefined);
    if (crash === undefined) return receive();
    return crash === 'before' ? this.#end() : this.#endAfter(receive);
  }

  /** A call whose thread has ended never returns. */
  #end(): Promise<never> {
    this.#host.crash().catch((error: unknown) => this.#host.report(error));
    return new Promise(() => {});
  }

  async #endAfter(receive: () => Promise<void> | void): Promise<void> {
    await receive();
    await this.#end();
  }

  #happens(what: keyof Chances): boolean {
    const chance = this.#chances[what];
    return chance > 0 && this.#host.random() < chance;
  }
}

function find<R extends Rule>(rules: readonly R[], actor: string, keys: readonly string[]): R | undefined {
  return rules.find((rule) => rule.actor === actor && (rule.key === undefined || keys.includes(rule.key)));
}

function spend<R extends Rule>(rules: R[], actor: string, keys: readonly string[]): R | undefined {
  const rule = find(rules, actor, keys);
  if (rule !== undefined && --rule.left === 0) rules.splice(rules.indexOf(rule), 1);
  return rule;
}
