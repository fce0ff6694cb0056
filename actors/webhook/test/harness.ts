/** For tests: messages as the gateway makes them, and the actor without the runtime around it. */
import { createHash, randomUUID } from 'node:crypto';
import type { PartitionEpoch } from '../../../runtime/actor.js';
import { silentLogger } from '../../../runtime/logger.js';
import type { RawMessage } from '../../../runtime/message.js';
import { type Intercept, intercepted } from '../../payment/test/harness.js';
import webhook, { handleWebhooks, type WebhookResources } from '../actor.js';
import type { WebhookDelivery } from '../delivery.js';
import { encodeWebhook, type WebhookMessage } from '../message.js';
import type { WebhookSettings } from '../settings.js';

export interface TestWebhook extends Partial<Omit<WebhookMessage, 'body'>> {
  readonly key?: string;
  readonly dedupe?: string;
  readonly messageId?: string;
  readonly body?: unknown;
}

/** The message that the gateway would append. */
export function messageOf(of: TestWebhook = {}): RawMessage {
  const { key = 'k', messageId = randomUUID(), ...rest } = of;
  const { endpoint = 'shop', provider = 'stripe', type = 'invoice.paid', id = randomUUID() } = rest;
  const { contentType = 'application/json', headers = {} } = rest;
  const body = Buffer.from(rest.body instanceof Uint8Array ? rest.body : JSON.stringify(rest.body ?? {}));
  const dedupe = of.dedupe ?? (id || `sha256:${createHash('sha256').update(body).digest('hex')}`);
  const payload = encodeWebhook({ endpoint, provider, type, id, contentType, headers, body });
  return {
    id: messageId,
    key: `${endpoint}:${key}`,
    dedupe,
    receivedAt: Date.now(),
    traceparent: '',
    payload,
    attempt: 1,
  };
}

export interface Told {
  readonly actor: string;
  readonly key: string;
  readonly dedupe: string;
  readonly delivery: WebhookDelivery;
}

export interface SetReminder {
  readonly key: string;
  readonly name: string;
  readonly afterMs: number;
  readonly body: unknown;
}

export interface TestActor {
  readonly resources: WebhookResources;
  /** What went to other actors, in the order of being on the log. */
  readonly told: Told[];
  readonly reminders: SetReminder[];
  receive(messages: readonly RawMessage[], epochs?: readonly PartitionEpoch[]): Promise<void>;
}

export interface TestActorOptions {
  readonly settings?: Partial<WebhookSettings>;
  readonly intercept?: Intercept;
  /** Before a delivery is on the log: may wait or refuse. */
  readonly onTell?: (told: Told) => Promise<void> | void;
}

export async function openActor(
  t: { teardown(work: () => Promise<void> | void): void },
  databaseUrl: string,
  { settings = {}, intercept, onTell }: TestActorOptions = {},
): Promise<TestActor> {
  const filled: WebhookSettings = { databaseUrl, idempotencyEntriesMax: 10_000, ...settings };
  const thread = { actor: webhook.type, thread: 0, settings: filled, logger: silentLogger };
  const opened = await webhook.open?.(thread);
  if (opened === undefined) throw new TypeError('the actor opened nothing');
  t.teardown(() => webhook.close?.(opened));
  const resources =
    intercept === undefined ? opened : { ...opened, pool: intercepted(opened.pool, intercept) };
  const told: Told[] = [];
  const reminders: SetReminder[] = [];
  return {
    resources,
    told,
    reminders,
    receive: (messages, epochs = []) =>
      handleWebhooks(messages, resources, {
        epochs,
        logger: silentLogger,
        now: Date.now,
        async tell(actor, key, delivery, { dedupe }) {
          const each = { actor, key, dedupe, delivery };
          await onTell?.(each);
          told.push(each);
        },
        remindersOf: (key) => ({
          async set(name, { afterMs }, body) {
            reminders.push({ key, name, afterMs, body });
          },
        }),
      }),
  };
}
