/** What the scenarios of the cluster are about: its actors, their messages, and what its programs say to one another over IPC. */

/** Of each actor type. */
export const PARTITIONS = 64;
/** One `receive` of the actor that waits: so long, for so many messages at most, one call at a time. */
export const WAIT_MS = 5;
export const WAITING_BATCH = 20;
/** An envelope of these is about 200 bytes long. */
export const PAYLOAD_BYTES = 100;
/** Messages of one partition that came together. Few, as they are when many senders share 64 partitions: the more entries, the harder. */
export const PER_FRAME = 4;

export type ActorName = 'waiting' | 'counting';

/** What both actors are given. */
export interface ActorSettings {
  /** One 32-bit number: messages handled, added up by all threads. */
  readonly handled: SharedArrayBuffer;
}

export interface ProduceOrder {
  /** A multiple of `PARTITIONS` times `PER_FRAME`. */
  readonly count: number;
}

export interface Produced {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly bytes: number;
}

export type WorkerOrder =
  /** Becomes a node of the cluster, which handles nothing yet; answers when it has begun to. */
  | { readonly order: 'join' }
  /** Handles what there is from now on. */
  | { readonly order: 'work' }
  /** Handles at least so many messages, and no more than are then in flight. */
  | { readonly order: 'pass'; readonly count: number }
  | { readonly order: 'say' };

export interface WorkerSaid {
  /** Partitions that it should have, as it sees the cluster; those that it has; and the messages that wait on these. */
  readonly placed: number;
  readonly owned: number;
  readonly left: number;
  /** Leases that ended before they were given back, since the start. */
  readonly lost: number;
  /** By the actors, since the start. */
  readonly handled: number;
  /** Of the `pass`, else 0. */
  readonly seconds: number;
  readonly cpuSeconds: number;
}
