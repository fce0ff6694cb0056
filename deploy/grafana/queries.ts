/** Queries, variables and a panel that the dashboards share. */
import type { Panel, Query, Variable } from './dashboard.js';

const NODES = 'job=~"$job", instance=~"$node"';
const ACTORS = `${NODES}, actor=~"$actor"`;
const RATE = '[$__rate_interval]';

const job: Variable = {
  name: 'job',
  label: 'Job',
  query: 'label_values(tether_log_open, job)',
  many: false,
};
const node: Variable = {
  name: 'node',
  label: 'Node',
  query: 'label_values(tether_log_open{job=~"$job"}, instance)',
  many: true,
};
const actor: Variable = {
  name: 'actor',
  label: 'Actor type',
  query: `label_values(tether_actor_pool_paused{${NODES}}, actor)`,
  many: true,
};

/** The sum of a counter's rates. */
function rate(name: string, matchers: string, by = ''): string {
  const sum = `sum${by === '' ? '' : ` by (${by})`}`;
  return `${sum} (rate(${name}{${matchers}}${RATE}))`;
}

function quantile(share: number, histogram: string, matchers: string, by = ''): string {
  const labels = by === '' ? 'le' : `${by}, le`;
  return `histogram_quantile(${share}, sum by (${labels}) (rate(${histogram}_bucket{${matchers}}${RATE})))`;
}

/** p50, p95 and p99 of a histogram of seconds. */
function quantiles(histogram: string, matchers: string): readonly Query[] {
  return [0.5, 0.95, 0.99].map((share) => ({
    expr: quantile(share, histogram, matchers),
    legend: `p${share * 100}`,
    exemplar: true,
  }));
}

/** p95 of each actor type. */
const perActor = (title: string, histogram: string, description: string): Panel => ({
  type: 'timeseries',
  title,
  description,
  unit: 's',
  width: 8,
  queries: [{ expr: quantile(0.95, histogram, ACTORS, 'actor'), legend: '{{actor}}' }],
});

export { ACTORS, actor, job, NODES, node, perActor, quantile, quantiles, RATE, rate };
