/** The lives of a test system's one thread: each opens all of its actors, and ends by a crash or by the end of the system. */
import type { ActorDefinition } from '../actor.js';
import { ActorModuleError, ReceiveTimeoutError, ThreadLostError } from '../errors.js';
import type { ActorEvent } from '../events.js';
import { asError, causeOf } from '../failure.js';
import type { Transport } from '../kernel/kernel.js';
import { type Around, withAround } from './around.js';
import type { DurablePath } from './durable-path.js';
import { Life, type LifeOptions } from './life.js';
import type { Trace } from './trace.js';

type EachLife = Omit<LifeOptions, 'number'>;

export interface LivesOptions extends EachLife {
  /** By actor type. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly trace: Trace;
  readonly durable: DurablePath;
  readonly transport: (life: Life) => Transport;
  readonly onEvent: (event: ActorEvent) => void;
}

export class Lives {
  readonly #options: LivesOptions;
  readonly #definitions = new Map<string, ActorDefinition>();
  #count = 0;
  #life: Life;
  #opening = 0;

  constructor(options: LivesOptions) {
    this.#options = options;
    this.#life = this.#begin();
  }

  /** The life of now. */
  get now(): Life {
    return this.#life;
  }

  get count(): number {
    return this.#count;
  }

  get opening(): boolean {
    return this.#opening > 0;
  }

  /** Whether there is such an actor, open or not. */
  has(type: string): boolean {
    return this.#definitions.has(type);
  }

  /** @throws ActorModuleError */
  add(definition: ActorDefinition, arounds: readonly Around[]): void {
    const { type } = definition;
    if (this.has(type)) throw new ActorModuleError(`actor ${type} is registered twice`);
    const traced: Around = ({ messages }, receive) => {
      this.#options.trace.received(type, messages);
      return receive();
    };
    this.#definitions.set(type, withAround(definition, [traced, ...arounds]));
    this.#options.durable.add(definition);
  }

  async openAll(): Promise<void> {
    this.#opening++;
    try {
      await Promise.all(Array.from(this.#definitions.keys(), (type) => this.open(type)));
    } finally {
      this.#opening--;
    }
  }

  /** Opens an actor in the life of now; at once, when its `open` is no promise. */
  open(type: string): Promise<void> | undefined {
    const life = this.#life;
    const { durable, settings, onEvent } = this.#options;
    const definition = this.#definitions.get(type) as ActorDefinition;
    const outcome = durable.outcome(type, () => life.over);
    const opened = life.open(definition, settings[type], outcome);
    const ready = () => {
      if (life.over) return;
      durable.attach(type, life);
      onEvent({ kind: 'thread-started', actor: type, thread: 0 });
    };
    if (opened !== undefined) return opened.then(ready);
    ready();
    return undefined;
  }

  /** The life of now ends, with all that it holds, and the next begins. */
  async crash(error: ThreadLostError): Promise<void> {
    const { trace, durable, onEvent } = this.#options;
    trace.add(error.message);
    this.#life.end(error);
    durable.detach();
    const cause = causeOf(asError(error.cause ?? error));
    for (const actor of this.#definitions.keys()) onEvent({ kind: 'thread-lost', actor, thread: 0, cause });
    this.#life = this.#begin();
    await this.openAll();
  }

  #begin(): Life {
    const { receiveMsMax, onFailure, transport } = this.#options;
    const life = new Life({ ...this.#options, number: ++this.#count }, transport);
    life.startSweeps((type) => {
      const hung = new ReceiveTimeoutError(`receive of actor ${type} did not return in ${receiveMsMax} ms`);
      const lost = new ThreadLostError(`the thread ended: ${hung.message}`, { cause: hung });
      this.crash(lost).catch(onFailure);
    });
    return life;
  }
}
