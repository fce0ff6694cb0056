/**
 * The broker of the mesh, in the main thread: who is there, which thread has which partition, and the ports between threads.
 *
 * A place is joined by each life of its thread. Ports are made when one of two asks for them, and end with either thread.
 *
 * A partition moves in these steps, each answered before the next begins, so that no message overtakes another (P2):
 *   hold      everybody keeps back what he sends to it; what he sent before is in the old owner's ports
 *   release   the old owner empties its ports, handles what it has, and puts the states away
 *   route     the new owner learns that it is one; then everybody does, and sends what he kept back
 * When the old owner does not come to an end in time, everybody is routed to it again. One that is lost has nothing to release. Whoever
 * joins meanwhile holds too.
 */
import { MessageChannel, type Transferable } from 'node:worker_threads';
import { TetherError } from '../errors.js';
import type { Mesh, Place, Route } from './mesh.js';
import { ELSEWHERE, MAIN_PLACE, nameOf } from './mesh.js';
import type { MeshToMain, MeshToWorker } from './protocol.js';

type Post = (message: MeshToWorker, transfer?: readonly Transferable[]) => void;

interface Member {
  readonly post: Post;
  /** Answers that it owes, by id. */
  readonly owed: Map<number, (ok: boolean) => void>;
  /** Places it has a port to. */
  readonly linked: Set<Place>;
}

export class Broker {
  readonly #mesh: Mesh;
  readonly #members = new Map<Place, Member>();
  readonly #routes = new Map<string, Route>();
  /** Partitions that everybody holds, by name. */
  readonly #held = new Map<string, { readonly actor: string; readonly partition: number }>();
  /** Of each partition that moves, the last of its steps: one waits for the other. */
  readonly #steps = new Map<string, Promise<unknown>>();
  /** Who waits for a port to a place without a thread. */
  readonly #wishes = new Map<Place, Set<Place>>();
  /** Nobody joins any more. */
  #closing = false;
  #nextId = 0;

  readonly #wanted: (place: Place) => void;

  /**
   * @param mesh of the main thread
   * @param wanted told of a place without a thread to which somebody has something to send
   */
  constructor(mesh: Mesh, wanted: (place: Place) => void = () => {}) {
    this.#mesh = mesh;
    this.#wanted = wanted;
  }

  /** A thread is ready at `place`. */
  join(place: Place, post: Post): void {
    this.#members.set(place, { post, owed: new Map(), linked: new Set() });
    for (const route of this.#routes.values()) void this.#ask(place, { type: 'route', ...route });
    for (const held of this.#held.values()) void this.#ask(place, { type: 'hold', ...held });
    const wishes = this.#wishes.get(place);
    this.#wishes.delete(place);
    for (const from of wishes ?? []) this.#link(from, place);
  }

  /** The thread at `place` is gone. */
  leave(place: Place): void {
    const member = this.#members.get(place);
    if (member === undefined) return;
    this.#members.delete(place);
    for (const settle of member.owed.values()) settle(true);
    for (const other of this.#members.values()) other.linked.delete(place);
    if (this.#closing) this.#sayGone(place);
    else this.#mesh.unlinked(place);
  }

  /** The system ends: a place without a thread will not have one again, and whoever waits for it is told. */
  close(): void {
    this.#closing = true;
    for (const place of this.#wishes.keys()) if (!this.#members.has(place)) this.#sayGone(place);
    this.#wishes.clear();
  }

  /** What a thread said. */
  received(place: Place, message: MeshToMain): void {
    if (message.type === 'connect') {
      this.connect(place, message.to);
      return;
    }
    const owed = this.#members.get(place)?.owed;
    const settle = owed?.get(message.id);
    owed?.delete(message.id);
    settle?.(message.ok);
  }

  connect(from: Place, to: Place): void {
    if (to === MAIN_PLACE || this.#members.has(to)) {
      this.#link(from, to);
      // It may have asked because the thread is gone, which is not known here yet.
      if (to === MAIN_PLACE || this.#closing) return;
    } else if (this.#closing) {
      if (from === MAIN_PLACE) this.#mesh.gone(to);
      else this.#members.get(from)?.post({ type: 'gone', place: to });
      return;
    }
    const wishes = this.#wishes.get(to) ?? new Set();
    wishes.add(from);
    this.#wishes.set(to, wishes);
    this.#wanted(to);
  }

  /** Where a type's partitions are, at first. Resolves when everybody knows. */
  async route(route: Route): Promise<void> {
    this.#routes.set(route.actor, route);
    this.#mesh.route(route);
    await this.#askAll(() => ({ type: 'route', ...route }));
  }

  /**
   * Empties the old owner of a partition; everybody waits then for `moved`. False, and as it was, when `ms` are not enough, or when
   * `signal` fires with the error of a move that was given up; without one, the old owner is lost.
   */
  release(actor: string, partition: number, from: Place, ms: number, signal: AbortSignal): Promise<boolean> {
    return this.#step(actor, partition, () => this.#release(actor, partition, from, ms, signal));
  }

  /**
   * A partition that was released has a new owner.
   * @param epoch of this process's ownership, when that is new; else it stays what it was
   */
  moved(actor: string, partition: number, to: Place, epoch?: number): Promise<void> {
    return this.#step(actor, partition, () => this.#reroute(actor, partition, to, epoch));
  }

  /** A partition has no place in this process any more. What `from` still has of it ends; resolves when it has. */
  discard(actor: string, partition: number, from: Place): Promise<void> {
    return this.#step(actor, partition, async () => {
      const discarded = this.#ask(from, { type: 'discard', actor, partition });
      await this.#reroute(actor, partition, ELSEWHERE);
      await discarded;
    });
  }

  #step<Result>(actor: string, partition: number, step: () => Promise<Result>): Promise<Result> {
    const name = nameOf(actor, partition);
    const stepped = (this.#steps.get(name) ?? Promise.resolve()).then(step);
    const over = stepped.then(
      () => undefined,
      () => undefined,
    );
    this.#steps.set(name, over);
    void over.then(() => {
      if (this.#steps.get(name) === over) this.#steps.delete(name);
    });
    return stepped;
  }

  async #release(
    actor: string,
    partition: number,
    from: Place,
    ms: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const aborted = new Promise<boolean>((resolve) => {
      if (signal.aborted) resolve(false);
      else signal.addEventListener('abort', () => resolve(false), { once: true });
    });
    this.#held.set(nameOf(actor, partition), { actor, partition });
    const held = Promise.all([
      this.#mesh.hold(actor, partition),
      this.#askAll(() => ({ type: 'hold', actor, partition })),
    ]).then(() => true);
    const released =
      (await Promise.race([held, aborted])) &&
      (await Promise.race([this.#ask(from, { type: 'release', actor, partition, ms }), aborted]));
    const givenUp = signal.aborted && signal.reason instanceof TetherError;
    if (givenUp || (!released && !signal.aborted)) await this.#reroute(actor, partition, from);
    return released && !givenUp;
  }

  async #reroute(actor: string, partition: number, to: Place, newEpoch?: number): Promise<void> {
    const before = this.#routes.get(actor);
    if (before === undefined) throw new RangeError(`no route to ${actor}`);
    const owners = before.owners.map((owner, at) => (at === partition ? to : owner));
    const epoch = newEpoch ?? before.epochs?.[partition];
    const epochs = owners.map((_, at) => (at === partition ? epoch : before.epochs?.[at]));
    this.#routes.set(actor, { actor, owners, epochs });
    const moved = { type: 'moved', actor, partition, owner: to, epoch } as const;
    // Who joins from now on learns it by the routes, and sends nothing before the new owner knows.
    await this.#ask(to, moved);
    this.#held.delete(nameOf(actor, partition));
    this.#mesh.moved(actor, partition, to);
    await this.#askAll((place) => (place === to ? undefined : moved));
  }

  #sayGone(place: Place): void {
    this.#mesh.gone(place);
    for (const { post } of this.#members.values()) post({ type: 'gone', place });
  }

  #link(from: Place, to: Place): void {
    if (this.#members.get(from)?.linked.has(to) || this.#members.get(to)?.linked.has(from)) return;
    const { port1, port2 } = new MessageChannel();
    for (const [place, other, port] of [
      [from, to, port1],
      [to, from, port2],
    ] as const) {
      const member = this.#members.get(place);
      member?.linked.add(other);
      if (place === MAIN_PLACE) this.#mesh.linked(other, port);
      else if (member !== undefined) member.post({ type: 'link', place: other, port }, [port]);
      else port.close();
    }
  }

  async #askAll(question: (place: Place) => Question | undefined): Promise<void> {
    await Promise.all(
      [...this.#members.keys()].map((place) => {
        const asked = question(place);
        return asked === undefined ? true : this.#ask(place, asked);
      }),
    );
  }

  /** Resolves with its answer, or with true when the thread ends before. */
  #ask(place: Place, question: Question): Promise<boolean> {
    const member = this.#members.get(place);
    if (member === undefined) return Promise.resolve(true);
    const id = this.#nextId++;
    return new Promise((resolve) => {
      member.owed.set(id, resolve);
      member.post({ ...question, id } as MeshToWorker);
    });
  }
}

type Question = MeshToWorker extends infer Message
  ? Message extends { readonly id: number }
    ? Omit<Message, 'id'>
    : never
  : never;
