/** What is the matter with the endpoints of a node, for its status and for Prometheus. */
import type { EndpointControl, Finding, GatewayMetrics } from '../../gateway/index.js';

interface WatchedEndpoints extends Pick<EndpointControl, 'list' | 'file'> {
  readonly reloads: { readonly taken: number; readonly refused: number };
}

/** More of them would not be read. */
const SHOWN_MAX = 3;

function endpointFindings(endpoints: WatchedEndpoints): readonly Finding[] {
  const found: Finding[] = [];
  const file = endpoints.file();
  if (file !== undefined && file.problems.length > 0) {
    found.push({
      severity: 'warning',
      code: 'endpoints-file-refused',
      title: 'The endpoints file is refused: what was read before is served on',
      detail: some(file.problems),
      advice: `Mend it; \`tether endpoints check ${file.path}\` tells all. A restart would not start with it.`,
    });
  }
  const unserved = endpoints.list().filter(({ served }) => !served);
  if (unserved.length > 0) {
    found.push({
      severity: 'warning',
      code: 'endpoints-not-served',
      title: `${unserved.length} ${unserved.length === 1 ? 'endpoint is' : 'endpoints are'} saved and not served here`,
      detail: some(unserved.map(({ name, problems }) => `${name}: ${problems.join('; ')}`)),
      advice: 'Give this node what is missing, put the endpoint anew, or take it away.',
    });
  }
  return found;
}

function some(lines: readonly string[]): string {
  const rest = lines.length - SHOWN_MAX;
  return `${lines.slice(0, SHOWN_MAX).join('; ')}${rest > 0 ? `; and ${rest} more` : ''}`;
}

function registerEndpointMetrics(metrics: GatewayMetrics, endpoints: WatchedEndpoints): void {
  metrics.gauges(
    'tether_endpoints',
    'Endpoints, by where they stand, and whether they are served',
    ['source', 'served'],
    () => {
      const counts = new Map<string, { readonly labels: Record<string, string>; value: number }>();
      for (const { source, served } of endpoints.list()) {
        const key = `${source} ${served}`;
        const count = counts.get(key) ?? { labels: { source, served: String(served) }, value: 0 };
        count.value++;
        counts.set(key, count);
      }
      return [...counts.values()];
    },
  );
  metrics.gauge(
    'tether_endpoints_file_refused',
    '1 while the endpoints file is not what is served, since something is wrong with it',
    () => Number((endpoints.file()?.problems.length ?? 0) > 0),
  );
  metrics.counters(
    'tether_endpoints_reloads_total',
    'Times that the endpoints file was read anew, and what came of it',
    ['result'],
    () => {
      const { taken, refused } = endpoints.reloads;
      return [
        { labels: { result: 'taken' }, value: taken },
        { labels: { result: 'refused' }, value: refused },
      ];
    },
  );
}

export { endpointFindings, registerEndpointMetrics };
