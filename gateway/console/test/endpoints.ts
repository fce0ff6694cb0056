/** Endpoints and targets of a made-up node: well, in trouble, and taken away. */
import type { EndpointState, EndpointsFileState } from '../../api/endpoints.js';
import type { TargetList, TargetState } from '../../api/targets.js';

const AT = new Date(Date.now() - 90_000).toISOString();
const DIGEST = { reference: null, digest: '0a1b2c3d' };

const endpoint: EndpointState = {
  name: 'emp',
  source: 'file',
  provider: 'emp',
  token: DIGEST,
  secrets: [DIGEST],
  settings: { actor: 'payment' },
  served: true,
  problems: [],
  changedAt: null,
  changedBy: null,
};

export function endpointList(): {
  readonly endpoints: readonly EndpointState[];
  readonly file: EndpointsFileState;
} {
  const routes = [
    { when: "type == 'invoice.paid'", to: ['ledger', 'forward:erp'], continue: false },
    { when: 'body.amount >= 100', to: ['audit'], continue: true },
  ];
  const api = { source: 'api', changedAt: AT, changedBy: 'ann' } as const;
  return {
    endpoints: [
      endpoint,
      { ...endpoint, name: 'stripe', provider: 'stripe', settings: { routes } },
      {
        ...endpoint,
        ...api,
        name: 'partner',
        provider: 'standard-webhooks',
        secrets: [{ reference: 'env:PARTNER', digest: null }, DIGEST],
        settings: { actor: 'ledger' },
        served: false,
        problems: ['endpoint partner: secrets[0]: the reference cannot be followed on this node'],
      },
      { ...endpoint, ...api, name: 'open', provider: 'none', secrets: [], settings: {} },
    ],
    file: {
      path: '/etc/tether/endpoints.yaml',
      readAt: AT,
      problems: ['endpoints.yaml: endpoint shop: provider: is one of emp, stripe'],
    },
  };
}

const target: TargetState = {
  name: 'crm',
  known: true,
  origin: 'https://crm.example',
  secrets: [DIGEST],
  headers: ['authorization'],
  settings: { concurrency: 10, timeoutMs: 15_000 },
  waiting: null,
};

export function targetList(): TargetList {
  const waiting = { count: 12, more: false, since: AT, dueAt: new Date(Date.now() + 60_000).toISOString() };
  return {
    targets: [
      target,
      {
        ...target,
        name: 'erp',
        origin: 'https://erp.example',
        settings: { ...target.settings, ratePerSecond: 5 },
        waiting: { ...waiting, count: 10_000, more: true, reason: 'status 503' },
      },
      {
        ...target,
        name: 'old',
        known: false,
        origin: '',
        secrets: [],
        headers: [],
        settings: {},
        waiting: { ...waiting, reason: 'there is no such target' },
      },
    ],
    waitingKnown: true,
  };
}
