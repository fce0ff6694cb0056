/** Every provider that there is, by the name that an endpoint gives. */
import { adyen } from './adyen.js';
import { apiKey } from './api-key.js';
import { basic } from './basic.js';
import { emp } from './emp/kind.js';
import { github } from './github.js';
import { gocardless } from './gocardless.js';
import { hmac } from './hmac.js';
import type { ProviderKind } from './kind.js';
import { none } from './none.js';
import { shopify } from './shopify.js';
import { slack } from './slack.js';
import { standardWebhooks } from './standard-webhooks.js';
import { stripe } from './stripe.js';

export const PROVIDERS: ReadonlyMap<string, ProviderKind> = new Map(
  [emp, standardWebhooks, stripe, github, shopify, slack, adyen, gocardless, hmac, basic, apiKey, none].map(
    (kind) => [kind.name, kind],
  ),
);
