/** What broker and threads say to one another about the mesh, over the control port of each thread. */
import type { MessagePort } from 'node:worker_threads';
import type { Place, Route } from './mesh.js';

export type MeshToWorker = Linked | Gone | Routed | Moved | Hold | Release | Discard;

/** The port to another thread; transferred. */
export interface Linked {
  readonly type: 'link';
  readonly place: Place;
  readonly port: MessagePort;
}

/** The system ends, and that place will have no thread any more. */
export interface Gone {
  readonly type: 'gone';
  readonly place: Place;
}

/** Where a type's partitions are, at first. Answered by `Settled`. */
export interface Routed extends Route {
  readonly type: 'route';
  readonly id: number;
}

/** A partition that everybody holds has this owner now. Answered by `Settled`. */
export interface Moved {
  readonly type: 'moved';
  readonly id: number;
  readonly actor: string;
  readonly partition: number;
  readonly owner: Place;
  readonly epoch: number | undefined;
}

/** Messages for a partition wait from now on. Answered by `Settled`, when those before it are on their way. */
export interface Hold {
  readonly type: 'hold';
  readonly id: number;
  readonly actor: string;
  readonly partition: number;
}

/** Handle what is here for a partition that everybody holds, and let its activations go. Answered by `Settled`. */
export interface Release {
  readonly type: 'release';
  readonly id: number;
  readonly actor: string;
  readonly partition: number;
  readonly ms: number;
}

/** Another process has the partition: end what is here of it, without a trace. Answered by `Settled`, when no call is under way. */
export interface Discard {
  readonly type: 'discard';
  readonly id: number;
  readonly actor: string;
  readonly partition: number;
}

export type MeshToMain = Connect | Settled;

/** A port to that place is wanted. */
export interface Connect {
  readonly type: 'connect';
  readonly to: Place;
}

export interface Settled {
  readonly type: 'settled';
  readonly id: number;
  /** Whether a release came to its end in time. */
  readonly ok: boolean;
}
