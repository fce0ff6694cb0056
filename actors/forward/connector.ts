/**
 * Connects to the host of a target, and only to an address that is allowed.
 *
 * Promises:
 * - a name is resolved once for a connection; what was checked is what is dialled (the check stands in the lookup of the socket itself), so a
 *   name that resolves to something else a moment later changes nothing
 * - a name with one address that is not allowed is refused altogether: nobody mixes public and private ones for a good reason
 * - an address that stands in the URL itself is checked as well, and so is the one that the socket says it is connected to
 */
import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { isAllowed, type Network } from './addresses.js';
import { ForwardAddressError } from './errors.js';

export interface Resolved {
  readonly address: string;
  readonly family: number;
}

/** Resolves a name to all of its addresses. */
export type Resolve = (hostname: string) => Promise<readonly Resolved[]>;

const ADDRESSES_MAX = 32;

export const systemResolve: Resolve = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses);
      else reject(error);
    });
  });

interface ConnectorOptions {
  readonly networks: readonly Network[];
  readonly resolve: Resolve;
  readonly connectMsMax: number;
  /** PEM of the authorities that are trusted; undefined: those of the system. */
  readonly ca: readonly string[] | undefined;
}

export function safeConnector({
  networks,
  resolve,
  connectMsMax,
  ca,
}: ConnectorOptions): buildConnector.connector {
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname).then(
      (all) => {
        const addresses = all.slice(0, ADDRESSES_MAX);
        const [first] = addresses;
        if (first === undefined || !addresses.every(({ address }) => isAllowed(address, networks))) {
          callback(refusal(hostname), '');
        } else if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, ''),
    );
  };
  const connect = buildConnector({
    lookup,
    timeout: connectMsMax,
    allowH2: false,
    ...(ca === undefined ? {} : { ca: [...ca] }),
    rejectUnauthorized: true,
    // Sessions of TLS are kept by name; the certificate of a name that has moved is to be seen again.
    maxCachedSessions: 0,
  });
  return (options, callback) => {
    // No name is looked up where the host is an address.
    if (isIP(options.hostname) !== 0 && !isAllowed(options.hostname, networks)) {
      callback(refusal(options.hostname), null);
      return;
    }
    connect(options, (...[error, socket]) => {
      if (error !== null) callback(error, null);
      else if (isAllowed(socket.remoteAddress ?? '', networks)) callback(null, socket);
      else {
        socket.destroy();
        callback(refusal(options.hostname), null);
      }
    });
  };
}

function refusal(hostname: string): ForwardAddressError {
  return new ForwardAddressError(`${hostname} is at an address that is not allowed`);
}
