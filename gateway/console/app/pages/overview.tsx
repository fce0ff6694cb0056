/** The first look: whether it is healthy, what limits it, and what to do. */
import type { Finding, Status } from '../../../api/status-schema.js';
import { Chart } from '../chart.js';
import { bytes, count, duration, percent, short } from '../format.js';
import { live } from '../live.js';
import { linkTo } from '../router.js';
import { useStore } from '../store.js';
import { Badge, Figure, Panel, Table, type Tone } from '../ui.js';

const perSecond = (value: number) => `${short(value)}/s`;

const named = (nodes: readonly string[], own: string) =>
  nodes.length === 0
    ? 'nobody'
    : nodes.map((each) => (each === own ? `${each} (this one)` : each)).join(', ');

export function OverviewPage() {
  const { status, history, mode } = useStore(live);
  if (status === null) return <p className="empty">Asking the node …</p>;
  return (
    <div className={mode === 'live' ? 'stack' : 'stack stale'}>
      <Findings findings={status.findings} isLive={mode === 'live'} />
      <Figures status={status} />
      <div className="charts">
        <Chart
          title="Throughput"
          at={history.at}
          format={perSecond}
          lines={[
            { name: 'acknowledged', values: history.acknowledged, colour: 'accent' },
            { name: 'done', values: history.done, colour: 'second', dashed: true },
          ]}
        />
        <Chart
          title="Latency, p95"
          at={history.at}
          format={duration}
          lines={[
            { name: 'acknowledgement', values: history.acknowledgeMsP95, colour: 'accent' },
            { name: 'age when done', values: history.ageMsP95, colour: 'second', dashed: true },
          ]}
        />
        <Chart
          title="Lag: acknowledged and not done"
          at={history.at}
          format={short}
          lines={[{ name: 'messages', values: history.lag, colour: 'accent' }]}
        />
      </div>
      <Pools status={status} />
      <Dependencies status={status} />
    </div>
  );
}

const TONES: Readonly<Record<Finding['severity'], Tone>> = {
  critical: 'bad',
  warning: 'warn',
  info: 'quiet',
};

function Findings({ findings, isLive }: { findings: readonly Finding[]; isLive: boolean }) {
  const [worst, ...others] = findings;
  // What is only good to know does not make a node ill.
  if (worst === undefined || worst.severity === 'info') {
    return (
      <section className="verdict good" aria-label="Health">
        <p className="headline">
          <Badge tone="good">{isLive ? 'Healthy' : 'Was healthy'}</Badge> Nothing limits this node.
        </p>
        {findings.map((each) => (
          <p key={each.code + (each.subject ?? '')}>
            <Badge tone="quiet">Note</Badge> <b>{each.title}</b> {each.detail}{' '}
            <span className="note">{each.advice}</span>
          </p>
        ))}
      </section>
    );
  }
  return (
    <section className={`verdict ${TONES[worst.severity]}`} aria-label="Health">
      <p className="headline">
        <Badge tone={TONES[worst.severity]}>{worst.severity}</Badge> {worst.title}
      </p>
      <p>{worst.detail}</p>
      <p className="advice">
        <b>What to do:</b> {worst.advice}
      </p>
      {others.length > 0 && (
        <details>
          <summary>{others.length === 1 ? 'One more finding' : `${others.length} more findings`}</summary>
          <ul>
            {others.map((each) => (
              <li key={each.code + (each.subject ?? '')}>
                <Badge tone={TONES[each.severity]}>{each.severity}</Badge> <b>{each.title}</b> {each.detail}{' '}
                {each.advice}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Figures({ status }: { status: Status }) {
  const { rates, totals, log, main } = status;
  const ages = status.pools.flatMap(({ ageMs }) => (ageMs === null ? [] : [ageMs.p95]));
  return (
    <dl className="figures">
      <Figure name="Acknowledged" note={`p95 ${duration(rates.acknowledgeMs?.p95)}`}>
        {perSecond(rates.acknowledged)}
      </Figure>
      <Figure name="Done" note={`${count(totals.done)} since the start`}>
        {perSecond(rates.done)}
      </Figure>
      <Figure name="Lag" note={`worst partition ${short(log.lagMax)}`}>
        {short(log.lag)}
      </Figure>
      <Figure name="Age when done" note="p95 of the slowest pool">
        {ages.length === 0 ? '–' : duration(Math.max(...ages))}
      </Figure>
      <Figure name="Dead letters" note={<a href={linkTo('dead-letters')}>look at them</a>}>
        {totals.deadLettersWaiting === null ? '–' : count(totals.deadLettersWaiting)}
      </Figure>
      <Figure name="Refused" note={`${count(totals.refused)} since the start`}>
        {perSecond(rates.refused)}
      </Figure>
      <Figure name="Main thread" note={`delay ${duration(main.eventLoopDelayMs)}`}>
        {percent(main.busy)}
      </Figure>
      <Figure name="Memory" note={`heap ${bytes(main.heapBytes)}`}>
        {bytes(main.rssBytes)}
      </Figure>
    </dl>
  );
}

function Pools({ status }: { status: Status }) {
  return (
    <Panel title="Pools" actions={<a href={linkTo('pools')}>Change them</a>}>
      <Table
        caption="Pools at a glance"
        empty="No pool runs on this node."
        columns={[
          { title: 'Actor' },
          { title: 'Mode' },
          { title: 'Threads', numeric: true },
          { title: 'Busiest', numeric: true },
          { title: 'Done', numeric: true },
          { title: 'Lag', numeric: true },
          { title: 'Behind', numeric: true },
          { title: 'Turn p95', numeric: true },
          { title: 'Age p95', numeric: true },
        ]}
        rows={status.pools.map((pool) => ({
          key: pool.actor,
          cells: [
            <a key="a" href={linkTo('pools', pool.actor)}>
              {pool.actor}
            </a>,
            <Badge key="m" tone={pool.outage !== null ? 'bad' : pool.mode === 'running' ? 'good' : 'warn'}>
              {pool.outage === null ? pool.mode : 'outage'}
            </Badge>,
            `${pool.threads.length} of ${pool.max}`,
            percent(Math.max(0, ...pool.threads.map(({ busy }) => busy ?? 0))),
            perSecond(pool.donePerSecond),
            short(pool.lag),
            duration(pool.behindMs),
            duration(pool.turnMs?.p95),
            duration(pool.ageMs?.p95),
          ],
        }))}
      />
    </Panel>
  );
}

function Dependencies({ status }: { status: Status }) {
  const { log, dependencies, node, cluster } = status;
  const limit = log.bytesMax === null ? '' : ` of ${bytes(log.bytesMax)}`;
  return (
    <Panel title="What it stands on" note={node.promise}>
      <Table
        caption="The log and the services that this node needs"
        empty=""
        columns={[
          { title: 'Part' },
          { title: 'State' },
          { title: 'Calls', numeric: true },
          { title: 'Failures', numeric: true },
          { title: 'p95', numeric: true },
        ]}
        rows={[
          {
            key: 'log',
            cells: [
              `Log (${log.driver})`,
              <Badge key="s" tone={log.state === 'open' || log.state === 'ok' ? 'good' : 'bad'}>
                {log.state}
              </Badge>,
              `${bytes(log.bytes)}${limit}`,
              '–',
              duration(log.commitMs?.p95),
            ],
          },
          ...dependencies.map((each) => ({
            key: each.name,
            cells: [
              { postgres: 'Postgres', s3: 'S3', redis: 'Redis' }[each.name],
              <Badge key="s" tone={each.state === 'ok' ? 'good' : 'bad'}>
                {each.state}
              </Badge>,
              perSecond(each.callsPerSecond),
              perSecond(each.failuresPerSecond),
              duration(each.callMs?.p95),
            ],
          })),
        ]}
      />
      {cluster !== null && (
        <div className="note">
          <p>
            This page is of <b>{cluster.node}</b>, which reads {cluster.owned} of {cluster.partitions}{' '}
            partitions. Behind a balancer it may be of another node the next time; open a node&apos;s own
            address to stay with it.
          </p>
          <p>Read partitions: {named(cluster.nodes, cluster.node)}.</p>
          {cluster.gateways.length > 0 && <p>Take messages in: {named(cluster.gateways, cluster.node)}.</p>}
        </div>
      )}
    </Panel>
  );
}
