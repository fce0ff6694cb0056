/**
 * What the scenario `actors` measures: each benchmark with its parameters, what counts as one of its messages, and the
 * proof that a run must give. All subjects read this table, so their rates compare.
 *
 * The benchmarks and their parameters are those of Savina (Imam and Sarkar, "Savina - An Actor Benchmark Suite", AGERE
 * 2014). Three differences, in every subject alike: the artificial cost of an item, a haircut or a wait is zero, because
 * it would be most of what is measured; numbers are integers where the suite draws doubles, so that sums are exact; and
 * the dictionary begins empty. The cross benchmarks are not Savina's: they measure the way between two threads.
 *
 * A message is counted once, by its sending. Counted are the messages of the work; not those that start a run, end it or
 * collect its proof, nor retries, whose number depends on the scheduler.
 */
import { PseudoRandom, seedOf } from './pseudo-random.js';

interface Benchmark<Parameters extends Readonly<Record<string, number>>> {
  readonly parameters: Parameters;
  /** The parameters that the scale multiplies. */
  readonly scaled: readonly (keyof Parameters)[];
  /** What counts as a message. */
  readonly counts: string;
  messages(parameters: Parameters): number;
  /** What a run that did its work resolves with. */
  proof(parameters: Parameters): readonly number[];
}

const define = <const Parameters extends Readonly<Record<string, number>>>(
  benchmark: Benchmark<{ readonly [Name in keyof Parameters]: number }> & { readonly parameters: Parameters },
): Benchmark<{ readonly [Name in keyof Parameters]: number }> => benchmark;

/** Whether a worker of the dictionary writes, by the number that it drew. */
export const isWrite = (drawn: number, writePercent: number): boolean => drawn % 100 < writePercent;

export const BENCHMARKS = {
  'ping-pong': define({
    parameters: { pings: 40_000 },
    scaled: ['pings'],
    counts: 'each ping and each pong',
    messages: ({ pings }) => 2 * pings,
    proof: ({ pings }) => [pings],
  }),
  counting: define({
    parameters: { messages: 1_000_000 },
    scaled: ['messages'],
    counts: 'each increment',
    messages: ({ messages }) => messages,
    proof: ({ messages }) => [messages],
  }),
  'fork-join-throughput': define({
    parameters: { actors: 60, messages: 10_000, angle: 37.2 },
    scaled: ['messages'],
    counts: 'each piece of work',
    messages: ({ actors, messages }) => actors * messages,
    proof: ({ actors, messages }) => [actors * messages],
  }),
  'fork-join-create': define({
    parameters: { actors: 40_000, angle: 37.2 },
    scaled: ['actors'],
    counts: 'the one piece of work of each actor, its creation and end included',
    messages: ({ actors }) => actors,
    proof: ({ actors }) => [actors],
  }),
  'thread-ring': define({
    parameters: { actors: 100, hops: 100_000 },
    scaled: ['hops'],
    counts: 'each hop of the token',
    messages: ({ hops }) => hops,
    // The number of the actor that the last hop reaches; the token starts at actor 0 with all hops left.
    proof: ({ actors, hops }) => [hops % actors],
  }),
  chameneos: define({
    parameters: { chameneos: 100, meetings: 200_000 },
    scaled: ['meetings'],
    counts: 'for a meeting: two requests to the mall, the one passed on, the change of color',
    messages: ({ meetings }) => 4 * meetings,
    // Each of the two counts it.
    proof: ({ meetings }) => [2 * meetings],
  }),
  big: define({
    parameters: { actors: 120, pings: 20_000 },
    scaled: ['pings'],
    counts: 'each ping and each pong',
    messages: ({ actors, pings }) => 2 * actors * pings,
    proof: ({ actors, pings }) => [actors * pings],
  }),
  'concurrent-dictionary': define({
    parameters: { workers: 20, messages: 10_000, writePercent: 10 },
    scaled: ['messages'],
    counts: 'each request and each answer',
    messages: ({ workers, messages }) => 2 * workers * messages,
    // Requests answered, writes among them.
    proof: ({ workers, messages, writePercent }) => {
      let writes = 0;
      for (let worker = 0; worker < workers; worker++) {
        const random = new PseudoRandom(seedOf(worker));
        for (let request = 0; request < messages; request++) {
          if (isWrite(random.next(), writePercent)) writes++;
          random.next();
        }
      }
      return [workers * messages, writes];
    },
  }),
  'bounded-buffer': define({
    parameters: { producers: 40, consumers: 40, items: 1_000, buffer: 50 },
    scaled: ['items'],
    counts: 'for an item: the order to produce, the item in, the call of a consumer, the item out',
    messages: ({ producers, items }) => 4 * producers * items,
    // Items consumed, and the sum of their numbers.
    proof: ({ producers, items }) => [producers * items, (producers * items * (items - 1)) / 2],
  }),
  'dining-philosophers': define({
    parameters: { philosophers: 20, rounds: 10_000 },
    scaled: ['rounds'],
    counts: 'for a meal: the request that is granted, the grant, the return of the forks',
    messages: ({ philosophers, rounds }) => 3 * philosophers * rounds,
    proof: ({ philosophers, rounds }) => [philosophers * rounds],
  }),
  'sleeping-barber': define({
    // Whom the full room turns away comes back when the next customer leaves, not at once: without the suite's
    // artificial cost, thousands would crowd the room's mailbox with retries.
    parameters: { haircuts: 5_000, places: 1_000 },
    scaled: ['haircuts'],
    counts: 'for a haircut: enter, wait, call to the barber, start, done, next, leave',
    messages: ({ haircuts }) => 7 * haircuts,
    proof: ({ haircuts }) => [haircuts],
  }),
  banking: define({
    // So many of ten accounts only give and the others only take: no two wait for each other.
    parameters: { accounts: 1_000, transactions: 50_000, initialBalance: 1_000_000, givingOfTen: 8 },
    scaled: ['transactions'],
    counts: 'for a transaction: order, transfer, its answer, the answer to the order',
    messages: ({ transactions }) => 4 * transactions,
    // Transactions completed, and the sum of the balances after them.
    proof: ({ accounts, transactions, initialBalance }) => [transactions, accounts * initialBalance],
  }),
  'logistic-map': define({
    // A series begins with its number times the increment, which added to the start rate is its rate.
    parameters: { terms: 25_000, series: 10, startRate: 3.46, increment: 0.0025 },
    scaled: ['terms'],
    counts: 'for a term: order, request to the computer, its answer',
    messages: ({ terms, series }) => 3 * terms * series,
    // The sum of the last terms, series by series: the same double everywhere.
    proof: ({ terms, series, startRate, increment }) => {
      let sum = 0;
      for (let at = 0; at < series; at++) {
        let term = at * increment;
        const rate = startRate + at * increment;
        for (let computed = 0; computed < terms; computed++) term = rate * term * (1 - term);
        sum += term;
      }
      return [sum];
    },
  }),
  'cross-throughput': define({
    parameters: { messages: 200_000, bytes: 100 },
    scaled: ['messages'],
    counts: 'each message from one thread to the other',
    messages: ({ messages }) => messages,
    // Messages and bytes that arrived.
    proof: ({ messages, bytes }) => [messages, messages * bytes],
  }),
  'cross-ask': define({
    parameters: { asks: 20_000, bytes: 100 },
    scaled: ['asks'],
    counts: 'each round trip, one in flight',
    messages: ({ asks }) => asks,
    // Answers that were right.
    proof: ({ asks }) => [asks],
  }),
};

export type BenchmarkName = keyof typeof BENCHMARKS;
export type ParametersOf<Name extends BenchmarkName> = (typeof BENCHMARKS)[Name]['parameters'];

export const BENCHMARK_NAMES = Object.keys(BENCHMARKS) as readonly BenchmarkName[];

/** The measure that is no rate: live activations, for their bytes beyond the state. */
export const ACTIVATIONS = 'activations';
export const activationsOf = (scale: number): number => Math.max(1, Math.round(1_000_000 * scale));

interface Task {
  readonly parameters: Readonly<Record<string, number>>;
  readonly messages: number;
  readonly proof: readonly number[];
}

/** A benchmark with its parameters at that scale. */
export function taskOf(name: BenchmarkName, scale: number): Task {
  const { parameters, scaled, messages, proof } = BENCHMARKS[name] as unknown as Benchmark<
    Readonly<Record<string, number>>
  >;
  const scaledParameters = Object.fromEntries(
    Object.entries(parameters).map(([key, value]) => [
      key,
      scaled.includes(key) ? Math.max(1, Math.round(value * scale)) : value,
    ]),
  );
  return {
    parameters: scaledParameters,
    messages: messages(scaledParameters),
    proof: proof(scaledParameters),
  };
}
