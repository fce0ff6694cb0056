/** A webhook endpoint as a node is given it, and the one that `tether up` serves without being given any. */
import type { FilledTarget } from '../actors/forward/target-settings.js';
import type { FilledHandling } from '../actors/webhook/route-settings.js';

interface Endpoint extends Partial<Pick<FilledHandling, 'routes' | 'order' | 'delaySeconds'>> {
  readonly name: string;
  /** A name of the gateway's `PROVIDERS`. */
  readonly provider: string;
  readonly token: string;
  /** Every one of them is valid; none where the provider takes none. */
  readonly secrets: readonly string[];
  /** The type of the actor that handles its messages; EMP has one in any case. */
  readonly actor?: string;
  /** CIDRs; undefined: every address may send. */
  readonly networks?: readonly string[];
  /** Of the provider, as they were given. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Of a request; undefined: 64 KiB. */
  readonly bodyBytesMax?: number;
}

/** What a node serves, and where it forwards to. */
interface ServedEndpoints {
  readonly endpoints: readonly Endpoint[];
  readonly targets: readonly FilledTarget[];
}

/** In the documentation, and therefore nobody's secret. */
const PUBLISHED_SECRET = 'test-api-password-1';

/** What `tether up` serves without an endpoints file. */
const DEFAULT_ENDPOINT: Endpoint = Object.freeze({
  name: 'emp',
  provider: 'emp',
  token: 'dev',
  secrets: Object.freeze([PUBLISHED_SECRET]),
  actor: 'payment',
});

export { DEFAULT_ENDPOINT, type Endpoint, PUBLISHED_SECRET, type ServedEndpoints };
