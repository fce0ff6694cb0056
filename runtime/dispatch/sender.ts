/**
 * The sender: reads feeds in turns and posts what it read to the thread that owns them, as far as the thread's credit goes.
 *
 * Modes:
 *   running <--pause, resume--> paused
 *   running, paused --stop--> stopped
 * It sends in `running` only, and while the gate is open.
 */

import type { Logger } from '../logger.js';
import type { Frame } from '../message-log.js';
import type { Deliver } from '../worker-protocol.js';
import type { DeliveryGate } from './delivery-gate.js';
import type { Feed, Slice } from './feed.js';
import type { Route } from './route.js';

/** What one post carries: large enough to make the post cheap, small enough to start the first batch early. */
const DELIVERY_BYTES = 256 * 1_024;
/** What one partition gives at a time, so that the others get their turn. */
const READ_BYTES = 64 * 1_024;

export type SenderMode = 'running' | 'paused' | 'stopped';

export interface SenderOptions {
  readonly actor: string;
  /** Sends to a ready thread; the body's buffer is transferred. */
  readonly post: (thread: number, delivery: Deliver, buffer: ArrayBuffer) => void;
  readonly now: () => number;
  readonly logger: Logger;
  /** There may be something to send to a thread that is not there. */
  readonly onAbsent: (() => void) | undefined;
  /** Default: always open. */
  readonly gate: DeliveryGate | undefined;
}

export class Sender {
  readonly #options: SenderOptions;
  /** To be asked again when the gate opens. */
  readonly #atGate = new Set<Route>();
  #mode: SenderMode = 'running';

  constructor(options: SenderOptions) {
    this.#options = options;
    options.gate?.onOpen(() => this.#gateOpened());
  }

  get mode(): SenderMode {
    return this.#mode;
  }

  pause(): void {
    if (this.#mode === 'running') this.#mode = 'paused';
  }

  resume(): void {
    if (this.#mode === 'paused') this.#mode = 'running';
  }

  stop(): void {
    this.#mode = 'stopped';
  }

  /** Sends what the credit of a thread allows. */
  pump(route: Route): void {
    if (this.#mode !== 'running') return;
    if (!route.up) {
      this.#options.onAbsent?.();
      return;
    }
    if (this.#options.gate?.isShut) this.#atGate.add(route);
    else this.#send(route);
    for (const feed of route.line) {
      if (!feed.delay.waits) feed.delay.set(feed.partition.end - 1, this.#options.now());
    }
  }

  #gateOpened(): void {
    const routes = [...this.#atGate];
    this.#atGate.clear();
    for (const route of routes) this.pump(route);
  }

  #send(route: Route): void {
    while (route.line.length > 0 && route.mayBeginRead) {
      const slices: (readonly [Feed, Slice])[] = [];
      let bytes = 0;
      while (bytes < DELIVERY_BYTES && route.mayBeginRead) {
        const feed = route.nextInLine();
        if (feed === undefined) break;
        for (const slice of this.#read(route, feed)) {
          slices.push([feed, slice]);
          bytes += slice.body.length;
          route.charge(slice.count, slice.body.length);
        }
      }
      if (slices.length > 0) this.#post(route, slices, bytes);
    }
  }

  /** The log of a partition cannot be read: it stands still, and the others go on. */
  broken(feed: Feed, error: unknown, term = feed.term): void {
    // Of an ownership that is over it may be of no use to read.
    if (feed.term !== term || !feed.ours) return;
    feed.break();
    const { actor, logger } = this.#options;
    logger.error(
      { err: error, actor, partition: feed.partition.index },
      'a partition cannot be read and stands still',
    );
  }

  #post(route: Route, slices: readonly (readonly [Feed, Slice])[], bytes: number): void {
    const buffer = new ArrayBuffer(bytes);
    const body = new Uint8Array(buffer);
    const places: number[] = [];
    let epochs: number[] | undefined;
    let position = 0;
    for (const [feed, slice] of slices) {
      body.set(slice.body, position);
      position += slice.body.length;
      places.push(feed.partition.index, slice.offset, slice.count);
      if (feed.epoch !== undefined) {
        epochs ??= [];
        epochs[places.length / 3 - 1] = feed.epoch;
      }
    }
    this.#options.post(route.thread, { type: 'deliver', slices: places, epochs, body }, buffer);
  }

  /** The next messages of a feed that is at its turn; none when the disk has to be asked first. */
  #read(route: Route, feed: Feed): Slice[] {
    // While it stood in line, what was left of it may have turned out to be done, or to be kept back for suspects.
    if (!route.mayRead(feed)) {
      feed.rest();
      return [];
    }
    const from = feed.next;
    let frames: readonly Frame[] | Promise<readonly Frame[]>;
    try {
      frames = feed.partition.read(from, READ_BYTES);
    } catch (error) {
      this.broken(feed, error);
      return [];
    }
    if (!(frames instanceof Promise)) return this.#take(route, feed, frames);
    const ticket = feed.startRead();
    const { term } = feed;
    route.reads.begin();
    frames
      .then(
        (frames) => {
          route.reads.end();
          // The thread may have been lost meanwhile, or the partition be on its way to another one.
          if (feed.reads(ticket)) this.#sendRead(route, feed, from, frames);
        },
        (error: unknown) => {
          route.reads.end();
          this.broken(feed, error, term);
        },
      )
      .then(() => this.pump(route));
    return [];
  }

  #sendRead(route: Route, feed: Feed, from: number, frames: readonly Frame[]): void {
    route.reads.brought(
      frames.reduce((sum, { count }) => sum + count, 0),
      frames.reduce((sum, { body }) => sum + body.length, 0),
    );
    const still = route.up && this.#mode === 'running' && feed.next === from;
    if (still && route.credit > 0 && route.mayRead(feed)) {
      const slices = this.#take(route, feed, frames);
      const bytes = slices.reduce((sum, slice) => sum + slice.body.length, 0);
      for (const slice of slices) route.charge(slice.count, slice.body.length);
      const placed = slices.map((slice) => [feed, slice] as const);
      if (slices.length > 0) this.#post(route, placed, bytes);
    } else {
      feed.rest();
    }
    route.offer(feed);
  }

  #take(route: Route, feed: Feed, frames: readonly Frame[]): Slice[] {
    const slices: Slice[] = [];
    const end = route.end(feed);
    const from = feed.next;
    let credit = route.credit;
    for (const frame of frames) {
      if (credit <= 0 || feed.next >= end) break;
      for (const slice of feed.take(frame, credit, end)) {
        slices.push(slice);
        credit -= slice.count;
      }
    }
    if (feed.next === from) {
      this.broken(feed, new RangeError(`the log has no message at offset ${from}`));
      return [];
    }
    feed.delay.sent(feed.next, this.#options.now);
    feed.rest();
    route.offer(feed);
    return slices;
  }
}
