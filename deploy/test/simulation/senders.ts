/**
 * Those who send messages: each has keys of its own, sends a key's messages one after the other, sends again what was not acknowledged, mostly to
 * another node, and gives up in the end. Requests and answers may be lost, or come twice.
 */

import type { Kind } from './actors.js';
import type { Cluster, Site } from './cluster.js';
import type { Dice } from './dice.js';
import type { Request } from './node.js';
import type { Timeline } from './timeline.js';

export interface SendersOptions {
  readonly timeline: Timeline;
  readonly dice: Dice;
  readonly cluster: Cluster;
  readonly actors: readonly string[];
  readonly senders: number;
  readonly messages: number;
  readonly pauseMsMax: number;
  /** Share of requests and of answers that are lost. */
  readonly lossShare: number;
}

/** What a sender knows of a message. */
export interface Sent extends Request {
  /** Counts what happened to any message: the order of sends and acknowledgements. */
  readonly sentAt: number;
  acknowledgedAt: number | undefined;
  tries: number;
}

const TRIES_MAX = 6;
const ANSWER_MS_MAX = 1_500;

export class Senders {
  readonly sent: Sent[] = [];
  readonly #options: SendersOptions;
  #busy = 0;
  #moment = 0;

  constructor(options: SendersOptions) {
    this.#options = options;
  }

  get done(): boolean {
    return this.#busy === 0;
  }

  start(): void {
    const { senders, messages, dice, timeline } = this.#options;
    this.#busy = senders;
    for (let sender = 0; sender < senders; sender++)
      timeline.in(dice.between(200, 1_500), () => this.#next(sender, 0, messages), true);
  }

  #next(sender: number, number: number, left: number): void {
    const { dice, timeline, actors } = this.#options;
    if (left === 0) {
      this.#busy--;
      return;
    }
    const kind: Kind = dice.chance(0.04) ? 'poison' : dice.chance(0.04) ? 'flaky' : 'plain';
    const actor = actors[sender % actors.length] as string;
    const sent: Sent = {
      actor,
      key: `k${sender}`,
      dedupe: `k${sender}-${number}`,
      kind,
      number,
      sentAt: this.#moment++,
      acknowledgedAt: undefined,
      tries: 0,
    };
    this.sent.push(sent);
    this.#try(sent, () => {
      // Some at once, so that they are under way behind one another; and all the time something.
      const pauseMs = dice.chance(0.6) ? dice.between(0, 20) : dice.between(20, this.#options.pauseMsMax);
      timeline.in(pauseMs, () => this.#next(sender, number + 1, left - 1), true);
    });
  }

  #try(sent: Sent, over: () => void): void {
    const { dice, timeline, cluster } = this.#options;
    if (sent.tries++ === TRIES_MAX) {
      over();
      return;
    }
    let mode: 'waits' | 'over' = 'waits';
    const answered = (ok: boolean) => {
      if (ok && sent.acknowledgedAt === undefined) {
        sent.acknowledgedAt = this.#moment++;
        cluster.trace(`${sent.dedupe} is acknowledged`);
      }
      if (mode === 'over') return;
      mode = 'over';
      late.action = undefined;
      if (sent.acknowledgedAt !== undefined) over();
      else timeline.in(dice.between(20, 600), () => this.#try(sent, over), true);
    };
    const late = timeline.in(ANSWER_MS_MAX, () => answered(false), true);
    this.#request(sent, answered);
    if (dice.chance(0.03)) this.#request(sent, answered);
  }

  /** To a node that a balancer picks. */
  #request(sent: Sent, answered: (ok: boolean) => void): void {
    const { dice, timeline, cluster, lossShare } = this.#options;
    const up = cluster.sites.filter(({ node }) => node !== undefined);
    const delayMs = () => (dice.chance(0.03) ? dice.between(1, 400) : dice.between(0.1, 2));
    if (up.length === 0) {
      timeline.in(delayMs(), () => answered(false), true);
      return;
    }
    const site: Site = dice.pick(up);
    const { node } = site;
    if (node === undefined || dice.chance(lossShare)) return;
    const back = (ok: boolean) => {
      // It may come from a process that has ended since.
      if (!dice.chance(lossShare)) timeline.in(delayMs(), () => answered(ok), true);
    };
    timeline.in(delayMs(), () =>
      node.process.arrive(
        () =>
          node.accept(sent, {
            appended: (offset) => {
              cluster.trace(`${node.name} has ${sent.actor}/${sent.dedupe} at ${offset}`);
              back(true);
            },
            appendFailed: (error) => {
              cluster.trace(`${node.name} refuses ${sent.dedupe}: ${error.message}`);
              back(false);
            },
          }),
        false,
      ),
    );
  }
}
