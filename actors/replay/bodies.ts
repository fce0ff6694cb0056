/**
 * The bodies of a page of events, in their order, from wherever they are: the one way to them is that of the archive (`payloads.ts` there). Neighbours
 * are asked for together, so that a block costs one fetch and one question whether it is over.
 *
 * | the body                          | what it means                                                       |
 * |-----------------------------------|---------------------------------------------------------------------|
 * | was removed, as the retention says | `body`: the event is left out                                       |
 * | is not what was put there         | `damaged`: the event is left out; the log names the segment         |
 * | is in a store that is away        | an outage: the replay waits, and goes on                            |
 */
import { ArchiveDamagedError, PayloadGoneError } from '../archive/errors.js';
import type { EventWithPayload, Payloads } from '../archive/payloads.js';

/** Blocks that are fetched at a time: of four replays, which are as many as run, that is what may be fetched at once. */
const BLOCKS_AT_ONCE = 2;
/** Of as many blocks or fewer, and of those that are in Postgres. */
const EVENTS_AT_ONCE = 100;

export type Body = Uint8Array | 'body' | 'damaged';

/**
 * @param isTimeOver asked between two fetches: the rest of the events is for another time
 * @returns those of the first events, of all or of some, of one at least
 * @throws ObjectStoreUnavailableError, ArchiveFormatError, and what Postgres says
 */
export async function bodiesOf(
  events: readonly EventWithPayload[],
  payloads: Pick<Payloads, 'payloadOf'>,
  isTimeOver: () => boolean,
): Promise<readonly Body[]> {
  const bodies: Body[] = [];
  while (bodies.length < events.length && (bodies.length === 0 || !isTimeOver())) {
    const some = firstOf(events.slice(bodies.length, bodies.length + EVENTS_AT_ONCE));
    bodies.push(...(await Promise.all(some.map((event) => bodyOf(event, payloads)))));
  }
  return bodies;
}

/** The first events, as long as they are in so few blocks. */
function firstOf(events: readonly EventWithPayload[]): readonly EventWithPayload[] {
  const blocks = new Set<string>();
  const end = events.findIndex(({ place }) => {
    if (place !== undefined) blocks.add(`${place.segment} ${place.blockAt}`);
    return blocks.size > BLOCKS_AT_ONCE;
  });
  return end === -1 ? events : events.slice(0, end);
}

async function bodyOf(event: EventWithPayload, payloads: Pick<Payloads, 'payloadOf'>): Promise<Body> {
  try {
    return await payloads.payloadOf(event);
  } catch (error) {
    if (error instanceof PayloadGoneError) return 'body';
    if (error instanceof ArchiveDamagedError) return 'damaged';
    throw error;
  }
}
