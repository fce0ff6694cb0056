/**
 * Random steps against the journal and against a model of it in memory: appends, commits, reads, closing, and crashes in
 * the middle of a write, after which any of its sectors may be missing. TEST_SEED repeats a run.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { appendText, part, readTexts } from '../log-contract.js';
import { realFileSystem } from './file-system.js';
import type { Journal } from './journal.js';
import { PASSED_ON_TIMES } from './segment-chain.js';
import {
  KIB,
  openSmall,
  restoreSnapshot,
  seededRandom,
  snapshotOf,
  temporaryDirectory,
  testSeed,
} from './testing.js';

interface ModelPartition {
  /** All that was ever acknowledged, by offset. */
  readonly texts: string[];
  /** Appended, and no answer yet, or a failure: may be on the log after a crash. */
  unsettled: string[];
  committed: number;
}

const ACTORS = ['payment', 'upload'];
const PARTITIONS = 3;

class Run {
  readonly t: Test;
  readonly random: () => number;
  readonly directory: string;
  /** 0: every sync but the first in the thread pool. */
  readonly inlineUsMax: number;
  readonly bytesMax: number;
  /** Times that the journal was longer than senders may make it. */
  overs = 0;
  readonly model = new Map<string, ModelPartition>();
  /** Taken in the middle of a sync, when a crash is due. */
  crashed: Map<string, Buffer> | undefined;
  crashIn = Number.POSITIVE_INFINITY;
  crashes = 0;
  counter = 0;
  readonly #paths = new Map<number, string>();
  #lastWrite: { name: string; position: number; before: Buffer } | undefined;

  constructor(t: Test, seed: number, { inlineUsMax, bytesMax }: Pick<Run, 'inlineUsMax' | 'bytesMax'>) {
    this.t = t;
    this.inlineUsMax = inlineUsMax;
    this.bytesMax = bytesMax;
    this.random = seededRandom(seed);
    this.directory = temporaryDirectory(t);
    for (const actor of ACTORS) {
      for (let i = 0; i < PARTITIONS; i++)
        this.model.set(`${actor}/${i}`, { texts: [], unsettled: [], committed: 0 });
    }
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  open(): Promise<Journal> {
    return openSmall(this.t, this.directory, {
      partitions: PARTITIONS,
      segmentBytes: 16 * KIB,
      bytesMax: this.bytesMax,
      memoryTailBytesMax: 4 * KIB,
      blockCacheBytesMax: 0,
      syncPolicy: { inlineUsMax: this.inlineUsMax, probeMsMin: 60_000, probeMsMax: 60_000 },
      fs: {
        ...realFileSystem,
        open: async (path, flags) => {
          const fd = await realFileSystem.open(path, flags);
          this.#paths.set(fd, path.replace('.tmp', '.seg'));
          return fd;
        },
        writeSync: (fd, buffer, offset, length, position) => {
          const name = this.#paths.get(fd)?.slice(this.directory.length + 1) ?? '';
          if (this.crashIn <= 1) {
            const file = readFileSync(join(this.directory, name));
            this.#lastWrite = {
              name,
              position,
              before: Buffer.from(file.subarray(position, position + length)),
            };
          }
          return realFileSystem.writeSync(fd, buffer, offset, length, position);
        },
        fdatasync: (fd, done) => {
          this.crashIn--;
          if (this.crashIn > 0) return realFileSystem.fdatasync(fd, done);
          this.crashed ??= this.#crash();
          setImmediate(() => done(new Error('crashed')));
        },
        fdatasyncSync: (fd) => {
          this.crashIn--;
          if (this.crashIn > 0) return realFileSystem.fdatasyncSync(fd);
          this.crashed ??= this.#crash();
          throw new Error('crashed');
        },
      },
    });
  }

  /** The directory as the machine left it: of the last write some sectors are missing. */
  #crash(): Map<string, Buffer> {
    const files = snapshotOf(this.directory);
    const write = this.#lastWrite;
    const file = files.get(write?.name ?? '');
    if (write !== undefined && file !== undefined) {
      const keep = [0, 0.5, 0.9, 1][this.below(4)] ?? 0;
      const end = write.position + write.before.length;
      for (let sector = Math.floor(write.position / 512) * 512; sector < end; sector += 512) {
        if (this.random() < keep) continue;
        const from = Math.max(sector, write.position);
        write.before.copy(file, from, from - write.position, Math.min(sector + 512, end) - write.position);
      }
    }
    return files;
  }

  pick(journal: Journal) {
    const actor = ACTORS[this.below(2)] ?? '';
    const index = this.below(PARTITIONS);
    const model = this.model.get(`${actor}/${index}`);
    if (model === undefined) throw new Error('no model');
    return { name: `${actor}/${index}`, partition: part(journal, actor, index), model };
  }

  /** Appends a few messages at once and waits until each is settled. */
  async append(journal: Journal): Promise<void> {
    const appends = Array.from({ length: 1 + this.below(12) }, () => {
      const { partition, model } = this.pick(journal);
      const text = `${this.counter++}-`.padEnd(this.below(600), '.');
      model.unsettled.push(text);
      return appendText(partition, text, this.below(3) === 0).then(
        (offset) => {
          if (offset !== model.texts.length) this.t.fail(`offset ${offset}, not ${model.texts.length}`);
          if (model.unsettled.shift() !== text) this.t.fail(`${text} acknowledged out of order`);
          model.texts.push(text);
        },
        (error: unknown) => {
          // Full: certainly not on the log. Closed, by a crash: perhaps.
          if ((error as { code?: string }).code === 'TETHER_LOG_FULL') {
            model.unsettled.splice(model.unsettled.indexOf(text), 1);
          }
        },
      );
    });
    await Promise.all(appends);
    const { diskBytes } = journal.stats();
    if (diskBytes > this.bytesMax) this.overs++;
    if (diskBytes > PASSED_ON_TIMES * this.bytesMax) this.t.fail(`${diskBytes} bytes`);
  }

  commit(journal: Journal): void {
    const { partition, model } = this.pick(journal);
    model.committed += this.below(model.texts.length - model.committed + 1);
    partition.commit(model.committed);
  }

  async read(journal: Journal): Promise<void> {
    const { name, partition, model } = this.pick(journal);
    const from = model.committed + this.below(model.texts.length - model.committed + 1);
    const found = await readTexts(partition, from, 1 + this.below(4 * KIB));
    if (found.join() !== model.texts.slice(from).join()) {
      this.t.fail(`${name} from ${from}: ${found.length} found, ${model.texts.length - from} wanted`);
    }
  }

  /** After a start: what was acknowledged is there; of what was in flight at most its first messages are too. */
  async check(journal: Journal, afterCrash: boolean): Promise<void> {
    let lag = 0;
    for (const [name, model] of this.model) {
      const [actor = '', index] = name.split('/');
      const partition = part(journal, actor, Number(index));
      const extra = partition.end - model.texts.length;
      if (extra < 0 || extra > model.unsettled.length)
        this.t.fail(`${name}: ${extra} more than acknowledged`);
      model.texts.push(...model.unsettled.slice(0, extra));
      model.unsettled = [];
      if (partition.committed > model.committed || (!afterCrash && partition.committed !== model.committed)) {
        this.t.fail(`${name}: committed ${partition.committed}, not ${model.committed}`);
      }
      model.committed = partition.committed;
      const found = await readTexts(partition, partition.committed, 64 * KIB);
      if (found.join() !== model.texts.slice(model.committed).join()) this.t.fail(`${name}: other messages`);
      lag += model.texts.length - model.committed;
    }
    if (journal.lag() !== lag) this.t.fail(`lag ${journal.lag()}, not ${lag}`);
  }

  async steps(count: number): Promise<void> {
    let journal = await this.open();
    for (let step = 0; step < count; step++) {
      const dice = this.below(100);
      if (dice < 45) await this.append(journal);
      else if (dice < 75) this.commit(journal);
      else if (dice < 95) await this.read(journal);
      else if (dice < 97) {
        await journal.close();
        journal = await this.open();
        await this.check(journal, this.crashed !== undefined);
      } else if (this.crashIn === Number.POSITIVE_INFINITY) this.crashIn = 1 + this.below(6);
      if (this.crashed !== undefined) {
        await journal.close();
        restoreSnapshot(this.directory, this.crashed);
        this.crashed = undefined;
        this.crashIn = Number.POSITIVE_INFINITY;
        this.crashes++;
        journal = await this.open();
        await this.check(journal, true);
      }
    }
    this.crashIn = Number.POSITIVE_INFINITY;
    await journal.close();
  }
}

t.test('random steps and crashes against a model', async (t) => {
  const seed = testSeed();
  t.comment(`TEST_SEED=${seed}`);
  let crashes = 0;
  let messages = 0;
  let overs = 0;
  for (let i = 0; i < 6; i++) {
    const inlineUsMax = i % 2 === 0 ? 1e9 : 0;
    const run = new Run(t, seed + i, { inlineUsMax, bytesMax: (i < 2 ? 1024 : 48) * KIB });
    await run.steps(180);
    crashes += run.crashes;
    messages += run.counter;
    overs += run.overs;
  }
  t.ok(crashes > 10, `${crashes} crashes, ${messages} messages`);
  t.ok(overs > 10, `${overs} times beyond what senders may fill`);
});
