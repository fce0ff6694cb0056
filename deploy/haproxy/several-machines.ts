/** What `haproxy.cfg` is made of: `write-config-text.ts` writes it. Names, networks and the certificate are to be put in. */
import type { HaproxyOptions } from './haproxy-config.js';

const MIB = 1_048_576;

export const SEVERAL_MACHINES: HaproxyOptions = {
  bind: ':443',
  gateways: [
    { name: 'gateway-1', address: 'gateway-1.internal:8080' },
    { name: 'gateway-2', address: 'gateway-2.internal:8080' },
  ],
  statsBind: '127.0.0.1:8404',
  // As long as a node may take to drain.
  drainSeconds: 60,
  check: { everyMs: 10_000, fall: 3 },
  edge: {
    certificate: '/etc/haproxy/tether.pem',
    plainBind: ':80',
    internalNetworks: ['127.0.0.0/8', '10.0.0.0/8'],
    connectionsMax: 512,
    requestsMax: 500,
    // What an endpoint may allow at most.
    webhookBytesMax: MIB,
    // `TETHER_UPLOAD_BYTES_MAX`, and some for the form around it.
    uploadBytesMax: 520 * MIB,
  },
};
