/**
 * An actor that refuses every message until it is mended, and then writes each down once: the deduplication key commits with the effect, as
 * the payment actor's does.
 */
import { defineActor } from '../../runtime/actor.js';
import { EnvelopeError } from '../../runtime/errors.js';
import { createPool, type Pool } from '../../storage/postgres/pool.js';

export interface MendableSettings {
  readonly databaseUrl: string;
  /** An Int32: 1 when it is mended. */
  readonly mended: SharedArrayBuffer;
}

interface Resources {
  readonly pool: Pool;
  readonly mended: Int32Array;
}

export const EFFECTS_TABLE = `
  CREATE TABLE effects (seq bigserial, dedupe text PRIMARY KEY, key text NOT NULL, n integer NOT NULL)`;

const WRITE = `
  INSERT INTO effects (dedupe, key, n)
  SELECT dedupe, key, n FROM unnest($1::text[], $2::text[], $3::int[]) WITH ORDINALITY AS m (dedupe, key, n, at) ORDER BY at
  ON CONFLICT DO NOTHING`;

export default defineActor<unknown, undefined, Resources>({
  type: 'mendable',
  scope: 'thread',
  batchMax: 200,

  open({ settings, logger }) {
    const { databaseUrl, mended } = settings as MendableSettings;
    const pool = createPool({ url: databaseUrl, connectionsMax: 1, applicationName: 'mendable', logger });
    return { pool, mended: new Int32Array(mended) };
  },

  close: ({ pool }) => pool.end(),

  async receive(messages, { resources: { pool, mended } }) {
    if (Atomics.load(mended, 0) === 0) throw new EnvelopeError('not mended yet');
    await pool.query(WRITE, [
      messages.map(({ dedupe }) => dedupe),
      messages.map(({ key }) => key),
      messages.map(({ payload }) => Number(Buffer.from(payload).toString())),
    ]);
  },
});
