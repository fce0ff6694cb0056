/** Network ranges as configuration gives them: `10.0.0.0/8`, `2001:db8::/32`, or a single address. */
import ipaddr from 'ipaddr.js';

/** The range that `text` means, in canonical CIDR form, or undefined when it is none. */
function parseNetwork(text: string): string | undefined {
  // ipaddr.js would read `10.1` or `0x7f.1` as an address too; whoever writes that has most likely lost a part.
  if (!text.includes(':') && !/^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/.test(text)) return undefined;
  try {
    if (!text.includes('/')) {
      const address = ipaddr.parse(text);
      return `${address.toString()}/${address.kind() === 'ipv4' ? 32 : 128}`;
    }
    const [address, bits] = ipaddr.parseCIDR(text);
    return `${address.toString()}/${bits}`;
  } catch {
    // The library reports every malformed text by an error; here that is an answer: no network.
    return undefined;
  }
}

export { parseNetwork };
