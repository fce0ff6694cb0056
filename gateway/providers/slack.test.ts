import { createHmac } from 'node:crypto';
import t from 'tap';
import { senderOf } from './test/sender.js';

// Slack's documentation, "Verifying requests from Slack".
const SECRET = '8f742231b10e8888abcd99yyyzzz85a5';
const AT_S = 1_531_420_618;
const COMMAND =
  'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c';
const PUBLISHED = 'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503';

const headers = (signature: string, contentType: string) => ({
  'Content-Type': contentType,
  'X-Slack-Request-Timestamp': `${AT_S}`,
  'X-Slack-Signature': signature,
});
const FORM = 'application/x-www-form-urlencoded';
const signed = (body: string, contentType = 'application/json') =>
  headers(`v0=${createHmac('sha256', SECRET).update(`v0:${AT_S}:${body}`).digest('hex')}`, contentType);
const slack = senderOf('slack', [SECRET]);
const NOW = AT_S * 1000;

t.test('the published vector, a slash command', async (t) => {
  t.match(slack.accept(COMMAND, headers(PUBLISHED, FORM), NOW), [
    {
      type: '/webhook-collect',
      key: 'shop:G8PSS9T3V',
      id: '',
      dedupe: /^sha256:/,
      contentType: FORM,
      body: COMMAND,
    },
  ]);
  t.match(slack.recognise(`${COMMAND}x`, headers(PUBLISHED, FORM), NOW), { outcome: 'forged' });
  t.match(slack.recognise(COMMAND, headers(PUBLISHED.slice(3), FORM), NOW), { outcome: 'forged' });
  t.match(slack.recognise(COMMAND, headers(PUBLISHED.replace('v0', 'v1'), FORM), NOW), { outcome: 'forged' });
  t.match(slack.recognise(COMMAND, headers(PUBLISHED, FORM), NOW + 301_000), { outcome: 'expired' });
});

t.test('an event, and a click', async (t) => {
  const event =
    '{"type":"event_callback","event_id":"Ev1","team_id":"T1","event":{"type":"message","channel":"C1"}}';
  t.match(slack.accept(event, signed(event), NOW), [
    { type: 'message', id: 'Ev1', dedupe: 'Ev1', key: 'shop:C1' },
  ]);
  const click = `payload=${encodeURIComponent('{"type":"block_actions","channel":{"id":"C2"},"team":{"id":"T1"}}')}`;
  t.match(slack.accept(click, signed(click, FORM), NOW), [{ type: 'block_actions', key: 'shop:C2' }]);
  t.match(slack.recognise('payload=%7B', signed('payload=%7B', FORM), NOW), { outcome: 'malformed' });
  t.match(slack.recognise('x', signed('x'), NOW), { outcome: 'malformed' });
});

t.test('the question of a new URL is answered by its challenge, when it is genuine', async (t) => {
  const body =
    '{"token":"t","challenge":"3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P","type":"url_verification"}';
  const verdict = slack.recognise(body, signed(body), NOW);
  t.equal(verdict.outcome, 'handshake');
  t.equal(
    'answer' in verdict && Buffer.from(verdict.answer).toString(),
    '3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P',
  );
  t.match(slack.recognise(body, headers(PUBLISHED, 'application/json'), NOW), { outcome: 'forged' });
  const long = `{"type":"url_verification","challenge":"${'x'.repeat(300)}"}`;
  t.match(
    slack.recognise(long, signed(long), NOW),
    { outcome: 'accepted' },
    'no text of any length is sent back',
  );
});
