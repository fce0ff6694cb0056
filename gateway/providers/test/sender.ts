/** A provider of the registry for tests: headers by name in, and what would go on the log read back out. */
import { decodeWebhook, type WebhookMessage } from '../../../actors/webhook/message.js';
import type { Provider, Verdict } from '../provider.js';
import { PROVIDERS } from '../registry.js';

/** What one envelope of a webhook is made of. */
export interface Told extends Omit<WebhookMessage, 'body'> {
  readonly key: string;
  readonly dedupe: string;
  readonly body: string;
}

export interface TestSender {
  readonly provider: Provider;
  recognise(body: string | Buffer, headers?: Readonly<Record<string, string>>, nowMs?: number): Verdict;
  /** @throws Error it is not accepted */
  accept(body: string | Buffer, headers?: Readonly<Record<string, string>>, nowMs?: number): readonly Told[];
}

export function senderOf(
  name: string,
  secrets: readonly string[],
  options: Readonly<Record<string, unknown>> = {},
  order: 'key' | 'none' = 'key',
): TestSender {
  const kind = PROVIDERS.get(name);
  if (kind === undefined) throw new Error(`no provider ${name}`);
  const provider = kind.create({ endpoint: 'shop', secrets, options, order });
  const recognise: TestSender['recognise'] = (body, headers = {}, nowMs = 0) => {
    const given = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
    const values = provider.headers.map((name) => given.get(name) ?? '');
    return provider.recognise(Buffer.from(body), values, nowMs);
  };
  return {
    provider,
    recognise,
    accept(body, headers, nowMs) {
      const verdict = recognise(body, headers, nowMs);
      if (verdict.outcome !== 'accepted') throw new Error(JSON.stringify(verdict));
      return [verdict, ...(verdict.more ?? [])].map(({ key, dedupe, payload }) => {
        const message = decodeWebhook(payload ?? Buffer.alloc(0));
        const body = Buffer.from(message.body).toString();
        return { ...message, body, key: `${key}`, dedupe: `${dedupe}` };
      });
    },
  };
}
