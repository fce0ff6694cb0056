/** Whether a server is on this machine alone, as far as an address can say. */
import { lookup } from 'node:dns/promises';
import ipaddr from 'ipaddr.js';

/** Of an address, not a name. */
function isLoopbackAddress(address: string): boolean {
  return ipaddr.isValid(address) && ipaddr.process(address).range() === 'loopback';
}

/** Whether each address of a name, of an address or of a Unix socket's path is. False for a name that has none. */
async function isLoopback(host: string): Promise<boolean> {
  if (host === '' || host.startsWith('/')) return true;
  const bare = host.replace(/^\[|\]$/g, '');
  if (ipaddr.isValid(bare)) return isLoopbackAddress(bare);
  const addresses = await lookup(bare, { all: true }).catch(() => []);
  return addresses.length > 0 && addresses.every(({ address }) => isLoopbackAddress(address));
}

export { isLoopback, isLoopbackAddress };
