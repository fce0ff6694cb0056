/** The five promises, as what must be true of a run when its faults are over and the cluster had time to settle. Each finds what breaks it. */
import type { Cluster } from './cluster.js';
import type { Node, Shape } from './node.js';
import type { Effect } from './postgres-words.js';
import type { Senders, Sent } from './senders.js';

export interface Outcome {
  readonly cluster: Cluster;
  readonly senders: Senders;
  readonly shape: Shape;
}

const nameOf = ({ actor, dedupe }: { readonly actor: string; readonly dedupe: string }) =>
  `${actor}/${dedupe}`;
/** Of a process at rest: its ticks, looks and polls, and the deadlines of what is on its way at the moment. */
const ALARMS_MAX = 100;

/** All that is broken; empty when the promises were kept. */
export function broken(outcome: Outcome): readonly string[] {
  return [
    ...kept(outcome),
    ...ordered(outcome),
    ...fenced(outcome),
    ...once(outcome),
    ...handled(outcome),
    ...bounded(outcome),
    ...owned(outcome),
    ...told(outcome),
  ];
}

/** P1, P4: what was acknowledged took effect, or is a dead letter; a dead letter is only what is poison. */
function* kept({ cluster: { postgres, redis }, senders }: Outcome): Iterable<string> {
  const done = new Set(postgres.effects.map(nameOf));
  for (const sent of senders.sent) {
    // What a crash took back was acknowledged under `everysec`, which says so. What came after it was not.
    if (sent.acknowledgedAt === undefined || redis.lost.has(nameOf(sent))) continue;
    const isDead = postgres.dead.has(sent.dedupe);
    if (sent.kind === 'poison' ? !isDead : !done.has(nameOf(sent)))
      yield `P1: ${nameOf(sent)} was acknowledged, and has ${isDead ? 'become a dead letter' : 'vanished'}`;
  }
}

/** P2: of one key, what was acknowledged before the next was sent takes effect before it. */
function* ordered({ cluster: { postgres, redis }, senders }: Outcome): Iterable<string> {
  const place = new Map<string, number>();
  for (const [at, effect] of postgres.effects.entries()) {
    if (!place.has(nameOf(effect))) place.set(nameOf(effect), at);
  }
  const last = new Map<string, Sent>();
  // A sender's messages of one key are in `sent` in the order in which they were sent.
  for (const sent of senders.sent) {
    const at = place.get(nameOf(sent));
    if (at === undefined || redis.lost.has(nameOf(sent))) continue;
    const name = `${sent.actor}/${sent.key}`;
    const before = last.get(name);
    const isLater = before !== undefined && (before.acknowledgedAt ?? Number.POSITIVE_INFINITY) < sent.sentAt;
    if (isLater && (place.get(nameOf(before)) ?? 0) > at)
      yield `P2: ${nameOf(sent)} took effect before ${nameOf(before)}, which was acknowledged before it was sent`;
    if (sent.acknowledgedAt !== undefined) last.set(name, sent);
  }
}

/** P2: nobody who lost a partition does anything more to it. */
function* fenced({ cluster: { postgres } }: Outcome): Iterable<string> {
  for (const zombie of postgres.zombies)
    yield `P2: ${nameOf(zombie)} took effect under epoch ${zombie.epoch}, which was over, by ${zombie.node}`;
}

/** P3: one effect of each message. */
function* once({ cluster: { postgres } }: Outcome): Iterable<string> {
  const seen = new Map<string, Effect>();
  for (const effect of postgres.effects) {
    const before = seen.get(nameOf(effect));
    if (before !== undefined)
      yield `P3: ${nameOf(effect)} took effect by ${before.node} and by ${effect.node}`;
    seen.set(nameOf(effect), effect);
  }
}

/** P4: no message is left on the log, and none is a dead letter that could be handled. */
function* handled({ cluster, senders, shape }: Outcome): Iterable<string> {
  for (const [place, { end, committed }] of offsetsOf(cluster, shape)) {
    if (committed !== end) yield `P4: ${place} is done up to ${committed}, and ends at ${end}`;
  }
  for (const { kind, dedupe } of senders.sent) {
    if (kind !== 'poison' && cluster.postgres.dead.has(dedupe))
      yield `P4: ${dedupe} is a dead letter, and nothing is wrong with it`;
  }
}

/** P5: nothing is left in memory. */
function* bounded({ cluster }: Outcome): Iterable<string> {
  for (const { name, log, threads, process } of cluster.nodes) {
    const pendingBytes = log?.stats().pendingBytes ?? 0;
    if (pendingBytes !== 0) yield `P5: ${name} has ${pendingBytes} bytes that wait for Redis`;
    if (threads !== undefined && threads.inFlight !== 0)
      yield `P5: ${name} has ${threads.inFlight} in flight`;
    if (threads !== undefined && threads.parked !== 0) yield `P5: ${name} has ${threads.parked} parked`;
    if (threads !== undefined && threads.deadLettersPending !== 0)
      yield `P5: ${name} has ${threads.deadLettersPending} dead letters to store`;
    if (process.alarms > ALARMS_MAX) yield `P5: ${name} has ${process.alarms} alarms set`;
  }
}

/** Each partition has one node that reads it. */
function* owned({ cluster, shape }: Outcome): Iterable<string> {
  for (let index = 0; index < shape.partitions; index++) {
    const owners = cluster.nodes.filter((node) => reads(node, index));
    if (owners.length !== 1)
      yield `partition ${index} is read by ${owners.length === 0 ? 'nobody' : owners.map(({ name }) => name).join(' and ')}`;
  }
}

/** Each node knows how much is left, on partitions that others read as well: by what it says of it people watch, and wait. */
function* told({ cluster }: Outcome): Iterable<string> {
  for (const { name, log } of cluster.nodes) {
    const lag = log?.lag() ?? 0;
    if (lag !== 0) yield `lag: ${name} knows of ${lag} messages that are left`;
  }
}

function reads({ agent, threads }: Node, index: number): boolean {
  return agent?.stats().owned.includes(index) === true && threads?.reads(index) === true;
}

function offsetsOf(
  { redis }: Cluster,
  { actors, partitions }: Shape,
): ReadonlyMap<string, { readonly end: number; readonly committed: number }> {
  const offsets = new Map<string, { readonly end: number; readonly committed: number }>();
  for (const actor of actors) {
    for (let index = 0; index < partitions; index++) {
      const state = redis.state.hash(`t:{${actor}/${index}}:state`);
      offsets.set(`${actor}/${index}`, {
        end: Number(state.get('end') ?? 0),
        committed: Number(state.get('committed') ?? 0),
      });
    }
  }
  return offsets;
}
