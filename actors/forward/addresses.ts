/**
 * Which addresses a delivery may go to: those of the public internet, and networks that the target's settings name.
 *
 * Everything is refused that is not known to be public: what the registries of special addresses list (loopback, private, link-local with the
 * metadata services of clouds, shared of carriers, multicast, broadcast, documentation, reserved), and of IPv6 all but 2000::/3. An
 * address that carries an IPv4 one is judged by that where a network really sends it there (IPv4-mapped, the NAT64 prefix); 6to4, Teredo and
 * the local NAT64 prefix are refused.
 */
import ipaddr from 'ipaddr.js';

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Network = readonly [Address, number];

/** Public by its number, but in a cloud the host's own agent, with its secrets. */
const HOST_AGENTS: ReadonlySet<string> = new Set(['168.63.129.16']);
const NAT64_BYTES = [0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0];

/** `a.b.c.d/n` or `x::y/n`, in full; undefined when it is none. */
export function parseNetwork(text: string): Network | undefined {
  if (!ipaddr.IPv4.isValidCIDRFourPartDecimal(text) && !ipaddr.IPv6.isValidCIDR(text)) return undefined;
  if (text.includes('%')) return undefined;
  const [address, bits] = ipaddr.parseCIDR(text);
  return [address, bits];
}

/** @param address as the resolver gives it, or the host of a URL without brackets */
export function isAllowed(address: string, networks: readonly Network[]): boolean {
  const parsed = parse(address);
  if (parsed === undefined) return false;
  return isPublic(parsed) || networks.some(([network, bits]) => isIn(parsed, network, bits));
}

/** The address that packets go to: what is embedded, where it is. Undefined when it is no address in full. */
function parse(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  // A zone names an interface: link-local, whatever else it says. The parser takes `::a.b.c.d` for a mapped address; packets do not go there.
  if (text.includes('%') || /^::\d+\./.test(text) || !ipaddr.IPv6.isValid(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  const bytes = address.toByteArray();
  if (NAT64_BYTES.every((byte, at) => bytes[at] === byte)) return new ipaddr.IPv4(bytes.slice(12));
  return address;
}

function isPublic(address: Address): boolean {
  if (address.range() !== 'unicast') return false;
  if (address instanceof ipaddr.IPv4) return !HOST_AGENTS.has(address.toString());
  return ((address.toByteArray()[0] ?? 0) & 0xe0) === 0x20;
}

function isIn(address: Address, network: Address, bits: number): boolean {
  if (address instanceof ipaddr.IPv4) return network instanceof ipaddr.IPv4 && address.match(network, bits);
  return network instanceof ipaddr.IPv6 && address.match(network, bits);
}
