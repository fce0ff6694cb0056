/**
 * An activation: the mailboxes of one actor, its state, and the one call of `receive` at a time that empties them.
 *
 * It promises single-threadedness (P2): only `run` begins calls, and none while another is under way, unless the type is
 * reentrant, and of durable messages not even then. As long as `receive` returns no promise, none is made here for volatile
 * messages: a batch costs a call.
 *
 * Modes:
 *   idle --message--> queued --scheduler--> running --returned--> idle, queued
 *   running --a promise--> suspended --settled--> idle, queued (a reentrant one is idle or queued meanwhile)
 *   queued, running --linger, limit, backoff--> waiting --over--> queued
 *   idle --put away--> passivating --state stored--> stopped, or queued again when messages came meanwhile
 *   any --stop--> stopped
 * Durable messages stand in a queue of their own (`durable-queue.ts`); durable and volatile batches take turns.
 * Bounds: `mailboxMax` for volatile messages, the dispatcher's credit for durable ones.
 */
import type { ActivationHost, ActivationMode, Failed, Wait } from './activation-host.js';
import { type Answerable, cycleOf, type Debtor } from './ask.js';
import { Calls } from './calls.js';
import type { ActivationContext, ContextOwner } from './context.js';
import { Debts } from './debts.js';
import type { DurableQueue } from './durable-queue.js';
import type { Entry } from './entry.js';
import { Expectations } from './expectations.js';
import type { Parcel, VolatileMessage } from './letter.js';
import { Mailbox } from './mailbox.js';
import type { Runnable } from './scheduler.js';
import type { Progress } from './snapshots.js';
import type { Faults } from './supervisor.js';
import { ActivationTimers } from './timers.js';

export class Activation implements Runnable, Debtor, ContextOwner {
  readonly host: ActivationHost<Activation>;
  readonly key: string;
  readonly mailbox: Mailbox;
  mode: ActivationMode = 'idle';
  state: unknown = undefined;
  /** What the state contains of the log, where there are snapshots; changes of the state, and up to which it is stored. */
  progress: Progress | undefined = undefined;
  changes = 0;
  stored = 0;
  /** Whether the state is there. */
  loaded = false;
  /** When it was last used: milliseconds, and the scheduler's turn; its neighbours by that, of the host alone. */
  usedAt = 0;
  turn = -1;
  older: Activation | undefined = undefined;
  newer: Activation | undefined = undefined;
  faults: Faults | undefined = undefined;
  durable: DurableQueue | undefined = undefined;
  readonly calls: Calls;
  readonly #expectations = new Expectations();
  #durableTurn = false;
  #durableCalls = 0;
  #timers: ActivationTimers | undefined;
  #lingered = false;
  #rests = false;
  #wait: Wait | undefined;
  #cancelWait: (() => void) | undefined;
  #owed: Debts<Answerable> | undefined;

  constructor(host: ActivationHost<Activation>, key: string) {
    this.host = host;
    this.key = key;
    this.mailbox = new Mailbox(host, key);
    this.calls = new Calls(this);
  }

  /** Takes a volatile message, a body or a `Parcel`. Returns what `ActorRef.tell` does. */
  tell(mail: unknown): Promise<void> | undefined {
    const wait = this.mailbox.push(mail);
    if (this.mode === 'idle') this.#schedule();
    else if (this.mode === 'waiting') this.#endLinger();
    return wait;
  }

  /** As `tell`, of what came from another thread, or was asked: it may have been sent before a move began. */
  admit(mail: unknown): Promise<void> | undefined {
    const wait = this.mailbox.admit(mail);
    this.wake();
    return wait;
  }

  /** Takes what was asked; refuses it when its asker waits, over others, for this activation. */
  asked(parcel: Parcel & { readonly ask: Answerable }): void {
    const cycle = cycleOf(parcel.ask.hops, this.calls.callId);
    if (cycle === undefined) void this.admit(parcel);
    else parcel.ask.reject(cycle);
  }

  /** Takes a message of the log. */
  push(entry: Entry): void {
    this.durable ??= this.host.durableQueue(this);
    this.durable.push(entry);
    this.wake();
  }

  /** There may be something to do again. */
  wake(): void {
    if (this.mode === 'idle') this.#after();
    else if (this.mode === 'waiting') this.#endLinger();
  }

  /** Whether the state has changed since it was stored. */
  get unsaved(): boolean {
    return this.changes !== this.stored;
  }

  /** Nothing waits, is under way or held: it may go. */
  get quiet(): boolean {
    return (
      this.mode === 'idle' && this.calls.count === 0 && !this.#hasWork() && (this.durable?.empty ?? true)
    );
  }

  /** Whether somebody waits for an answer that was not given yet. */
  get owesAnswers(): boolean {
    return this.#owed !== undefined && !this.#owed.none;
  }

  /** Resolves when what was queued is handled; what waits for a backoff or an outage is left. Undefined when nothing is queued. */
  drained(): Promise<void> | undefined {
    this.durable?.drain();
    this.#endLinger();
    if (!this.#busy()) return undefined;
    return this.#expectations.when(() => !this.#busy());
  }

  /** The same, whatever it waits for. */
  handled(): Promise<void> {
    return this.#expectations.when(() => this.quiet || this.mode === 'stopped');
  }

  /** Resolves when what waits now is handled. */
  caughtUp(): Promise<void> {
    const { pushed } = this.mailbox;
    return this.#expectations.when(
      () => this.mode === 'stopped' || (this.mailbox.taken >= pushed && this.calls.count === 0),
    );
  }

  /** Forgets its messages of a partition. Resolves when no call under way has any; when it is stopped, when none is under way. */
  async discard(partition: number): Promise<void> {
    await this.durable?.discard(partition);
    if (this.mode === 'stopped') await this.#expectations.when(() => this.calls.count === 0);
  }

  /** The activation ends, and what waits is refused. */
  stop(reason: Error): void {
    this.mode = 'stopped';
    this.#cancelWait?.();
    this.host.limiter?.leave(this);
    this.durable?.stop();
    this.endLife(reason);
    this.#timers?.end();
    this.calls.abort(reason);
    // Whoever still holds it, a call that outlives it say, fills no mailbox that nobody empties.
    this.mailbox.close(reason);
    this.mailbox.refuse(reason);
    this.#expectations.settle();
  }

  /**
   * State and timers end, and the answers that are owed are refused; what waits, or is to be tried again, stays for the next
   * life.
   */
  endLife(reason: Error): void {
    this.loaded = false;
    this.state = undefined;
    this.progress = undefined;
    this.stored = this.changes;
    this.#timers?.clear();
    if (this.#owed === undefined || this.#owed.none) return;
    const kept = this.mailbox.asksRetried();
    for (const ask of this.#owed) if (!kept.has(ask)) ask.reject(reason);
  }

  timersOf(): ActivationTimers {
    const { host, key } = this;
    this.#timers ??= new ActivationTimers(host.kernel.clock, (body) => void this.tell(host.mail(key, body)));
    if (this.mode === 'stopped') this.#timers.end();
    return this.#timers;
  }

  /** Nothing is handed out for `ms`, or until `resume`. */
  wait(why: Wait, ms: number | undefined): void {
    // Of a reentrant one, a call may fail while it rests already.
    if (this.#rests) return;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    if (why !== 'limit') this.host.limiter?.leave(this);
    this.mode = 'waiting';
    this.#wait = why;
    if (ms !== undefined) this.#cancelWait = this.host.kernel.clock.after(ms, () => this.resume());
  }

  /** Volatile messages are refused for `ms`, those that wait too. */
  rest(reason: Error, ms: number): void {
    this.mailbox.close(reason);
    this.mailbox.refuse(reason);
    this.wait('backoff', ms);
    this.#rests = true;
  }

  /** What it waited for is there. */
  resume(): void {
    if (this.mode !== 'waiting') return;
    if (this.#rests) this.mailbox.reopen();
    this.#rests = false;
    this.#cancelWait?.();
    this.#cancelWait = undefined;
    this.#wait = undefined;
    this.mode = 'idle';
    if (!this.#hasWork()) this.host.limiter?.leave(this);
    this.#after();
  }

  /** The state is there; a reentrant one need not wait for the first call any longer. */
  opened(): void {
    this.loaded = true;
    if (this.mode === 'suspended') this.#standAside();
  }

  owe(ask: Answerable): void {
    ask.debtor = this;
    this.#owed ??= new Debts();
    this.#owed.add(ask);
  }

  askOver(ask: Answerable): void {
    this.#owed?.remove(ask);
    if (ask.mode === 'abandoned') this.calls.abandoned();
  }

  /** Hands out one batch. Of the scheduler alone. */
  run(): void {
    if (this.mode !== 'queued') return;
    if (this.host.lingerMs > 0 && !this.#lingered && this.#lingers()) {
      this.#lingered = true;
      this.wait('linger', this.host.lingerMs);
      return;
    }
    this.#lingered = false;
    const durable = this.#durableCalls === 0 && this.durable?.ready ? this.durable : undefined;
    if (durable && (this.#durableTurn || this.mailbox.empty)) void this.#runDurable(durable);
    else this.#runVolatile();
  }

  #schedule(): void {
    this.mode = 'queued';
    this.host.scheduler.schedule(this);
  }

  #hasWork(): boolean {
    return !this.mailbox.empty || (this.durable?.ready === true && this.#durableCalls === 0);
  }

  /** Something will happen without a message, a backoff or an outage that ends. */
  #busy(): boolean {
    if (this.mode === 'stopped') return false;
    if (this.calls.count > 0 || this.mode === 'passivating') return true;
    return this.#hasWork() && this.#wait !== 'backoff';
  }

  #lingers(): boolean {
    const { mailbox, durable, host } = this;
    if (host.kernel.draining || mailbox.retrying || durable?.retrying) return false;
    return mailbox.length + (durable?.queued ?? 0) < host.batchMax;
  }

  #endLinger(): void {
    if (this.#wait === 'linger' && !this.#lingers()) this.resume();
  }

  #runVolatile(): void {
    const { host, mailbox } = this;
    const { volatileMax } = host;
    this.#durableTurn = true;
    const max = host.limiter === undefined ? volatileMax : this.#admitted(mailbox.wanted(volatileMax));
    if (max === undefined) return;
    const messages = mailbox.take(max, this);
    if (messages.length === 0) {
      this.mode = 'idle';
      this.#after();
      return;
    }
    const context = this.#begin(messages);
    let result: Promise<void> | void;
    try {
      result =
        this.loaded && !host.saves
          ? host.receive(messages, context)
          : host.loadAndReceive(messages, context, this);
    } catch (error) {
      this.#volatileEnded(context, messages, { error });
      return;
    }
    // A definition without types may return anything.
    if (typeof result?.then !== 'function') {
      this.#volatileEnded(context, messages, undefined);
      return;
    }
    this.#suspend(context);
    result.then(
      () => this.#volatileEnded(context, messages, undefined),
      (error: unknown) => this.#volatileEnded(context, messages, { error }),
    );
  }

  async #runDurable(durable: DurableQueue): Promise<void> {
    this.#durableTurn = false;
    const { host } = this;
    const max = host.limiter === undefined ? host.batchMax : this.#admitted(durable.wanted(host.batchMax));
    if (max === undefined) return;
    const batch = durable.take(max);
    if (batch.length === 0) {
      host.limiter?.release(this);
      this.mode = 'idle';
      this.#after();
      return;
    }
    const context = this.#begin([]);
    context.durable = batch;
    this.#durableCalls++;
    let failed: Failed | undefined;
    try {
      const result = host.receiveDurable(batch, context, this);
      this.#suspend(context);
      await result;
    } catch (error) {
      failed = { error };
    }
    this.#durableCalls--;
    this.#end(context);
    if (failed === undefined) {
      durable.succeeded(batch);
    } else {
      if (this.mode !== 'stopped') this.endLife(this.host.supervisor.restarted(this, failed.error));
      durable.failed(batch, failed.error);
    }
    this.#after();
  }

  /** How many of `wanted` messages the limits allow now; undefined: it waits, until they resume it. */
  #admitted(wanted: number): number | undefined {
    const { limiter } = this.host;
    // Nobody waits any more for what there was.
    if (wanted === 0) limiter?.leave(this);
    const max = wanted === 0 ? 0 : limiter?.admit(this, wanted);
    if (max !== 0 || wanted === 0) return max;
    this.#lingered = true;
    this.wait('limit', undefined);
    return undefined;
  }

  #begin(messages: readonly VolatileMessage[]): ActivationContext {
    this.mode = 'running';
    const context = this.calls.begin(messages, this.host.reentrant);
    this.host.kernel.running = context;
    return context;
  }

  #suspend(context: ActivationContext): void {
    this.host.kernel.running = undefined;
    if (this.mode === 'stopped') return;
    context.suspendedAt = this.host.kernel.clock.now();
    this.#standAside();
  }

  #standAside(): void {
    const { reentrant, callsMax } = this.host;
    this.mode = 'suspended';
    if (!reentrant || !this.loaded || this.calls.count >= callsMax) return;
    this.mode = 'idle';
    this.#after();
  }

  #end(context: ActivationContext): void {
    this.host.kernel.running = undefined;
    this.calls.end(context);
    if (this.host.limiter !== undefined) this.host.limiter.release(this);
    if (this.mode === 'running' || this.mode === 'suspended') this.mode = 'idle';
  }

  #volatileEnded(context: ActivationContext, messages: VolatileMessage[], failed: Failed | undefined): void {
    this.#end(context);
    if (failed !== undefined && this.mode !== 'stopped') {
      this.host.supervisor.failed(this, messages, failed.error);
    }
    this.#after();
  }

  /** After whatever happened: is there more to do? And who waits for this moment, as `caughtUp` does though there is always more? */
  #after(): void {
    const { host } = this;
    if (this.turn !== host.scheduler.turn) host.touch(this);
    if (this.mode === 'idle' && this.#hasWork()) this.#schedule();
    this.#expectations.settle();
  }
}
