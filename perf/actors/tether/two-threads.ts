/**
 * The suite on Tether, its actors in worker threads of a whole system: the benchmarks whose actors are of two types, in a thread
 * each, or of one type, in two. The thread that starts them and waits for the proof is a third, and idle.
 *
 * One way and back between two threads: this one is the sender, as it is of the bare MessagePort.
 */
import { ActorSystem, DEFAULT_RETRY, silentLogger } from '../../../runtime/index.js';
import { MemoryLog } from '../../../runtime/testing/memory-log.js';
import type { ParametersOf } from '../parameters.js';
import { type Program, runProgram } from '../program.js';
import sink, { type Bytes } from './actors/sink.js';
import { suite } from './run.js';

/**
 * Types of actors, and the threads of each. Not of the ring and the mall, whose actors must be told by the starter before they hear
 * of one another: that holds in one thread, and of three parties in three threads nobody promises it.
 */
const THREADS: { readonly [Benchmark in keyof Program]?: { readonly [Type: string]: number } } = {
  'ping-pong': { ping: 1, pong: 1 },
  counting: { 'counting-producer': 1, counter: 1 },
  big: { big: 2, collector: 1 },
  'concurrent-dictionary': { 'dictionary-worker': 1, dictionary: 1 },
  banking: { teller: 1, account: 1 },
  'cross-throughput': { sink: 1 },
  'cross-ask': { sink: 1 },
};
const HEAP_MIB = 1_024;
const ASK = { timeoutMs: 60_000 };

const benchmark = process.argv[2] as keyof typeof THREADS;
const threads = THREADS[benchmark] ?? {};
const system = new ActorSystem({
  log: new MemoryLog(64),
  deadLetters: { put: async () => {} },
  actors: Object.entries(threads).map(([type, threads]) => ({
    module: new URL(`./actors/${type}.js`, import.meta.url).href,
    threads,
    settings: undefined,
  })),
  retry: DEFAULT_RETRY,
  logger: silentLogger,
  logLevel: 'error',
  heapMibMax: HEAP_MIB,
});
await system.start();

async function throughput({ messages, bytes }: ParametersOf<'cross-throughput'>): Promise<readonly number[]> {
  const to = system.ref(sink, 'sink');
  const message: Bytes = new Uint8Array(bytes);
  for (let sent = 0; sent < messages; sent++) {
    const room = to.tell(message);
    if (room !== undefined) await room;
  }
  return to.ask({ type: 'sum' }, ASK);
}

async function ask({ asks, bytes }: ParametersOf<'cross-ask'>): Promise<readonly number[]> {
  const to = system.ref(sink, 'sink');
  const question: Bytes = new Uint8Array(bytes);
  let answers = 0;
  for (let asked = 0; asked < asks; asked++) {
    if (((await to.ask(question, ASK)) as Uint8Array).length === bytes) answers++;
  }
  return [answers];
}

const all: Program = { ...suite(system), 'cross-throughput': throughput, 'cross-ask': ask };
await runProgram(benchmark in THREADS ? { [benchmark]: all[benchmark] } : {});
await system.drain(5_000);
