/** Does on the node what a key asked for, and says in one line what became of it. It never throws. */
import { z } from 'zod';
import type { NodeClient } from '../commands/node-client.js';
import { NodeRequestError } from '../errors.js';
import type { PoolEffect } from './keys.js';
import type { TopState } from './state.js';

/** How the pool is after it comes with the next status. */
const ANSWER = z.looseObject({});

async function act(node: NodeClient, effect: PoolEffect): Promise<NonNullable<TopState['message']>> {
  const path = `/api/pools/${encodeURIComponent(effect.actor)}`;
  try {
    if (effect.kind === 'resize') {
      await node.call('PUT', path, ANSWER, effect.change);
      return { text: `${effect.actor}: at most ${effect.change.max} threads now`, failed: false };
    }
    await node.call('POST', `${path}/${effect.verb}`, ANSWER, effect.verb === 'drain' ? {} : undefined);
    return { text: `${effect.actor}: ${DONE[effect.verb]}`, failed: false };
  } catch (error) {
    return { text: reasonText(error), failed: true };
  }
}

const DONE = { pause: 'paused', resume: 'runs again', drain: 'drains; p lets it go on' } as const;

function reasonText(error: unknown): string {
  if (error instanceof NodeRequestError && error.statusCode === 403) {
    return 'this token may only read: start top with one that has the scope operate';
  }
  return error instanceof Error ? error.message : String(error);
}

export { act };
