/**
 * Slack: `v0:<timestamp>:<body>`, signed by HMAC-SHA-256, in `X-Slack-Signature: v0=…`. The body is JSON (events), a form (slash commands), or
 * a form whose field `payload` is JSON (buttons, dialogs). The question that Slack asks of a new URL is answered with its challenge.
 */
import { z } from 'zod';
import { type ProviderSetup, providerKind } from './kind.js';
import { keepHeaders, toleranceSeconds } from './options.js';
import { malformed } from './proof.js';
import { HeaderNames, member, memberAt, type Reading, textOf } from './reading.js';
import { SignatureProof } from './signature-proof.js';
import { HmacKey } from './signing-key.js';
import { type SenderMessage, WebhookProvider } from './webhook-provider.js';

const NAME = 'slack';
const NOT_JSON = malformed('the body is not JSON');
const NO_PAYLOAD = malformed('field payload is not JSON');

const schema = z.strictObject(
  { toleranceSeconds, keepHeaders: keepHeaders('x-slack-signature') },
  'is a mapping',
);

export const slack = providerKind({
  name: NAME,
  options: schema,
  secrets: { what: 'the signing secret of the app' },
  create({ endpoint, secrets, options, order }: ProviderSetup<z.output<typeof schema>>) {
    const names = new HeaderNames();
    const contentType = names.position('content-type');
    const proof = new SignatureProof(
      {
        header: 'x-slack-signature',
        form: { prefix: 'v0=' },
        signed: [
          { part: 'literal', text: 'v0:' },
          { part: 'timestamp' },
          { part: 'literal', text: ':' },
          { part: 'body' },
        ],
        timestamp: {
          from: { header: 'x-slack-request-timestamp' },
          unit: 'seconds',
          toleranceSeconds: options.toleranceSeconds,
        },
      },
      secrets.map((secret) => new HmacKey(Buffer.from(secret), { algorithm: 'sha256', encoding: 'hex' })),
      names,
    );
    return new WebhookProvider(
      {
        provider: NAME,
        mediaTypes: ['application/json', 'application/x-www-form-urlencoded'],
        proof,
        answer: { mediaType: 'text/plain', body: '' },
        handshake: (reading) => challengeOf(reading, reading.header(contentType)),
        messages(reading) {
          const type = reading.header(contentType);
          const told = isForm(type) ? ofForm(reading.body) : ofEvent(reading);
          return 'outcome' in told ? told : [{ ...told, body: reading.body, contentType: type }];
        },
      },
      names,
      { endpoint, order, keepHeaders: options.keepHeaders ?? [] },
    );
  },
});

type Told = Pick<SenderMessage, 'type' | 'id' | 'key'>;

function isForm(contentType: string): boolean {
  return contentType.toLowerCase().startsWith('application/x-www-form-urlencoded');
}

function challengeOf(reading: Reading, contentType: string): Uint8Array | undefined {
  if (isForm(contentType) || member(reading.json(), 'type') !== 'url_verification') return undefined;
  const challenge = textOf(member(reading.json(), 'challenge'));
  return challenge === '' ? undefined : Buffer.from(challenge);
}

/** Its type is that of the event within; what is about no channel is in the order of its workspace. */
function ofEvent(reading: Reading): Told | typeof NOT_JSON {
  const json = reading.json();
  if (json === undefined) return NOT_JSON;
  const text = (...path: string[]) => textOf(memberAt(json, path));
  return {
    id: text('event_id'),
    type: text('event', 'type') || text('type'),
    key: text('event', 'channel') || text('event', 'item', 'channel') || text('team_id'),
  };
}

function ofForm(body: Buffer): Told | typeof NO_PAYLOAD {
  const form = new URLSearchParams(body.toString());
  const field = (name: string) => textOf(form.get(name));
  if (!form.has('payload'))
    return { id: '', type: field('command'), key: field('channel_id') || field('team_id') };
  let json: unknown;
  try {
    json = JSON.parse(form.get('payload') ?? '');
  } catch {
    return NO_PAYLOAD;
  }
  const text = (...path: string[]) => textOf(memberAt(json, path));
  return { id: '', type: text('type'), key: text('channel', 'id') || text('team', 'id') };
}
