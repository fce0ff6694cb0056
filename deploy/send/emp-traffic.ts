/**
 * A stream of valid, signed EMP notifications that a seed decides, for `tether send`, the benchmarks and the chaos test.
 *
 * Many stories (`emp-story.ts`) run at the same time and their steps are mixed; within a story they keep their order.
 * Distinct messages have distinct `dedupe` and distinct bodies. A share of the deliveries are exact repeats of an
 * earlier one: half of them of the delivery just before, so that both are under way at once, the others of one of the
 * last thousand. Memory is bounded however long the stream runs.
 */
import { hash } from 'node:crypto';
import { EMP_KINDS, EMP_PREFIX, type EmpKind, type StoryStep, tellStory } from './emp-story.js';
import { createRandom, type Random } from './random.js';

interface EmpTrafficOptions {
  /** 0 to 2^32 - 1. The same options and seed give the same stream. */
  readonly seed: number;
  /** Deliveries in all, repeats included; Infinity for a stream without end. */
  readonly count: number;
  /** Share of the deliveries that are repeats, 0 to 0.99. Default 0. */
  readonly duplicates?: number;
  /** The API password that signs. */
  readonly password: string;
  /** Default: all four. */
  readonly kinds?: readonly EmpKind[];
  /** What every signed id begins with, so that test payments can be told from others, and found. Letters, digits, `-` and `_`. Default: nothing. */
  readonly prefix?: string;
}

interface EmpNotification {
  /** From 0, over the deliveries. */
  readonly index: number;
  /** The index of the delivery that this one repeats, or undefined. */
  readonly repeats: number | undefined;
  readonly kind: EmpKind;
  readonly signedId: string;
  /** The id that orders it: the signed id; of a legacy chargeback, the original transaction's. */
  readonly paymentId: string;
  readonly event: string;
  readonly status: string;
  /** Its deduplication key as the service makes it: equal for repeats, different for all others. */
  readonly dedupe: string;
  readonly body: string;
  /** What the answer must echo. */
  readonly echo: { readonly element: string; readonly id: string };
}

const WEIGHTS: readonly (readonly [EmpKind, number])[] = [
  ['processing', 80],
  ['wpf', 10],
  ['kyc', 5],
  ['apm', 5],
];
const ECHO: Readonly<Record<EmpKind, string>> = {
  processing: 'unique_id',
  wpf: 'wpf_unique_id',
  kyc: 'reference_id',
  apm: 'unique_id',
};
const STORIES_OPEN = 64;
const RECENT_MAX = 1000;

/** @throws RangeError when an option is out of its range */
function* empTraffic(options: EmpTrafficOptions): Generator<EmpNotification, void, undefined> {
  const { seed, count, password, duplicates = 0, kinds = EMP_KINDS, prefix = '' } = options;
  if (!(duplicates >= 0 && duplicates <= 0.99)) throw new RangeError('duplicates is a share from 0 to 0.99');
  if (!EMP_PREFIX.test(prefix)) throw new RangeError('prefix is at most 64 letters, digits, - and _');
  if (!(count >= 0)) throw new RangeError('count is a number from 0');
  const weights = WEIGHTS.filter(([kind]) => kinds.includes(kind));
  if (weights.length === 0) throw new RangeError('kinds names at least one kind');

  const random = createRandom(seed);
  const steps = mixedSteps(random, weights, prefix);
  const recent: EmpNotification[] = [];
  let repeatsLeft = Math.min(Math.round(count * duplicates), Math.max(0, count - 1));
  let distinct = 0;
  for (let index = 0; index < count; index++) {
    // Drawing without putting back gives exactly the number asked for, spread evenly; an endless stream has its share.
    const share = count === Number.POSITIVE_INFINITY ? duplicates : repeatsLeft / (count - index);
    const last = recent[(distinct - 1) % RECENT_MAX];
    if (last !== undefined && random.chance(share)) {
      repeatsLeft -= 1;
      const original = random.chance(0.5) ? last : (recent[random.below(recent.length)] ?? last);
      yield { ...original, index, repeats: original.index };
      continue;
    }
    const { value: step } = steps.next();
    const notification = sign(step, index, password, random);
    recent[distinct % RECENT_MAX] = notification;
    distinct += 1;
    yield notification;
  }
}

function* mixedSteps(
  random: Random,
  weights: readonly (readonly [EmpKind, number])[],
  prefix: string,
): Generator<StoryStep, never, undefined> {
  const open: { readonly steps: readonly StoryStep[]; next: number }[] = [];
  let told = 0;
  for (;;) {
    while (open.length < STORIES_OPEN) {
      told += 1;
      open.push({ steps: tellStory(random.weighted(weights), told, random, prefix), next: 0 });
    }
    const at = random.below(open.length);
    const story = open[at];
    const step = story?.steps[story.next];
    const last = open.at(-1);
    if (story === undefined || step === undefined || last === undefined)
      throw new RangeError('a story has no steps');
    story.next += 1;
    if (story.next === story.steps.length) {
      open[at] = last;
      open.pop();
    }
    yield step;
  }
}

function sign(step: StoryStep, index: number, password: string, random: Random): EmpNotification {
  const { kind, signedId, paymentId, event, status, fields } = step;
  const algorithm =
    kind === 'processing'
      ? random.weighted([
          ['sha1', 8],
          ['sha256', 1],
          ['sha512', 1],
        ])
      : 'sha512';
  const signature = empSignature(signedId, password, algorithm);
  const body = `${fields.map(([name, value]) => `${name}=${formEncode(value)}`).join('&')}&signature=${signature}`;
  // These may come several times with the same id, event and status, so the service looks at the body too.
  const digest =
    kind === 'kyc' || kind === 'apm' || event === 'retrieval_request'
      ? `:${hash('sha256', body, 'hex').slice(0, 32)}`
      : '';
  return {
    index,
    repeats: undefined,
    kind,
    signedId,
    paymentId,
    event,
    status,
    dedupe: `${kind}:${signedId}:${event}:${status}${digest}`,
    body,
    echo: { element: ECHO[kind], id: signedId },
  };
}

/** EMP's signature: the hex digest of the signed id with the API password behind it. */
function empSignature(signedId: string, password: string, algorithm: 'sha1' | 'sha256' | 'sha512'): string {
  return hash(algorithm, signedId + password, 'hex');
}

const PLAIN = /^[A-Za-z0-9_.-]*$/;

function formEncode(value: string): string {
  if (PLAIN.test(value)) return value;
  return new URLSearchParams([['', value]]).toString().slice(1);
}

export { EMP_KINDS, type EmpKind, type EmpNotification, type EmpTrafficOptions, empSignature, empTraffic };
