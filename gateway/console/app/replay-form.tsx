/** Before events are replayed: where to, how fast, and what will happen, in the node's own words. */
import { useEffect, useState } from 'react';
import { ApiError, change } from './api.js';
import { absolute, count } from './format.js';
import { useAction } from './load.js';
import { go } from './router.js';
import { Badge, Confirm, Field, LoadState } from './ui.js';
import type { ReplayPreview, ReplayRow, ReplaySelect } from './wire.js';

const RATE = /^[1-9][0-9]{0,4}$/;
const RATE_MAX = 10_000;
const RATE_DEFAULT = '500';

export function ReplayDialog({ select, onClose }: { select: ReplaySelect; onClose: () => void }) {
  const [target, setTarget] = useState('');
  const [asked, setAsked] = useState('');
  const [rate, setRate] = useState(RATE_DEFAULT);
  const [isForced, setForced] = useState(false);
  const to = asked.trim();
  const request = { select, ...(to === '' ? {} : { to }), forced: isForced };
  const { preview, error } = usePreview(request);
  const action = useAction();
  const isRate = RATE.test(rate) && Number(rate) <= RATE_MAX;
  // What is agreed to is what was previewed.
  const isCurrent = target.trim() === to;
  const run = () =>
    action.run(
      () => change<ReplayRow>('POST', '/api/replays', { ...request, rate: Number(rate) }),
      'The replay is made.',
      () => {
        onClose();
        go('replays');
      },
    );
  return (
    <Confirm
      title="Replay events?"
      action={
        preview === undefined ? 'Wait …' : `Replay ${preview.total === null ? 'them' : count(preview.total)}`
      }
      kind={isForced ? 'danger' : 'main'}
      isBusy={action.isBusy}
      disabled={preview === undefined || preview.total === 0 || !isRate || !isCurrent}
      onConfirm={run}
      onClose={onClose}
    >
      <div className="form">
        <Field label="To" hint="an actor, or forward:target; empty: the routes of each endpoint">
          {({ id, describedBy }) => (
            <input
              id={id}
              aria-describedby={describedBy}
              autoComplete="off"
              spellCheck={false}
              maxLength={80}
              value={target}
              onChange={(event) => setTarget(event.target.value)}
              onBlur={() => setAsked(target)}
            />
          )}
        </Field>
        <Field
          label="Events a second, at most"
          error={isRate ? undefined : `a whole number from 1 to ${count(RATE_MAX)}`}
        >
          {({ id, describedBy }) => (
            <input
              id={id}
              aria-describedby={describedBy}
              aria-invalid={!isRate}
              inputMode="numeric"
              autoComplete="off"
              value={rate}
              onChange={(event) => setRate(event.target.value)}
            />
          )}
        </Field>
      </div>
      <label className="check">
        <input type="checkbox" checked={isForced} onChange={(event) => setForced(event.target.checked)} />{' '}
        Forced: effects may come a second time
      </label>
      <LoadState error={error} isLoading={preview === undefined && error === undefined} hasValue={false} />
      {preview !== undefined && <Preview preview={preview} />}
    </Confirm>
  );
}

function Preview({ preview }: { preview: ReplayPreview }) {
  return (
    <>
      <p>
        <b>{preview.effect}</b>
      </p>
      <ul className="plain">
        {preview.endpoints.map(({ endpoint, events, oldest, latest }) => (
          <li key={endpoint}>
            {count(events)} of endpoint {endpoint}, from {absolute(oldest)} to {absolute(latest)}
          </li>
        ))}
      </ul>
      {preview.warnings.map(({ code, detail }) => (
        <p key={code}>
          <Badge tone="warn">Note</Badge> {detail}
        </p>
      ))}
    </>
  );
}

function usePreview(request: object): { preview: ReplayPreview | undefined; error: string | undefined } {
  const body = JSON.stringify(request);
  const [answer, setAnswer] = useState<{ body: string; preview?: ReplayPreview; error?: string }>();
  useEffect(() => {
    let isCurrent = true;
    change<ReplayPreview>('POST', '/api/replays/preview', JSON.parse(body)).then(
      (preview) => isCurrent && setAnswer({ body, preview }),
      (failure: unknown) =>
        isCurrent &&
        setAnswer({
          body,
          error: failure instanceof ApiError ? failure.message : 'The answer cannot be read.',
        }),
    );
    return () => {
      isCurrent = false;
    };
  }, [body]);
  // One of another request says nothing of this one.
  const current = answer?.body === body ? answer : undefined;
  return { preview: current?.preview, error: current?.error };
}
