/** One dead letter: why it died, and what it holds. */

import type { Planned } from './dead-letter-bulk.js';
import { absolute, count } from './format.js';
import { useLoad } from './load.js';
import { Masked, Revealed } from './payload.js';
import { useReveal } from './reveal.js';
import { linkTo } from './router.js';
import { ChangeButton, LoadState, Panel } from './ui.js';
import type { DeadLetterRow } from './wire.js';

export function DeadLetterPanel(props: { id: string; onPlan: (plan: Planned) => void; onClose: () => void }) {
  const { id, onPlan, onClose } = props;
  const path = `/api/dead-letters/${encodeURIComponent(id)}`;
  const { value, error, isLoading } = useLoad<DeadLetterRow>(path, {}, 5_000);
  const { body, button, question } = useReveal(path);
  const waits = value?.state === 'waiting';
  return (
    <Panel
      title={value === undefined ? 'Dead letter' : `Dead letter ${value.envelope.key}`}
      isDetail
      actions={
        <>
          <ChangeButton kind="main" disabled={!waits} onClick={() => onPlan({ verb: 'replay', ids: [id] })}>
            Replay
          </ChangeButton>
          <ChangeButton kind="danger" disabled={!waits} onClick={() => onPlan({ verb: 'drop', ids: [id] })}>
            Drop
          </ChangeButton>
          {value !== undefined && button}
          <button type="button" onClick={onClose}>
            Close
          </button>
        </>
      }
    >
      <LoadState error={error} isLoading={isLoading} hasValue={value !== undefined} />
      {value !== undefined && <Content letter={value} />}
      {value !== undefined && (
        <>
          <h3>Body</h3>
          {body === undefined ? (
            <Masked payload={value.envelope.payloadMasked} />
          ) : (
            <Revealed text={body.payloadText} base64={body.payload} />
          )}
        </>
      )}
      {question}
    </Panel>
  );
}

function Content({ letter: { envelope, cause, attempts, deadAt, state } }: { letter: DeadLetterRow }) {
  return (
    <>
      <dl className="facts">
        <dt>Cause</dt>
        <dd>
          <code>{cause.code}</code> {cause.message}
        </dd>
        <dt>State</dt>
        <dd>
          {state}, after {attempts === 1 ? 'one try' : `${count(attempts)} tries`}
        </dd>
        <dt>Accepted</dt>
        <dd>{absolute(envelope.receivedAt)}</dd>
        <dt>Died</dt>
        <dd>{absolute(deadAt)}</dd>
        <dt>Message</dt>
        <dd className="mono">{envelope.id}</dd>
        <dt>Key</dt>
        <dd>
          <a className="mono" href={linkTo('events', envelope.key)} title="Its events">
            {envelope.key}
          </a>
        </dd>
        {envelope.traceparent !== '' && (
          <>
            <dt>Trace</dt>
            <dd className="mono">{envelope.traceparent.split('-')[1] ?? ''}</dd>
          </>
        )}
      </dl>
      {cause.stack !== undefined && cause.stack !== '' && (
        <details>
          <summary>Stack of the error</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard. */}
          <pre tabIndex={0}>{cause.stack}</pre>
        </details>
      )}
    </>
  );
}
