/** Before dead letters are replayed or dropped: what will happen, in the node's own words; after it: how many, and what is left. */
import { useEffect, useState } from 'react';
import { ApiError, change } from './api.js';
import { absolute, count, plural } from './format.js';
import { useAction } from './load.js';
import { Badge, Confirm, LoadState } from './ui.js';
import type { Bulk, DeadLetterPreview } from './wire.js';

/** What is to be done with those of `ids`, or with all that `filter` selects. */
export interface Planned {
  readonly verb: 'replay' | 'drop';
  readonly ids?: readonly string[];
  readonly filter?: Readonly<Record<string, string | number>>;
}

interface Result {
  readonly replayed?: number;
  readonly dropped?: number;
  readonly failed?: number;
  readonly left: number;
  readonly stopped?: string | null;
}

export function BulkDialog({
  plan,
  onDone,
  onClose,
}: {
  plan: Planned;
  onDone: () => void;
  onClose: () => void;
}) {
  const { verb } = plan;
  const { preview, error } = usePreview(plan);
  const action = useAction();
  const run = () => {
    if (preview === undefined) return;
    // What dies after the preview was not agreed to.
    const body: Bulk =
      plan.ids === undefined
        ? { filter: { ...plan.filter, to: Math.min(Number(plan.filter?.to ?? preview.at), preview.at) } }
        : { ids: plan.ids };
    action.run(
      () => change<Result>('POST', `/api/dead-letters/${verb}`, body),
      (result) => told(verb, result),
      onDone,
    );
  };
  return (
    <Confirm
      title={verb === 'replay' ? 'Replay dead letters?' : 'Drop dead letters?'}
      action={
        preview === undefined ? 'Wait …' : `${verb === 'replay' ? 'Replay' : 'Drop'} ${count(preview.total)}`
      }
      kind={verb === 'replay' ? 'main' : 'danger'}
      isBusy={action.isBusy}
      disabled={preview === undefined || preview.total === 0}
      onConfirm={run}
      onClose={onClose}
    >
      <LoadState error={error} isLoading={preview === undefined && error === undefined} hasValue={false} />
      {preview !== undefined && <Preview preview={preview} verb={verb} />}
    </Confirm>
  );
}

function Preview({ preview, verb }: { preview: DeadLetterPreview; verb: Planned['verb'] }) {
  return (
    <>
      <p>
        <b>{preview.effect[verb]}</b>
      </p>
      {preview.oldest !== null && preview.latest !== null && (
        <p>
          They died from {absolute(preview.oldest)} to {absolute(preview.latest)}.
        </p>
      )}
      <ul className="plain">
        {preview.actors.map(({ actor, count: many, pool }) => (
          <li key={actor}>
            {plural(many, 'message')} for {actor} ({pool === null ? 'no pool here' : `its pool is ${pool}`})
          </li>
        ))}
        {preview.codes.map(({ code, count: many }) => (
          <li key={code}>
            {count(many)} died of <code>{code}</code>
          </li>
        ))}
      </ul>
      {preview.warnings.map(({ code, detail }) => (
        <p key={code + detail}>
          <Badge tone="warn">Note</Badge> {detail}
        </p>
      ))}
    </>
  );
}

function usePreview({ ids, filter }: Planned): {
  preview: DeadLetterPreview | undefined;
  error: string | undefined;
} {
  const [preview, setPreview] = useState<DeadLetterPreview>();
  const [error, setError] = useState<string>();
  const body = JSON.stringify(ids === undefined ? { filter: filter ?? {} } : { ids });
  useEffect(() => {
    let isCurrent = true;
    change<DeadLetterPreview>('POST', '/api/dead-letters/preview', JSON.parse(body)).then(
      (answer) => isCurrent && setPreview(answer),
      (failure: unknown) =>
        isCurrent && setError(failure instanceof ApiError ? failure.message : 'The answer cannot be read.'),
    );
    return () => {
      isCurrent = false;
    };
  }, [body]);
  return { preview, error };
}

function told(verb: Planned['verb'], { replayed, dropped, failed = 0, left, stopped }: Result): string {
  const done =
    verb === 'replay'
      ? `${plural(replayed ?? 0, 'message')} back on the log.`
      : `${plural(dropped ?? 0, 'message')} dropped.`;
  const rest = [
    failed > 0 ? `${count(failed)} could not be put back and wait on.` : '',
    left > 0 ? `${count(left)} are left${stopped ? ` (${stopped})` : ''}: do it again for them.` : '',
  ];
  return [done, ...rest].filter((each) => each !== '').join(' ');
}
