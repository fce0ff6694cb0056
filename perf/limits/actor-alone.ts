/** The limit of the effect: the payment actor alone, called in this thread with full batches over one connection to Postgres. */
import payment, { handlePayments } from '../../actors/payment/actor.js';
import { empTraffic } from '../../deploy/send/emp-traffic.js';
import { silentLogger } from '../../runtime/logger.js';
import type { RawMessage } from '../../runtime/message.js';

const BATCH = 500;

/** Messages a second. Rounds differ in their seed: with the same they would be repeats. */
export async function actorAlone(
  databaseUrl: string,
  count: number,
  seed: number,
  password: string,
): Promise<number> {
  const traffic = empTraffic({ seed, count, password, kinds: ['processing'] });
  const messages = Array.from(traffic, ({ paymentId, dedupe, body, index }): RawMessage => {
    const id = `00000000-0000-7000-8000-${(seed * 1_000_000 + index).toString(16).padStart(12, '0').slice(-12)}`;
    return {
      id,
      key: `limit:${paymentId}`,
      dedupe,
      receivedAt: Date.now(),
      traceparent: '',
      payload: Buffer.from(body),
      attempt: 1,
    };
  });
  const settings = { databaseUrl, blacklistCodes: [], idempotencyEntriesMax: 1_000 };
  const resources = await payment.open?.({ actor: 'payment', thread: 0, settings, logger: silentLogger });
  if (resources === undefined) throw new Error('the payment actor has no resources');
  const start = performance.now();
  for (let at = 0; at < messages.length; at += BATCH)
    await handlePayments(messages.slice(at, at + BATCH), resources, silentLogger);
  const seconds = (performance.now() - start) / 1_000;
  await payment.close?.(resources);
  return count / seconds;
}
