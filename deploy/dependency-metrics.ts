/** Series of the calls to Postgres, S3 and Redis: those of all threads of this process. */
import type { GatewayMetrics } from '../gateway/index.js';
import type { SystemMeasures } from '../runtime/measure/system-meter.js';

export interface MeasuredCalls {
  measures(): Pick<SystemMeasures, 'dependencies'>;
}

export function registerDependencyMetrics(metrics: GatewayMetrics, calls: MeasuredCalls): void {
  metrics.histogram(
    'tether_dependency_call_seconds',
    'Time of a call to a dependency, those that failed among them',
    () =>
      calls
        .measures()
        .dependencies.map(({ dependency, times }) => ({ labels: { dependency }, counts: times })),
  );
  metrics.counters(
    'tether_dependency_failures_total',
    'Calls to a dependency that failed',
    ['dependency'],
    () =>
      calls
        .measures()
        .dependencies.map(({ dependency, failures }) => ({ labels: { dependency }, value: failures })),
  );
}
