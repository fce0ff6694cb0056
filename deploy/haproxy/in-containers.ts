/** What `deploy/container/haproxy.cfg` is made of, the balancer of `compose.yml`: `write-config-text.ts` writes it. */
import type { HaproxyOptions } from './haproxy-config.js';
import { SEVERAL_MACHINES } from './several-machines.js';

export const IN_CONTAINERS: HaproxyOptions = {
  ...SEVERAL_MACHINES,
  // Its user is nobody's, and binds no port below 1024 everywhere.
  bind: ':8443',
  gateways: [
    { name: 'gateway-1', address: 'gateway-1:8080' },
    { name: 'gateway-2', address: 'gateway-2:8080' },
  ],
  // Docker's: a container that is made anew has another address.
  resolver: '127.0.0.11:53',
  ...(SEVERAL_MACHINES.edge === undefined
    ? {}
    : {
        edge: {
          ...SEVERAL_MACHINES.edge,
          certificate: '/run/secrets/tether.pem',
          plainBind: ':8080',
          // No address from outside can be told from one of the machine itself: rootless engines and IPv6 show the bridge's.
          internalNetworks: ['127.0.0.0/8'],
          internalBind: ':8081',
        },
      }),
};
