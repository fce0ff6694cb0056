/**
 * Dead letters as the operations API shows them: the one place that makes and reads this JSON.
 *
 * `GET /api/dead-letters` answers `{ deadLetters: [...] }`, newest last; `GET /api/dead-letters/{id}` one of them with
 * stack and payload; `POST /api/dead-letters/{id}/replay` answers `{ id, state: 'replayed' }`.
 */
import { z } from 'zod';
import type { StoredDeadLetter } from '../runtime/dead-letter.js';

const summary = z.object({
  id: z.string(),
  actor: z.string(),
  key: z.string(),
  state: z.enum(['waiting', 'replayed']),
  attempts: z.number(),
  cause: z.object({ code: z.string(), message: z.string(), stack: z.string().optional() }),
  /** ISO 8601. */
  receivedAt: z.string(),
  deadAt: z.string(),
  replayedAt: z.string().nullable(),
});
const detail = summary.extend({
  dedupe: z.string(),
  traceparent: z.string(),
  /** Base64. */
  payload: z.base64(),
});
const deadLetterListJson = z.object({ deadLetters: z.array(summary) });

type DeadLetterSummary = z.infer<typeof summary>;
type DeadLetterDetail = z.infer<typeof detail>;

function deadLetterSummary(letter: StoredDeadLetter): DeadLetterSummary {
  const { envelope, cause } = letter;
  return {
    id: envelope.id,
    actor: envelope.actor,
    key: envelope.key,
    state: letter.state,
    attempts: letter.attempts,
    cause: { code: cause.code, message: cause.message },
    receivedAt: new Date(envelope.receivedAt).toISOString(),
    deadAt: new Date(letter.deadAt).toISOString(),
    replayedAt: letter.replayedAt === undefined ? null : new Date(letter.replayedAt).toISOString(),
  };
}

function deadLetterDetail(letter: StoredDeadLetter): DeadLetterDetail {
  const { envelope, cause } = letter;
  return {
    ...deadLetterSummary(letter),
    cause: { code: cause.code, message: cause.message, stack: cause.stack },
    dedupe: envelope.dedupe,
    traceparent: envelope.traceparent,
    payload: Buffer.from(envelope.payload).toString('base64'),
  };
}

export {
  type DeadLetterDetail,
  type DeadLetterSummary,
  deadLetterDetail,
  deadLetterListJson,
  deadLetterSummary,
  detail as deadLetterDetailJson,
};
