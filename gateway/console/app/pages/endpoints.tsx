/** Who may send webhooks and where they go, and where they are forwarded to, with what is wrong or waits. Never a secret: the API gives none. */
import { count } from '../format.js';
import { useLoad } from '../load.js';
import { Badge, LoadState, Panel, Table, When } from '../ui.js';
import type { EndpointList, EndpointRow, SecretRow, TargetList, TargetRow } from '../wire.js';

export function EndpointsPage() {
  return (
    <div className="stack">
      <Endpoints />
      <Targets />
    </div>
  );
}

const FROM = { file: 'the file', default: 'for trying out', api: 'the API' } as const;

function Endpoints() {
  const { value, error, isLoading } = useLoad<EndpointList>('/api/endpoints', {}, 5_000);
  const file = value?.file ?? undefined;
  return (
    <Panel
      title="Endpoints"
      note={
        file === undefined ? (
          'who may send webhooks to this node'
        ) : (
          <>
            {file.path}, read <When at={file.readAt} />
          </>
        )
      }
    >
      <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
      {file !== undefined && file.problems.length > 0 && (
        <div role="status">
          <p>
            <Badge tone="warn">The file is refused</Badge> What was read before is served on; a restart would
            not start with it.
          </p>
          <ul className="plain">
            {file.problems.map((problem) => (
              <li key={problem}>{problem}</li>
            ))}
          </ul>
        </div>
      )}
      {value !== undefined && (
        <Table
          caption="Endpoints"
          empty="This node has no endpoint: it takes no webhooks."
          columns={[
            { title: 'Name' },
            { title: 'State' },
            { title: 'Provider' },
            { title: 'Goes to' },
            { title: 'From' },
            { title: 'Secrets' },
            { title: 'Changed' },
          ]}
          rows={value.endpoints.map((endpoint) => ({
            key: `${endpoint.source} ${endpoint.name}`,
            cells: [
              <span key="n" className="mono">
                {endpoint.name}
              </span>,
              <State key="s" endpoint={endpoint} />,
              endpoint.provider,
              <Destinations key="d" endpoint={endpoint} />,
              FROM[endpoint.source],
              <Secrets key="k" secrets={endpoint.secrets} />,
              endpoint.changedAt === null ? (
                '–'
              ) : (
                <span key="c">
                  <When at={endpoint.changedAt} /> by {endpoint.changedBy}
                </span>
              ),
            ],
          }))}
        />
      )}
    </Panel>
  );
}

function State({ endpoint: { served, problems } }: { endpoint: EndpointRow }) {
  if (served) return <Badge tone="good">served</Badge>;
  return (
    <span>
      <Badge tone="warn">not served here</Badge> <span className="note">{problems.join('; ')}</span>
    </span>
  );
}

/** A line for each route, in their order, then where the rest goes. */
function Destinations({ endpoint: { settings } }: { endpoint: EndpointRow }) {
  const { routes = [], actor } = settings;
  if (routes.length === 0) return <span className="mono">{actor ?? 'kept only'}</span>;
  return (
    <ul className="plain mono">
      {routes.map(({ when, to, continue: goesOn }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a route is its place.
        <li key={at}>
          {when ?? 'all'} → {[to].flat().join(', ')}
          {goesOn === true && ', and on'}
        </li>
      ))}
      <li>rest → {actor ?? 'kept only'}</li>
    </ul>
  );
}

function Secrets({ secrets }: { secrets: readonly SecretRow[] }) {
  if (secrets.length === 0) return <span>none</span>;
  return (
    <ul className="plain mono">
      {secrets.map(({ reference, digest }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two may be the same.
        <li key={at}>{reference ?? digest}</li>
      ))}
    </ul>
  );
}

function Targets() {
  const { value, error, isLoading } = useLoad<TargetList>('/api/targets', {}, 5_000);
  return (
    <Panel title="Targets" note="where webhooks are forwarded to">
      <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
      {value?.waitingKnown === false && (
        <p>
          <Badge tone="warn">Postgres is away</Badge> What waits is not known.
        </p>
      )}
      {value !== undefined && (
        <Table
          caption="Targets"
          empty="Nothing is forwarded: the endpoints file has no targets."
          columns={[
            { title: 'Name' },
            { title: 'State' },
            { title: 'Last problem' },
            { title: 'Waiting', numeric: true },
            { title: 'Since' },
            { title: 'Next attempt' },
            { title: 'URL' },
            { title: 'At most' },
            { title: 'Secrets' },
            { title: 'Headers' },
          ]}
          rows={value.targets.map((target) => ({
            key: target.name,
            cells: [
              <span key="n" className="mono">
                {target.name}
              </span>,
              <TargetState key="s" target={target} />,
              target.waiting?.reason || '–',
              target.waiting === null
                ? '0'
                : `${count(target.waiting.count)}${target.waiting.more ? '+' : ''}`,
              <When key="w" at={target.waiting?.since} />,
              <When key="d" at={target.waiting?.dueAt} />,
              <span key="u" className="mono">
                {target.origin || '–'}
              </span>,
              <Limits key="l" target={target} />,
              <Secrets key="k" secrets={target.secrets} />,
              target.headers.join(', ') || '–',
            ],
          }))}
        />
      )}
    </Panel>
  );
}

function TargetState({ target: { known, waiting } }: { target: TargetRow }) {
  if (!known) return <Badge tone="bad">taken away, deliveries wait</Badge>;
  if (waiting === null) return <Badge tone="good">nothing waits</Badge>;
  return waiting.reason === '' ? <Badge tone="quiet">busy</Badge> : <Badge tone="warn">fails</Badge>;
}

function Limits({ target: { settings } }: { target: TargetRow }) {
  const { ratePerSecond, concurrency } = settings;
  if (concurrency === undefined) return <span>–</span>;
  const rate = ratePerSecond === undefined ? '' : `, ${count(ratePerSecond)}/s`;
  return (
    <span className="nowrap">
      {count(concurrency)} at once{rate}
    </span>
  );
}
