/**
 * Who is asking, behind balancers and proxies, and whether that address is on a list. Only endpoints with an allow-list
 * pay for it.
 *
 * The address is the peer of the socket; with `proxyProtocol`, the source that a PROXY v2 header names, if there is one
 * (the port must then be reachable through the balancer alone: anybody can send that header); and if that is a trusted proxy,
 * the rightmost address in `X-Forwarded-For` that is no trusted proxy. Everything left of it is the client's own word.
 */

import type { HttpRequest, HttpResponse } from 'uWebSockets.js';
import ipaddr from 'ipaddr.js';
import { GatewayOptionError } from './errors.js';

export type Address = ipaddr.IPv4 | ipaddr.IPv6;

const FORWARDED_FOR = 'x-forwarded-for';
/** An address with a port behind it, as some proxies write it. */
const WITH_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([0-9.]+))(?::[0-9]{1,5})?$/;

/** A list of networks, compiled. */
export class NetworkList {
  readonly #networks: readonly [Address, number][];

  /** `networks`: CIDR notation, or single addresses. @throws GatewayOptionError, which names `option` and the bad entry */
  constructor(networks: readonly string[], option: string) {
    this.#networks = networks.map((network) => parseNetwork(network, option));
  }

  get isEmpty(): boolean {
    return this.#networks.length === 0;
  }

  holds(address: Address): boolean {
    return this.#networks.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
    );
  }
}

export interface ClientAddressOptions {
  readonly trustedProxies: readonly string[];
  readonly proxyProtocol: boolean;
}

export class ClientAddresses {
  readonly #trustedProxies: NetworkList;
  readonly #proxyProtocol: boolean;

  constructor({ trustedProxies, proxyProtocol }: ClientAddressOptions) {
    this.#trustedProxies = new NetworkList(trustedProxies, 'trustedProxies');
    this.#proxyProtocol = proxyProtocol;
  }

  /** The client's address; undefined when a trusted proxy names one that cannot be read. Within the handler only. */
  of(res: HttpResponse, req: HttpRequest): Address | undefined {
    const proxied = this.#proxyProtocol ? fromBytes(res.getProxiedRemoteAddress()) : undefined;
    const peer = proxied ?? fromBytes(res.getRemoteAddress());
    if (peer === undefined || this.#trustedProxies.isEmpty || !this.#trustedProxies.holds(peer)) return peer;
    const forwardedFor = allValues(req, FORWARDED_FOR);
    return forwardedFor.length === 0 ? peer : this.#rightmostUntrusted(forwardedFor);
  }

  #rightmostUntrusted(forwardedFor: readonly string[]): Address | undefined {
    const hops = forwardedFor.join(',').split(',');
    let address: Address | undefined;
    for (let i = hops.length - 1; i >= 0; i--) {
      address = parseAddress((hops[i] ?? '').trim());
      if (address === undefined || !this.#trustedProxies.holds(address)) return address;
    }
    return address;
  }
}

/** Every line of a header. `getHeader` gives the first one, which is the client's; the proxy's own line comes last. */
function allValues(req: HttpRequest, name: string): string[] {
  const values: string[] = [];
  req.forEach((key, value) => {
    if (key === name) values.push(value);
  });
  return values;
}

function fromBytes(bytes: ArrayBuffer): Address | undefined {
  if (bytes.byteLength !== 4 && bytes.byteLength !== 16) return undefined;
  return unmapped(ipaddr.fromByteArray([...new Uint8Array(bytes)]));
}

function parseAddress(text: string): Address | undefined {
  const withPort = WITH_PORT.exec(text);
  const bare = withPort?.[1] ?? withPort?.[2] ?? text;
  // Four parts only: ipaddr.js also reads 10.1 and 0x0a000001, which proxies never write.
  if (!ipaddr.IPv6.isValid(bare) && !ipaddr.IPv4.isValidFourPartDecimal(bare)) return undefined;
  return unmapped(ipaddr.parse(bare));
}

/** ::ffff:192.0.2.1 is 192.0.2.1: a socket that listens on both families reports IPv4 peers so. */
function unmapped(address: Address): Address {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function parseNetwork(network: string, option: string): [Address, number] {
  const address = network.includes('/') ? undefined : parseAddress(network);
  if (address !== undefined) return [address, address.kind() === 'ipv4' ? 32 : 128];
  try {
    return ipaddr.parseCIDR(network);
  } catch (cause) {
    throw new GatewayOptionError(`${option}: ${JSON.stringify(network)} is no network in CIDR notation`, {
      cause,
    });
  }
}
