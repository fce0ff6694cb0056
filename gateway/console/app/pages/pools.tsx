/** Each pool: how busy its threads are, its settings beside those of the file, and what can be done to it while it works. */
import { useState } from 'react';
import type { PoolStatus } from '../../../api/status-schema.js';
import { change } from '../api.js';
import { bytes, count, duration, percent, short } from '../format.js';
import { live } from '../live.js';
import { useAction, useLoad } from '../load.js';
import { PoolForm } from '../pool-form.js';
import { useStore } from '../store.js';
import { Badge, ChangeButton, Confirm, Figure, Panel, Table } from '../ui.js';
import type { PoolRow } from '../wire.js';

export function PoolsPage({ detail }: { detail: string }) {
  const { status, mode } = useStore(live);
  const { value } = useLoad<{ pools: readonly PoolRow[] }>('/api/pools', {}, 10_000);
  if (status === null) return <p className="empty">Asking the node …</p>;
  const shown = status.pools.filter(({ actor }) => detail === '' || actor === detail);
  return (
    <div className={mode === 'live' ? 'stack' : 'stack stale'}>
      {detail !== '' && <a href="#/pools">All pools</a>}
      {shown.length === 0 && <p className="empty">No such pool runs on this node.</p>}
      {shown.map((pool) => (
        <Pool key={pool.actor} pool={pool} row={value?.pools.find(({ actor }) => actor === pool.actor)} />
      ))}
    </div>
  );
}

function Pool({ pool, row }: { pool: PoolStatus; row: PoolRow | undefined }) {
  const tone = pool.outage !== null ? 'bad' : pool.mode === 'running' ? 'good' : 'warn';
  return (
    <Panel
      title={pool.actor}
      note={
        <>
          <Badge tone={tone}>{pool.outage === null ? pool.mode : `outage: ${pool.outage}`}</Badge>
          {pool.resizing && ' changing its size'}
          {pool.unstable && ' · its threads die again and again'}
        </>
      }
      actions={<Actions pool={pool} />}
    >
      <dl className="figures inset">
        <Figure name="Done">{short(pool.donePerSecond)}/s</Figure>
        <Figure name="Lag">{short(pool.lag)}</Figure>
        <Figure name="In flight">{short(pool.inFlight)}</Figure>
        <Figure name="Behind">{duration(pool.behindMs)}</Figure>
        <Figure name="Turn p95">{duration(pool.turnMs?.p95)}</Figure>
        <Figure name="Age p95">{duration(pool.ageMs?.p95)}</Figure>
        <Figure name="Deepest mailbox">{count(pool.mailboxMax)}</Figure>
        <Figure name="Threads lost">{count(pool.threadsLost)}</Figure>
      </dl>
      <Threads pool={pool} />
      <PoolForm
        settings={pool.settings}
        actor={pool.actor}
        allowed={row?.allowed}
        saved={row?.saved ?? null}
      />
    </Panel>
  );
}

function Threads({ pool }: { pool: PoolStatus }) {
  return (
    <>
      <div className="heat-row" aria-hidden="true">
        {pool.threads.map(({ thread, busy }) => (
          <span key={thread} className={`heat h${Math.round((busy ?? 0) * 10)}`}>
            <span>{thread}</span> <b>{percent(busy)}</b>
          </span>
        ))}
      </div>
      <details>
        <summary>Threads as a table</summary>
        <Table
          caption={`Threads of ${pool.actor}`}
          empty="It has no thread now."
          columns={[
            { title: 'Thread' },
            { title: 'Mode' },
            { title: 'Busy', numeric: true },
            { title: 'Partitions', numeric: true },
            { title: 'Event loop', numeric: true },
            { title: 'Heap', numeric: true },
          ]}
          rows={pool.threads.map((each) => ({
            key: String(each.thread),
            cells: [
              String(each.thread),
              each.mode,
              percent(each.busy),
              count(each.partitions),
              duration(each.eventLoopDelayMs),
              bytes(each.heapBytes),
            ],
          }))}
        />
      </details>
    </>
  );
}

type Verb = 'pause' | 'resume' | 'drain';

const MEANING: Readonly<Record<Verb, string>> = {
  pause:
    'Nothing more is sent to its threads, on every node, also after a restart. Webhooks are acknowledged on, and wait on the log.',
  resume: 'It goes on with what waits on the log, on every node.',
  drain:
    'On this node it takes nothing new, and finishes what is in flight within 30 s. What waits stays on the log.',
};
const DONE: Readonly<Record<Verb, string>> = { pause: 'paused', resume: 'resumed', drain: 'draining' };
const DRAIN_MS = 30_000;

function Actions({ pool }: { pool: PoolStatus }) {
  const [verb, setVerb] = useState<Verb>();
  const action = useAction();
  const verbs: readonly Verb[] = pool.mode === 'running' ? ['pause', 'drain'] : ['resume'];
  const act = (chosen: Verb) =>
    action.run(
      () =>
        change(
          'POST',
          `/api/pools/${encodeURIComponent(pool.actor)}/${chosen}`,
          chosen === 'drain' ? { deadlineMs: DRAIN_MS } : undefined,
        ),
      `The pool of ${pool.actor} is ${DONE[chosen]}.`,
      () => setVerb(undefined),
    );
  return (
    <>
      {verbs.map((each) => (
        <ChangeButton key={each} onClick={() => setVerb(each)}>
          {{ pause: 'Pause', resume: 'Resume', drain: 'Drain' }[each]}
        </ChangeButton>
      ))}
      {verb !== undefined && (
        <Confirm
          title={`${verb.charAt(0).toUpperCase()}${verb.slice(1)} ${pool.actor}?`}
          action={`Yes, ${verb}`}
          kind={verb === 'resume' ? 'main' : 'danger'}
          isBusy={action.isBusy}
          onConfirm={() => act(verb)}
          onClose={() => setVerb(undefined)}
        >
          <p>{MEANING[verb]}</p>
          <p>
            Now: {short(pool.inFlight)} in flight, {short(pool.lag)} on the log and not done.
          </p>
        </Confirm>
      )}
    </>
  );
}
