/** A dead letter as the operations API answers it (`gateway/operations.ts`), and as a person reads it. */
import { z } from 'zod';

const envelope = z.object({
  id: z.string(),
  actor: z.string(),
  key: z.string(),
  dedupe: z.string(),
  receivedAt: z.number(),
  traceparent: z.string(),
  payload: z.base64(),
});
const deadLetterSchema = z.object({
  envelope,
  cause: z.object({ code: z.string(), message: z.string(), stack: z.string() }),
  attempts: z.number(),
  deadAt: z.number(),
  state: z.enum(['waiting', 'replayed']),
  replayedAt: z.number().optional(),
});
const deadLetterListSchema = z.object({ deadLetters: z.array(deadLetterSchema), waiting: z.number() });
const replayedSchema = z.object({ id: z.string(), state: z.literal('replayed') });

type DeadLetterJson = z.infer<typeof deadLetterSchema>;

/** What comes from a message may hold anything; a terminal gets no control characters of it. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
  });
}

function time(milliseconds: number | undefined): string {
  const date = new Date(milliseconds ?? Number.NaN);
  return Number.isNaN(date.getTime()) ? '-' : date.toISOString();
}

/** A cause that is cut shorter says nothing. */
const CAUSE_LENGTH_MIN = 24;

/** One line for each, without payload. `columns`: the width that the last column is cut to; without it nothing is cut. */
function deadLetterTable(
  letters: readonly DeadLetterJson[],
  columns: number = Number.POSITIVE_INFINITY,
): string {
  const head = ['ID', 'ACTOR', 'KEY', 'STATE', 'TRIES', 'SINCE', 'CAUSE'];
  const rows = letters.map(({ envelope: { id, actor, key }, state, attempts, deadAt, cause }) =>
    [id, actor, key, state, String(attempts), time(deadAt), `${cause.code}: ${cause.message}`].map(printable),
  );
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const before = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const lastMax = Math.max(columns - before, CAUSE_LENGTH_MIN);
  const cut = (cell: string) => (cell.length > lastMax ? `${cell.slice(0, lastMax - 3)}...` : cell);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (i === cells.length - 1 ? cut(cell) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  return `${[head, ...rows].map(line).join('\n')}\n`;
}

/** Everything that is known of one. */
function deadLetterText(letter: DeadLetterJson): string {
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
    ['cause', `${cause.code}: ${cause.message}`],
    ['payload', Buffer.from(letter.envelope.payload, 'base64').toString('utf8')],
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
