/**
 * A model of the world around a dispatcher, for random tests: threads that finish messages, give them up, end and come back, and
 * a pool that is resized and paused. It knows what may be sent where, and throws at the first message that breaks a promise:
 * - a message is sent once, and again only after a loss of the thread that had it
 * - messages of one partition are never in two threads at once, and reach a thread in order
 * - no more is sent to a thread than it may have at a time
 * - a message begins when every earlier one of its key is done or given up
 * - a partition is not sent to anybody while its release is under way
 * - what is committed is done
 * - nothing of a partition is sent while it is another process's; given up, all that was sent is committed and in no thread; dropped, none
 */
import { placement } from '../pool/placement.js';
import { dispatch, letterOf, type Sent, turn } from './dispatch.js';
import type { Step, World } from './dispatch-steps.js';
import { until } from './until.js';

const MOVE_MS_MAX = 1_000;

export class DispatchModel {
  readonly #world: World;
  readonly #it: ReturnType<typeof dispatch>;
  readonly #up = new Set<number>();
  readonly #releasing = new Set<number>();
  /** Partitions of another process, and where they were committed then. */
  readonly #absent = new Map<number, number>();
  readonly #givingUp = new Map<number, Promise<void>>();
  /** Of these a thread was lost that had some. */
  readonly #lossy = new Set<number>();
  /** What a thread has of a partition that was dropped. */
  readonly #old = new WeakSet<Sent>();
  /** Ids by what became of them. */
  readonly #settled = new Set<string>();
  readonly #overtaken = new Set<string>();
  /** Ids of each key in order; how often each was appended, and may be sent. */
  readonly #keys = new Map<string, string[]>();
  readonly #sends = new Map<string, number>();
  #threads: number[];
  #resizing: Promise<void> = Promise.resolve();
  #resizes = 0;
  #appended = 0;
  #inFlightMax = Number.POSITIVE_INFINITY;
  #released = 0;
  readonly #moves: Promise<unknown>[] = [];
  readonly #problems: string[] = [];

  constructor(world: World) {
    this.#world = world;
    this.#threads = Array.from({ length: world.threads }, (_, thread) => thread);
    this.#it = dispatch(world.partitions, world.threads, {
      storing: async () => void (await turn()),
      onSent: (thread, sent) => this.#sent(thread, sent),
      release: (partition, from, _to, signal) => this.#release(partition, from, signal),
      discard: (partition, thread) => this.#discard(partition, thread),
    });
    for (const partition of this.#it.opened) partition.promiseEvery = world.promiseEvery;
    for (const thread of this.#threads) this.#attach(thread);
  }

  async take(step: Step): Promise<void> {
    const { dispatcher, clock } = this.#it;
    switch (step.do) {
      case 'append':
        this.#append(step.partition % this.#world.partitions, step.key);
        break;
      case 'finish':
      case 'giveUp':
        this.#begin(this.#thread(step.thread), step.pick, step.do);
        break;
      case 'lose':
        this.#lose(this.#thread(step.thread), step.handled);
        break;
      case 'attach':
        this.#attach(this.#thread(step.thread));
        break;
      case 'move':
        this.#move(step.partition % this.#world.partitions, this.#thread(step.thread));
        break;
      case 'adopt':
        this.#adopt(step.partition % this.#world.partitions);
        break;
      case 'give up':
        this.#giveUp(step.partition % this.#world.partitions);
        break;
      case 'drop':
        this.#drop(step.partition % this.#world.partitions);
        break;
      case 'resize':
        if (this.#resizes++ < 5) this.#resizing = this.#resizing.then(() => this.#resize(step.threads));
        break;
      case 'pause':
      case 'resume':
        dispatcher[step.do]();
        break;
      case 'widen':
        this.#inFlightMax = step.messages;
        dispatcher.inFlightMax = step.messages;
        break;
      case 'turn':
        await turn();
        break;
      case 'pass':
        clock.advance(step.ms);
    }
    this.#check();
  }

  /** Lets everything come to its end, and looks whether that is what it should be. */
  async end(): Promise<void> {
    const { dispatcher, clock, inbox, log, stored } = this.#it;
    dispatcher.resume();
    let over = false;
    // One after the other: what failed in the middle of the moves is dropped, and adopted again.
    const moved = this.#resizing.then(() => Promise.all(this.#moves)).then(() => (over = true));
    await until('all is handled', async () => {
      for (const thread of this.#threads) this.#attach(thread);
      await turn();
      clock.advance(100);
      for (const partition of this.#absent.keys()) this.#adopt(partition);
      for (const thread of this.#threads) while (this.#begin(thread, 0, 'finish'));
      this.#check();
      return log.lag() === 0 && over && this.#absent.size === 0;
    });
    await moved;
    const dead = new Set(stored.map(({ envelope }) => envelope.id));
    for (const id of this.#overtaken) if (!dead.has(id)) throw new Error(`${id} was overtaken`);
    if (this.#settled.size + this.#buried(dead) !== this.#appended) throw new Error('messages are lost');
    if (dispatcher.inFlight !== 0) throw new Error(`${dispatcher.inFlight} in flight at the end`);
    if (inbox.some((queue) => queue.length > 0)) throw new Error('messages are left in a thread');
    if (clock.pending !== 0) throw new Error('timers are left');
  }

  #buried(dead: ReadonlySet<string>): number {
    return [...dead].filter((id) => !this.#settled.has(id)).length;
  }

  #thread(pick: number): number {
    return this.#threads[pick % this.#threads.length] as number;
  }

  #inbox(thread: number): Sent[] {
    this.#it.inbox[thread] ??= [];
    return this.#it.inbox[thread];
  }

  #append(partition: number, key: number): void {
    const id = `${partition}-${key}-${this.#appended++}`;
    const name = `${partition}-${key}`;
    this.#keys.set(name, [...(this.#keys.get(name) ?? []), id]);
    this.#sends.set(id, 1);
    this.#it.append(partition, id).catch((error: unknown) => {
      throw error;
    });
  }

  #sent(thread: number, { partition, offset, id }: Sent): void {
    if (!this.#up.has(thread)) this.#fail(`${id} was sent to thread ${thread}, which is not there`);
    if (this.#settled.has(id)) this.#fail(`${id} was sent though it is done`);
    if (this.#overtaken.has(id)) this.#fail(`${id} was sent after a later one of its key`);
    if (this.#absent.has(partition)) this.#fail(`${id} was sent, of a partition of another process`);
    if (this.#givingUp.has(partition)) this.#fail(`${id} was sent while its partition is given up`);
    if (this.#releasing.has(partition)) this.#fail(`${id} was sent while its partition is released`);
    const sends = (this.#sends.get(id) ?? 0) - 1;
    if (sends < 0) this.#fail(`${id} was sent again without a loss`);
    this.#sends.set(id, sends);
    if (this.#inbox(thread).length >= this.#inFlightMax)
      this.#fail(`${id} is more than thread ${thread} may have`);
    for (const [other, queue] of this.#it.inbox.entries()) {
      const last = queue?.findLast((sent) => sent.partition === partition);
      if (last === undefined) continue;
      if (other !== thread) this.#fail(`partition ${partition} is in threads ${other} and ${thread}`);
      if (last.offset >= offset) this.#fail(`${id} was sent after offset ${last.offset}`);
    }
  }

  /** The thread handles the first message of one of its keys. */
  #begin(thread: number, pick: number, how: 'finish' | 'giveUp'): boolean {
    const queue = this.#inbox(thread);
    const picked = queue[pick % Math.max(1, queue.length)];
    if (picked === undefined) return false;
    const name = keyOf(picked.id);
    const at = queue.findIndex(({ id }) => keyOf(id) === name);
    const [sent] = queue.splice(at, 1) as [Sent];
    if (!this.#old.has(sent)) {
      this.#handle(sent.id);
      this.#settled.add(sent.id);
    }
    if (how === 'finish') this.#it.answer(thread, [sent]);
    else this.#it.dispatcher.gaveUp(thread, letterOf(sent));
    return true;
  }

  /** An effect takes place: the earlier ones of the key must be over. One that is nowhere was given up by the dispatcher. */
  #handle(id: string, unsaid: ReadonlySet<string> = new Set()): void {
    for (const earlier of this.#keys.get(keyOf(id)) ?? []) {
      if (earlier === id) return;
      if (this.#settled.has(earlier) || this.#overtaken.has(earlier) || unsaid.has(earlier)) continue;
      if (this.#it.inbox.some((queue) => queue?.some((sent) => sent.id === earlier))) {
        this.#fail(`${id} was handled while ${earlier} is in a thread`);
      }
      this.#overtaken.add(earlier);
    }
  }

  /** A thread ends. It has handled some of what it has, in order, and said nothing of it. */
  #lose(thread: number, handled: number): void {
    const queue = this.#inbox(thread).splice(0);
    const unsaid = new Set<string>();
    for (const sent of queue.slice(0, handled)) {
      if (this.#old.has(sent)) continue;
      const { id } = sent;
      this.#handle(id, unsaid);
      unsaid.add(id);
    }
    for (const { id, partition } of queue) {
      this.#sends.set(id, 1);
      this.#lossy.add(partition);
    }
    this.#up.delete(thread);
    this.#it.dispatcher.suspend(thread);
    this.#it.dispatcher.detach(thread);
  }

  #attach(thread: number): void {
    if (this.#up.has(thread)) return;
    this.#up.add(thread);
    this.#it.dispatcher.attach(thread);
  }

  #move(partition: number, thread: number): Promise<void> {
    const move = this.#it.dispatcher.move(partition, thread, MOVE_MS_MAX).catch(onlyMoveErrors);
    this.#moves.push(move);
    return move;
  }

  #adopt(partition: number): void {
    const committed = this.#absent.get(partition);
    if (committed === undefined) return;
    if (this.#it.opened[partition]?.committed !== committed) this.#fail(`${partition} was committed to`);
    this.#absent.delete(partition);
    this.#lossy.delete(partition);
    this.#it.dispatcher.adopt(partition, 1);
  }

  #giveUp(partition: number): void {
    if (this.#absent.has(partition) || this.#givingUp.has(partition)) return;
    const { dispatcher, inbox, opened } = this.#it;
    const given = dispatcher.giveUp(partition, MOVE_MS_MAX);
    this.#givingUp.set(partition, given);
    const left = given.then(
      () => {
        // It may have been dropped, and be ours anew, before we hear of it.
        if (this.#givingUp.get(partition) !== given) return;
        if (
          inbox.some((queue) => queue?.some((sent) => sent.partition === partition && !this.#old.has(sent)))
        )
          this.#fail(`partition ${partition} was given up while a thread has some of it`);
        const committed = opened[partition]?.committed ?? 0;
        if (
          !this.#lossy.has(partition) &&
          this.#ids(partition)
            .slice(committed)
            .some((id) => this.#settled.has(id))
        )
          this.#fail(`partition ${partition} was given up, and what is done is not committed`);
        this.#leave(partition);
      },
      (error: unknown) => {
        onlyMoveErrors(error);
        if (this.#givingUp.get(partition) === given) this.#drop(partition);
      },
    );
    this.#moves.push(left);
  }

  #drop(partition: number): void {
    if (this.#absent.has(partition)) return;
    for (const queue of this.#it.inbox) {
      for (const sent of queue ?? []) if (sent.partition === partition) this.#old.add(sent);
    }
    this.#leave(partition);
    this.#it.dispatcher.drop(partition);
  }

  /** Whoever reads it next begins at what is committed. */
  #leave(partition: number): void {
    this.#givingUp.delete(partition);
    const committed = this.#it.opened[partition]?.committed ?? 0;
    this.#absent.set(partition, committed);
    for (const id of this.#ids(partition).slice(committed)) {
      this.#settled.delete(id);
      this.#overtaken.delete(id);
      this.#sends.set(id, 1);
    }
  }

  /** The thread lets go, sooner or later; until then it goes on with what it has. */
  async #discard(partition: number, thread: number): Promise<void> {
    for (let turns = this.#released++ % 4; turns > 0; turns--) await turn();
    const queue = this.#inbox(thread);
    const gone = queue.filter((sent) => this.#old.has(sent) && sent.partition === partition);
    this.#it.inbox[thread] = queue.filter((sent) => !gone.includes(sent));
    const bytes = gone.reduce((sum, sent) => sum + sent.bytes, 0);
    if (gone.length > 0)
      this.#it.dispatcher.forgotten(thread, { type: 'forgotten', messages: gone.length, bytes });
  }

  /** In the order of their offsets. */
  #ids(partition: number): string[] {
    return [...this.#sends.keys()].filter((id) => id.startsWith(`${partition}-`));
  }

  /** As a pool does: more threads first, then moves, then fewer threads; those that do not get rid of their partitions stay. */
  async #resize(count: number): Promise<void> {
    const { dispatcher } = this.#it;
    for (let thread = 0; this.#threads.length < count; thread++) {
      if (this.#threads.includes(thread)) continue;
      dispatcher.addThread(thread);
      this.#threads = [...this.#threads, thread];
    }
    const kept = this.#threads.slice(-count);
    const owners = dispatcher.owners;
    const wanted = placement(
      owners.map((owner) => owner ?? -1),
      kept,
    );
    await Promise.all(
      wanted.map(
        (thread, partition) =>
          thread !== owners[partition] && owners[partition] !== undefined && this.#move(partition, thread),
      ),
    );
    for (const thread of this.#threads.filter((thread) => !kept.includes(thread))) {
      // It has ended by then, with what it still had of partitions that were dropped.
      const had = this.#inbox(thread).splice(0);
      try {
        dispatcher.removeThread(thread);
      } catch {
        // A move was cancelled, or a random one came between.
        this.#inbox(thread).push(...had);
        continue;
      }
      this.#threads = this.#threads.filter((other) => other !== thread);
      this.#up.delete(thread);
    }
  }

  async #release(partition: number, from: number, signal: AbortSignal): Promise<void> {
    const { releases } = this.#world;
    const how = releases[this.#released++ % releases.length];
    if (!this.#up.has(from)) this.#fail(`thread ${from} is asked to release and is not there`);
    if (this.#inbox(from).some((sent) => sent.partition === partition)) {
      this.#fail(`partition ${partition} is released while thread ${from} has messages of it`);
    }
    if (how === 'hangs') return new Promise(() => {});
    if (how === 'at once') return;
    this.#releasing.add(partition);
    // It ends without us: the deadline came, or the thread is lost.
    signal.addEventListener('abort', () => this.#releasing.delete(partition));
    await turn();
    this.#releasing.delete(partition);
    if (how === 'fails') throw new Error('told to fail');
  }

  /** What calls the model may swallow an error: it is kept, and thrown after the step. */
  #fail(problem: string): void {
    this.#problems.push(problem);
  }

  #check(): void {
    if (this.#problems.length > 0) throw new Error(this.#problems.join('; '));
    const { opened, dispatcher, inbox, stored } = this.#it;
    const dead = new Set(stored.map(({ envelope }) => envelope.id));
    const held = inbox.reduce((sum, queue) => sum + (queue?.length ?? 0), 0);
    if (dispatcher.inFlight < held) throw new Error(`${held} in threads, ${dispatcher.inFlight} in flight`);
    for (const { index, committed } of opened) {
      for (const id of this.#ids(index).slice(0, committed)) {
        if (!this.#settled.has(id) && !dead.has(id)) throw new Error(`${id} is committed and not done`);
      }
    }
  }
}

const keyOf = (id: string) => id.slice(0, id.lastIndexOf('-'));

function onlyMoveErrors(error: unknown): void {
  const code = (error as { readonly code?: unknown }).code;
  if (code !== 'TETHER_MOVE_TIMEOUT' && code !== 'TETHER_MOVE_CANCELLED') throw error;
}
