/**
 * A whole actor system in one thread, for tests of actors: the real kernel and the real dispatcher, a log in memory, and time that
 * moves when the test says so.
 *
 * What is sent is handled by itself, in turns of the event loop; an `await` of an ask needs nothing more. Only time needs the
 * test: `advance`, `run`, and the waits of probes move it.
 */
import { type ActorDefinition, type ActorType, defineActor } from '../actor.js';
import type { ActorRef, DurableOptions } from '../actor-ref.js';
import { ActivationStoppedError, ThreadLostError } from '../errors.js';
import type { ActorEvent } from '../events.js';
import type { Transport } from '../kernel/kernel.js';
import { type Logger, silentLogger } from '../logger.js';
import { loadActor } from '../module.js';
import { DEFAULT_RETRY, type RetryPolicy } from '../retry.js';
import type { AnyDefinition, Around } from './around.js';
import { Driver } from './driver.js';
import { DurablePath, type TestDeadLetter } from './durable-path.js';
import { FaultPlan, type Faults } from './faults.js';
import { Lives } from './lives.js';
import { type Order, plainOrder, seededOrder } from './order.js';
import { Post } from './post.js';
import { Probe } from './probe.js';
import { MemoryReminders } from './reminders.js';
import { StallGuard } from './stall-guard.js';
import { TestKernel } from './test-kernel.js';
import { Trace } from './trace.js';
import { VirtualClock } from './virtual-clock.js';

export interface TestSystemOptions {
  /** Definitions, or URLs of modules that default-export one. */
  readonly actors: readonly (AnyDefinition | string | URL)[];
  /** Draws the order of things (`order.ts`); without it, first come, first served. */
  readonly seed?: number;
  /** By actor type, for its `open`. Handed over as they are, so that they may hold fakes. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Whether bodies and replies go by the codec, so that what cannot cross a thread fails. Default true. */
  readonly encode?: boolean;
  /** Around each call of an actor's `receive`. */
  readonly around?: Around;
  readonly retry?: RetryPolicy;
  /** Default 300,000. */
  readonly receiveMsMax?: number;
  /** The system's first moment, milliseconds since the epoch. Default: the start of 2026. */
  readonly now?: number;
  /** Of the actors. Default: silent. */
  readonly logger?: Logger;
  /** Real milliseconds after which an ask of the test, with nothing left to do but wait for time, is given up. Default 2,000. */
  readonly stallMsMax?: number;
}

const RECEIVE_MS_MAX = 300_000;
const STALL_MS_MAX = 2_000;
const EVENTS_MAX = 10_000;
const RUN_MS_MAX = 3_600_000;
const FIRST_MOMENT = Date.UTC(2026, 0, 1);
const LAST_LINES = 10;

export class TestSystem {
  readonly faults: Faults;
  readonly #faults: FaultPlan;
  readonly #order: Order;
  readonly #clock: VirtualClock;
  readonly #trace: Trace;
  readonly #driver: Driver;
  readonly #durable: DurablePath;
  readonly #lives: Lives;
  /** The test's side: it hosts nothing, and lives through crashes. */
  readonly #outside: TestKernel;
  readonly #guard: StallGuard;
  readonly #events: ActorEvent[] = [];
  readonly #failures: unknown[] = [];
  #stopped = false;

  /** @throws ActorModuleError, and what an actor's `open` throws */
  static async start(options: TestSystemOptions): Promise<TestSystem> {
    const system = new TestSystem(options);
    for (const actor of options.actors) {
      const given = typeof actor === 'string' || actor instanceof URL;
      const definition = given ? await loadActor(String(actor)) : defineActor(actor as ActorDefinition);
      const { around } = options;
      const faults: Around = (call, receive) => system.#faults.around(call, receive);
      system.#lives.add(definition, around === undefined ? [faults] : [around, faults]);
    }
    await system.#lives.openAll();
    return system;
  }

  private constructor(options: TestSystemOptions) {
    const { now = FIRST_MOMENT, encode = true, logger = silentLogger, settings = {} } = options;
    const { retry = DEFAULT_RETRY, receiveMsMax = RECEIVE_MS_MAX, stallMsMax = STALL_MS_MAX } = options;
    const order = options.seed === undefined ? plainOrder() : seededOrder(options.seed);
    const clock = new VirtualClock(now, order.choose);
    const trace = new Trace(() => clock.now() - now);
    const onEvent = (event: ActorEvent) => this.#record(event);
    const onFailure = (error: unknown) => void this.#failures.push(error);
    const crash = async () => {
      if (!this.#stopped)
        await this.#lives.crash(new ThreadLostError('the thread ended: a crash of the test'));
    };
    const faults = new FaultPlan({ random: order.random, crash, report: onFailure });
    const durable = new DurablePath({ clock, order, logger, trace, onEvent });
    const reminders = new MemoryReminders(clock, (address, body) => {
      durable.append(address, this.#outside.codec.pack(body), {}).catch(onFailure);
    });
    const post = new Post({
      ...{ encode, clock, order, faults, trace, onEvent },
      life: () => this.#lives.now,
      known: (type) => this.#lives.has(type),
      durable: {
        append: (address, payload, durableOptions) => durable.append(address, payload, durableOptions),
        reminders: (address) => reminders.of(address),
      },
    });
    const common = { clock, retry, receiveMsMax, logger, onEvent };
    this.faults = faults;
    this.#faults = faults;
    this.#order = order;
    this.#clock = clock;
    this.#trace = trace;
    this.#durable = durable;
    this.#lives = new Lives({
      ...common,
      ...{ order, strict: encode, onFailure, settings, trace, durable },
      transport: (life) => post.transport(life),
    });
    this.#guard = new StallGuard(stallMsMax, () => this.#progress());
    const transport = this.#guarded(post.transport(undefined));
    const { random } = order;
    this.#outside = new TestKernel({ ...common, random, waitingMax: 0, transport, id: 0 }, encode);
    this.#driver = this.#drive();
  }

  /** The system's time, milliseconds since the epoch. */
  get now(): number {
    return this.#clock.now();
  }

  /** What happened, the oldest first; of more than 10,000 events the last. */
  get events(): readonly ActorEvent[] {
    this.#lives.now.flushEvents();
    return this.#events;
  }

  /** Messages that were given up and not replayed. */
  get deadLetters(): readonly TestDeadLetter[] {
    return this.#durable.deadLetters;
  }

  /** Durable messages that are not done. */
  get lag(): number {
    return this.#durable.lag;
  }

  /** Who got what, a line each; the last thousand. */
  get trace(): readonly string[] {
    return this.#trace.lines;
  }

  /** Returns [0, 1), drawn by the seed: for choices of the scenario. */
  get random(): () => number {
    return this.#order.random;
  }

  ref<Body>(actor: ActorType<Body>, key: string): ActorRef<Body> {
    return this.#outside.ref(typeof actor === 'string' ? actor : actor.type, key) as ActorRef<Body>;
  }

  /** Puts bytes on the log as an endpoint does, for actors that read `payload`. Resolves with the message's id. */
  append<Body>(
    actor: ActorType<Body>,
    key: string,
    payload: Uint8Array | string,
    options: DurableOptions = {},
  ): Promise<string> {
    const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
    const type = typeof actor === 'string' ? actor : actor.type;
    return this.#durable.append({ type, key }, bytes, options);
  }

  /** Puts a dead letter's message on the log again. @throws RangeError when there is none of that id */
  async replay(id: string): Promise<void> {
    await this.#durable.replay(id);
  }

  /**
   * An actor of that type that records what it gets. A type that is there already cannot be one: start the system without it.
   * @throws ActorModuleError
   */
  probe<Body = unknown>(actor: ActorType<Body>): Probe<Body> {
    const probe = new Probe<Body>(typeof actor === 'string' ? actor : actor.type, {
      pass: (ms, condition) => this.#driver.pass(ms, condition),
      ref: (type, key) => this.ref(type, key),
    });
    this.#lives.add(probe.definition(), []);
    void this.#lives.open(probe.type);
    return probe;
  }

  /** Moves time on by `ms`, and handles everything that comes due on the way. @throws UnsettledError */
  async advance(ms: number): Promise<void> {
    if (!Number.isInteger(ms) || ms < 0) throw new RangeError(`time does not move by ${ms} ms`);
    await this.#driver.pass(ms, () => false);
  }

  /** Resolves when nothing is ready but by time or by what is outside. @throws UnsettledError after `turnsMax` turns, default 100,000 */
  async settle({ turnsMax }: { readonly turnsMax?: number } = {}): Promise<void> {
    await this.#driver.settle(turnsMax);
  }

  /**
   * Moves time on, from alarm to alarm, until `promise` is settled: for an ask whose reply takes time.
   * @throws what the promise is rejected with, or an error when it is not settled in `withinMs` of the system's time, default an hour
   */
  async run<Value>(promise: Promise<Value>, { withinMs = RUN_MS_MAX } = {}): Promise<Value> {
    return this.#driver.run(promise, withinMs);
  }

  /**
   * Ends the system, and closes its actors. Nothing is drained.
   * @param quiet asks of the test that are under way are left as they are, not rejected
   */
  async stop({ quiet = false } = {}): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#guard.stop();
    const life = this.#lives.now;
    const hosts = [...life.hosts];
    life.end(quiet ? undefined : new ActivationStoppedError('the test system was stopped'));
    this.#outside.deadlines.clear();
    await this.#durable.close();
    for (const host of hosts) await host.close();
  }

  #drive(): Driver {
    const self = this;
    return new Driver(this.#clock, this.#order, {
      get busy() {
        return self.#lives.now.kernel.scheduler.length > 0 || self.#durable.busy || self.#lives.opening;
      },
      get stopped() {
        return self.#stopped;
      },
      settled() {
        self.#lives.now.flushEvents();
        const failure = self.#failures.shift();
        if (failure !== undefined) throw failure;
      },
      async giveUp() {
        const last = self.#trace.lines.slice(-LAST_LINES).join('\n');
        await self.stop();
        return last;
      },
    });
  }

  /** Something that changes when anything happens. */
  #progress(): string {
    const { kernel, suspended, asks } = this.#lives.now;
    // A call that waits, and not for an ask, waits for something outside of this system.
    if (suspended && asks.size === 0) return String(Math.random());
    return `${this.#lives.count} ${kernel.scheduler.turn} ${this.#clock.now()}`;
  }

  #guarded(transport: Transport): Transport {
    return {
      ...transport,
      ask: (address, body, traceparent, ask) => {
        this.#guard.watch(ask, `${address.type}/${address.key}`);
        transport.ask(address, body, traceparent, ask);
      },
    };
  }

  #record(event: ActorEvent): void {
    this.#events.push(event);
    if (this.#events.length > EVENTS_MAX) this.#events.shift();
  }
}
