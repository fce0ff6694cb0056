/**
 * What a page of events comes to: deliveries, those that are left out by their reasons, and where the next page begins.
 *
 * Bodies come from the archive one after the other. When the time is over before all are there, the page ends where they end: what a replay tells is
 * always the beginning of what is left of it, in order.
 */
import type { Payloads } from '../archive/payloads.js';
import type { Handover } from '../webhook/handover.js';
import type { Routes } from '../webhook/routes.js';
import { bodiesOf } from './bodies.js';
import { type HowReplayed, type LeftOut, leftOutBefore, replayOf } from './deliveries.js';
import type { EventPage } from './selection.js';

export interface DecidedPage {
  readonly handovers: readonly Handover[];
  readonly leftOut: Readonly<Partial<Record<LeftOut, number>>>;
  /** The last event that was looked at; undefined of a page without any. */
  readonly cursor: string | undefined;
  /** Nothing is behind it. */
  readonly isEnd: boolean;
}

/** @throws what `bodiesOf` throws; then nothing of the page may be told */
export async function decidePage(
  { events, next }: EventPage,
  how: HowReplayed,
  { payloads, routes }: { readonly payloads: Pick<Payloads, 'payloadOf'>; readonly routes: Routes },
  isTimeOver: () => boolean,
): Promise<DecidedPage> {
  const before = events.map((event) => leftOutBefore(event, how, routes));
  const due = events.filter((_, at) => before[at] === undefined);
  const bodies = await bodiesOf(due, payloads, isTimeOver);
  const cut = due[bodies.length];
  const part = cut === undefined ? events : events.slice(0, events.indexOf(cut));
  const rest = bodies.values();
  const handovers: Handover[] = [];
  const leftOut: Partial<Record<LeftOut, number>> = {};
  for (const [at, event] of part.entries()) {
    const decided = before[at] ?? replayOf(event, rest.next().value ?? 'body', how, routes);
    if (typeof decided === 'string') leftOut[decided] = (leftOut[decided] ?? 0) + 1;
    else handovers.push(decided);
  }
  const last = part.at(-1)?.id;
  return cut === undefined
    ? { handovers, leftOut, cursor: next ?? last, isEnd: next === undefined }
    : { handovers, leftOut, cursor: last, isEnd: false };
}
