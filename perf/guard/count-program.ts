/**
 * Drives the hot functions of one side, in a process whose flags make it do the same each time, and prints one line of JSON: a `Driving` for
 * each. What is counted is counted here (bytes) or by whoever started it (instructions).
 *
 * Arguments: URL of the side's compiled sources, its name, and what is counted:
 * - `bytes`: what the heap and the memory outside of it grow by in a block, without a collection in between
 * - `instructions`: each block stands between two marks, which callgrind sees; `instructions <function>`: of that function alone
 * - `blocks <function> <blocks>`: nothing but so many blocks of one function, for counting whole processes
 */
import { uptime } from 'node:os';
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as macrotask } from 'node:timers/promises';
import type { Driving } from './driving.js';
import { type Driven, type HotFunction, WARM_UP_BLOCKS } from './hot/hot-function.js';
import { HOT_FUNCTIONS } from './hot/index.js';
import { NotThereError, type Side, type SideName } from './side.js';

const BLOCKS = 3;
/** Natively a call costs next to nothing, and many make it exact: a slab of bytes, 64 KiB, is for hundreds of calls. */
const BYTES_WARM_UP_BLOCKS = 40;
const BYTES_BLOCKS = 10;
/** Of a block, at least; in all they must stay below the 32 MiB outside of the heap that make V8 collect. */
const BYTES_CALLS_MIN = 10_000;

const [dist = '', name = 'head', what = 'bytes', only = '', blocks = '1'] = process.argv.slice(2);
const side: Side = { name: name as SideName, dist };

let marks = 0;
const drivings: Driving[] = [];
for (const [at, hot] of HOT_FUNCTIONS.entries()) {
  if (only !== '' && at !== Number(only)) continue;
  drivings.push(await drive(hot));
}
console.log(JSON.stringify(drivings));

async function drive(hot: HotFunction): Promise<Driving> {
  try {
    // So that a function finds the same heap whatever those before it left behind.
    collect();
    const driven = await hot.prepare(side);
    if (what === 'bytes') return { name: hot.name, calls: hot.calls, bytes: await bytesPerCall(hot, driven) };
    const { warmUpBlocks = WARM_UP_BLOCKS } = hot;
    for (let block = 0; block < warmUpBlocks; block++) await driven.run(hot.calls);
    if (what === 'instructions')
      return { name: hot.name, calls: hot.calls, marks: await marked(hot, driven) };
    for (let block = 0; block < Number(blocks); block++) await driven.run(hot.calls);
    return { name: hot.name, calls: hot.calls };
  } catch (error) {
    if (side.name === 'head') throw error;
    const said = error instanceof Error ? error.message : String(error);
    const why = error instanceof NotThereError ? said : `does not fit base: ${said}`;
    return { name: hot.name, calls: hot.calls, why };
  }
}

/** What is counted until now is put down: callgrind is told to at each call of `uv_uptime`. Returns the number of the mark, from 1. */
function mark(): number {
  uptime();
  return ++marks;
}

/** The marks at the ends of: nothing, and each block. */
async function marked(hot: HotFunction, driven: Driven): Promise<number[]> {
  mark();
  const ends = [mark()];
  for (let block = 0; block < BLOCKS; block++) {
    await driven.run(hot.calls);
    ends.push(mark());
  }
  return ends;
}

/** Over all blocks, of which each with a collection in it counts for nothing. */
async function bytesPerCall(hot: HotFunction, driven: Driven): Promise<number> {
  let collections = 0;
  const observer = new PerformanceObserver((list) => {
    collections += list.getEntries().length;
  });
  observer.observe({ entryTypes: ['gc'] });
  for (let block = 0; block < BYTES_WARM_UP_BLOCKS; block++) await driven.run(hot.calls);
  let grown = 0;
  let calls = 0;
  const callsOfBlock = hot.calls * Math.ceil(BYTES_CALLS_MIN / hot.calls);
  for (let block = 0; block < BYTES_BLOCKS; block++) {
    collect();
    await told();
    const before = collections;
    const start = bytes();
    await driven.run(callsOfBlock);
    const more = bytes() - start;
    await told();
    if (collections > before) continue;
    grown += more;
    calls += callsOfBlock;
  }
  observer.disconnect();
  if (calls === 0) throw new Error(`${hot.name}: there was a collection in each of ${BYTES_BLOCKS} blocks`);
  return grown / calls;
}

/** The observer is told of a collection a turn later. */
async function told(): Promise<void> {
  await macrotask();
  await macrotask();
}

function collect(): void {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error('node --expose-gc is needed');
  gc();
}

function bytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
