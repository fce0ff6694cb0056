/** Ways to break the cluster, each in one place. The simulation has to find every one of them. */
import type { AppendWaiter, LogPartition } from '../../../runtime/message-log.js';
import type { Flaws } from './cluster.js';

export interface NamedFlaw {
  readonly flaws: Flaws;
  /** It shows only where Redis loses something. */
  readonly everysecAlways?: boolean;
  /** How what it breaks begins. */
  readonly breaks: RegExp;
}

/** A partition that passes everything on. */
class PassedOn implements LogPartition {
  readonly #partition: LogPartition;

  constructor(partition: LogPartition) {
    this.#partition = partition;
  }

  get actor(): string {
    return this.#partition.actor;
  }

  get index(): number {
    return this.#partition.index;
  }

  get end(): number {
    return this.#partition.end;
  }

  get committed(): number {
    return this.#partition.committed;
  }

  get onAppended(): (() => void) | undefined {
    return this.#partition.onAppended;
  }

  set onAppended(listener: (() => void) | undefined) {
    this.#partition.onAppended = listener;
  }

  append(envelope: Uint8Array, waiter: AppendWaiter, passesOn?: boolean): void {
    this.#partition.append(envelope, waiter, passesOn);
  }

  read(offset: number, bytesMax: number) {
    return this.#partition.read(offset, bytesMax);
  }

  commit(offset: number): void {
    this.#partition.commit(offset);
  }
}

class CommitsAhead extends PassedOn {
  override commit(offset: number): void {
    super.commit(Math.max(offset, this.end));
  }
}

class AnswersEarly extends PassedOn {
  override append(envelope: Uint8Array, waiter: AppendWaiter): void {
    waiter.appended(this.end);
    super.append(envelope, { appended: () => {}, appendFailed: () => {} });
  }
}

export const FLAWS: Readonly<Record<string, NamedFlaw>> = {
  'effects are written whatever the epoch': { flaws: { postgres: { noEpochCheck: true } }, breaks: /^P2/ },
  'effects have no deduplication row': { flaws: { postgres: { noDedupe: true } }, breaks: /^P3/ },
  'a take-over does not wait for what is being committed': {
    flaws: { postgres: { noWait: true } },
    breaks: /^P2/,
  },
  'a reader trusts its offsets though Redis was restarted, and has lost some': {
    flaws: { redis: { sameAgain: true } },
    everysecAlways: true,
    breaks: /^P1/,
  },
  'the watermark runs ahead': {
    flaws: { node: { partition: (partition) => new CommitsAhead(partition) } },
    breaks: /^P1/,
  },
  'senders are answered before the log has it': {
    flaws: { node: { partition: (partition) => new AnswersEarly(partition) } },
    breaks: /^P1/,
  },
};

/** A holder that takes no note of the end of its leases, which harms nothing: what it does is fenced. */
export const DEAF_HOLDER: Flaws = {
  node: {
    leases: (leases) => ({
      acquire: (index) => leases.acquire(index),
      renew: async (indexes) => {
        await leases.renew(indexes).catch(() => undefined);
        return new Set(indexes);
      },
      release: (index) => leases.release(index),
      announce: (own) => leases.announce(own),
      forget: (node) => leases.forget(node),
      onReleased: (listener) => leases.onReleased(listener),
    }),
  },
};
