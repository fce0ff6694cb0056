/** Agents around one store of leases, on virtual time: what each does with each partition, and a store that is slow, silent or away. */
import type { Clock } from '../../clock.js';
import { silentLogger } from '../../logger.js';
import { VirtualClock } from '../../testing/virtual-clock.js';
import { ClusterAgent, type LeaseStore, type PartitionWork } from '../agent.js';
import type { Announcement } from '../membership.js';
import type { ClusterPolicy } from '../policy.js';

export interface WorldOptions {
  readonly partitions: number;
  /** From 0 to 1. */
  readonly random?: () => number;
}

/** How the store is to one node. */
export interface Line {
  /** Of a request and of its answer, each; milliseconds. */
  delayMs: () => number;
  /** What becomes of one request: it is lost, or its answer is. Either way it fails after `failMs`. */
  fate: () => 'answered' | 'request-lost' | 'answer-lost';
  failMs: number;
  /** For a claim; milliseconds, or a failure. */
  claim: () => number | Error;
  /** Until what was begun has ended. */
  drain: () => number | Error;
}

export interface WorldNode {
  readonly name: string;
  readonly agent: ClusterAgent;
  readonly line: Line;
  /** Partitions that are worked on. */
  readonly works: Set<number>;
  readonly done: string[];
  /** Nothing that it waits for comes any more. */
  kill(): void;
}

export class LeaseWorld {
  readonly clock: VirtualClock;
  readonly nodes: WorldNode[] = [];
  readonly partitions: number;
  readonly #holders = new Map<number, { readonly holder: string; readonly until: number }>();
  readonly #said = new Map<string, Announcement>();
  readonly #listeners: ((index: number) => void)[] = [];
  readonly #epochs = new Map<number, number>();
  /** Two nodes that worked on one partition at a time. */
  readonly clashes: string[] = [];
  drainedAtOnceMost = 0;
  #drained = 0;

  constructor({ partitions, random = () => 0 }: WorldOptions) {
    this.partitions = partitions;
    this.clock = new VirtualClock(0, (length) => Math.floor(random() * length));
  }

  /** @param rate how fast its clock goes, compared with that of the store */
  join(name: string, policy: Partial<ClusterPolicy> = {}, rate = 1): WorldNode {
    let alive = true;
    const origin = 1_000_000 * this.nodes.length;
    const clock: Clock = {
      now: () => origin + this.clock.now() * rate,
      after: (ms, action) => this.clock.after(ms / rate, () => alive && action()),
    };
    const line: Line = {
      delayMs: () => 1,
      fate: () => 'answered',
      failMs: 500,
      claim: () => 5,
      drain: () => 10,
    };
    const works = new Set<number>();
    const done: string[] = [];
    const node: WorldNode = {
      name,
      line,
      works,
      done,
      agent: new ClusterAgent({
        node: name,
        incarnation: '1',
        partitions: this.partitions,
        leases: this.#store(name, line, () => alive),
        work: this.#work(name, line, works, done),
        clock,
        logger: silentLogger,
        policy,
      }),
      kill: () => {
        alive = false;
        works.clear();
      },
    };
    this.nodes.push(node);
    node.agent.start();
    return node;
  }

  /** Lets time pass; what is waited for is handled between any two alarms. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    await settled();
    for (let at = this.clock.nextAt; at !== undefined && at <= until; at = this.clock.nextAt) {
      this.clock.ring();
      await settled();
    }
    this.clock.moveTo(until);
  }

  /** How long until `condition` holds; milliseconds. @throws Error after `msMax` */
  async passUntil(what: string, condition: () => boolean, msMax = 20_000): Promise<number> {
    const since = this.clock.now();
    while (!condition()) {
      if (this.clock.now() - since >= msMax) throw new Error(`after ${msMax} ms: not ${what}`);
      await this.pass(10);
    }
    return this.clock.now() - since;
  }

  /** Every partition is worked on, by one node. */
  get isComplete(): boolean {
    const all = this.nodes.flatMap(({ works }) => [...works]);
    return all.length === this.partitions && new Set(all).size === this.partitions;
  }

  holder(index: number): string | undefined {
    const held = this.#holders.get(index);
    return held !== undefined && held.until > this.clock.now() ? held.holder : undefined;
  }

  #work(name: string, line: Line, works: Set<number>, done: string[]): PartitionWork {
    return {
      claim: async (index) => {
        const epoch = (this.#epochs.get(index) ?? 0) + 1;
        this.#epochs.set(index, epoch);
        const taken = line.claim();
        done.push(`claim ${index}`);
        await this.#wait(taken instanceof Error ? 1 : taken);
        if (taken instanceof Error) throw taken;
        return new Map([['a', epoch]]);
      },
      adopt: (index) => {
        done.push(`adopt ${index}`);
        const other = this.nodes.find((node) => node.works.has(index));
        if (other !== undefined) this.clashes.push(`${name} and ${other.name}: ${index}`);
        works.add(index);
      },
      giveUp: async (index, deadlineMs) => {
        done.push(`give up ${index}`);
        const taken = line.drain();
        this.drainedAtOnceMost = Math.max(this.drainedAtOnceMost, ++this.#drained);
        await this.#wait(taken instanceof Error ? deadlineMs : taken);
        this.#drained--;
        if (taken instanceof Error) throw taken;
        works.delete(index);
      },
      drop: (index) => {
        done.push(`drop ${index}`);
        works.delete(index);
      },
    };
  }

  #store(name: string, line: Line, alive: () => boolean): LeaseStore {
    const ask = async <T>(request: () => T): Promise<T> => {
      const fate = line.fate();
      if (fate === 'request-lost' || !alive()) {
        await this.#wait(line.failMs);
        throw new Error('no answer');
      }
      await this.#wait(line.delayMs());
      const answer = request();
      await this.#wait(fate === 'answer-lost' ? line.failMs : line.delayMs());
      if (fate === 'answer-lost') throw new Error('no answer');
      return answer;
    };
    const holds = (index: number) => this.holder(index) === name;
    const take = (index: number) =>
      this.#holders.set(index, { holder: name, until: this.clock.now() + 3_000 });
    return {
      acquire: (index) =>
        ask(() => {
          const holder = this.holder(index);
          if (holder !== undefined && holder !== name) return holder;
          take(index);
          return undefined;
        }),
      renew: (indexes) =>
        ask(() => {
          const ours = indexes.filter(holds);
          for (const index of ours) take(index);
          return new Set(ours);
        }),
      release: (index) =>
        ask(() => {
          if (!holds(index)) return false;
          this.#holders.delete(index);
          for (const listener of this.#listeners) this.clock.after(1, () => listener(index));
          return true;
        }),
      announce: (own) =>
        ask(() => {
          this.#said.set(own.node, own);
          return [...this.#said.values()];
        }),
      forget: (node) => ask(() => void this.#said.delete(node)),
      onReleased: (listener) => void this.#listeners.push(listener),
    };
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => this.clock.after(ms, resolve));
  }
}

/** What promises have set off is done. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
