/**
 * The way between two machines, and connections over it as TCP has them: in order, without gaps, and either end may be the last to learn that
 * one is over.
 *
 * While a link is cut nothing arrives, and nothing is lost: it arrives when the link is there again, however late, unless the connection was
 * reset. What was under way at a reset may have arrived or not.
 */
import type { Dice } from './dice.js';
import type { Process } from './process.js';
import type { Timeline } from './timeline.js';

const SEND_AGAIN_MS = 400;
/** As the clients set it. */
const KEEP_ALIVE_MS = 10_000;

export class Link {
  readonly timeline: Timeline;
  readonly dice: Dice;
  #isCut = false;
  /** At most, of one way; now and then it takes ten times as long. */
  delayMsMax = 1;
  readonly connections = new Set<Connection>();

  constructor(timeline: Timeline, dice: Dice) {
    this.timeline = timeline;
    this.dice = dice;
  }

  get isCut(): boolean {
    return this.#isCut;
  }

  cut(): void {
    this.#isCut = true;
  }

  heal(): void {
    this.#isCut = false;
    for (const connection of this.connections) connection.healed();
  }

  delayMs(): number {
    const { dice } = this;
    const ms = dice.between(0.1 * this.delayMsMax, this.delayMsMax);
    return dice.chance(0.02) ? ms * 10 : ms;
  }
}

/** One direction. */
class Pipe<Word> {
  readonly #link: Link;
  readonly #receiver: Process;
  readonly #quiet: boolean;
  readonly #arrived: (words: readonly Word[]) => void;
  readonly #ended: () => void;
  /** The receiver is gone. */
  readonly #unheard: () => void;
  readonly #queue: { readonly turn: number; readonly words: Word[] | undefined }[] = [];
  #lastAt = 0;
  #missed = 0;
  #mode: 'open' | 'ending' | 'ended' = 'open';

  constructor(
    link: Link,
    receiver: Process,
    quiet: boolean,
    arrived: (words: readonly Word[]) => void,
    ended: () => void,
    unheard: () => void,
  ) {
    this.#link = link;
    this.#receiver = receiver;
    this.#quiet = quiet;
    this.#arrived = arrived;
    this.#ended = ended;
    this.#unheard = unheard;
  }

  get ended(): boolean {
    return this.#mode === 'ended';
  }

  /** What is sent in one turn goes together. */
  send(word: Word): void {
    if (this.#mode !== 'open') return;
    const { turn } = this.#link.timeline;
    const last = this.#queue.at(-1);
    if (last?.words !== undefined && last.turn === turn) last.words.push(word);
    else this.#put({ turn, words: [word] });
  }

  /** The last word: there is nothing more. */
  end(): void {
    if (this.#mode !== 'open') return;
    this.#mode = 'ending';
    this.#put({ turn: -1, words: undefined });
  }

  /** Some of what is under way is lost, and everything behind it. */
  lose(): void {
    if (this.#mode === 'open') this.#queue.length = this.#link.dice.whole(0, this.#queue.length);
  }

  healed(): void {
    for (; this.#missed > 0; this.#missed--) this.#set();
  }

  #put(segment: { readonly turn: number; readonly words: Word[] | undefined }): void {
    this.#queue.push(segment);
    this.#set();
  }

  #set(): void {
    const { timeline } = this.#link;
    this.#lastAt = Math.max(this.#lastAt, timeline.now + this.#link.delayMs());
    timeline.at(this.#lastAt, this.#arrive, this.#quiet);
  }

  readonly #arrive = (): void => {
    if (this.#link.isCut) {
      this.#missed++;
      return;
    }
    const segment = this.#queue.shift();
    if (this.#receiver.mode === 'dead') this.#unheard();
    if (segment === undefined) return;
    this.#receiver.arrive(() => {
      if (this.#mode === 'ended') return;
      if (segment.words !== undefined) this.#arrived(segment.words);
      else {
        this.#mode = 'ended';
        this.#ended();
      }
    }, this.#quiet);
  };
}

/** One end of a connection. */
export interface End<In> {
  arrived(words: readonly In[]): void;
  ended(): void;
}

/** @typeParam Up what the client says, @typeParam Down what the server says */
export class Connection<Up = unknown, Down = unknown> {
  readonly #link: Link;
  readonly #up: Pipe<Up>;
  readonly #down: Pipe<Down>;

  constructor(link: Link, client: Process, atClient: End<Down>, server: Process, atServer: End<Up>) {
    this.#link = link;
    this.#up = new Pipe<Up>(
      link,
      server,
      true,
      (words) => atServer.arrived(words),
      () => {
        atServer.ended();
        this.#down.end();
        this.#check();
      },
      () => this.#sendAgain(server),
    );
    this.#down = new Pipe<Down>(
      link,
      client,
      false,
      (words) => atClient.arrived(words),
      () => {
        atClient.ended();
        this.#up.end();
        this.#check();
      },
      () => {},
    );
    link.connections.add(this as Connection);
    client.onEnd.push((withoutWord) => {
      if (!withoutWord) this.#up.end();
    });
    server.onEnd.push((withoutWord) => {
      this.#down.lose();
      if (!withoutWord) this.#down.end();
      // One that has nothing to say finds out by its own questions whether the other is there.
      else link.timeline.in(KEEP_ALIVE_MS, () => this.#sendAgain(server), true);
    });
    // Refused.
    if (server.mode === 'dead') this.#down.end();
  }

  toServer(word: Up): void {
    this.#up.send(word);
  }

  toClient(word: Down): void {
    this.#down.send(word);
  }

  /** The client ends it, and hears nothing more of it. */
  hangUp(): void {
    this.#up.end();
  }

  /** The server ends it. */
  shut(): void {
    this.#down.end();
  }

  /** Something between the two ends it. */
  reset(): void {
    this.#up.lose();
    this.#down.lose();
    this.#up.end();
    this.#down.end();
  }

  healed(): void {
    this.#up.healed();
    this.#down.healed();
  }

  /** What nobody has taken is sent again, until somebody says that there is no such connection. */
  #sendAgain(server: Process): void {
    if (server.replaced) this.#down.end();
    else this.#link.timeline.in(SEND_AGAIN_MS, () => this.#sendAgain(server), true);
  }

  #check(): void {
    if (this.#up.ended && this.#down.ended) this.#link.connections.delete(this as Connection);
  }
}
