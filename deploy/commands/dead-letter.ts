/** A dead letter as the operations API answers it (`gateway/api/dead-letters.ts`), and as a person reads it. */
import { z } from 'zod';
import { maskedPayloadSchema, maskedText } from './masked-payload.js';
import { printable, textTable } from './table.js';

const envelope = z.object({
  id: z.string(),
  actor: z.string(),
  key: z.string(),
  dedupe: z.string(),
  receivedAt: z.number(),
  traceparent: z.string(),
  payloadMasked: maskedPayloadSchema,
});
const deadLetterSchema = z.object({
  envelope,
  cause: z.object({ code: z.string(), message: z.string(), stack: z.string() }),
  attempts: z.number(),
  deadAt: z.number(),
  state: z.enum(['waiting', 'replayed', 'dropped']),
  replayedAt: z.number().optional(),
  droppedAt: z.number().optional(),
  droppedBy: z.string().optional(),
});
const deadLetterListSchema = z.object({ deadLetters: z.array(deadLetterSchema), waiting: z.number() });
const replayedSchema = z.object({ id: z.string(), state: z.literal('replayed') });

type DeadLetterJson = z.infer<typeof deadLetterSchema>;

function time(milliseconds: number | undefined): string {
  const date = new Date(milliseconds ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString();
}

/** One line for each, without payload. `columns`: the width that the last column is cut to. */
function deadLetterTable(letters: readonly DeadLetterJson[], columns?: number): string {
  const head = ['ID', 'ACTOR', 'KEY', 'STATE', 'TRIES', 'SINCE', 'CAUSE'];
  const rows = letters.map(({ envelope: { id, actor, key }, state, attempts, deadAt, cause }) => {
    return [id, actor, key, state, String(attempts), time(deadAt), `${cause.code}: ${cause.message}`];
  });
  return textTable(head, rows, columns);
}

/** Everything that is known of one. `body`: the whole of it, else it is masked. */
function deadLetterText(letter: DeadLetterJson, body?: string): string {
  const { cause } = letter;
  const rows: [string, string][] = [
    ['id', letter.envelope.id],
    ['actor', letter.envelope.actor],
    ['key', letter.envelope.key],
    ['dedupe', letter.envelope.dedupe],
    ['state', letter.state],
    ['attempts', String(letter.attempts)],
    ['received', time(letter.envelope.receivedAt)],
    ['dead since', time(letter.deadAt)],
    ['replayed', time(letter.replayedAt)],
    ...(letter.droppedAt === undefined
      ? []
      : [['dropped', `${time(letter.droppedAt)} by ${letter.droppedBy ?? '?'}`] as [string, string]]),
    ['cause', `${cause.code}: ${cause.message}`],
    ['payload', body ?? maskedText(letter.envelope.payloadMasked)],
  ];
  const stack = cause.stack.split('\n').map((line) => `  ${printable(line)}\n`);
  return rows.map(([name, value]) => `${name.padEnd(12)}${printable(value)}\n`).join('') + stack.join('');
}

export {
  type DeadLetterJson,
  deadLetterListSchema,
  deadLetterSchema,
  deadLetterTable,
  deadLetterText,
  replayedSchema,
};
